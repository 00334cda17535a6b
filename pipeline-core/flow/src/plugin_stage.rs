//! The plugin stage: reads the intake log in order, recognises duplicates, runs the chain, and makes
//! what happened durable in the journal before anything is built on it.
//!
//! It is the only writer of the journal. A crash before a batch's journal record runs that batch again;
//! a crash after it does not.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use uuid::Uuid;
use weir_event::intake::{IntakeBody, IntakeRecord};
use weir_event::journal::{
    BatchRecord, ControlRecord, EventEffect, Fate, JournalRecord, Repeat, SinkRecord, StepLabel,
};
use weir_event::normalize::{self, PluginEvent};
use weir_event::queue::Sender;
use weir_event::sabotage::{Bug, strikes};
use weir_event::{Clock, Ordering as EventOrdering, ProjectId, ids};
use weir_log::{Log, LogAppender, LogReader};
use weir_plugins::{BatchEvent, Emitted, EventResult, Lane, PluginHost, run_generation};

use crate::codec;
use crate::control_journal::ControlRequests;
use crate::dedup::{Dedup, Fingerprint, Seen};
use crate::emitted;
use crate::error::FlowError;
use crate::faults::{Fault, Faults};
use crate::handoff::{Handoff, HandoffBatch, Trace};
use crate::ledger::{Ledger, shift};
use crate::redrive::RedriveRequests;
use crate::shadow::SetupCalls;
use crate::sinks::Sinks;
use crate::stage_times::{Stage, StageTimes};
use crate::task_emission::TaskEmission;
use crate::tasks::Tasks;

/// A batch ends at about this many events or bytes: enough to share an fdatasync, little enough that
/// a new plugin version is never far away.
const BATCH_EVENTS: u64 = 512;
const BATCH_BYTES: usize = 1 << 20;
const IDLE_WAIT: Duration = Duration::from_millis(100);
/// Events of a batch that the live view may show.
const TRACES_PER_BATCH: usize = 24;

pub struct PluginStage {
    /// The log that `intake` reads, for events that are asked for again.
    pub intake_log: Log,
    pub intake: LogReader,
    pub journal: LogAppender,
    pub host: Arc<PluginHost>,
    pub dedup: Dedup,
    pub projects: HashMap<String, u32>,
    pub ledger: Arc<Ledger>,
    pub clock: Arc<dyn Clock>,
    pub times: Arc<StageTimes>,
    pub handoff: Sender<Handoff>,
    pub stopping: Arc<AtomicBool>,
    pub ordering: EventOrdering,
    /// Names and values of what the start sets otherwise than the journal says.
    pub new_settings: Vec<(&'static str, &'static str)>,
    pub sinks: Arc<Sinks>,
    pub faults: Arc<Faults>,
    pub control_requests: ControlRequests,
    pub redrives: RedriveRequests,
    /// Sinks that the start wants and the journal does not know.
    pub new_sinks: Vec<SinkRecord>,
    /// State of the plugins whose exports were last looked at.
    pub plugins_seen: Option<u64>,
    /// Hash of the newest chain that the journal describes.
    pub journalled_chain: String,
    pub tasks: Arc<Tasks>,
    pub emission: TaskEmission,
    /// For comparisons, which give the answers again.
    pub setup_calls: Arc<SetupCalls>,
    /// Tells jobs of one millisecond apart.
    pub jobs_made: u32,
}

/// An event of the batch on its way to the plugins.
pub struct Candidate {
    index: usize,
    pub offset: u64,
    project: u32,
    pub uuid: Uuid,
    order_key: u64,
    event: PluginEvent,
    /// Filled when there are plugins to show it to.
    json: String,
}

impl PluginStage {
    /// Runs until told to stop and the intake log is drained.
    pub fn run(mut self) -> Result<(), FlowError> {
        let mut lane = self.host.lane();
        for (name, value) in std::mem::take(&mut self.new_settings) {
            self.journal_control(ControlRecord::Setting { name: name.into(), value: value.into() })?;
        }
        let new_sinks = std::mem::take(&mut self.new_sinks);
        self.launch_sinks(new_sinks)?;
        self.launch_plugin_sinks()?;
        self.sinks.set_started();
        loop {
            lane.wake();
            self.journal_control_effects()?;
            self.launch_plugin_sinks()?;
            self.run_redrives(&mut lane)?;
            if !self.intake.wait(IDLE_WAIT) {
                if self.stopping.load(Ordering::Acquire) {
                    // What sinks of plugins logged as they ended.
                    return self.journal_control_effects();
                }
                continue;
            }
            if self.faults.is_on(Fault::WorkerStall) {
                self.faults.struck(Fault::WorkerStall);
                self.faults.wait_while(Fault::WorkerStall, IDLE_WAIT);
                continue;
            }
            self.launch_plugin_sinks()?;
            self.run_batch(&mut lane)?;
        }
    }

