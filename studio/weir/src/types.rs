//! `weir types`: what a plugin's editor can know of its configuration and of the events that come.
//!
//! `types/config.d.ts` follows from `plugin.json`. `types/events.d.ts` follows from events: those of a running server,
//! of a store without a server, or of a file. A plugin in Python has both in `weir_types.py`, one in Rust in
//! `weir_types.rs` beside its `lib.rs`. The same input gives the same text, so the files can be committed, and `--check`
//! can hold them.

mod config;
mod events;
mod python;
mod rust;
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
pub const RUST: &str = "src/weir_types.rs";
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
    let mut files: Vec<(String, String)> = Vec::new();
    let mut note = None;
    if let Some(one) = OneFile::of(&types.dir, &manifest) {
        let manifest = parsed(&manifest)?;
        let (seen, why) = match source {
            Source::Seen { seen, name } => (Some((seen, name)), None),
            Source::Nothing(why) => (None, Some(why)),
        };
        // What is known of events stands in the same file, and stays where nothing is known now.
        if seen.is_some() || !types.dir.join(&one.path).exists() {
            let text = (one.declarations)(&manifest, seen.as_ref().map(|(seen, name)| (seen, name.as_str())));
            files.push((one.path, text));
        }
        note = why;
    } else {
        files.push((CONFIG.to_owned(), of_manifest(&manifest)?));
        match source {
            Source::Seen { seen, name } => files.push((EVENTS.to_owned(), events::declarations(&seen, &name))),
            Source::Nothing(why) => note = Some(why),
        }
    }
    // Only where `weir new` has put it: elsewhere the package itself may be installed.
    if types.dir.join(API).exists() {
        files.push((API.to_owned(), new::api_types().to_owned()));
    }
    let changed = stale(&types.dir, &files);
    if !types.check {
        changed.iter().try_for_each(|(path, text)| write(path, text))?;
    }
    let shown = |path: &Path| path.strip_prefix(&types.dir).unwrap_or(path).display().to_string();
    if types.target.json {
        let changed: Vec<_> = changed.iter().map(|(path, _)| shown(path)).collect();
        let all: Vec<_> = files.iter().map(|(path, _)| path).collect();
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
fn stale<'t>(dir: &Path, files: &'t [(String, String)]) -> Vec<(PathBuf, &'t str)> {
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

type Declarations = fn(&Manifest, Option<(&Seen, &str)>) -> String;

/// Where a language has everything in one file.
struct OneFile {
    path: String,
    declarations: Declarations,
}

impl OneFile {
    /// Nothing for JavaScript and TypeScript. Without a `main`, what lies in the folder tells, as it does for the host.
    fn of(dir: &Path, manifest: &str) -> Option<Self> {
        let main = Manifest::parse(manifest).ok().and_then(|manifest| manifest.main).or_else(|| {
            let kinds = ["src/lib.rs", "plugin.py", "main.py"];
            kinds.into_iter().find(|name| dir.join(name).exists()).map(str::to_owned)
        })?;
        let main = Path::new(&main);
        match main.extension()?.to_str()? {
            "py" => Some(Self { path: PYTHON.to_owned(), declarations: python::declarations }),
            "rs" => Some(Self {
                path: main.with_file_name("weir_types.rs").to_string_lossy().into_owned(),
                declarations: rust::declarations,
            }),
            _ => None,
        }
    }
}

/// `weir_types.py` of a manifest and of the events that `weir serve --demo` sends.
pub fn python_of_demo_stream(manifest: &str) -> anyhow::Result<String> {
    Ok(python::declarations(&parsed(manifest)?, Some((&demo_seen(), DEMO_SOURCE))))
}

/// `src/weir_types.rs` of the same.
pub fn rust_of_demo_stream(manifest: &str) -> anyhow::Result<String> {
    Ok(rust::declarations(&parsed(manifest)?, Some((&demo_seen(), DEMO_SOURCE))))
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
        let event: Value = serde_json::from_str(&event.json()).unwrap_or_default();
        if let (Some(name), Some(properties)) = (event["event"].as_str(), event["properties"].as_object()) {
            seen.add(name, properties);
        }
    }
    seen
}
