//! `cargo xtask long`: random tests for as long as there is time, slice by slice.
//!
//! Each slice goes on with the seeds after those of the last one and adds a line to `docs/long-runs.ndjson`, so that
//! hours add up over days and machines, and no seed is spent twice. A seed that fails is told and counted; the slice
//! goes on with the next.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use chrono::Utc;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::process::{cargo, root, run};

const RECORD: &str = "docs/long-runs.ndjson";

/// Random tests that may run for ever.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Suite {
    /// Histories of requests, the pipeline against the model
    Histories,
    /// Plugins that mean harm
    Hostile,
    /// A million events of each scenario under the eyes of the oracle
    Oracle,
    /// Saves of a plugin, a thousand in a row, and what they leave behind
    Reloads,
}

/// How a suite is run once.
struct Plan {
    name: &'static str,
    /// Of `cargo nextest run`.
    arguments: &'static [&'static str],
    /// What tells the tests how much, and where to begin.
    count_variable: &'static str,
    seed_variable: &'static str,
    count: u64,
    /// Tests that each run as many.
    tests: u64,
}

impl Suite {
    const fn plan(self) -> Plan {
        match self {
            Self::Histories => Plan {
                name: "histories",
                arguments: &["-p", "histories", "--test", "histories"],
                count_variable: "WEIR_HISTORIES",
                seed_variable: "WEIR_SEED",
                count: 1_000,
                // By arrival and by event time.
                tests: 2,
            },
            Self::Hostile => Plan {
                name: "hostile",
                arguments: &["--workspace", "--exclude", "weir-desktop", "--test", "host", "hostile_plugins"],
                count_variable: "WEIR_HOSTILE",
                seed_variable: "WEIR_SEED",
                count: 200,
                // Thirds, side by side.
                tests: 3,
            },
            Self::Oracle => Plan {
                name: "oracle",
                arguments: &[
                    "--workspace",
                    "--exclude",
                    "weir-desktop",
                    "--test",
                    "suite",
                    "no_scenario_raises_an_alarm",
                ],
                count_variable: "WEIR_ORACLE_EVENTS",
                seed_variable: "WEIR_SEED",
                // Of each scenario.
                count: 100_000,
                tests: 1,
            },
            Self::Reloads => Plan {
                name: "reloads",
                arguments: &[
                    "--workspace",
                    "--exclude",
                    "weir-desktop",
                    "--test",
                    "host",
                    "reloads_leave_nothing_behind",
                ],
                count_variable: "WEIR_RELOADS",
                seed_variable: "WEIR_SEED",
                count: 1_000,
                tests: 1,
            },
        }
    }
}

/// A slice, as a line of the record.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    suite: String,
    commit: String,
    seed_from: u64,
    seed_to: u64,
    /// Of the seeds that passed; histories, plugins, events of each scenario, or reloads.
    #[serde(alias = "histories")]
    runs: u64,
    /// Seeds that did not.
    failures: u64,
    minutes: f64,
    date: String,
}

/// Runs seeds until the minutes are over; the last one is finished.
pub fn slice(suite: Suite, minutes: f64) -> anyhow::Result<()> {
    let plan = suite.plan();
    let record = root().join(RECORD);
    let lines = read(&record)?;
    // Building is no part of the time.
    run(nextest(&plan).arg("--no-run"))?;
    let seed_from = next_seed(&lines, plan.name);
    let (mut seed, mut runs, mut failed) = (seed_from, 0, Vec::new());
    let start = Instant::now();
    let until = Duration::try_from_secs_f64(minutes * 60.0).context("minutes are a positive number")?;
    loop {
        let passed = nextest(&plan)
            .args(["--no-fail-fast", "--cargo-quiet", "--status-level", "fail"])
            .env(plan.count_variable, plan.count.to_string())
            .env(plan.seed_variable, seed.to_string())
            .status()
            .context("cannot start cargo nextest")?
            .success();
        if passed {
            runs += plan.count * plan.tests;
        } else {
            failed.push(seed);
        }
        if start.elapsed() >= until {
            break;
        }
        seed += 1;
    }
    let line = Line {
        suite: plan.name.into(),
        commit: commit()?,
        seed_from,
        seed_to: seed,
        runs,
        failures: failed.len() as u64,
        minutes: (start.elapsed().as_secs_f64() / 6.0).round() / 10.0,
        date: Utc::now().date_naive().to_string(),
    };
    append(&record, &line)?;
    eprintln!("{}", total(&read(&record)?, plan.name));
    ensure!(failed.is_empty(), "{} with {} of {failed:?} fails", plan.name, plan.seed_variable);
    Ok(())
}

fn nextest(plan: &Plan) -> std::process::Command {
    let mut command = cargo();
    command.args(["nextest", "run", "--locked"]).args(plan.arguments);
    command
}

fn read(record: &Path) -> anyhow::Result<Vec<Line>> {
    // Before the first slice there is no record.
    let text = if record.exists() { fs::read_to_string(record)? } else { String::new() };
    text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("{RECORD}: {line}"))).collect()
}

fn append(record: &Path, line: &Line) -> anyhow::Result<()> {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(record)?;
    writeln!(file, "{}", serde_json::to_string(line)?)?;
    Ok(())
}

fn next_seed(lines: &[Line], suite: &str) -> u64 {
    lines.iter().rev().find(|line| line.suite == suite).map_or(1, |line| line.seed_to + 1)
}

fn total(lines: &[Line], suite: &str) -> String {
    let of_suite = || lines.iter().filter(|line| line.suite == suite);
    format!(
        "{suite}: {} in {} slices and {:.1} minutes so far, {} seeds failed",
        of_suite().map(|line| line.runs).sum::<u64>(),
        of_suite().count(),
        of_suite().map(|line| line.minutes).sum::<f64>(),
        of_suite().map(|line| line.failures).sum::<u64>(),
    )
}

fn commit() -> anyhow::Result<String> {
    let output = std::process::Command::new("git")
        .args(["describe", "--always", "--dirty", "--exclude", "*"])
        .current_dir(root())
        .output()
        .context("cannot start git")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(suite: &str, seed_to: u64, runs: u64) -> Line {
        Line {
            suite: suite.into(),
            commit: "0".into(),
            seed_from: 1,
            seed_to,
            runs,
            failures: 1,
            minutes: 0.5,
            date: "2026-01-02".into(),
        }
    }

    #[test]
    fn a_slice_goes_on_where_the_last_of_its_suite_ended() {
        assert_eq!(next_seed(&[], "a"), 1);
        let lines = [line("a", 7, 10), line("b", 90, 5), line("a", 9, 10), line("b", 91, 5)];
        assert_eq!(next_seed(&lines, "a"), 10);
        assert_eq!(total(&lines, "a"), "a: 20 in 2 slices and 1.0 minutes so far, 2 seeds failed");
    }

    #[test]
    fn lines_from_before_there_were_other_suites_are_read() {
        let old = serde_json::to_string(&line("a", 7, 10)).expect("a line").replace("\"runs\"", "\"histories\"");
        assert_eq!(serde_json::from_str::<Line>(&old).expect("a line"), line("a", 7, 10));
    }

    #[test]
    fn what_is_appended_is_read_back() {
        let record = std::env::temp_dir().join(format!("weir-long-runs-{}.ndjson", std::process::id()));
        let lines = [line("a", 7, 10), line("b", 8, 20)];
        for line in &lines {
            append(&record, line).expect("a write");
        }
        let found = read(&record);
        fs::remove_file(&record).expect("it is there");
        assert_eq!(found.expect("lines"), lines);
        assert_eq!(read(&record).expect("no record is an empty one"), []);
    }
}