    fn run_batch(&mut self, lane: &mut Lane) -> Result<(), FlowError> {
        let records = self.intake.read(BATCH_EVENTS, BATCH_BYTES)?;
        let Some(first) = records.first() else { return Ok(()) };
        let first_offset = first.offset;
        let intake: Vec<IntakeRecord> =
            records.iter().map(|record| codec::decode_intake(&record.payload)).collect::<Result<_, _>>()?;
        let event_count: u32 = intake.iter().map(IntakeRecord::event_count).sum();
        self.ledger.step(|positions| {
            positions.plugins_read.store(self.intake.next_offset(), Ordering::Release);
            shift(&positions.plugins_in_hand, i64::from(event_count));
        });
        self.note_wait(&intake);
        self.number_projects(&intake)?;

        let plugins_started = Instant::now();
        let mut effects = vec![EventEffect::default(); event_count as usize];
        let (mut candidates, fingerprints) = self.sort_out(&intake, first_offset, &mut effects)?;
        let mut record =
            BatchRecord { first_offset, event_count, processed_at_ms: self.clock.now_ms(), ..BatchRecord::default() };
        let has_plugins = self.host.plugin_count() > 0;
        let mut traces = Vec::new();
        if has_plugins {
            for candidate in &mut candidates {
                candidate.json = serde_json::to_string(&candidate.event).unwrap_or_default();
            }
            let events = candidates
                .iter()
                .map(|candidate| BatchEvent {
                    offset: candidate.offset,
                    team_id: candidate.project,
                    uuid: candidate.uuid,
                    order_key: candidate.order_key,
                    json: Cow::Borrowed(candidate.json.as_str()),
                })
                .collect();
            let result = lane.process_batch(events);
            let is_reloaded = !result.first_on_new_version.is_empty();
            let (hash, members) = lane.chain();
            hash.clone_into(&mut record.chain_hash);
            let members = members.to_vec();
            self.journal_chain(&record.chain_hash, &members)?;
            record.storage = result.storage;
            record.logs = result.logs;
            record.jobs = self.jobs(result.jobs);
            record.calls = result.calls;
            let emitted = emitted::of_batch(result.emitted, &candidates, &intake, first_offset);
            traces = self.take_results(&mut candidates, result.events, &mut effects, is_reloaded)?;
            self.run_emitted(lane, emitted, &mut record)?;
        } else {
            sample(
                &candidates,
                |_| false,
                |candidate| {
                    traces.push(Trace {
                        index: candidate.index,
                        captured: serde_json::to_string(&candidate.event).unwrap_or_default(),
                        after: Vec::new(),
                    });
                },
            );
        }
        record.effects = effects;
        self.times.record(Stage::Plugins, plugins_started.elapsed(), u64::from(event_count));

        self.faults.kill_mid_batch();
        let sequence = self.journal_batch(&record, event_count)?;
        self.tasks.add(&record.jobs);
        for fingerprint in fingerprints {
            self.dedup.insert(fingerprint);
        }
        if let Err(error) = self.dedup.seal_if_full(sequence + 1) {
            // The keys stay in memory; the next batch tries again.
            tracing::warn!(%error, "cannot write a run of known uuids");
        }
        let mut parsed: Vec<Option<PluginEvent>> = (0..event_count).map(|_| None).collect();
        for candidate in candidates {
            if record.effects[candidate.index].fate == Fate::Passed {
                parsed[candidate.index] = Some(candidate.event);
            }
        }
        self.hand_off(Handoff::Batch(Box::new(HandoffBatch {
            sequence,
            record,
            intake,
            parsed,
            traces,
            journalled_at: Instant::now(),
        })));
        Ok(())
    }

    /// Events that plugins made go through the whole chain in turn, as clients' events do; what those
    /// make goes through it again, up to a depth.
    pub(crate) fn run_emitted(
        &mut self,
        lane: &mut Lane,
        mut waiting: Vec<Emitted>,
        record: &mut BatchRecord,
    ) -> Result<(), FlowError> {
        while !waiting.is_empty() {
            let project_of = |token: &str| self.projects.get(token).copied().unwrap_or_default();
            let generation = run_generation(lane, waiting, project_of);
            let (hash, members) = lane.chain();
            let (hash, members) = (hash.to_owned(), members.to_vec());
            self.journal_chain(&hash, &members)?;
            record.storage.extend(generation.storage);
            record.logs.extend(generation.logs);
            record.jobs.extend(self.jobs(generation.jobs));
            record.calls.extend(generation.calls);
            waiting = generation.next;
            let journalled = |(event, result)| emitted::journalled(event, hash.clone(), emitted::effect_of(result));
            record.emitted.extend(generation.events.into_iter().map(journalled));
        }
        Ok(())
    }

