//! The events that a number of the ledger counts, found again in the logs.
//!
//! Nothing is kept for it: the intake log has the events, the journal what plugins did to them, the store what came of
//! those that passed and which letters were redriven. It reads forward and answers with a page, and with the offset
//! where the next one begins; how much one answer may look at is bounded, however rare the events are.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use weir_api::window::{LedgerEvent, LedgerEvents, LedgerEventsRequest, Term};
use weir_event::Outcome;
use weir_event::clock::UnixMillis;
use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
use weir_event::journal::{BatchRecord, ChainMember, EmittedEvent, EventEffect, JournalRecord, Repeat};
use weir_store::{Redriven, WINDOW_MS, window_start};

use crate::codec;
use crate::emitted;
use crate::error::FlowError;
use crate::flow::Flow;
use crate::journey::{History, ending, final_uuid};
use crate::redrive::{Found, envelope};

const PAGE: u32 = 100;
const MOST: u32 = 1_000;
/// What one answer looks at, at most.
const LOOKED_EVENTS: u64 = 200_000;
const LOOKED: Duration = Duration::from_secs(2);
/// Offsets that the store is asked about at once: a question costs about the same for one and for these.
const ASKED_EVENTS: u64 = 10_000;
const RECORD_BYTES: usize = 1 << 20;

impl Flow {
    /// May block its thread.
    pub fn ledger_events(&self, request: &LedgerEventsRequest) -> Result<LedgerEvents, FlowError> {
        let pool = self.shared.store.pool()?;
        let committed = pool.with(weir_store::committed_offset)?;
        let end = self.intake_log.end().offset;
        let span = request.from_ms.zip(request.until_ms);
        let known = match span {
            Some((from_ms, until_ms)) => pool.with(|store| weir_store::window_offsets(store, from_ms, until_ms))?,
            None => Some((0, committed)),
        };
        let known = known.map_or(0..0, |(first, until)| first..until.min(committed));
        let waiting = committed..end;
        let after = request.after.unwrap_or_default();
        let mut search = Search {
            flow: self,
            request,
            limit: request.limit.unwrap_or(PAGE).clamp(1, MOST) as usize,
            started: Instant::now(),
            looked: 0,
            found: Vec::new(),
            chains: HashMap::new(),
            projects: HashMap::new(),
            facts: Rc::default(),
        };
        let mut next = None;
        if request.term != Term::InFlight {
            next = search.ended(known.start.max(after)..known.end)?;
        }
        if next.is_none() && matches!(request.term, Term::InFlight | Term::Received) {
            next = search.waiting(waiting.start.max(after)..waiting.end)?;
        }
        Ok(LedgerEvents { events: search.found, next })
    }
}

struct Search<'a> {
    flow: &'a Flow,
    request: &'a LedgerEventsRequest,
    limit: usize,
    started: Instant,
    looked: u64,
    found: Vec<LedgerEvent>,
    chains: HashMap<String, Rc<[ChainMember]>>,
    projects: HashMap<String, u32>,
    facts: Rc<Facts>,
}

/// What the store knows of a range of offsets.
#[derive(Default)]
struct Facts {
    range: Range<u64>,
    stored: HashSet<(u64, String)>,
    redriven: HashMap<(u64, String), Redriven>,
    /// What plugins made in redrives of events of the range.
    emitted: Vec<EmittedEvent>,
}

