//! Checks over what fixtures left for the store.
//!
//! Each fixture is a store of its own: events of two fixtures are never asked about together. A check that any of
//! them breaks is a mismatch, with the fixture's name and the rows.

use std::path::Path;
use std::time::Instant;

use serde_json::{Map, Value, json};
use uuid::Uuid;
use weir_api::check::CheckProblem;
use weir_api::query::QueryResult;
use weir_event::clock::UnixMillis;
use weir_event::normalize::{self, PluginEvent};
use weir_event::prepare::{Captured, prepare};
use weir_plugins::CHECKS_DIR;
use weir_store::{EventRow, QueryLimits, Scratch};

use crate::check::{Check, CheckError, CheckFile, of_store};
use crate::compare::{Difference, matches};
use crate::input::PROJECT;
use crate::trial::Tried;
use crate::verdict::{FixtureResult, Problem, Verdict};

/// Of one fixture; what a stream makes beyond it is not asked about.
pub const MOST_EVENTS: usize = 50_000;
/// Rows of a fixture, and fixtures, that are shown.
const SHOWN_ROWS: u64 = 5;
const SHOWN_FIXTURES: usize = 5;
/// Fixtures are small: a check that takes longer would be stopped live, too.
const LIMITS: QueryLimits = QueryLimits { max_rows: SHOWN_ROWS, timeout_ms: 10_000 };

/// The row of an event as the store would have it; `None` for one that is not stored. Persons and groups are not
/// worked out: their columns are empty.
pub fn row(plugin_id: &str, tried: &Tried, received_at_ms: UnixMillis) -> Option<EventRow> {
    let mut event: PluginEvent = serde_json::from_str(tried.after()?).ok()?;
    normalize::normalize(&mut event);
    let distinct_id = event.get("distinct_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let captured = Captured { uuid: tried.uuid, distinct_id: &distinct_id, received_at_ms, keeps_recordings: true };
    let prepared = prepare(event, captured, &mut Vec::new()).ok()?;
    let seen = tried.steps.iter().map(|step| json!({"id": plugin_id, "label": step.effect.label}));
    Some(EventRow {
        uuid: prepared.uuid,
        event: prepared.event,
        properties: Value::Object(prepared.properties).to_string(),
        timestamp_ms: prepared.timestamp_ms,
        team_id: PROJECT,
        distinct_id: prepared.distinct_id,
        elements_chain: prepared.elements_chain,
        created_at_ms: received_at_ms,
        person_id: Uuid::nil(),
        person_created_at_ms: 0,
        person_properties: "{}".to_owned(),
        person_mode: "propertyless",
        groups: None,
        plugins: Value::Array(seen.collect()).to_string(),
        received_at_ms,
        payload: 0,
        offset: tried.offset,
    })
}

/// One result for each check, in the order of their files.
pub fn run(
    plugin_id: &str,
    checks: &[Result<Check, CheckError>],
    fixtures: Vec<(&str, Vec<EventRow>)>,
) -> Vec<FixtureResult> {
    let mut runs: Vec<Run<'_>> = checks.iter().map(|check| Run::new(plugin_id, check)).collect();
    let mut scratch = match Scratch::open() {
        Ok(scratch) => scratch,
        Err(error) => {
            let problem = of_store(&error, error.to_string());
            runs.iter_mut().for_each(|run| run.fails(Verdict::Error, problem.clone()));
            return runs.into_iter().map(Run::ended).collect();
        }
    };
    // What is wrong with a check shows also where no fixture leaves an event.
    runs.iter_mut().for_each(|run| run.tried(&scratch));
    for (name, rows) in fixtures {
        let held = scratch.hold(rows);
        for run in &mut runs {
            match &held {
                Ok(()) => run.over(name, &scratch),
                Err(error) => {
                    let message = format!("the events of {name:?} cannot be stored: {error}");
                    run.fails(Verdict::Error, of_store(error, message));
                }
            }
        }
    }
    runs.into_iter().map(Run::ended).collect()
}

struct Run<'c> {
    check: Option<&'c Check>,
    result: FixtureResult,
    broken: usize,
}

impl<'c> Run<'c> {
    fn new(plugin_id: &str, check: &'c Result<Check, CheckError>) -> Self {
        let file = match check {
            Ok(check) => &check.file,
            Err(error) => &error.file,
        };
        let mut run = Self { check: check.as_ref().ok(), result: blank(plugin_id, file), broken: 0 };
        if let Err(error) = check {
            run.fails(Verdict::Invalid, error.clone().into());
        }
        run
    }

    fn fails(&mut self, verdict: Verdict, problem: CheckProblem) {
        self.result.verdict = verdict;
        self.result.problem = Some(Problem {
            code: problem.code,
            message: problem.message,
            file: self.result.file.to_string_lossy().into_owned(),
            line: problem.line,
            column: 0,
            excerpt: String::new(),
            hint: problem.hint,
        });
    }

    fn tried(&mut self, scratch: &Scratch) {
        if let Some(Err(problem)) = self.check.map(|check| check.run(scratch.pool(), LIMITS)) {
            self.fails(Verdict::Invalid, problem);
        }
    }

    fn over(&mut self, fixture: &str, scratch: &Scratch) {
        let Some(check) = self.check.filter(|_| self.result.problem.is_none()) else { return };
        if check.except.iter().any(|pattern| matches(pattern, fixture)) {
            return;
        }
        let started = Instant::now();
        let ran = check.run(scratch.pool(), LIMITS);
        self.result.duration_ms += started.elapsed().as_secs_f64() * 1_000.0;
        match ran {
            Ok(found) if found.rows.is_empty() => {}
            Ok(found) => self.breaks(fixture, &found),
            Err(problem) => self.fails(Verdict::Invalid, problem),
        }
    }

    fn breaks(&mut self, fixture: &str, found: &QueryResult) {
        self.broken += 1;
        if self.broken <= SHOWN_FIXTURES {
            let more = if found.truncated { ", and more" } else { "" };
            self.result.differences.push(Difference {
                path: format!("rows over {fixture:?}{more}"),
                expected: Some(json!([])),
                actual: Some(found.rows.iter().map(|row| named(&found.columns, row)).collect()),
            });
        }
    }

    fn ended(mut self) -> FixtureResult {
        if let Some(check) = self.check.filter(|_| self.broken > 0) {
            let fixtures = if self.broken == 1 { "one fixture" } else { &format!("{} fixtures", self.broken) };
            let what = if check.description.is_empty() { String::new() } else { format!(": {}", check.description) };
            self.result.consequence = format!(
                "the check {} fails as soon as such events are stored, as over {fixtures}{what}",
                check.file.name
            );
            self.result.verdict = Verdict::Mismatch;
        }
        self.result
    }
}

fn blank(plugin_id: &str, file: &CheckFile) -> FixtureResult {
    let shown = Path::new(CHECKS_DIR).join(file.path.file_name().unwrap_or_default());
    let name = format!("check {}", file.name);
    FixtureResult { file: shown, line: 1, ..FixtureResult::blank(plugin_id, &name, Verdict::Pass, None) }
}

fn named(columns: &[String], row: &[Value]) -> Value {
    Value::Object(columns.iter().cloned().zip(row.iter().cloned()).collect::<Map<_, _>>())
}
