//! Events that plugins make with `posthog.capture`.
//!
//! They enter the chain like a client's event, in the batch of their parent and in the same journal
//! record: a crash keeps both or neither. Their uuids are derived from the parent, so that running a
//! batch again makes the same events.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;
use weir_event::ids;
use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
use weir_event::journal::{EmittedEvent, EventEffect, Fate};
use weir_event::normalize;
use weir_plugins::EventResult;

use crate::plugin_stage::Candidate;

/// Events of events of events: deeper ones are dead letters, because a plugin that answers its own
/// events would never end.
pub const DEEPEST: u32 = 8;

/// An event that a plugin made, before it runs through the chain.
#[derive(Debug)]
pub struct Emitted {
    pub parent_offset: u64,
    pub depth: u32,
    /// The request of its parent: token, address and moment are the parent's.
    pub record: IntakeRecord,
    pub captured: CapturedEvent,
}

impl Emitted {
    pub fn journalled(self, chain_hash: String, effect: EventEffect) -> EmittedEvent {
        EmittedEvent {
            parent_offset: self.parent_offset,
            uuid: self.captured.uuid,
            data: self.captured.data,
            distinct_id: self.captured.distinct_id,
            chain_hash,
            effect,
        }
    }
}

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
    let mut counts = HashMap::new();
    made.into_iter()
        .filter_map(|(parent_offset, plugin, data)| {
            let parent = *uuids.get(&parent_offset)?;
            let record = record_at(intake, first_offset, parent_offset)?;
            Some(emitted(parent_offset, 1, parent, &plugin, data, envelope(record), &mut counts))
        })
        .collect()
}

/// The same for dead letters that are redriven: (parent offset, plugin, event, parent's uuid and request).
pub fn of_letters(made: Vec<(u64, String, String, Uuid, &IntakeRecord)>) -> Vec<Emitted> {
    let mut counts = HashMap::new();
    made.into_iter()
        .map(|(offset, plugin, data, parent, record)| {
            emitted(offset, 1, parent, &plugin, data, envelope(record), &mut counts)
        })
        .collect()
}

/// The same for a run of emitted events. Those of one offset are one generation: what any of them makes
/// is derived from the first, which keeps the uuids different and stable.
pub fn of_emitted(made: Vec<(u64, String, String)>, parents: &[&Emitted]) -> Vec<Emitted> {
    let mut counts = HashMap::new();
    made.into_iter()
        .filter_map(|(parent_offset, plugin, data)| {
            let parent = parents.iter().find(|parent| parent.parent_offset == parent_offset)?;
            let (uuid, record) = (parent.captured.uuid, parent.record.clone());
            Some(emitted(parent_offset, parent.depth + 1, uuid, &plugin, data, record, &mut counts))
        })
        .collect()
}

fn emitted(
    parent_offset: u64,
    depth: u32,
    parent: Uuid,
    plugin: &str,
    data: String,
    record: IntakeRecord,
    counts: &mut HashMap<(Uuid, String), u32>,
) -> Emitted {
    let count = counts.entry((parent, plugin.to_owned())).or_default();
    let uuid = ids::emitted_uuid(parent, plugin, *count);
    *count += 1;
    let distinct_id = serde_json::from_str::<Value>(&data)
        .ok()
        .and_then(|event| event.get("distinct_id").map(normalize::name_text))
        .unwrap_or_else(|| plugin.to_owned());
    let captured = CapturedEvent { uuid, client_uuid: false, distinct_id, data };
    Emitted { parent_offset, depth, record, captured }
}

/// The parent's request without its events. A plugin's own timestamp is not corrected for the clock of
/// the client, so there is no `sent_at`.
fn envelope(record: &IntakeRecord) -> IntakeRecord {
    IntakeRecord {
        received_at_ms: record.received_at_ms,
        token: record.token.clone(),
        ip: String::new(),
        site_url: record.site_url.clone(),
        sent_at: None,
        body: IntakeBody::Events(Vec::new()),
    }
}

/// The request that holds an offset of the batch.
pub fn record_at(intake: &[IntakeRecord], first_offset: u64, offset: u64) -> Option<&IntakeRecord> {
    let mut next = first_offset;
    intake.iter().find(|record| {
        next += u64::from(record.event_count());
        offset < next
    })
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

pub fn refused(reason: String) -> EventEffect {
    EventEffect { fate: Fate::DeadLettered { reason }, ..EventEffect::default() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugins_own_timestamp_is_not_corrected() {
        let request = IntakeRecord {
            received_at_ms: 5,
            token: "t".into(),
            ip: "1.2.3.4".into(),
            site_url: "http://x".into(),
            sent_at: Some("2001-01-01T00:00:00Z".into()),
            body: IntakeBody::Events(Vec::new()),
        };
        let envelope = envelope(&request);
        assert_eq!((envelope.sent_at, envelope.ip.as_str()), (None, ""), "the clock and address are not the client's");
        assert_eq!((envelope.token.as_str(), envelope.received_at_ms), ("t", 5));
    }
}
