//! What the pipeline must end with. Everything is sorted, so that two models of the same history are equal as values.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::outcome::OutcomeCounts;

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Expected {
    /// By number.
    pub projects: Vec<ExpectedProject>,
    /// Over all projects, refused requests included.
    pub outcomes: OutcomeCounts,
    /// Refused events by rule (the names are this crate's own, see `Refusal::rule`).
    pub rejected: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectedProject {
    pub token: String,
    /// In the order in which accepted requests first showed a token.
    pub number: ProjectId,
    /// By timestamp, uuid, name.
    pub events: Vec<ExpectedEvent>,
    /// By uuid.
    pub persons: Vec<ExpectedPerson>,
    /// By distinct id. In event-time mode `version` is 0: it is an arrival fact there.
    pub distinct_ids: Vec<ExpectedDistinctId>,
    /// By slot and key.
    pub groups: Vec<ExpectedGroup>,
    /// By kind and details.
    pub warnings: Vec<ExpectedWarning>,
    /// `rejected` counts the refused events whose token was found and well formed.
    pub outcomes: OutcomeCounts,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectedEvent {
    /// None when capture draws it: it cannot be known here.
    pub uuid: Option<Uuid>,
    pub event: String,
    pub distinct_id: String,
    /// As stored: with `$set`, `$set_once`, `$ip`, `$group_n`, without the elements.
    pub properties: Map<String, Value>,
    pub timestamp_ms: i64,
    pub elements_chain: String,
    pub person_id: Uuid,
    /// Arrival: at that moment. Event time: of the person that the id resolves to now.
    pub person_created_at_ms: i64,
    /// Arrival: at that moment, with the event's own `$set`. Event time: of the person that the id resolves to now.
    pub person_properties: Map<String, Value>,
    /// `full`, `propertyless` or `force_upgrade`.
    pub person_mode: &'static str,
    /// None where the event names no group of that slot.
    pub groups: [Option<ExpectedGroupColumn>; 5],
}

/// A group as an event shows it; `{}` and the epoch if nothing is known of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ExpectedGroupColumn {
    pub properties: Map<String, Value>,
    pub created_at_ms: i64,
}

/// Where capture drew the uuid of the creating event, `$creator_event_uuid` is null here and any uuid is right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectedPerson {
    pub uuid: Uuid,
    pub properties: Map<String, Value>,
    pub is_identified: bool,
    pub created_at_ms: i64,
    /// 0 in event-time mode, where it is an arrival fact.
    pub version: u64,
    pub distinct_ids: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedDistinctId {
    pub distinct_id: String,
    pub person: Uuid,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectedGroup {
    pub type_index: u8,
    pub type_name: String,
    pub key: String,
    pub properties: Map<String, Value>,
    pub created_at_ms: i64,
    /// 0 in event-time mode, where it is an arrival fact.
    pub version: u64,
}

/// An `eventUuid` that capture drew is null here. The wording of a `reason` is free.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectedWarning {
    pub kind: String,
    pub details: Value,
}

impl ExpectedProject {
    pub(crate) fn sort(&mut self) {
        self.events.sort_by_cached_key(|event| {
            (event.timestamp_ms, event.uuid, event.event.clone(), event.distinct_id.clone(), format!("{event:?}"))
        });
        self.persons.sort_by_key(|person| person.uuid);
        self.distinct_ids.sort_by(|left, right| left.distinct_id.cmp(&right.distinct_id));
        self.groups.sort_by(|left, right| (left.type_index, &left.key).cmp(&(right.type_index, &right.key)));
        self.warnings.sort_by_cached_key(|warning| (warning.kind.clone(), warning.details.to_string()));
    }
}
