//! One fixture, from its first step to its verdict.

use std::sync::Arc;
use std::time::Instant;

use serde_json::value::RawValue;
use weir_event::journal::StorageMutation;
use weir_event::normalize;
use weir_event::prepare::{Captured, prepare};
use weir_event::{ProjectId, StoredEvent};
use weir_generator::{Overrides, Scenario, Stream};
use weir_plugins::{
    Answers, BenchError, Blueprint, CacheEntry, OtherSettings, Part, Settings, StorageSnapshot, Task, Workshop,
};

use crate::checked::MOST_EVENTS;
use crate::compare::{Difference, matches};
use crate::consequence;
use crate::fixture::{Action, Fixture, Step};
use crate::input::{Input, PROJECT, Request, capture};
use crate::judge::{self, Judged};
use crate::observed::Observed;
use crate::stream;
use crate::tasks::{Ended, MOST_RUNS, Timetable};
use crate::trial::{Start, Trial, Tried};
use crate::verdict::{EXPECTS_NOTHING, FixtureResult, PLUGIN_ERROR, Problem, Verdict};

/// Lines and events of a result.
const SHOWN: usize = 100;

/// Runs a fixture in a trial of its own; the result has what goes on to the store when that is asked for.
pub fn fixture(workshop: &Workshop, blueprint: &Blueprint, fixture: &Fixture, keeps_stored: bool) -> FixtureResult {
    let started = Instant::now();
    let mut result = FixtureResult {
        file: fixture.file.clone(),
        line: fixture.line,
        ..FixtureResult::blank(blueprint.plugin_id(), &fixture.name, Verdict::Pass, None)
    };
    Run { fixture, blueprint, plugin_id: blueprint.plugin_id(), keeps_stored, result: &mut result }.whole(workshop);
    result.duration_ms = started.elapsed().as_secs_f64() * 1000.0;
    result
}

/// What the plugin makes of a fixture's events, whatever is expected of it; the error when it does not come to
/// that.
pub fn events_of(workshop: &Workshop, blueprint: &Blueprint, fixture: &Fixture) -> Result<Vec<Tried>, String> {
    let mut result = FixtureResult::blank(blueprint.plugin_id(), &fixture.name, Verdict::Pass, None);
    let run = Run { fixture, blueprint, plugin_id: blueprint.plugin_id(), keeps_stored: false, result: &mut result };
    let part = Part { blueprint, settings: run.settings(), answers: run.answers() };
    let mut trial = match Trial::start(workshop, vec![part], &run.start()) {
        Ok(trial) => trial,
        // A plugin that refuses a configuration may be what is tested.
        Err(_) if fixture.steps.first().and_then(|step| step.expect.as_ref()?.error.as_ref()).is_some() => {
            return Ok(Vec::new());
        }
        Err(failed) => return Err(failed.error.to_string()),
    };
    let schedules = trial.plugins().into_iter().flat_map(|plugin| plugin.schedules).collect::<Vec<_>>();
    let mut timetable = Timetable::new(&schedules, trial.now_ms());
    timetable.add(trial.drain_control().jobs, trial.now_ms());
    let (mut offset, mut events) = (0, Vec::new());
    for step in &fixture.steps {
        let observed = run.step(step, &mut trial, &mut timetable, &mut offset).map_err(|problem| problem.message)?;
        events.extend(observed.events.into_iter().map(|(tried, _)| tried));
    }
    drop(timetable);
    trial.end();
    Ok(events)
}

struct Run<'r> {
    fixture: &'r Fixture,
    blueprint: &'r Blueprint,
    plugin_id: &'r str,
    keeps_stored: bool,
    result: &'r mut FixtureResult,
}

