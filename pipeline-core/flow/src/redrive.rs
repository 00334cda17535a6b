//! Dead letters, once more: through the plugins as they are now, and on.
//!
//! # What it guarantees
//!
//! * A redrive is one journal record, durable before anything is built on it: a rebuild repeats its
//!   result and calls no plugin.
//! * It moves an outcome and makes no event: a letter that passes now is stored, and what fails again is
//!   a letter with its new reason.
//! * The content comes from the intake log; the store only said which letters are meant. A letter that
//!   was closed meanwhile is let be.
//!
//! # What it does not do
//!
//! Events that plugins made have no place in the intake log of their own, so their letters stay. Sinks,
//! which follow offsets, are not sent what a redrive stores.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::mpsc::{SyncSender, sync_channel};

use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
use weir_event::journal::{BatchRecord, EventEffect, Fate, JournalRecord, RedriveEntry, RedriveRecord};
use weir_event::queue::{Receiver, Sender, TryRecvError, bounded};
use weir_event::{ProjectId, ids, normalize};
use weir_log::{Log, LogError};
use weir_plugins::{BatchEvent, Lane, Parent, of_events};

use crate::codec;
use crate::emitted;
use crate::error::FlowError;
use crate::handoff::Handoff;
use crate::plugin_stage::PluginStage;

/// Letters of one journal record.
const PER_RECORD: usize = 256;
/// Commands that may wait.
const QUEUE: usize = 4;

/// Letters to redrive, and who waits for their journal record.
pub struct RedriveRequest {
    pub offsets: Vec<u64>,
    done: SyncSender<u64>,
}

#[derive(Debug, Clone)]
pub struct Redrives {
    queue: Sender<RedriveRequest>,
    intake: Log,
}

#[derive(Debug)]
pub struct RedriveRequests(Receiver<RedriveRequest>);

pub fn channel(intake: Log) -> (Redrives, RedriveRequests) {
    let (queue, requests) = bounded("redrive", QUEUE);
    (Redrives { queue, intake }, RedriveRequests(requests))
}

impl Redrives {
    /// Returns the journal sequence after the last record when all are durable.
    pub fn run(&self, offsets: Vec<u64>) -> Result<u64, FlowError> {
        let gone = || FlowError::Stopped { stage: "plugins" };
        let (done, durable) = sync_channel(1);
        self.queue.send(RedriveRequest { offsets, done }).map_err(|_| gone())?;
        self.intake.wake_readers();
        durable.recv().map_err(|_| gone())
    }
}

/// A captured event with its request.
pub struct Found {
    pub offset: u64,
    pub record: IntakeRecord,
    pub captured: CapturedEvent,
}

/// The events at these offsets, in order.
pub fn find(intake: &Log, offsets: &BTreeSet<u64>) -> Result<Vec<Found>, FlowError> {
    let mut found = Vec::with_capacity(offsets.len());
    let mut held: Option<(u64, IntakeRecord)> = None;
    for offset in offsets {
        let covers = |(first, record): &(u64, IntakeRecord)| *offset < first + u64::from(record.event_count());
        if !held.as_ref().is_some_and(covers) {
            held = read_at(intake, *offset)?;
        }
        let Some((first, record)) = &held else { continue };
        let IntakeBody::Events(events) = &record.body else { continue };
        let Some(captured) = offset.checked_sub(*first).and_then(|at| events.get(at as usize)) else { continue };
        found.push(Found { offset: *offset, record: envelope(record), captured: captured.clone() });
    }
    Ok(found)
}

/// A request without its events.
pub fn envelope(record: &IntakeRecord) -> IntakeRecord {
    IntakeRecord {
        received_at_ms: record.received_at_ms,
        token: record.token.clone(),
        ip: record.ip.clone(),
        site_url: record.site_url.clone(),
        sent_at: record.sent_at.clone(),
        body: IntakeBody::Events(Vec::new()),
    }
}

