//! One of the two versions, in its chain.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_api::diff::Divergence;
use weir_event::clock::UnixMillis;
use weir_event::journal::{HostCall, LogSource, PluginLog};
use weir_plugins::{Answers, FailureKind, Part, Recorded, Workshop};

use super::{Logged, place};
use crate::input::Input;
use crate::trial::{NotStarted, Outcome, Start, Trial};

/// Different messages that are told apart; the rest is counted as one.
const MESSAGES: usize = 1_000;

pub struct Side {
    trial: Trial,
    /// Place of the plugin in its chain.
    position: u16,
    recorded: Vec<Arc<Recorded>>,
    seen: Seen,
}

#[derive(Default)]
struct Seen {
    cpu_us: Vec<u32>,
    made: u64,
    jobs: u64,
    logs: Logged,
    /// Offset and call.
    missing: Option<(Option<u64>, String)>,
}

/// What is known of a side at its end.
pub struct Ended {
    /// Of each event that came to the plugin, ascending.
    pub cpu_us: Vec<u32>,
    pub made: u64,
    pub jobs: u64,
    pub logs: Logged,
    pub storage: BTreeMap<String, String>,
    pub memory_bytes: u64,
    missing: Option<(Option<u64>, String)>,
}

impl Side {
    pub fn start(
        workshop: &Workshop,
        plugin_id: &str,
        parts: Vec<Part<'_>>,
        start: &Start,
    ) -> Result<Self, Box<NotStarted>> {
        let position = parts.iter().position(|part| part.blueprint.plugin_id() == plugin_id).unwrap_or_default() as u16;
        let recorded = |part: &Part<'_>| match &part.answers {
            Answers::Recorded(recorded) => Some(Arc::clone(recorded)),
            Answers::Own | Answers::Before(_) => None,
        };
        let recorded = parts.iter().filter_map(recorded).collect();
        let trial = Trial::start(workshop, parts, start)?;
        let mut side = Self { trial, position, recorded, seen: Seen::default() };
        let setup = side.trial.drain_control();
        side.note_missing(&setup.calls);
        side.seen.log(&setup.logs);
        side.seen.jobs += setup.jobs.len() as u64;
        Ok(side)
    }

    pub fn process(&mut self, now_ms: UnixMillis, inputs: &[Input]) -> Outcome {
        self.trial.clock().set(now_ms);
        let mut outcome = Outcome::default();
        self.trial.process_batch(inputs, &mut outcome);
        let steps = outcome.events.iter().flat_map(|tried| &tried.steps);
        let own = steps.filter(|step| step.effect.plugin == self.position).map(|step| step.effect.cpu_us);
        self.seen.cpu_us.extend(own);
        self.seen.made += outcome.made.len() as u64;
        self.seen.jobs += outcome.jobs.len() as u64;
        self.seen.log(&outcome.logs);
        self.note_missing(&outcome.calls);
        outcome
    }

    /// The first call without a recorded answer. Calls come in the order of their answers.
    fn note_missing(&mut self, calls: &[HostCall]) {
        if self.seen.missing.is_some() || self.recorded.iter().all(|recorded| recorded.first_missing().is_none()) {
            return;
        }
        let is_missing = |call: &&HostCall| call.status == FailureKind::NoMock.code();
        let first = calls.iter().filter(is_missing).min_by_key(|call| call.offset);
        self.seen.missing = first.map(|call| (call.offset, call.summary.clone()));
    }

    pub fn end(mut self, plugin_id: &str) -> Ended {
        let control = self.trial.drain_control();
        self.note_missing(&control.calls);
        self.seen.log(&control.logs);
        let Seen { mut cpu_us, made, jobs, logs, missing } = self.seen;
        cpu_us.sort_unstable();
        let ended = Ended {
            cpu_us,
            made,
            jobs,
            logs,
            storage: self.trial.storage(plugin_id).into_iter().collect(),
            memory_bytes: self.trial.memory_of(plugin_id),
            missing,
        };
        self.trial.end();
        ended
    }
}

impl Seen {
    /// What plugins log themselves; what the host says of loading is no behaviour.
    fn log(&mut self, logs: &[PluginLog]) {
        for log in logs.iter().filter(|log| log.source != LogSource::System) {
            let mut key = (log.level.as_str().to_owned(), place::without(&log.message));
            if self.logs.len() >= MESSAGES && !self.logs.contains_key(&key) {
                "…".clone_into(&mut key.1);
            }
            *self.logs.entry(key).or_default() += 1;
        }
    }
}

impl Ended {
    pub fn log_lines(&self) -> u64 {
        self.logs.values().sum()
    }

    pub fn cpu_us(&self, share: f64) -> f64 {
        let place = (self.cpu_us.len() as f64 * share) as usize;
        self.cpu_us.get(place.min(self.cpu_us.len().saturating_sub(1))).map_or(0.0, |us| f64::from(*us))
    }

    pub fn divergence(&self, side: &str) -> Option<Divergence> {
        let (offset, call) = self.missing.clone()?;
        Some(Divergence { offset, call, side: side.to_owned() })
    }
}
