//! One run of plugins away from the stream, from what they find to what they leave.
//!
//! Events go the way they go live: the same preparation, the same lanes, the same round for events that
//! plugins make, and the same rules for what comes back. Nothing leaves the trial: requests are answered by
//! mocks or recorded answers, storage and cache are copies, and the numbers that the process publishes about
//! itself do not count it.

use std::borrow::Cow;

use metrics::NoopRecorder;
use uuid::Uuid;
use weir_api::plugin::PluginCall;
use weir_event::clock::UnixMillis;
use weir_event::journal::{Fate, HostCall, PluginLog, StorageMutation};
use weir_event::normalize::{self, PluginEvent};
use weir_event::{Clock as _, ManualClock, ProjectId, ids};
use weir_plugins::{
    BatchEvent, Bench, BenchConfig, BenchError, BenchPlugin, CacheEntry, ControlEffects, EventResult, JobRequest, Lane,
    Parent, Part, StepOutput, StorageSnapshot, Workshop, of_events, run_generation,
};

use crate::input::{Input, PROJECT};

/// Events of one batch, as live.
const BATCH_EVENTS: usize = 512;

/// What plugins find.
#[derive(Debug, Clone, Default)]
pub struct Start {
    pub now_ms: UnixMillis,
    pub seed: u64,
    /// What live plugins kept at a moment; `storage` is applied to it.
    pub snapshot: StorageSnapshot,
    pub storage: Vec<StorageMutation>,
    /// By plugin id.
    pub cache: Vec<(String, CacheEntry)>,
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    pub offset: u64,
    pub uuid: Uuid,
    /// JSON as the first plugin saw it; empty when it could not be read.
    pub before: String,
    pub fate: Fate,
    /// JSON after the last plugin, when any changed it.
    pub output: Option<String>,
    /// One entry for each plugin that saw it.
    pub steps: Vec<StepOutput>,
}

impl Tried {
    /// As it goes on to identity and store; `None` when it does not.
    pub fn after(&self) -> Option<&str> {
        (self.fate == Fate::Passed).then(|| self.output.as_deref().unwrap_or(&self.before))
    }
}

/// An event that a plugin made while it processed another, after its own way through the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub parent_offset: u64,
    /// As the plugin made it.
    pub data: String,
    pub tried: Tried,
}

/// What a round of events left behind.
#[derive(Debug, Default)]
pub struct Outcome {
    /// One entry for each input, in order.
    pub events: Vec<Tried>,
    pub made: Vec<Made>,
    /// Writes, in order.
    pub storage: Vec<StorageMutation>,
    pub logs: Vec<PluginLog>,
    pub jobs: Vec<JobRequest>,
    pub calls: Vec<HostCall>,
}

/// Plugins that are set up and wait for events. For one thread with at least 2 MiB of stack.
pub struct Trial {
    // Before the bench, so that its instances are given back first.
    lane: Option<Lane>,
    pub(crate) bench: Bench,
    clock: std::sync::Arc<ManualClock>,
}

/// A plugin that did not load or set up, with what it logged on the way.
#[derive(Debug)]
pub struct NotStarted {
    pub error: BenchError,
    pub setup: ControlEffects,
}

impl Trial {
    /// Sets plugins up, in chain order. What that did is the first thing [`Self::drain_control`] gives.
    pub fn start(workshop: &Workshop, parts: Vec<Part<'_>>, start: &Start) -> Result<Self, Box<NotStarted>> {
        let config = BenchConfig {
            snapshot: start.snapshot.clone(),
            storage: start.storage.clone(),
            cache: start.cache.clone(),
            ..BenchConfig::at(start.now_ms, start.seed)
        };
        let mut setup = ControlEffects::default();
        let bench = quietly(|| workshop.bench(parts, &config, &mut setup));
        match bench {
            Ok(bench) => Ok(Self { lane: Some(bench.lane()), bench, clock: config.clock }),
            Err(error) => Err(Box::new(NotStarted { error, setup })),
        }
    }

    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    pub fn now_ms(&self) -> UnixMillis {
        self.clock.now_ms()
    }

    pub fn plugins(&self) -> Vec<BenchPlugin> {
        self.bench.plugins()
    }

    /// Runs events through the chain, and what plugins make of them through it in turn.
    pub fn process(&mut self, inputs: &[Input]) -> Outcome {
        let mut outcome = Outcome::default();
        for batch in inputs.chunks(BATCH_EVENTS) {
            self.process_batch(batch, &mut outcome);
        }
        outcome
    }

