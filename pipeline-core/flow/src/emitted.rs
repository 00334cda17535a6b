//! Events that plugins make with `posthog.capture`, between the chain and the journal.
//!
//! They enter the chain like a client's event (`weir_plugins::run_generation`), in the batch of their parent
//! and in the same journal record: a crash keeps both or neither.

use std::collections::HashMap;

use uuid::Uuid;
use weir_event::intake::{CapturedEvent, IntakeRecord};
use weir_event::journal::{EmittedEvent, EventEffect};
use weir_plugins::{Emitted, EventResult, Parent, envelope, of_events};

use crate::plugin_stage::Candidate;

/// What (parent offset, plugin, event) triples of a batch's first run amount to.
pub fn of_batch(
    made: Vec<(u64, String, String)>,
    candidates: &[Candidate],
    intake: &[IntakeRecord],
    first_offset: u64,
) -> Vec<Emitted> {
    if made.is_empty() {
        return Vec::new();
    }
    let uuids: HashMap<u64, Uuid> = candidates.iter().map(|candidate| (candidate.offset, candidate.uuid)).collect();
    of_events(made, |offset| {
        let record = record_at(intake, first_offset, offset)?;
        Some(Parent { offset, uuid: *uuids.get(&offset)?, record })
    })
}

/// The request that holds an offset of the batch.
pub fn record_at(intake: &[IntakeRecord], first_offset: u64, offset: u64) -> Option<&IntakeRecord> {
    let mut next = first_offset;
    intake.iter().find(|record| {
        next += u64::from(record.event_count());
        offset < next
    })
}

pub fn journalled(event: Emitted, chain_hash: String, effect: EventEffect) -> EmittedEvent {
    EmittedEvent {
        parent_offset: event.parent_offset,
        uuid: event.captured.uuid,
        data: event.captured.data,
        distinct_id: event.captured.distinct_id,
        chain_hash,
        effect,
    }
}

/// The request and event that an emitted event of the journal stands for.
pub fn restored(event: &EmittedEvent, parent: &IntakeRecord) -> (IntakeRecord, CapturedEvent) {
    let captured = CapturedEvent {
        uuid: event.uuid,
        client_uuid: false,
        distinct_id: event.distinct_id.clone(),
        data: event.data.clone(),
    };
    (envelope(parent), captured)
}

/// The journal's form of what the chain did.
pub fn effect_of(result: EventResult) -> EventEffect {
    EventEffect {
        fate: result.fate,
        output: result.output,
        steps: result.steps.into_iter().map(|step| step.effect).collect(),
        ..EventEffect::default()
    }
}