    /// Gives every event that needs no plugin its fate, and returns the others ready for the chain; and
    /// what is to be known of all of them from now on.
    fn sort_out(
        &self,
        intake: &[IntakeRecord],
        first_offset: u64,
        effects: &mut [EventEffect],
    ) -> Result<(Vec<Candidate>, Vec<Fingerprint>), FlowError> {
        let mut fingerprints = Vec::new();
        let mut candidates: Vec<Candidate> = Vec::with_capacity(effects.len());
        let mut in_batch: HashMap<u128, Fingerprint> = HashMap::new();
        let mut index = 0;
        for record in intake {
            let events = match &record.body {
                IntakeBody::Events(events) => events.as_slice(),
                IntakeBody::EdgeRejections { count, .. } => {
                    for effect in &mut effects[index..index + *count as usize] {
                        effect.fate = Fate::Rejected;
                    }
                    index += *count as usize;
                    continue;
                }
            };
            let project = self.projects.get(&record.token).copied().unwrap_or_default();
            for captured in events {
                let fingerprint =
                    captured.client_uuid.then(|| Fingerprint::new(project, captured.uuid, &captured.data));
                if let Some(fingerprint) = fingerprint {
                    let seen = fingerprint.seen_in(&mut in_batch).max(self.check(fingerprint)?);
                    if seen != Seen::New && self.ordering == EventOrdering::Arrival {
                        effects[index].fate = Fate::Deduplicated { conflicting: seen == Seen::Conflicting };
                        index += 1;
                        continue;
                    }
                    // By event time a repeat may be the one that counts, so it goes the whole way.
                    effects[index].repeat = match seen {
                        Seen::New => {
                            fingerprints.push(fingerprint);
                            Repeat::First
                        }
                        Seen::Duplicate => Repeat::Same,
                        Seen::Conflicting => Repeat::Conflicting,
                    };
                }
                match normalize::plugin_event(record, captured, ProjectId(project)) {
                    // Recordings are not for plugins.
                    Ok(event) if normalize::is_recording(&event) => {}
                    Ok(event) => candidates.push(Candidate {
                        index,
                        offset: first_offset + index as u64,
                        project,
                        uuid: captured.uuid,
                        order_key: ids::order_key(project, &captured.distinct_id),
                        event,
                        json: String::new(),
                    }),
                    Err(error) => {
                        effects[index].fate =
                            Fate::DeadLettered { reason: format!("the event cannot be read: {error}") };
                    }
                }
                index += 1;
            }
        }
        Ok((candidates, fingerprints))
    }

    /// Takes the chain's results over, and recognises a duplicate that a plugin made by its new uuid.
    fn take_results(
        &self,
        candidates: &mut [Candidate],
        results: Vec<EventResult>,
        effects: &mut [EventEffect],
        is_reloaded: bool,
    ) -> Result<Vec<Trace>, FlowError> {
        let mut traces = Vec::new();
        let mut interesting = Vec::with_capacity(candidates.len());
        let mut after = Vec::with_capacity(candidates.len());
        for (candidate, result) in candidates.iter_mut().zip(results) {
            let effect = &mut effects[candidate.index];
            effect.fate = result.fate;
            if is_reloaded && strikes(Bug::DropOnReload) {
                effect.fate = Fate::Dropped;
            }
            let ignores = result.output.is_some() && strikes(Bug::IgnorePlugins);
            let output = result.output.filter(|_| !ignores);
            if let Some(output) = &output {
                match serde_json::from_str::<PluginEvent>(output) {
                    Ok(event) => candidate.event = event,
                    Err(error) => {
                        effect.fate =
                            Fate::DeadLettered { reason: format!("a plugin returned no event object: {error}") };
                    }
                }
                if effect.fate == Fate::Passed {
                    effect.fate = self.fate_of_new_uuid(candidate)?;
                }
            }
            effect.output = output;
            interesting.push(
                result.steps.iter().any(|step| matches!(step.effect.label, StepLabel::Error | StepLabel::Dropped)),
            );
            after.push(result.steps.iter().map(|step| step.after.clone()).collect::<Vec<_>>());
            effect.steps = result.steps.into_iter().map(|step| step.effect).collect();
        }
        let mut position = HashMap::with_capacity(candidates.len());
        for (at, candidate) in candidates.iter().enumerate() {
            position.insert(candidate.index, at);
        }
        sample(
            candidates,
            |candidate| interesting[position[&candidate.index]],
            |candidate| {
                traces.push(Trace {
                    index: candidate.index,
                    captured: candidate.json.clone(),
                    after: std::mem::take(&mut after[position[&candidate.index]]),
                });
            },
        );
        Ok(traces)
    }