    /// One batch of the plugin stage.
    pub fn process_batch(&mut self, inputs: &[Input], outcome: &mut Outcome) {
        let Some(lane) = &mut self.lane else { return };
        let prepared: Vec<Result<Option<String>, String>> = inputs.iter().map(prepare).collect();
        let events = inputs
            .iter()
            .zip(&prepared)
            .filter_map(|(input, json)| {
                Some(BatchEvent {
                    offset: input.offset,
                    team_id: input.project,
                    uuid: input.captured.uuid,
                    order_key: ids::order_key(input.project, &input.captured.distinct_id),
                    json: Cow::Borrowed(json.as_ref().ok()?.as_deref()?),
                })
            })
            .collect();
        let result = quietly(|| {
            lane.wake();
            lane.process_batch(events)
        });
        outcome.storage.extend(result.storage);
        outcome.logs.extend(result.logs);
        outcome.jobs.extend(result.jobs);
        outcome.calls.extend(result.calls);
        let mut results = result.events.into_iter();
        for (input, json) in inputs.iter().zip(prepared) {
            let (offset, uuid) = (input.offset, input.captured.uuid);
            let passed = |before, fate| Tried { offset, uuid, before, fate, output: None, steps: Vec::new() };
            outcome.events.push(match json {
                Ok(Some(before)) => match results.next() {
                    Some(result) => tried(offset, uuid, before, result),
                    None => passed(before, Fate::Passed),
                },
                // Recordings are not for plugins.
                Ok(None) => passed(input.captured.data.clone(), Fate::Passed),
                Err(reason) => passed(String::new(), Fate::DeadLettered { reason }),
            });
        }
        let mut waiting = of_events(result.emitted, |offset| {
            let input = inputs.iter().find(|input| input.offset == offset)?;
            Some(Parent { offset, uuid: input.captured.uuid, record: &input.record })
        });
        let project_of = |token: &str| {
            inputs.iter().find(|input| input.record.token == token).map_or(PROJECT, |input| input.project)
        };
        while !waiting.is_empty() {
            let generation = quietly(|| run_generation(lane, waiting, project_of));
            outcome.storage.extend(generation.storage);
            outcome.logs.extend(generation.logs);
            outcome.jobs.extend(generation.jobs);
            outcome.calls.extend(generation.calls);
            waiting = generation.next;
            for (made, result) in generation.events {
                let event =
                    normalize::plugin_event(&made.record, &made.captured, ProjectId(project_of(&made.record.token)));
                let before = event.ok().and_then(|event| serde_json::to_string(&event).ok()).unwrap_or_default();
                let tried = tried(made.parent_offset, made.captured.uuid, before, result);
                outcome.made.push(Made { parent_offset: made.parent_offset, data: made.captured.data, tried });
            }
        }
    }

    /// Keys and values of a plugin's storage, by key.
    pub fn storage(&self, plugin_id: &str) -> Vec<(String, String)> {
        self.bench.storage(plugin_id)
    }

    pub fn cache(&self, plugin_id: &str) -> Vec<CacheEntry> {
        self.bench.cache(plugin_id)
    }

    /// What happened outside batches since this was last asked: set-up, schedules, jobs, exports.
    pub fn drain_control(&self) -> ControlEffects {
        self.bench.drain_control()
    }

    /// Requests since this was last asked, whole; at most the newest 200.
    pub fn take_calls(&self, plugin_id: &str) -> Vec<PluginCall> {
        self.bench.take_calls(plugin_id)
    }

    pub fn memory_of(&self, plugin_id: &str) -> u64 {
        self.bench.memory_of(plugin_id)
    }

    pub fn memory_bytes(&self) -> u64 {
        self.bench.memory_bytes()
    }

    /// Ends the run with `teardownPlugin`, and says what that did.
    pub fn end(mut self) -> ControlEffects {
        self.lane = None;
        quietly(|| self.bench.tear_down());
        self.bench.drain_control()
    }
}

/// As the plugin stage does; nothing for events that no plugin is shown.
fn prepare(input: &Input) -> Result<Option<String>, String> {
    let event = normalize::plugin_event(&input.record, &input.captured, ProjectId(input.project));
    let event = event.map_err(|error| format!("the event cannot be read: {error}"))?;
    if normalize::is_recording(&event) {
        return Ok(None);
    }
    Ok(Some(serde_json::to_string(&event).unwrap_or_default()))
}

fn tried(offset: u64, uuid: Uuid, before: String, result: EventResult) -> Tried {
    let mut fate = result.fate;
    if let (Fate::Passed, Some(output)) = (&fate, &result.output) {
        let refused = match serde_json::from_str::<PluginEvent>(output) {
            Ok(event) => normalize::new_uuid(&event, uuid).err(),
            Err(error) => Some(format!("a plugin returned no event object: {error}")),
        };
        if let Some(reason) = refused {
            fate = Fate::DeadLettered { reason };
        }
    }
    Tried { offset, uuid, before, fate, output: result.output, steps: result.steps }
}

/// Whatever the process counts about plugins is not about trials.
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> T {
    metrics::with_local_recorder(&NoopRecorder, run)
}