fn read_at(intake: &Log, offset: u64) -> Result<Option<(u64, IntakeRecord)>, FlowError> {
    let records: Result<_, LogError> = intake.read_from_offset(offset).read(1, 1);
    let Some(record) = records?.into_iter().next() else { return Ok(None) };
    Ok(Some((record.offset, codec::decode_intake(&record.payload)?)))
}

impl PluginStage {
    /// Runs what was asked for since the last batch.
    pub(crate) fn run_redrives(&mut self, lane: &mut Lane) -> Result<(), FlowError> {
        loop {
            let request = match self.redrives.0.try_recv() {
                Ok(request) => request,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(()),
            };
            let mut next_sequence = 0;
            for offsets in request.offsets.chunks(PER_RECORD) {
                next_sequence = self.redrive(lane, &offsets.iter().copied().collect())? + 1;
            }
            // A caller that gave up has nothing to be told.
            request.done.send(next_sequence).ok();
        }
    }

    fn redrive(&mut self, lane: &mut Lane, offsets: &BTreeSet<u64>) -> Result<u64, FlowError> {
        let found = find(&self.intake_log, offsets)?;
        let mut batch = BatchRecord { processed_at_ms: self.clock.now_ms(), ..BatchRecord::default() };
        let mut texts = Vec::with_capacity(found.len());
        for letter in &found {
            let project = self.projects.get(&letter.record.token).copied().unwrap_or_default();
            let event = normalize::plugin_event(&letter.record, &letter.captured, ProjectId(project));
            texts.push((project, event.and_then(|event| serde_json::to_string(&event))));
        }
        let readable = found.iter().zip(&texts).filter_map(|(letter, (project, text))| {
            Some(BatchEvent {
                offset: letter.offset,
                team_id: *project,
                uuid: letter.captured.uuid,
                order_key: ids::order_key(*project, &letter.captured.distinct_id),
                json: Cow::Borrowed(text.as_ref().ok()?.as_str()),
            })
        });
        let result = lane.process_batch(readable.collect());
        let (hash, members) = lane.chain();
        let (hash, members) = (hash.to_owned(), members.to_vec());
        self.journal_chain(&hash, &members)?;
        (batch.storage, batch.logs) = (result.storage, result.logs);
        batch.jobs = self.jobs(result.jobs);
        batch.calls = result.calls;
        let emitted = of_events(result.emitted, |offset| {
            let parent = found.iter().find(|letter| letter.offset == offset)?;
            Some(Parent { offset, uuid: parent.captured.uuid, record: &parent.record })
        });
        self.run_emitted(lane, emitted, &mut batch)?;
        let mut results = result.events.into_iter();
        let entries = found
            .iter()
            .zip(&texts)
            .map(|(letter, (_, text))| {
                let effect = match text {
                    Ok(_) => results.next().map_or_else(EventEffect::default, emitted::effect_of),
                    Err(error) => EventEffect {
                        fate: Fate::DeadLettered { reason: format!("the event cannot be read: {error}") },
                        ..EventEffect::default()
                    },
                };
                RedriveEntry { offset: letter.offset, effect: checked(effect) }
            })
            .collect();
        let record = RedriveRecord {
            processed_at_ms: batch.processed_at_ms,
            chain_hash: hash,
            entries,
            emitted: batch.emitted,
            storage: batch.storage,
            logs: batch.logs,
            calls: batch.calls,
            jobs: batch.jobs,
        };
        let payload = codec::encode_journal(&JournalRecord::Redrive(record.clone()))?;
        let durable = self.journal.append_blocking(payload, 0)?;
        self.hand_off(Handoff::Redrive { sequence: durable.sequence, record });
        Ok(durable.sequence)
    }
}

/// A plugin's output that is no event object is a letter again.
fn checked(mut effect: EventEffect) -> EventEffect {
    if let Some(output) = &effect.output
        && let Err(error) = serde_json::from_str::<normalize::PluginEvent>(output)
    {
        effect.fate = Fate::DeadLettered { reason: format!("a plugin returned no event object: {error}") };
    }
    effect
}
