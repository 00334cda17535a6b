//! The newest events as the plugin stage was given them, and what their requests were answered with.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use weir_event::clock::UnixMillis;
use weir_event::journal::{EventEffect, Fate, HostCall, JournalRecord};
use weir_log::{Log, LogReader};
use weir_trial::{Input, inputs_of};

use crate::codec;
use crate::error::FlowError;

/// Content that is held at a time; older events are left out beyond it.
const MOST_BYTES: usize = 64 << 20;
/// Looks further back while too few events are found: many may have been refused or seen before.
const LOOKS: u32 = 3;
const READ_EVENTS: u64 = 8_192;
const READ_BYTES: usize = 4 << 20;
/// Calls outside events that are remembered, of each plugin.
const SETUP_CALLS: usize = 100;

#[derive(Debug, Default)]
pub struct Recent {
    pub batches: VecDeque<RecentBatch>,
    pub calls: Vec<HostCall>,
    /// Events in the batches.
    pub events: u64,
}

#[derive(Debug)]
pub struct RecentBatch {
    pub processed_at_ms: UnixMillis,
    pub inputs: Vec<Input>,
}

impl Recent {
    /// The newest events that met plugins, as many as asked for, if there are as many.
    pub fn read(intake: &Log, journal: &Log, last: u64, project_of: impl Fn(&str) -> u32) -> Result<Self, FlowError> {
        // While this reads, the log grows; it must not run after it.
        let end = journal.end().offset;
        let mut reach = last;
        let mut recent = Self::default();
        for _ in 0..LOOKS {
            let from = end.saturating_sub(reach);
            recent = Self::between(intake, journal, from..end, &project_of)?;
            if recent.events >= last || from == 0 {
                break;
            }
            reach = reach.saturating_mul(4);
        }
        while recent.events > last {
            let excess = recent.events - last;
            let Some(oldest) = recent.batches.front_mut() else { break };
            let taken = oldest.inputs.len().min(excess as usize);
            oldest.inputs.drain(..taken);
            recent.events -= taken as u64;
            if oldest.inputs.is_empty() {
                recent.batches.pop_front();
            }
        }
        Ok(recent)
    }

    fn between(
        intake: &Log,
        journal: &Log,
        range: Range<u64>,
        project_of: impl Fn(&str) -> u32,
    ) -> Result<Self, FlowError> {
        let mut recent = Self::default();
        let mut bytes = 0;
        let mut journal = journal.read_from_offset(range.start);
        let mut intake_reader: Option<LogReader> = None;
        loop {
            let records = journal.read(READ_EVENTS, READ_BYTES)?;
            if records.is_empty() {
                return Ok(recent);
            }
            for record in records {
                if record.offset >= range.end {
                    return Ok(recent);
                }
                let JournalRecord::Batch(batch) = codec::decode_journal(&record.payload)? else { continue };
                let reader = intake_reader.get_or_insert_with(|| intake.read_from_offset(batch.first_offset));
                let mut inputs = Vec::new();
                let mut index = 0;
                while index < batch.effects.len() {
                    let Some(record) = reader.read(1, 1)?.into_iter().next() else {
                        return Err(FlowError::Disagreement(
                            "the journal covers more than the intake log holds".into(),
                        ));
                    };
                    let decoded = codec::decode_intake(&record.payload)?;
                    index += decoded.event_count() as usize;
                    let project = project_of(&decoded.token);
                    inputs.extend(inputs_of(decoded, record.offset, project));
                }
                inputs.retain(|input| {
                    let at = input.offset.checked_sub(batch.first_offset).map(|at| at as usize);
                    input.offset >= range.start && at.and_then(|at| batch.effects.get(at)).is_some_and(met_plugins)
                });
                bytes += inputs.iter().map(size).sum::<usize>();
                recent.events += inputs.len() as u64;
                recent.calls.extend(batch.calls);
                recent.batches.push_back(RecentBatch { processed_at_ms: batch.processed_at_ms, inputs });
                while bytes > MOST_BYTES
                    && let Some(oldest) = recent.batches.pop_front()
                {
                    bytes -= oldest.inputs.iter().map(size).sum::<usize>();
                    recent.events -= oldest.inputs.len() as u64;
                }
            }
        }
    }

    pub fn offsets(&self) -> Option<(u64, u64)> {
        let mut offsets = self.batches.iter().flat_map(|batch| &batch.inputs).map(|input| input.offset);
        let first = offsets.next()?;
        Some((first, offsets.next_back().unwrap_or(first)))
    }

    pub fn first_ms(&self) -> Option<UnixMillis> {
        self.batches.front().map(|batch| batch.processed_at_ms)
    }
}

fn size(input: &Input) -> usize {
    input.captured.data.len() + size_of::<Input>()
}

/// Live, the others never came to a plugin.
const fn met_plugins(effect: &EventEffect) -> bool {
    !matches!(effect.fate, Fate::Deduplicated { .. } | Fate::Rejected) || !effect.steps.is_empty()
}

/// What plugins called outside events since the start, most of all in `setupPlugin`: every start makes those
/// calls again, so they are found without a look at the whole journal.
#[derive(Debug, Default)]
pub struct SetupCalls(Mutex<HashMap<String, VecDeque<HostCall>>>);

impl SetupCalls {
    pub fn remember(&self, calls: &[HostCall]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls {
            let own = all.entry(call.plugin_id.clone()).or_default();
            own.push_back(call.clone());
            if own.len() > SETUP_CALLS {
                own.pop_front();
            }
        }
    }

    pub fn of(&self, plugin_id: &str) -> Vec<HostCall> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(plugin_id).map(|own| own.iter().cloned().collect()).unwrap_or_default()
    }
}
