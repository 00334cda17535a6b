//! Schedules, jobs and exports in a trial, by its clock: the rules of the live pipeline, without threads.

use std::collections::BTreeMap;

use uuid::Uuid;
use weir_event::clock::UnixMillis;
use weir_event::journal::Job;
use weir_event::{StoredEvent, ids, schedule};
use weir_plugins::{Called, Caller, ExportMethod, Exporter, JobRequest, Task, of_call, processed_event, webhook_event};

use crate::input::{Input, made_by_call};
use crate::trial::{Trial, quietly};

/// More runs in one step are a slip: a minute's schedule over a week.
pub const MOST_RUNS: usize = 10_080;

/// What is due, and when.
#[derive(Default)]
pub struct Timetable {
    jobs: BTreeMap<(UnixMillis, Uuid), Job>,
    /// Function to the newest moment it was due at.
    schedules: BTreeMap<String, UnixMillis>,
    jobs_made: u32,
    asked: u32,
    caller: Option<Caller>,
    exporters: Vec<(ExportMethod, Exporter)>,
}

/// A call that ended.
#[derive(Debug)]
pub struct Ended {
    /// Name of the function.
    pub name: String,
    pub error: Option<String>,
    /// Events it made, as they enter the intake log.
    pub made: Vec<Input>,
}

impl Timetable {
    /// A plugin's first moment is the next one.
    pub fn new(schedules: &[String], now_ms: UnixMillis) -> Self {
        let first = |name: &String| Some((name.clone(), schedule::newest_due_ms(now_ms, schedule::period_ms(name)?)));
        Self { schedules: schedules.iter().filter_map(first).collect(), ..Self::default() }
    }

    pub fn add(&mut self, requests: Vec<JobRequest>, now_ms: UnixMillis) {
        for request in requests {
            self.jobs_made += 1;
            let id = ids::row_uuid("job", now_ms.unsigned_abs(), self.jobs_made);
            let at_ms = request.at_ms as i64;
            let job = Job { id, plugin_id: request.plugin_id, name: request.name, payload: request.payload, at_ms };
            self.jobs.insert((at_ms, id), job);
        }
    }

    /// The next task that is due by then: its moment, the parent of what it makes, and itself.
    fn next_due(&self, plugin_id: &str, until_ms: UnixMillis) -> Option<(UnixMillis, Uuid, Task)> {
        let of_schedule = |(name, newest): (&String, &UnixMillis)| {
            let due_ms = schedule::next_due_ms(*newest, schedule::period_ms(name)?);
            let parent = ids::row_uuid(&format!("{plugin_id}/{name}"), due_ms.unsigned_abs(), 0);
            Some((due_ms, parent, Task::Schedule(name.clone())))
        };
        let schedules = self.schedules.iter().filter_map(of_schedule).min_by_key(|(due_ms, ..)| *due_ms);
        let job = self.jobs.values().next().map(|job| {
            let task = Task::Job { name: job.name.clone(), payload: job.payload.clone() };
            (job.at_ms, job.id, task)
        });
        // Of one moment, schedules come first, as live.
        [schedules, job]
            .into_iter()
            .flatten()
            .min_by_key(|(due_ms, ..)| *due_ms)
            .filter(|(due_ms, ..)| *due_ms <= until_ms)
    }

    /// Moves the clock to the next task that is due by then and runs it; `None` when there is none left.
    pub fn run_next(&mut self, trial: &Trial, plugin_id: &str, until_ms: UnixMillis) -> Option<Ended> {
        let (due_ms, parent, task) = self.next_due(plugin_id, until_ms)?;
        trial.clock().set(due_ms.max(trial.now_ms()));
        match &task {
            Task::Schedule(name) => {
                // A moment that passed while another task waited is not made up for.
                let period_ms = schedule::period_ms(name).unwrap_or(i64::MAX);
                let newest = schedule::newest_due_ms(trial.now_ms(), period_ms).min(until_ms).max(due_ms);
                self.schedules.insert(name.clone(), newest);
            }
            Task::Job { .. } => drop(self.jobs.remove(&(due_ms, parent))),
        }
        Some(self.run(trial, plugin_id, &task, parent))
    }