impl Run<'_> {
    fn whole(&mut self, workshop: &Workshop) {
        let part = Part { blueprint: self.blueprint, settings: self.settings(), answers: self.answers() };
        let mut trial = match Trial::start(workshop, vec![part], &self.start()) {
            Ok(trial) => trial,
            Err(failed) => {
                self.result.logs = failed.setup.logs.iter().map(judge::line).take(SHOWN).collect();
                return self.not_started(failed.error);
            }
        };
        let schedules = trial.plugins().into_iter().flat_map(|plugin| plugin.schedules).collect::<Vec<_>>();
        let mut timetable = Timetable::new(&schedules, trial.now_ms());
        let setup = trial.drain_control();
        timetable.add(setup.jobs, trial.now_ms());
        // Requests of `setupPlugin` are those of every fixture.
        trial.take_calls(self.plugin_id);
        let mut offset = 0;
        for (at, step) in self.fixture.steps.iter().enumerate() {
            let observed = match self.step(step, &mut trial, &mut timetable, &mut offset) {
                Ok(observed) => observed,
                Err(problem) => {
                    self.result.verdict = Verdict::Invalid;
                    self.result.problem = Some(*problem);
                    break;
                }
            };
            self.judge(at, step, observed);
        }
        drop(timetable);
        self.result.spent.memory_bytes = self.result.spent.memory_bytes.max(trial.memory_bytes());
        trial.end();
    }

    fn settings(&self) -> Settings {
        let mut limits = self.fixture.limits.clone();
        let budgets = self.fixture.steps.iter().filter_map(|step| step.expect.as_ref()?.budget);
        // A budget of instructions has them counted; it ends nothing.
        if budgets.into_iter().any(|budget| budget.instructions.is_some()) {
            limits.instructions_per_event.get_or_insert(u64::MAX);
        }
        let other = OtherSettings { limits, on_error: self.fixture.on_error, ..Default::default() };
        Settings {
            values: self.fixture.config.clone(),
            attachments: self.fixture.attachments.clone(),
            is_disabled: false,
            other,
        }
    }

    fn answers(&self) -> Answers {
        self.fixture.mocks.as_ref().map_or(Answers::Own, |mocks| Answers::Before(Arc::clone(mocks)))
    }

    fn start(&self) -> Start {
        let plugin_id = self.plugin_id.to_owned();
        let stored = |(key, value): (&String, &serde_json::Value)| StorageMutation {
            plugin_id: plugin_id.clone(),
            key: key.clone(),
            value: Some(value.to_string()),
        };
        let cached = |(key, value): (&String, &serde_json::Value)| {
            let entry = CacheEntry { key: key.clone(), value: value.to_string(), is_list: false, expires_at_ms: None };
            (plugin_id.clone(), entry)
        };
        Start {
            now_ms: self.fixture.now_ms,
            seed: self.fixture.seed,
            snapshot: StorageSnapshot::default(),
            storage: self.fixture.storage.iter().map(stored).collect(),
            cache: self.fixture.cache.iter().map(cached).collect(),
        }
    }

    /// A plugin that refuses a configuration may be what is tested.
    fn not_started(&mut self, error: BenchError) {
        let expected = self.fixture.steps.first().and_then(|step| step.expect.as_ref());
        let expected = expected.and_then(|expect| expect.error.clone());
        consequence::NOT_LIVE.clone_into(&mut self.result.consequence);
        let message = error.to_string();
        match expected {
            Some(pattern) if is_told(&pattern, &message) => {}
            Some(pattern) => {
                self.result.verdict = Verdict::Mismatch;
                self.result.differences.push(Difference {
                    path: "error".to_owned(),
                    expected: Some(pattern.into()),
                    actual: Some(message.into()),
                });
            }
            None => {
                self.result.verdict = Verdict::Error;
                self.result.problem = Some(problem_of(error));
            }
        }
    }

    fn step(
        &self,
        step: &Step,
        trial: &mut Trial,
        timetable: &mut Timetable,
        offset: &mut u64,
    ) -> Result<Observed, Box<Problem>> {
        let mut observed = Observed::checked(self.keeps_stored.then_some(self.plugin_id));
        match &step.action {
            Action::Events(events) => {
                let inputs = self.inputs(step, events, trial, offset)?;
                observed.round(trial, inputs);
            }
            Action::Export(events) => {
                let inputs = self.inputs(step, events, trial, offset)?;
                let stored = inputs.iter().filter_map(stored).collect::<Vec<_>>();
                let ended = timetable.export(trial, self.plugin_id, &stored);
                observed.ended(trial, ended);
            }
            Action::Advance { ms } => {
                let until_ms = trial.now_ms() + ms;
                for runs in 0.. {
                    let Some(ended) = timetable.run_next(trial, self.plugin_id, until_ms) else { break };
                    if runs >= MOST_RUNS {
                        let reason = format!("more than {MOST_RUNS} schedules and jobs fell due in one step");
                        return Err(Box::new(self.invalid(step, reason, "Advance by less at a time.")));
                    }
                    observed.ended(trial, vec![ended]);
                    observed.jobs(trial, timetable);
                }
                trial.clock().set(until_ms.max(trial.now_ms()));
            }
            Action::Schedule(name) => {
                let schedules: Vec<String> = trial.plugins().into_iter().flat_map(|plugin| plugin.schedules).collect();
                if !schedules.contains(name) {
                    let hint = if schedules.is_empty() {
                        "It exports neither runEveryMinute, runEveryHour nor runEveryDay.".to_owned()
                    } else {
                        format!("It has {}.", schedules.join(", "))
                    };
                    return Err(Box::new(self.invalid(step, format!("the plugin has no schedule {name}"), &hint)));
                }
                self.task(&Task::Schedule(name.clone()), trial, timetable, &mut observed);
            }
            Action::Job { name, payload } => {
                let task = Task::Job { name: name.clone(), payload: payload.clone() };
                self.task(&task, trial, timetable, &mut observed);
            }
            Action::Stream { scenario, seed, events, per_second } => {
                let overrides = Overrides {
                    start_ms: Some(trial.now_ms()),
                    events_per_second: Some(f64::from(*per_second)),
                    ..Overrides::default()
                };
                let scenario = Scenario::clone(scenario).with(&overrides);
                let stream = Stream::new(Arc::new(scenario), *seed);
                stream::run(trial, &self.fixture.name, stream, *events, &mut observed, step.expect.as_ref());
            }
        }
        observed.jobs(trial, timetable);
        observed.settle(trial, self.plugin_id);
        Ok(observed)
    }

    fn task(&self, task: &Task, trial: &mut Trial, timetable: &mut Timetable, observed: &mut Observed) {
        let ended: Ended = timetable.run_now(trial, self.plugin_id, task);
        observed.ended(trial, vec![ended]);
    }

    fn inputs(
        &self,
        step: &Step,
        events: &[Box<RawValue>],
        trial: &Trial,
        offset: &mut u64,
    ) -> Result<Vec<Input>, Box<Problem>> {
        let events: Vec<&RawValue> = events.iter().map(|event| &**event).collect();
        let request = Request {
            received_at_ms: trial.now_ms(),
            ip: &self.fixture.ip,
            site_url: &self.fixture.site_url,
            sent_at: None,
            name: &self.fixture.name,
            first_offset: *offset,
        };
        let inputs = capture(&events, &request).map_err(|(place, refusal)| {
            let hint = "Capture would have refused it, so no plugin would have seen it.";
            Box::new(self.invalid(step, format!("event {place}: {refusal}"), hint))
        })?;
        *offset += inputs.len() as u64;
        Ok(inputs)
    }

    fn invalid(&self, step: &Step, message: String, hint: &str) -> Problem {
        Problem {
            code: "fixture_invalid".to_owned(),
            message,
            file: self.fixture.file.to_string_lossy().into_owned(),
            line: step.line as u32,
            column: 0,
            excerpt: String::new(),
            hint: hint.to_owned(),
        }
    }

    /// An error that nothing expects, with its place in the plugin's source.
    fn thrown(&self, difference: &Difference) -> Option<Problem> {
        let is_error = difference.path.ends_with("error") && difference.expected.is_none();
        let message = difference.actual.as_ref().filter(|_| is_error)?.as_str()?.to_owned();
        let place = message.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or_default();
        let mut parts = place.rsplitn(3, ':');
        let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok()).unwrap_or_default();
        let (column, line) = (number(), number());
        let file = parts.next().unwrap_or_default().to_owned();
        let text = self.blueprint.text(&file).filter(|_| line > 0);
        let excerpt = text.and_then(|text| text.lines().nth(line as usize - 1)).unwrap_or_default().to_owned();
        let (file, line, column) = if excerpt.is_empty() { (String::new(), 0, 0) } else { (file, line, column) };
        Some(Problem { code: PLUGIN_ERROR.to_owned(), message, file, line, column, excerpt, hint: String::new() })
    }

    fn judge(&mut self, at: usize, step: &Step, mut observed: Observed) {
        let room = MOST_EVENTS.saturating_sub(self.result.stored.len());
        self.result.stored.extend(std::mem::take(&mut observed.stored).into_iter().take(room));
        let has_steps = self.fixture.steps.len() > 1;
        let prefix = if has_steps { format!("steps[{at}].") } else { String::new() };
        let is_last = at + 1 == self.fixture.steps.len();
        let judged = judge::step(step, &observed, &self.fixture.storage, &prefix);
        let Judged { differences, edits, expects_nothing } = judged;
        let blamed = differences.iter().find_map(|difference| judge::event_at(&difference.path, &prefix));
        if self.result.consequence.is_empty() || (!differences.is_empty() && self.result.differences.is_empty()) {
            let of_blamed = blamed.and_then(|place| observed.events.get(place)).or(observed.events.first());
            let is_error = differences.iter().any(|difference| difference.path.ends_with("error"));
            if let Some((tried, input)) = of_blamed {
                self.result.consequence = consequence::of_event(tried, input.as_ref());
            } else if is_error && !observed.errors.is_empty() {
                consequence::of_failed(&step.action).clone_into(&mut self.result.consequence);
            }
        }
        let shown = SHOWN.saturating_sub(self.result.events.len());
        self.result.events.extend(observed.lines().take(shown));
        let shown = SHOWN.saturating_sub(self.result.logs.len());
        self.result.logs.extend(observed.logs.iter().map(judge::line).take(shown));
        observed.add_to(&mut self.result.spent);
        if !differences.is_empty() {
            self.result.verdict = self.result.verdict.max(Verdict::Mismatch);
        }
        if self.result.problem.is_none() {
            self.result.problem = differences.iter().find_map(|difference| self.thrown(difference));
        }
        self.result.differences.extend(differences);
        self.result.edits.extend(edits);
        // Steps on the way may expect nothing; a fixture may not.
        let has_any = self.fixture.steps.iter().any(|step| step.expect.is_some());
        if expects_nothing && !has_any && is_last && self.result.verdict == Verdict::Pass {
            self.result.verdict = Verdict::Invalid;
            let problem = self.invalid(
                step,
                "it expects nothing".to_owned(),
                "`weir test --update` writes what happens now as what is expected.",
            );
            self.result.problem = Some(Problem { code: EXPECTS_NOTHING.to_owned(), ..problem });
        }
    }
}

