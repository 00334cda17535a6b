//! The commands that ask a running server, and how their answers are printed.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use pipeline_core::api::ledger::{AuditRequest, DigestRequest, Status as StatusView, StatusRequest};
use pipeline_core::api::live::DemoRequest;
use pipeline_core::api::query::{QueryRequest, QueryResult};
use pipeline_core::api::redrive::RedriveRequest;
use pipeline_core::api::registry;
use pipeline_core::api::session::OpenLinkRequest;
use pipeline_core::store::{QueryLimits, open_read_only};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::args::{Demo, Metrics, Query, Redrive, Status, Target};
use crate::client::Client;
use crate::say::say;
use crate::{alert, plugin_print, sink, table};

pub fn query(query: &Query) -> anyhow::Result<ExitCode> {
    let result = match Client::find(&query.target) {
        Ok(client) => client.call::<registry::Query>(&QueryRequest {
            sql: query.sql.clone(),
            max_rows: query.max_rows,
            timeout_ms: query.timeout_ms,
        })?,
        Err(no_server) if query.target.url.is_none() && query.target.data.join("store.duckdb").exists() => {
            read_store(query).context(no_server)?
        }
        Err(no_server) => return Err(no_server),
    };
    let mut out = std::io::stdout().lock();
    if query.target.json {
        for row in &result.rows {
            let object: Map<String, Value> = result.columns.iter().cloned().zip(row.iter().cloned()).collect();
            writeln!(out, "{}", Value::Object(object))?;
        }
    } else {
        print_table(&mut out, &result)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// With no server, the store's file is read directly.
fn read_store(query: &Query) -> anyhow::Result<QueryResult> {
    let defaults = QueryLimits::default();
    let limits = QueryLimits {
        max_rows: query.max_rows.unwrap_or(defaults.max_rows),
        timeout_ms: query.timeout_ms.unwrap_or(defaults.timeout_ms),
    };
    let store = open_read_only(&query.target.data.join("store.duckdb"), 1)?;
    Ok(store.run(&query.sql, limits)?)
}

fn print_table(out: &mut impl std::io::Write, result: &QueryResult) -> std::io::Result<()> {
    table::print_values(out, &result.columns, &result.rows)?;
    let more = if result.truncated { ", more matched: raise --max-rows" } else { "" };
    writeln!(out, "({} rows in {:.1} ms{more})", result.rows.len(), result.elapsed_ms)
}

pub fn status(status: &Status) -> anyhow::Result<ExitCode> {
    let view = Client::find(&status.target)?.call::<registry::Status>(&StatusRequest::default())?;
    if status.target.json {
        print_json(&view)?;
    } else {
        print_status(&view);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_status(view: &StatusView) {
    let ledger = &view.ledger;
    say!("received      {:>12}", ledger.received);
    say!("emitted       {:>12}", ledger.emitted);
    say!("  stored      {:>12}", ledger.stored);
    say!("  dropped     {:>12}", ledger.dropped);
    say!("  rejected    {:>12}", ledger.rejected);
    say!("  dead        {:>12}", ledger.dead_lettered);
    say!("  duplicate   {:>12}", ledger.deduplicated);
    say!("  in flight   {:>12}", ledger.in_flight);
    say!("unexplained   {:>12}", ledger.unexplained);
    match view.queryable_lag_ms {
        Some(ms) => say!("queryable     {ms:>9.0} ms behind"),
        None => say!("queryable              not measured yet"),
    }
    say!("store         {}", view.store_state);
    for plugin in &view.plugins {
        plugin_print::line(plugin);
    }
    view.sinks.iter().for_each(sink::print);
    view.alerts.iter().for_each(alert::print_active);
    for note in &view.recovery {
        say!("note: {note}");
    }
}

pub fn open(target: &Target) -> anyhow::Result<ExitCode> {
    let link = Client::find(target)?.call::<registry::OpenLink>(&OpenLinkRequest::default())?;
    if target.json {
        print_json(&link)?;
    } else {
        say!("{}", link.url);
    }
    Ok(ExitCode::SUCCESS)
}

pub fn audit(target: &Target) -> anyhow::Result<ExitCode> {
    let audit = Client::find(target)?.call::<registry::Audit>(&AuditRequest::default())?;
    if target.json {
        print_json(&audit)?;
    } else {
        say!("{} events recounted, {} rows", audit.intake_events, audit.event_rows);
        audit.differences.iter().for_each(|difference| say!("difference: {difference}"));
    }
    Ok(if audit.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Without a name, everything as the server says it; otherwise the lines of what begins so.
pub fn metrics(metrics: &Metrics) -> anyhow::Result<ExitCode> {
    let text = Client::find(&metrics.target)?.metrics()?;
    let name = |line: &str| {
        let of = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")).unwrap_or(line);
        of.starts_with(&metrics.name)
    };
    let mut found = false;
    for line in text.lines().filter(|line| metrics.name.is_empty() || name(line)) {
        say!("{line}");
        found = true;
    }
    if !found {
        anyhow::bail!(
            "the server publishes nothing whose name begins with {:?}; docs/metrics.md has every name",
            metrics.name
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Counts first; what is moved is what was counted.
pub fn redrive(redrive: &Redrive) -> anyhow::Result<ExitCode> {
    let client = Client::find(&redrive.target)?;
    let mut request = RedriveRequest {
        project: redrive.project,
        event: redrive.event.clone(),
        reason: redrive.reason.clone(),
        confirm: None,
    };
    let mut result = client.call::<registry::Redrive>(&request)?;
    if redrive.yes && result.matched > 0 {
        request.confirm = Some(result.matched);
        result = client.call::<registry::Redrive>(&request)?;
    }
    if redrive.target.json {
        print_json(&result)?;
    } else if result.redriven {
        say!(
            "{} dead letters redriven: {} stored, {} dropped, {} duplicates, {} failed again",
            result.matched,
            result.stored,
            result.dropped,
            result.deduplicated,
            result.dead_lettered
        );
    } else if result.matched == 0 {
        say!("no dead letter fits");
    } else {
        say!("{} dead letters fit; --yes sends them through the plugins once more", result.matched);
    }
    Ok(ExitCode::SUCCESS)
}

pub fn digest(target: &Target) -> anyhow::Result<ExitCode> {
    let digest = Client::find(target)?.call::<registry::Digest>(&DigestRequest::default())?;
    if target.json {
        print_json(&digest)?;
    } else {
        for table in &digest.tables {
            say!("{:<22} {:>10} rows  {}", table.table, table.rows, table.digest);
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub fn demo(demo: &Demo) -> anyhow::Result<ExitCode> {
    let running = match (demo.start, demo.stop) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    let request = DemoRequest { running, events_per_second: demo.rate };
    let state = Client::find(&demo.target)?.call::<registry::Demo>(&request)?;
    if demo.target.json {
        print_json(&state)?;
    } else {
        let verb = if state.running { "running" } else { "stopped" };
        say!("demo stream {verb} at {} events/s, {} sent", state.events_per_second, state.sent);
    }
    Ok(ExitCode::SUCCESS)
}

pub fn print_json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    say!("{}", serde_json::to_string(value)?);
    Ok(())
}
