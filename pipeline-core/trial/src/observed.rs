//! What one step left behind, whichever way it ran.

use serde_json::{Map, Value, json};
use weir_api::plugin::PluginCall;
use weir_event::clock::UnixMillis;
use weir_event::journal::{Fate, LogSource, PluginLog, StepLabel};
use weir_store::EventRow;

use crate::checked::{self, MOST_EVENTS};
use crate::consequence;
use crate::input::Input;
use crate::tasks::{Ended, Timetable};
use crate::trial::{Outcome, Trial, Tried};
use crate::verdict::{EventLine, Spent};

#[derive(Default)]
pub struct Observed {
    /// Of a stream only those that failed.
    pub events: Vec<(Tried, Option<Input>)>,
    /// What the plugin made, after its own way through it: null when it was dropped.
    pub emitted: Vec<Value>,
    pub logs: Vec<PluginLog>,
    pub requests: Vec<PluginCall>,
    pub storage: Map<String, Value>,
    pub cache: Map<String, Value>,
    pub errors: Vec<String>,
    pub counts: Counts,
    /// Of a stream.
    pub digest: Option<String>,
    /// Of a stream: what does not fit `each`, or fits `never`, with the path of the expectation.
    pub unfitting: Vec<crate::compare::Difference>,
    pub cpu_us: Vec<u32>,
    wait_us: u32,
    /// Of the event with the most, when they are counted.
    pub instructions: Option<u64>,
    pub output_bytes: u64,
    pub memory_bytes: u64,
    asked_jobs: Vec<weir_plugins::JobRequest>,
    /// The plugin for whose checks events that go on to the store are kept in `stored`.
    checked: Option<String>,
    pub stored: Vec<EventRow>,
}

#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub dropped: u64,
    pub modified: u64,
    pub errors: u64,
}

impl Observed {
    /// With what goes on to the store, if it is for the checks of a plugin.
    pub fn checked(plugin_id: Option<&str>) -> Self {
        Self { checked: plugin_id.map(str::to_owned), ..Self::default() }
    }

    /// Events that clients send.
    pub fn round(&mut self, trial: &mut Trial, inputs: Vec<Input>) {
        let outcome = trial.process(&inputs);
        let events = self.take(outcome, trial.now_ms());
        self.events.extend(events.into_iter().zip(inputs.into_iter().map(Some)));
    }

    /// Everything but the events themselves.
    pub fn take(&mut self, outcome: Outcome, now_ms: UnixMillis) -> Vec<Tried> {
        for tried in &outcome.events {
            self.count(tried);
            self.keep(tried, now_ms);
        }
        for made in outcome.made {
            self.made(&made.tried);
            self.keep(&made.tried, now_ms);
        }
        self.logs.extend(outcome.logs);
        self.asked_jobs.extend(outcome.jobs);
        outcome.events
    }

    /// Calls that ended; what they made goes through the plugin like a client's event.
    pub fn ended(&mut self, trial: &mut Trial, calls: Vec<Ended>) {
        for ended in calls {
            if let Some(error) = ended.error {
                self.errors.push(format!("{}: {error}", ended.name));
            }
            let outcome = trial.process(&ended.made);
            let events = self.take(outcome, trial.now_ms());
            for tried in &events {
                self.emitted.push(after(tried));
            }
        }
    }

    /// Jobs that were asked for.
    pub fn jobs(&mut self, trial: &Trial, timetable: &mut Timetable) {
        let control = trial.drain_control();
        self.logs.extend(control.logs);
        timetable.add(std::mem::take(&mut self.asked_jobs), trial.now_ms());
        timetable.add(control.jobs, trial.now_ms());
    }

    /// How things stand after the step.
    pub fn settle(&mut self, trial: &Trial, plugin_id: &str) {
        let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        self.storage = trial.storage(plugin_id).into_iter().map(|(key, value)| (key, json(&value))).collect();
        self.cache = trial.cache(plugin_id).into_iter().map(|entry| (entry.key, json(&entry.value))).collect();
        self.requests = trial.take_calls(plugin_id);
        self.memory_bytes = trial.memory_bytes();
    }

    fn keep(&mut self, tried: &Tried, now_ms: UnixMillis) {
        if let Some(plugin_id) = self.checked.as_deref().filter(|_| self.stored.len() < MOST_EVENTS) {
            self.stored.extend(checked::row(plugin_id, tried, now_ms));
        }
    }

    fn made(&mut self, tried: &Tried) {
        self.emitted.push(after(tried));
        self.errors.extend(errors(tried));
    }

