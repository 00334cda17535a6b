//! `weir sink`, and `--sink` of `weir serve`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use pipeline_core::api::registry;
use pipeline_core::api::sink::{SinkAdd, SinkRemove, SinkReplay, SinkView, SinksRequest};
use pipeline_core::event::js_date;
use pipeline_core::flow::SinkWanted;
use pipeline_core::sinks::{SinkError, SinkKind};

use crate::args::Sink;
use crate::client::Client;
use crate::coded::coded;
use crate::output::print_json;
use crate::say::say;

pub fn run(sink: &Sink) -> anyhow::Result<ExitCode> {
    match sink {
        Sink::Add { kind, target, name, from_start, attempts, connection } => {
            let known = SinkKind::from_name(kind).ok_or_else(|| refused(SinkError::UnknownKind(kind.clone())))?;
            let request = SinkAdd {
                kind: kind.clone(),
                target: absolute(known, target)?,
                name: name.clone(),
                from_start: *from_start,
                max_attempts: *attempts,
            };
            let view = Client::find(connection)?.call::<registry::SinkAdd>(&request)?;
            if connection.json { print_json(&view)? } else { print(&view) }
        }
        Sink::List { target } => {
            let list = Client::find(target)?.call::<registry::Sinks>(&SinksRequest::default())?;
            if target.json {
                print_json(&list.sinks)?;
            } else {
                list.sinks.iter().for_each(print);
            }
        }
        Sink::Replay { name, from, target } => {
            let request = SinkReplay { name: name.clone(), from_ms: from.as_deref().map(moment).transpose()? };
            let view = Client::find(target)?.call::<registry::SinkReplay>(&request)?;
            if target.json { print_json(&view)? } else { print(&view) }
        }
        Sink::Remove { name, target } => {
            let request = SinkRemove { name: name.clone() };
            let view = Client::find(target)?.call::<registry::SinkRemove>(&request)?;
            if target.json { print_json(&view)? } else { print(&view) }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub fn print(view: &SinkView) {
    let pending = view.pending.map_or_else(|| "?".to_owned(), |pending| pending.to_string());
    say!(
        "sink          {} {} {}: {} delivered, {} failed, {pending} pending, {} retried ({})",
        view.name,
        view.kind,
        view.target,
        view.delivered,
        view.failed,
        view.retried,
        view.state.as_str()
    );
    if let Some(error) = &view.last_error {
        say!("              {error}");
    }
}

/// `--sink jsonl:DIR` and the like.
pub fn wanted(text: &str) -> anyhow::Result<SinkWanted> {
    let (kind, target) = SinkKind::parse(text).map_err(refused)?;
    Ok(SinkWanted { kind, target: absolute(kind, &target)?, name: None, start: None, max_attempts: None })
}

/// Milliseconds since 1970 of a moment as people write it.
pub fn moment(text: &str) -> anyhow::Result<i64> {
    let parsed = js_date::parse(text);
    parsed.with_context(|| format!("{text:?} is no moment; write it like 2026-01-31T09:30:00Z"))
}

/// Paths are meant from here; the server may run elsewhere.
fn absolute(kind: SinkKind, target: &str) -> anyhow::Result<String> {
    match kind {
        SinkKind::Http => Ok(target.to_owned()),
        SinkKind::Jsonl | SinkKind::Parquet => {
            let path = std::path::absolute(Path::new(target)).with_context(|| format!("{target:?} is no path"))?;
            Ok(path.display().to_string())
        }
    }
}

fn refused(error: SinkError) -> anyhow::Error {
    coded(&error, error.code(), error.hint())
}
