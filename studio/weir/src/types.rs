//! `weir types`: what a plugin's editor can know of its configuration and of the events that come.
//!
//! `types/config.d.ts` follows from `plugin.json`. `types/events.d.ts` follows from events: those of a running server,
//! of a store without a server, or of a file. A plugin in Python has both in `weir_types.py`. The same input gives the
//! same text, so the files can be committed, and `--check` can hold them.

mod config;
mod events;
mod python;
mod shape;
mod sources;
mod text;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use pipeline_core::generator::{BUILT_IN, MessRates, Request, Stream};
use pipeline_core::plugins::Manifest;
use serde_json::{Value, json};

use crate::new;
use crate::new_args::Types;
use crate::output::print_json;
use crate::say::say;
use events::Seen;
use sources::Source;

pub const CONFIG: &str = "types/config.d.ts";
pub const EVENTS: &str = "types/events.d.ts";
pub const PYTHON: &str = "weir_types.py";
const API: &str = "types/weir.d.ts";
const MANIFEST: &str = "plugin.json";
/// Enough of the demo stream for each of its events to have come with each of its properties.
const DEMO_EVENTS: u64 = 5_000;
const DEMO_SEED: u64 = 7;
const DEMO_SOURCE: &str = "the demo stream of `weir serve --demo`";

pub fn run(types: &Types) -> anyhow::Result<ExitCode> {
    let path = types.dir.join(MANIFEST);
    let manifest = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}; name the folder of a plugin", path.display()))?;
    let source = sources::find(types)?;
    let mut files = Vec::new();
    let mut note = None;
    if is_python(&types.dir, &manifest) {
        let manifest = parsed(&manifest)?;
        match source {
            Source::Seen { seen, name } => files.push((PYTHON, python::declarations(&manifest, Some((&seen, &name))))),
            // What is known of events stands in the same file.
            Source::Nothing(why) if types.dir.join(PYTHON).exists() => note = Some(why),
            Source::Nothing(why) => {
                files.push((PYTHON, python::declarations(&manifest, None)));
                note = Some(why);
            }
        }
    } else {
        files.push((CONFIG, of_manifest(&manifest)?));
        match source {
            Source::Seen { seen, name } => files.push((EVENTS, events::declarations(&seen, &name))),
            Source::Nothing(why) => note = Some(why),
        }
    }
    // Only where `weir new` has put it: elsewhere the package itself may be installed.
    if types.dir.join(API).exists() {
        files.push((API, new::api_types().to_owned()));
    }
    let changed = stale(&types.dir, &files);
    if !types.check {
        changed.iter().try_for_each(|(path, text)| write(path, text))?;
    }
    let shown = |path: &Path| path.strip_prefix(&types.dir).unwrap_or(path).display().to_string();
    if types.target.json {
        let changed: Vec<_> = changed.iter().map(|(path, _)| shown(path)).collect();
        let all: Vec<_> = files.iter().map(|(path, _)| *path).collect();
        print_json(&json!({"files": all, "changed": changed, "written": !types.check, "note": note}))?;
    } else {
        for (path, _) in &files {
            let state = match (changed.iter().any(|(changed, _)| changed.ends_with(path)), types.check) {
                (false, _) => "up to date",
                (true, false) => "written",
                (true, true) => "out of date",
            };
            say!("{path:<20} {state}");
        }
        if let Some(note) = &note {
            eprintln!("weir: note: {note}");
        }
    }
    if types.check && !changed.is_empty() {
        eprintln!("weir: `weir types {}` writes what is out of date", types.dir.display());
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// The files whose text is not there yet.
fn stale<'t>(dir: &Path, files: &'t [(&str, String)]) -> Vec<(PathBuf, &'t str)> {
    files
        .iter()
        .map(|(path, text)| (dir.join(path), text.as_str()))
        .filter(|(path, text)| fs::read_to_string(path).map_or(true, |before| before != *text))
        .collect()
}

/// Writes a file, in folders that need not be there.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// `types/config.d.ts`.
pub fn of_manifest(text: &str) -> anyhow::Result<String> {
    Ok(config::declarations(&parsed(text)?))
}

fn parsed(text: &str) -> anyhow::Result<Manifest> {
    Manifest::parse(text).map_err(|problem| {
        let hint = problem.hint.unwrap_or_default();
        anyhow!("{} (line {}, column {}). {hint}", problem.message, problem.line, problem.column)
    })
}

fn is_python(dir: &Path, manifest: &str) -> bool {
    let main = Manifest::parse(manifest).ok().and_then(|manifest| manifest.main);
    match main {
        Some(main) => Path::new(&main).extension().is_some_and(|extension| extension == "py"),
        None => ["plugin.py", "main.py"].iter().any(|name| dir.join(name).exists()),
    }
}

/// `weir_types.py` of a manifest and of the events that `weir serve --demo` sends.
pub fn python_of_demo_stream(manifest: &str) -> anyhow::Result<String> {
    Ok(python::declarations(&parsed(manifest)?, Some((&demo_seen(), DEMO_SOURCE))))
}

/// `types/events.d.ts` of the events that `weir serve --demo` sends.
pub fn of_demo_stream() -> String {
    events::declarations(&demo_seen(), DEMO_SOURCE)
}

fn demo_seen() -> Seen {
    let mut scenario = BUILT_IN[0].scenario();
    // What clients mean to send, without what goes wrong on the way.
    scenario.mess = MessRates::default();
    let mut seen = Seen::default();
    for event in Stream::new(Arc::new(scenario), DEMO_SEED).events(DEMO_EVENTS).flat_map(Request::into_events) {
        let event: Value = serde_json::from_str(&event.json(0)).unwrap_or_default();
        if let (Some(name), Some(properties)) = (event["event"].as_str(), event["properties"].as_object()) {
            seen.add(name, properties);
        }
    }
    seen
}
