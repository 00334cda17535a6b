//! Runs again on every save, and says what the save has changed.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::Context as _;
use pipeline_core::plugins::{SaveWatch, Watching};
use pipeline_core::trial::{FixtureResult, Report, Verdict, Workshop, plugin_dirs};

use super::{has_colour, once, told};
use crate::coded::coded;
use crate::say::say;
use crate::test_args::Test;

/// Until the user ends it.
pub fn run(test: &Test, workshop: &Workshop) -> anyhow::Result<u8> {
    let mut saves = SaveWatch::start(Watching::default());
    let mut before: Option<Report> = None;
    loop {
        let dirs = plugin_dirs(&test.dirs).map_err(|error| coded(&error, error.code(), error.hint()))?;
        // Before the run, so that a save during it is not missed.
        saves.follow(&dirs);
        let report = once(test, workshop)?;
        told(test, &report)?;
        if let Some(before) = &before {
            say!("{}", changes(before, &report));
        }
        say!("waiting for a save; Ctrl+C ends");
        std::io::stdout().flush().context("nobody reads this any more")?;
        before = Some(report);
        saves.wait();
        if has_colour() {
            say!();
        }
    }
}

/// In what two runs differ, a line for each fixture.
fn changes(before: &Report, after: &Report) -> String {
    let key = |result: &FixtureResult| (result.plugin.clone(), result.file.clone(), result.name.clone());
    let known: BTreeMap<_, &FixtureResult> = before.results.iter().map(|result| (key(result), result)).collect();
    let mut lines = Vec::new();
    for result in &after.results {
        let name = &result.name;
        let verdict = result.verdict.as_str();
        match known.get(&key(result)) {
            None => lines.push(format!("new: {name} ({verdict})")),
            Some(old) if old.verdict != result.verdict => {
                let word = if result.verdict == Verdict::Pass { "fixed" } else { "changed" };
                lines.push(format!("{word}: {name}, {} before and {verdict} now", old.verdict.as_str()));
            }
            Some(old) if old.differences != result.differences => {
                lines.push(format!("differs in another way: {name}"));
            }
            Some(_) => {}
        }
    }
    let gone = before.results.iter().filter(|old| after.results.iter().all(|result| key(result) != key(old)));
    lines.extend(gone.map(|old| format!("gone: {}", old.name)));
    if lines.is_empty() {
        return "the save changed no result".to_owned();
    }
    let head = if lines.len() == 1 { "the save changed one result:" } else { "the save changed these results:" };
    format!("{head}\n  {}", lines.join("\n  "))
}