    fn count(&mut self, tried: &Tried) {
        self.errors.extend(errors(tried));
        let has = |label| tried.steps.iter().any(|step| step.effect.label == label);
        self.counts.dropped += u64::from(tried.fate == Fate::Dropped);
        self.counts.modified += u64::from(has(StepLabel::Modified));
        self.counts.errors += u64::from(has(StepLabel::Error) || matches!(tried.fate, Fate::DeadLettered { .. }));
        self.cpu_us.push(tried.steps.iter().map(|step| step.effect.cpu_us).sum());
        self.wait_us = self.wait_us.max(tried.steps.iter().map(|step| step.effect.wait_us).sum());
        self.instructions = self.instructions.max(instructions(tried));
        self.output_bytes = self.output_bytes.max(tried.after().map_or(0, str::len) as u64);
    }

    /// Lines that the plugin wrote itself.
    pub fn own_logs(&self) -> impl Iterator<Item = &PluginLog> {
        self.logs.iter().filter(|log| log.source == LogSource::Console)
    }

    pub fn cpu_us_worst(&self) -> u64 {
        self.cpu_us.iter().max().copied().map_or(0, u64::from)
    }

    pub fn cpu_us_p99(&self) -> u64 {
        let mut sorted = self.cpu_us.clone();
        sorted.sort_unstable();
        let place = (sorted.len() as f64 * 0.99) as usize;
        sorted.get(place.min(sorted.len().saturating_sub(1))).copied().map_or(0, u64::from)
    }

    pub fn add_to(&self, spent: &mut Spent) {
        spent.cpu_us = spent.cpu_us.max(self.cpu_us_worst());
        spent.cpu_us_p99 = spent.cpu_us_p99.max(self.cpu_us_p99());
        spent.wait_us = spent.wait_us.max(u64::from(self.wait_us));
        spent.instructions = spent.instructions.max(self.instructions);
        spent.memory_bytes = spent.memory_bytes.max(self.memory_bytes);
        spent.output_bytes = spent.output_bytes.max(self.output_bytes);
        spent.requests += self.requests.len() as u64;
        spent.log_lines += self.own_logs().count() as u64;
    }

    pub fn lines(&self) -> impl Iterator<Item = EventLine> {
        self.events.iter().map(|(tried, input)| {
            let event: Value = serde_json::from_str(&tried.before).unwrap_or_default();
            EventLine {
                event: event["event"].as_str().unwrap_or_default().to_owned(),
                uuid: tried.uuid.to_string(),
                fate: fate(&tried.fate),
                label: tried.steps.last().map_or("skipped", |step| step.effect.label.as_str()),
                error: errors(tried).into_iter().next(),
                cpu_us: tried.steps.iter().map(|step| step.effect.cpu_us).sum(),
                instructions: instructions(tried),
                consequence: consequence::of_event(tried, input.as_ref()),
            }
        })
    }
}

const fn fate(fate: &Fate) -> &'static str {
    match fate {
        Fate::Passed => "passed",
        Fate::Dropped => "dropped",
        Fate::DeadLettered { .. } => "dead_lettered",
        Fate::Deduplicated { .. } => "deduplicated",
        Fate::Rejected => "rejected",
    }
}

/// The event as it goes on; null when it does not.
pub fn after(tried: &Tried) -> Value {
    tried.after().map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or_default())
}

/// Of all plugins that met it, when they are counted.
fn instructions(tried: &Tried) -> Option<u64> {
    tried.steps.iter().filter_map(|step| step.instructions).reduce(|sum, more| sum + more)
}

/// What went wrong with it.
pub fn errors(tried: &Tried) -> Vec<String> {
    let mut errors: Vec<String> = tried.steps.iter().filter_map(|step| step.effect.error.clone()).collect();
    if let Fate::DeadLettered { reason } = &tried.fate
        && errors.is_empty()
    {
        errors.push(reason.clone());
    }
    errors
}

/// A request as expectations see it. A body that is JSON is looked into.
pub fn request(call: &PluginCall) -> Value {
    let headers: Map<String, Value> =
        call.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), json!(value))).collect();
    let body = serde_json::from_str::<Value>(&call.body).ok().filter(|body| body.is_object() || body.is_array());
    json!({
        "method": call.method,
        "url": call.url,
        "headers": headers,
        "body": body.unwrap_or_else(|| json!(call.body)),
        "status": call.status.parse::<u64>().map_or_else(|_| json!(call.status), Value::from),
    })
}