/// A pattern fits as a part: places in sources are nobody's expectation.
pub fn is_told(pattern: &str, message: &str) -> bool {
    matches(&format!("*{pattern}*"), message)
}

pub fn problem_of(error: BenchError) -> Problem {
    match error {
        BenchError::Plugin(problem) => Problem::of_plugin(*problem),
        BenchError::Host(error) => Problem {
            code: error.code().to_owned(),
            message: error.to_string(),
            file: String::new(),
            line: 0,
            column: 0,
            excerpt: String::new(),
            hint: error.hint().to_owned(),
        },
    }
}

/// The event as the store holds it, when no plugin has changed it.
fn stored(input: &Input) -> Option<StoredEvent> {
    let event = normalize::plugin_event(&input.record, &input.captured, ProjectId(PROJECT)).ok()?;
    let captured = Captured {
        uuid: input.captured.uuid,
        distinct_id: &input.captured.distinct_id,
        received_at_ms: input.record.received_at_ms,
        keeps_recordings: true,
    };
    let prepared = prepare(event, captured, &mut Vec::new()).ok()?;
    Some(StoredEvent {
        offset: input.offset,
        uuid: prepared.uuid.to_string(),
        event: prepared.event,
        properties: serde_json::Value::Object(prepared.properties).to_string(),
        timestamp_ms: prepared.timestamp_ms,
        team_id: i64::from(input.project),
        distinct_id: prepared.distinct_id,
        elements_chain: prepared.elements_chain,
        received_at_ms: input.record.received_at_ms,
        ..StoredEvent::default()
    })
}
