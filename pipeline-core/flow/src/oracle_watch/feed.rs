//! From the two logs to events as the model is given them.

use std::collections::HashMap;
use std::sync::Arc;

use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
use weir_event::journal::{ChainMember, ControlRecord, EventEffect, Fate, JournalRecord, StepLabel};
use weir_log::{Log, LogReader};
use weir_oracle::Said;

use crate::codec;
use crate::emitted;
use crate::error::FlowError;
use crate::redrive;

const RECORD_BYTES: usize = 1 << 20;

/// One event on its way, with what the journal says that plugins did to it.
#[derive(Debug, Clone)]
pub struct Fed {
    pub offset: u64,
    pub record: Arc<IntakeRecord>,
    pub captured: CapturedEvent,
    pub effect: EventEffect,
    pub chain_hash: String,
    /// It was a dead letter, or was made of one: its row, if it gets one, has an offset that was looked at already.
    pub is_again: bool,
    /// By a client, not by a plugin.
    pub is_captured: bool,
}

impl Fed {
    /// No plugin failed, timed out or stood aside: a twin must come to the same.
    pub fn is_predictable(&self) -> bool {
        let is_regular = |label| !matches!(label, StepLabel::Error | StepLabel::Skipped);
        self.effect.steps.iter().all(|step| is_regular(step.label))
    }

    pub fn said(&self) -> Said<'_> {
        match (&self.effect.fate, &self.effect.output) {
            (Fate::Dropped, _) => Said::Dropped,
            (Fate::DeadLettered { .. }, _) => Said::DeadLettered,
            (_, Some(output)) => Said::Changed(output),
            (_, None) => Said::Unchanged,
        }
    }
}

/// What one journal record holds.
#[derive(Debug, Default)]
pub struct Portion {
    pub events: Vec<Fed>,
    /// (token, number) of a project that begins.
    pub project: Option<(String, u32)>,
    pub recordings: Option<bool>,
    /// Where the intake log has been covered to.
    pub until_offset: u64,
}

/// Walks the journal, with the intake log beside it.
#[derive(Debug)]
pub struct LogFeed {
    intake: Log,
    journal: LogReader,
    requests: LogReader,
    chains: HashMap<String, Vec<ChainMember>>,
    next_offset: u64,
}

impl LogFeed {
    pub fn at(intake: &Log, journal: &Log, sequence: u64, offset: u64) -> Self {
        Self {
            intake: intake.clone(),
            journal: journal.read_from_sequence(sequence),
            requests: intake.read_from_offset(offset),
            chains: HashMap::new(),
            next_offset: offset,
        }
    }

    pub fn next_sequence(&self) -> u64 {
        self.journal.next_sequence()
    }

    pub fn chain(&self, hash: &str) -> Option<&[ChainMember]> {
        self.chains.get(hash).map(Vec::as_slice)
    }

    /// The next record; the caller knows that there is one.
    pub fn next(&mut self) -> Result<Option<Portion>, FlowError> {
        let Some(record) = self.journal.read(1, 1)?.into_iter().next() else { return Ok(None) };
        let mut portion = Portion::default();
        match codec::decode_journal(&record.payload)? {
            JournalRecord::Batch(batch) => {
                let end = batch.first_offset + u64::from(batch.event_count);
                let requests = self.requests_until(end)?;
                let mut effects = batch.effects.into_iter();
                let mut offset = batch.first_offset;
                for request in &requests {
                    let IntakeBody::Events(events) = &request.body else {
                        offset += u64::from(request.event_count());
                        effects.by_ref().take(request.event_count() as usize).for_each(drop);
                        continue;
                    };
                    for captured in events {
                        let Some(effect) = effects.next() else { break };
                        portion.events.push(Fed {
                            offset,
                            record: Arc::clone(request),
                            captured: captured.clone(),
                            effect,
                            chain_hash: batch.chain_hash.clone(),
                            is_again: false,
                            is_captured: true,
                        });
                        offset += 1;
                    }
                }
                let parents: Vec<IntakeRecord> = requests.iter().map(|request| (**request).clone()).collect();
                for made in batch.emitted {
                    let Some(parent) = emitted::record_at(&parents, batch.first_offset, made.parent_offset) else {
                        continue;
                    };
                    let (record, captured) = emitted::restored(&made, parent);
                    portion.events.push(Fed {
                        offset: made.parent_offset,
                        record: Arc::new(record),
                        captured,
                        effect: made.effect,
                        chain_hash: made.chain_hash,
                        is_again: false,
                        is_captured: false,
                    });
                }
            }
            JournalRecord::Redrive(redriven) => {
                let offsets = redriven.entries.iter().map(|entry| entry.offset).collect();
                let mut effects: HashMap<u64, EventEffect> =
                    redriven.entries.into_iter().map(|entry| (entry.offset, entry.effect)).collect();
                let letters = redrive::find(&self.intake, &offsets)?;
                let parent = |offset| letters.iter().find(|letter| letter.offset == offset);
                let made: Vec<Fed> = redriven
                    .emitted
                    .into_iter()
                    .filter_map(|made| {
                        let (record, captured) = emitted::restored(&made, &parent(made.parent_offset)?.record);
                        Some(Fed {
                            offset: made.parent_offset,
                            record: Arc::new(record),
                            captured,
                            effect: made.effect,
                            chain_hash: made.chain_hash,
                            is_again: true,
                            is_captured: false,
                        })
                    })
                    .collect();
                for letter in letters {
                    let Some(effect) = effects.remove(&letter.offset) else { continue };
                    portion.events.push(Fed {
                        offset: letter.offset,
                        record: Arc::new(letter.record),
                        captured: letter.captured,
                        effect,
                        chain_hash: redriven.chain_hash.clone(),
                        is_again: true,
                        is_captured: true,
                    });
                }
                portion.events.extend(made);
            }
            JournalRecord::Control(ControlRecord::Chain { hash, plugins }) => {
                self.chains.insert(hash, plugins);
            }
            JournalRecord::Control(ControlRecord::Project { token, project }) => {
                portion.project = Some((token, project));
            }
            JournalRecord::Control(ControlRecord::Setting { name, value })
                if name == crate::projection::SETTING_RECORDINGS =>
            {
                portion.recordings = Some(value == "on");
            }
            JournalRecord::Control(_) => {}
        }
        portion.until_offset = self.next_offset;
        Ok(Some(portion))
    }

    fn requests_until(&mut self, end: u64) -> Result<Vec<Arc<IntakeRecord>>, FlowError> {
        let mut requests = Vec::new();
        while self.next_offset < end {
            let records = self.requests.read(end - self.next_offset, RECORD_BYTES)?;
            if records.is_empty() {
                return Err(FlowError::Disagreement(format!(
                    "the journal covers offset {end}, the intake log ends at {}",
                    self.next_offset
                )));
            }
            for record in records {
                let request = codec::decode_intake(&record.payload)?;
                self.next_offset += u64::from(request.event_count());
                requests.push(Arc::new(request));
            }
        }
        Ok(requests)
    }
}