    /// Runs a task now, because it was asked for.
    pub fn run_now(&mut self, trial: &Trial, plugin_id: &str, task: &Task) -> Ended {
        self.asked += 1;
        let parent = ids::row_uuid(plugin_id, trial.now_ms().unsigned_abs(), self.asked);
        self.run(trial, plugin_id, task, parent)
    }

    fn run(&mut self, trial: &Trial, plugin_id: &str, task: &Task, parent: Uuid) -> Ended {
        let caller = self.caller.get_or_insert_with(|| trial.bench.caller(plugin_id));
        let called = quietly(|| {
            caller.wake();
            caller.run(task)
        });
        let error = match called {
            Called::Done(_) => None,
            Called::Again(reason) | Called::Failed(reason) => Some(reason),
            Called::Absent => Some(format!("the plugin has no {}, or could not be set up for it", task.name())),
        };
        let made = made(parent, plugin_id, caller.take_emitted(), trial);
        Ended { name: task.name().to_owned(), error, made }
    }

    /// Gives stored events to every function of the plugin that wants them. A `RetryError` is answered with
    /// the pauses of the live pipeline, which the clock skips.
    pub fn export(&mut self, trial: &Trial, plugin_id: &str, events: &[StoredEvent]) -> Vec<Ended> {
        if self.exporters.is_empty() {
            let methods = trial.plugins().into_iter().find(|plugin| plugin.plugin_id == plugin_id);
            let methods = methods.map(|plugin| plugin.exports).unwrap_or_default();
            self.exporters =
                methods.into_iter().map(|method| (method, trial.bench.exporter(plugin_id, method))).collect();
        }
        let mut ended = Vec::new();
        for (method, exporter) in &mut self.exporters {
            if !quietly(|| exporter.is_ready()) {
                let error = Some(format!("{} could not be set up", method.as_str()));
                ended.push(Ended { name: method.as_str().to_owned(), error, made: Vec::new() });
                continue;
            }
            let wanted: Vec<&StoredEvent> = events.iter().filter(|event| exporter.wants(&event.event)).collect();
            for batch in wanted.chunks(exporter.most_events()) {
                ended.push(deliver(*method, exporter, batch, plugin_id, trial));
            }
        }
        ended
    }
}

fn deliver(
    method: ExportMethod,
    exporter: &mut Exporter,
    batch: &[&StoredEvent],
    plugin_id: &str,
    trial: &Trial,
) -> Ended {
    let parent = batch.first().and_then(|event| Uuid::parse_str(&event.uuid).ok()).unwrap_or_default();
    let texts: Vec<String> = batch
        .iter()
        .map(|event| match method {
            ExportMethod::ComposeWebhook => webhook_event(event).to_string(),
            _ => processed_event(event).to_string(),
        })
        .collect();
    let mut attempts = 0;
    let mut emitted = Vec::new();
    let error = loop {
        let called = quietly(|| match (method, exporter.call(&texts)) {
            (ExportMethod::ComposeWebhook, Called::Done(Some(request))) => exporter.send_webhook(&request),
            (_, called) => called,
        });
        emitted.extend(exporter.take_emitted());
        attempts += 1;
        match called {
            Called::Done(_) => break None,
            Called::Failed(reason) => break Some(reason),
            Called::Absent => break Some(format!("the plugin has no {}", method.as_str())),
            Called::Again(reason) => {
                let Some(pause) = method.pause_after(attempts) else {
                    exporter.given_up(format!("{} failed {attempts} times: {reason}", method.as_str()));
                    break Some(format!("given up after {attempts} attempts: {reason}"));
                };
                trial.clock().advance(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
            }
        }
    };
    Ended { name: method.as_str().to_owned(), error, made: made(parent, plugin_id, emitted, trial) }
}

fn made(parent: Uuid, plugin_id: &str, events: Vec<String>, trial: &Trial) -> Vec<Input> {
    made_by_call(of_call(parent, plugin_id, events), trial.now_ms(), 0)
}
