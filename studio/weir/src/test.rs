//! `weir test`: fixtures of plugins, without a server.

mod modified;
mod watch;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pipeline_core::trial::{
    EXIT_ERROR, EXIT_NONE, Report, Selection, Style, Suite, Workshop, html, junit, plugin_dirs, text,
};

use crate::coded::coded;
use crate::say;
use crate::test_args::Test;

/// Shorter runs show no progress.
const PROGRESS_AFTER: Duration = Duration::from_secs(1);
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

pub fn run(test: &Test) -> ExitCode {
    match tried(test) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say::check(&error);
            // Not 1, which is a mismatch.
            eprintln!("weir: {error:#}");
            ExitCode::from(EXIT_ERROR)
        }
    }
}

fn tried(test: &Test) -> anyhow::Result<u8> {
    let workshop = Workshop::start(&compiled_dir()?, test.geoip.as_deref())
        .map_err(|error| coded(&error, error.code(), error.hint()))?;
    if test.watch {
        return watch::run(test, &workshop);
    }
    let report = once(test, &workshop)?;
    told(test, &report)?;
    Ok(report.exit_code)
}

/// One run over everything that is selected.
fn once(test: &Test, workshop: &Workshop) -> anyhow::Result<Report> {
    let dirs = plugin_dirs(&test.dirs).map_err(|error| coded(&error, error.code(), error.hint()))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let selection = Selection {
        filter: test.filter.clone(),
        changed: if test.modified { Some(modified::paths(&dirs)?) } else { None },
        threads: test.jobs.map_or(cores, usize::from),
        update: test.update,
    };
    let progress = Progress::new();
    let report = Suite::new(workshop, selection).run(&dirs, &|done, all| progress.told(done, all));
    progress.gone();
    report.map_err(|error| coded(&error, error.code(), error.hint()))
}

fn told(test: &Test, report: &Report) -> anyhow::Result<()> {
    written(test, report)?;
    let mut out = std::io::stdout().lock();
    if test.json {
        serde_json::to_writer(&mut out, report)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", text(report, Style { colour: has_colour() }))?;
        if report.exit_code == EXIT_NONE {
            writeln!(out, "{}", nothing(test))?;
        }
    }
    Ok(())
}

/// The files that were asked for.
fn written(test: &Test, report: &Report) -> anyhow::Result<()> {
    for (path, document) in [(&test.junit, junit as fn(&Report) -> String), (&test.html, html)] {
        if let Some(path) = path {
            std::fs::write(path, document(report)).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

fn nothing(test: &Test) -> String {
    if test.modified || test.filter.is_some() {
        return "No fixture is selected.".to_owned();
    }
    let dir = test.dirs.first().map_or_else(|| Path::new("."), PathBuf::as_path);
    format!(
        "No fixtures. Write for example {}:\n\
         {{\n  \"name\": \"a page view passes\",\n  \
         \"event\": {{\"event\": \"$pageview\", \"distinct_id\": \"ann\", \"properties\": {{}}}}\n}}\n\
         and let `weir test --update` write down what the plugin makes of it.",
        dir.join("fixtures/first.json").display()
    )
}

fn has_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Machine code of plugins, shared with nothing that a stranger can write to.
fn compiled_dir() -> anyhow::Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .context("nowhere to keep compiled plugins: neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(base.join("weir").join("compiled"))
}

/// A line on standard error that is written over.
struct Progress {
    started: Instant,
    is_shown: bool,
    last: Mutex<Option<Instant>>,
}

impl Progress {
    fn new() -> Self {
        Self { started: Instant::now(), is_shown: std::io::stderr().is_terminal(), last: Mutex::new(None) }
    }

    fn told(&self, done: usize, all: usize) {
        if !self.is_shown || self.started.elapsed() < PROGRESS_AFTER {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= PROGRESS_EVERY) {
            *last = Some(Instant::now());
            eprint!("\r{done} of {all} fixtures\u{1b}[K");
        }
    }

    fn gone(&self) {
        if self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_some() {
            eprint!("\r\u{1b}[K");
        }
    }
}
