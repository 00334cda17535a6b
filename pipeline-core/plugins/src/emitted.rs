//! Events that plugins make with `posthog.capture`.
//!
//! Those of `processEvent` go through the whole chain like a client's event, right after the batch of their
//! parent; what they make goes through it again, up to a depth. Uuids are derived from the parent, so that
//! running a batch again makes the same events.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;
use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
use weir_event::journal::{Fate, HostCall, PluginLog, StorageMutation};
use weir_event::{ProjectId, ids, normalize};

use crate::batch::{BatchEvent, EventResult};
use crate::lane::Lane;
use crate::state::JobRequest;

/// Events of events of events: deeper ones are dead letters, because a plugin that answers its own
/// events would never end.
const DEEPEST: u32 = 8;

/// An event that a plugin made, before it runs through the chain.
#[derive(Debug, Clone)]
pub struct Emitted {
    pub parent_offset: u64,
    pub depth: u32,
    /// The request of its parent: token, address and moment are the parent's.
    pub record: IntakeRecord,
    pub captured: CapturedEvent,
}

/// The event that another was made for.
#[derive(Debug, Clone, Copy)]
pub struct Parent<'a> {
    pub offset: u64,
    pub uuid: Uuid,
    pub record: &'a IntakeRecord,
}

/// What became of events that plugins made, all of one depth.
#[derive(Debug, Default)]
pub struct Generation {
    pub events: Vec<(Emitted, EventResult)>,
    /// What they made in turn.
    pub next: Vec<Emitted>,
    pub storage: Vec<StorageMutation>,
    pub logs: Vec<PluginLog>,
    pub jobs: Vec<JobRequest>,
    pub calls: Vec<HostCall>,
}

/// What (parent offset, plugin, event) triples amount to.
pub fn of_events<'a>(made: Vec<(u64, String, String)>, parent_of: impl Fn(u64) -> Option<Parent<'a>>) -> Vec<Emitted> {
    let mut counts = HashMap::new();
    made.into_iter()
        .filter_map(|(offset, plugin, data)| {
            let parent = parent_of(offset)?;
            let made = captured(parent.uuid, &plugin, next(&mut counts, parent.uuid, &plugin), data, false);
            Some(Emitted { parent_offset: offset, depth: 1, record: envelope(parent.record), captured: made })
        })
        .collect()
}

/// The same for a run of emitted events. Those of one offset are one generation: what any of them makes
/// is derived from the first, which keeps the uuids different and stable.
fn of_emitted(made: Vec<(u64, String, String)>, parents: &[&Emitted]) -> Vec<Emitted> {
    let mut counts = HashMap::new();
    made.into_iter()
        .filter_map(|(parent_offset, plugin, data)| {
            let parent = parents.iter().find(|parent| parent.parent_offset == parent_offset)?;
            let uuid = parent.captured.uuid;
            let captured = captured(uuid, &plugin, next(&mut counts, uuid, &plugin), data, false);
            Some(Emitted { parent_offset, depth: parent.depth + 1, record: parent.record.clone(), captured })
        })
        .collect()
}

/// Events that a plugin made outside `processEvent`. They enter the intake log, where a repetition of what
/// made them is recognised.
pub fn of_call(parent: Uuid, plugin_id: &str, events: Vec<String>) -> Vec<CapturedEvent> {
    let captured = |(index, data)| captured(parent, plugin_id, index, data, true);
    (0..).zip(events).map(captured).collect()
}

fn next(counts: &mut HashMap<(Uuid, String), u32>, parent: Uuid, plugin: &str) -> u32 {
    let count = counts.entry((parent, plugin.to_owned())).or_default();
    *count += 1;
    *count - 1
}

fn captured(parent: Uuid, plugin: &str, index: u32, data: String, client_uuid: bool) -> CapturedEvent {
    let distinct_id = serde_json::from_str::<Value>(&data)
        .ok()
        .and_then(|event| event.get("distinct_id").map(normalize::name_text))
        .unwrap_or_else(|| plugin.to_owned());
    CapturedEvent { uuid: ids::emitted_uuid(parent, plugin, index), client_uuid, distinct_id, data }
}

/// The parent's request without its events. A plugin's own timestamp is not corrected for the clock of
/// the client, so there is no `sent_at`.
pub fn envelope(record: &IntakeRecord) -> IntakeRecord {
    IntakeRecord {
        received_at_ms: record.received_at_ms,
        token: record.token.clone(),
        ip: String::new(),
        site_url: record.site_url.clone(),
        sent_at: None,
        body: IntakeBody::Events(Vec::new()),
    }
}

/// Runs one generation through the chain. `project_of` numbers tokens.
pub fn run_generation(lane: &mut Lane, waiting: Vec<Emitted>, project_of: impl Fn(&str) -> u32) -> Generation {
    let mut ready = Vec::with_capacity(waiting.len());
    for emitted in waiting {
        let project = project_of(&emitted.record.token);
        let event = normalize::plugin_event(&emitted.record, &emitted.captured, ProjectId(project));
        let json = match event.and_then(|event| serde_json::to_string(&event)) {
            Err(error) => Err(format!("the event that a plugin made cannot be read: {error}")),
            Ok(_) if emitted.depth > DEEPEST => {
                Err(format!("plugins made events of events {} deep: is one answering its own?", emitted.depth))
            }
            Ok(json) => Ok(json),
        };
        ready.push((emitted, project, json));
    }
    let events = ready
        .iter()
        .filter_map(|(emitted, project, json)| {
            Some(BatchEvent {
                offset: emitted.parent_offset,
                team_id: *project,
                uuid: emitted.captured.uuid,
                order_key: ids::order_key(*project, &emitted.captured.distinct_id),
                json: Cow::Borrowed(json.as_ref().ok()?.as_str()),
            })
        })
        .collect();
    let result = lane.process_batch(events);
    let parents: Vec<&Emitted> = ready.iter().map(|(emitted, _, _)| emitted).collect();
    let next = of_emitted(result.emitted, &parents);
    let mut results = result.events.into_iter();
    let events = ready.into_iter().filter_map(|(emitted, _, json)| {
        let result = match json {
            Ok(_) => results.next()?,
            Err(reason) => EventResult { fate: Fate::DeadLettered { reason }, output: None, steps: Vec::new() },
        };
        Some((emitted, result))
    });
    Generation {
        events: events.collect(),
        next,
        storage: result.storage,
        logs: result.logs,
        jobs: result.jobs,
        calls: result.calls,
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