    fn check(&self, fingerprint: Fingerprint) -> Result<Seen, FlowError> {
        if strikes(Bug::ForgetUuids) {
            return Ok(Seen::New);
        }
        if strikes(Bug::MistakeUuids) {
            return Ok(Seen::Duplicate);
        }
        self.dedup.check(fingerprint).map_err(FlowError::KnownUuids)
    }

    fn fate_of_new_uuid(&self, candidate: &mut Candidate) -> Result<Fate, FlowError> {
        Ok(match normalize::new_uuid(&candidate.event, candidate.uuid) {
            Err(reason) => Fate::DeadLettered { reason },
            Ok(None) => Fate::Passed,
            Ok(Some(uuid)) => match self.check(Fingerprint::new(candidate.project, uuid, &candidate.json))? {
                Seen::New => Fate::Passed,
                _ if self.ordering == EventOrdering::EventTime => Fate::Passed,
                seen => Fate::Deduplicated { conflicting: seen == Seen::Conflicting },
            },
        })
    }

    /// Numbers tokens at first sight, and makes the number durable before an event uses it.
    fn number_projects(&mut self, intake: &[IntakeRecord]) -> Result<(), FlowError> {
        for record in intake {
            let wants_number = matches!(&record.body, IntakeBody::Events(_));
            if wants_number && !self.projects.contains_key(&record.token) {
                let project = self.projects.len() as u32 + 1;
                self.projects.insert(record.token.clone(), project);
                self.emission.knows(project, &record.token);
                self.journal_control(ControlRecord::Project { token: record.token.clone(), project })?;
            }
        }
        Ok(())
    }

    fn note_wait(&self, intake: &[IntakeRecord]) {
        let now_ms = self.clock.now_ms();
        for record in intake {
            let waited = Duration::from_millis((now_ms - record.received_at_ms).max(0) as u64);
            self.times.record(Stage::Intake, waited, u64::from(record.event_count()));
        }
    }
}

/// Picks events for the live view: the interesting ones first, then the newest.
fn sample(candidates: &[Candidate], interesting: impl Fn(&Candidate) -> bool, mut take: impl FnMut(&Candidate)) {
    let mut chosen: Vec<usize> = (0..candidates.len()).filter(|at| interesting(&candidates[*at])).collect();
    chosen.truncate(TRACES_PER_BATCH / 2);
    let newest = (0..candidates.len()).rev().filter(|at| !interesting(&candidates[*at]));
    let room = TRACES_PER_BATCH - chosen.len();
    chosen.extend(newest.take(room));
    chosen.sort_unstable();
    for at in chosen {
        take(&candidates[at]);
    }
}

/// Journal records that the runs of `dedup` do not cover, fed to it from the logs.
pub fn refill_dedup(
    dedup: &mut Dedup,
    intake: &Log,
    journal: &Log,
    projects: &HashMap<String, u32>,
) -> Result<(), FlowError> {
    let mut journal = journal.read_from_sequence(dedup.covered());
    let mut intake_reader: Option<LogReader> = None;
    loop {
        let records = journal.read(8_192, 4 << 20)?;
        if records.is_empty() {
            return Ok(());
        }
        for record in records {
            let JournalRecord::Batch(batch) = codec::decode_journal(&record.payload)? else { continue };
            let reader = intake_reader.get_or_insert_with(|| intake.read_from_offset(batch.first_offset));
            let mut index = 0;
            while index < batch.effects.len() {
                let Some(intake_record) = reader.read(1, 1)?.into_iter().next() else {
                    return Err(FlowError::Disagreement("the journal covers more than the intake log holds".into()));
                };
                let intake_record = codec::decode_intake(&intake_record.payload)?;
                let project = projects.get(&intake_record.token).copied().unwrap_or_default();
                if let IntakeBody::Events(events) = &intake_record.body {
                    for (event, effect) in events.iter().zip(&batch.effects[index..]) {
                        let is_first =
                            effect.repeat == Repeat::First && !matches!(effect.fate, Fate::Deduplicated { .. });
                        if event.client_uuid && is_first {
                            dedup.insert(Fingerprint::new(project, event.uuid, &event.data));
                        }
                    }
                }
                index += intake_record.event_count() as usize;
            }
            dedup.seal_if_full(record.sequence + 1).ok();
        }
    }
}