impl Search<'_> {
    /// Whether this answer is full.
    fn is_spent(&self) -> bool {
        self.found.len() >= self.limit || self.looked >= LOOKED_EVENTS || self.started.elapsed() >= LOOKED
    }

    /// Events whose outcome is committed. Where to go on, if it did not come to the end.
    fn ended(&mut self, range: Range<u64>) -> Result<Option<u64>, FlowError> {
        if range.is_empty() {
            return Ok(None);
        }
        let mut journal = self.flow.journal_log.read_from_offset(range.start);
        loop {
            let Some(record) = journal.read(1, 1)?.into_iter().next() else { return Ok(None) };
            let JournalRecord::Batch(batch) = codec::decode_journal(&record.payload)? else { continue };
            let batch_end = batch.first_offset + u64::from(batch.event_count);
            if batch_end <= range.start || batch.event_count == 0 {
                continue;
            }
            if batch.first_offset >= range.end {
                return Ok(None);
            }
            if let Some(next) = self.batch(&batch, batch_end, &range)? {
                return Ok((next < range.end).then_some(next));
            }
        }
    }

    /// One journal record, request by request.
    fn batch(&mut self, batch: &BatchRecord, batch_end: u64, range: &Range<u64>) -> Result<Option<u64>, FlowError> {
        let first = batch.first_offset.max(range.start);
        let end = batch_end.min(range.end);
        if !self.facts.range.contains(&first) || self.facts.range.end < end {
            self.facts = Rc::new(self.known(first..end.max((first + ASKED_EVENTS).min(range.end)))?);
        }
        let facts = Rc::clone(&self.facts);
        let mut requests = self.flow.intake_log.read_from_offset(first);
        let mut offset = first;
        while offset < end {
            let Some(record) = requests.read(1, RECORD_BYTES)?.into_iter().next() else { return Ok(None) };
            let request = codec::decode_intake(&record.payload)?;
            let until = record.offset + u64::from(request.event_count());
            if self.is_wanted(request.received_at_ms) {
                self.request(batch, &facts, record.offset, &request)?;
            }
            self.looked += u64::from(request.event_count());
            offset = until;
            if self.is_spent() {
                return Ok(Some(offset));
            }
        }
        Ok(None)
    }

    fn request(
        &mut self,
        batch: &BatchRecord,
        facts: &Facts,
        first: u64,
        request: &IntakeRecord,
    ) -> Result<(), FlowError> {
        let events = match &request.body {
            IntakeBody::EdgeRejections { rule, count, example } => {
                self.refusals(first, request.received_at_ms, rule, *count, example);
                return Ok(());
            }
            IntakeBody::Events(events) => events,
        };
        let project = self.project(&request.token)?;
        let envelope = envelope(request);
        let chain = self.chain(&batch.chain_hash)?;
        for (offset, captured) in (first..).zip(events) {
            let index = offset.checked_sub(batch.first_offset).map(|index| index as usize);
            let Some(effect) = index.and_then(|index| batch.effects.get(index)) else { continue };
            let found = Found { offset, record: envelope.clone(), captured: captured.clone() };
            self.event(&found, effect, &chain, project, facts, false);
        }
        let range = first..first + events.len() as u64;
        for made in batch.emitted.iter().chain(&facts.emitted).filter(|made| range.contains(&made.parent_offset)) {
            let (record, captured) = emitted::restored(made, request);
            let found = Found { offset: made.parent_offset, record, captured };
            let chain = self.chain(&made.chain_hash)?;
            self.event(&found, &made.effect, &chain, project, facts, true);
        }
        Ok(())
    }

    fn event(
        &mut self,
        found: &Found,
        effect: &EventEffect,
        chain: &[ChainMember],
        project: u32,
        facts: &Facts,
        is_emitted: bool,
    ) {
        let key = |uuid: String| (found.offset, uuid);
        let (outcome, reason) = match facts.redriven.get(&key(found.captured.uuid.to_string())) {
            Some(redriven) => {
                let outcome = redriven.outcome.clone();
                let reason = format!("redriven as a dead letter: {outcome}");
                (outcome, reason)
            }
            None if effect.repeat != Repeat::First => {
                (Outcome::Deduplicated.as_str().to_owned(), "this uuid was received before".to_owned())
            }
            None => {
                let is_stored = facts.stored.contains(&key(final_uuid(found, effect)));
                let (outcome, reason) = ending(found, project, effect, chain, is_stored, true);
                (outcome.to_owned(), reason)
            }
        };
        let is_meant = match self.request.term {
            Term::Received => !is_emitted,
            Term::Emitted => is_emitted,
            other => other.as_str() == outcome,
        };
        if is_meant {
            self.found.push(LedgerEvent {
                outcome,
                reason,
                is_emitted,
                ..line(found.offset, &found.record, &found.captured)
            });
        }
    }

    fn refusals(&mut self, offset: u64, received_at_ms: UnixMillis, rule: &str, count: u32, example: &str) {
        if matches!(self.request.term, Term::Received | Term::Rejected) {
            self.found.push(LedgerEvent {
                offset,
                count: u64::from(count),
                received_at_ms,
                outcome: Outcome::Rejected.as_str().to_owned(),
                reason: format!("refused at the edge: {rule}; {example}"),
                ..LedgerEvent::default()
            });
        }
    }

    /// Events behind the store's cursor.
    fn waiting(&mut self, range: Range<u64>) -> Result<Option<u64>, FlowError> {
        let mut requests = self.flow.intake_log.read_from_offset(range.start);
        let mut offset = range.start;
        while offset < range.end {
            if self.is_spent() {
                return Ok(Some(offset));
            }
            let Some(record) = requests.read(1, RECORD_BYTES)?.into_iter().next() else { return Ok(None) };
            let request = codec::decode_intake(&record.payload)?;
            offset = record.offset + u64::from(request.event_count());
            self.looked += u64::from(request.event_count());
            if !self.is_wanted(request.received_at_ms) {
                continue;
            }
            let in_flight = |line| LedgerEvent {
                outcome: Term::InFlight.as_str().to_owned(),
                reason: "it waits for plugins or for the store".to_owned(),
                ..line
            };
            match &request.body {
                IntakeBody::Events(events) => {
                    let lines = (record.offset..).zip(events).map(|(at, event)| in_flight(line(at, &request, event)));
                    self.found.extend(lines);
                }
                IntakeBody::EdgeRejections { count, .. } => self.found.push(in_flight(LedgerEvent {
                    offset: record.offset,
                    count: u64::from(*count),
                    received_at_ms: request.received_at_ms,
                    ..LedgerEvent::default()
                })),
            }
        }
        Ok(None)
    }

    fn is_wanted(&self, received_at_ms: UnixMillis) -> bool {
        let start_ms = window_start(received_at_ms, WINDOW_MS);
        self.request.from_ms.is_none_or(|from_ms| start_ms >= from_ms)
            && self.request.until_ms.is_none_or(|until_ms| start_ms < until_ms)
    }

    fn known(&self, range: Range<u64>) -> Result<Facts, FlowError> {
        let pool = self.flow.shared.store.pool()?;
        let (stored, redriven) = pool.with(|store| {
            Ok::<_, weir_store::StoreError>((
                weir_store::stored_uuids(store, range.start, range.end)?,
                weir_store::redriven(store, range.start, range.end)?,
            ))
        })?;
        let mut sequences: Vec<u64> = redriven.iter().flat_map(|redriven| redriven.sequences.clone()).collect();
        sequences.sort_unstable();
        sequences.dedup();
        let mut emitted = Vec::new();
        for sequence in sequences {
            let Some(record) = self.flow.journal_log.read_from_sequence(sequence).read(1, 1)?.into_iter().next() else {
                continue;
            };
            if let JournalRecord::Redrive(redrive) = codec::decode_journal(&record.payload)? {
                emitted.extend(redrive.emitted);
            }
        }
        let redriven =
            redriven.into_iter().map(|redriven| ((redriven.offset, redriven.uuid.clone()), redriven)).collect();
        Ok(Facts { range, stored: stored.into_iter().collect(), redriven, emitted })
    }

    fn chain(&mut self, hash: &str) -> Result<Rc<[ChainMember]>, FlowError> {
        if let Some(chain) = self.chains.get(hash) {
            return Ok(Rc::clone(chain));
        }
        let chain: Rc<[ChainMember]> = History::of(self.flow).chain(hash)?.into();
        self.chains.insert(hash.to_owned(), Rc::clone(&chain));
        Ok(chain)
    }

    fn project(&mut self, token: &str) -> Result<u32, FlowError> {
        if let Some(project) = self.projects.get(token) {
            return Ok(*project);
        }
        let project = self.flow.shared.store.pool()?.with(|store| weir_store::project_number(store, token))?;
        let project = project.unwrap_or_default();
        self.projects.insert(token.to_owned(), project);
        Ok(project)
    }
}

fn line(offset: u64, request: &IntakeRecord, captured: &CapturedEvent) -> LedgerEvent {
    let data: serde_json::Value = serde_json::from_str(&captured.data).unwrap_or_default();
    LedgerEvent {
        offset,
        count: 1,
        uuid: captured.uuid.to_string(),
        event: data["event"].as_str().unwrap_or_default().to_owned(),
        distinct_id: captured.distinct_id.clone(),
        received_at_ms: request.received_at_ms,
        ..LedgerEvent::default()
    }
}
