//! What the projection hands to the writer: rows, and the cursor they bring the store to.

use uuid::Uuid;
use weir_event::Outcome;
use weir_event::clock::UnixMillis;
use weir_event::journal::{SinkCursor, SinkFailure, SinkRecord};
use weir_event::outcome::OutcomeCounts;

use crate::windows::Windows;

#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    pub uuid: Uuid,
    pub event: String,
    /// JSON text.
    pub properties: String,
    pub timestamp_ms: UnixMillis,
    pub team_id: u32,
    pub distinct_id: String,
    pub elements_chain: String,
    pub created_at_ms: UnixMillis,
    pub person_id: Uuid,
    pub person_created_at_ms: UnixMillis,
    /// JSON text.
    pub person_properties: String,
    /// `full`, `propertyless` or `force_upgrade`.
    pub person_mode: &'static str,
    /// JSON text: `{"<slot>": [properties, created_at_ms]}`; `None` for an event of no group.
    pub groups: Option<String>,
    /// JSON text: `[{"id","version","label"}]`, one per plugin that saw the event.
    pub plugins: String,
    pub received_at_ms: UnixMillis,
    /// First half of the SHA-256 of the event as captured; 0 where the order of events needs none.
    pub payload: u128,
    pub offset: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PersonRow {
    pub id: Uuid,
    pub created_at_ms: UnixMillis,
    pub team_id: u32,
    pub properties: String,
    pub is_identified: bool,
    pub is_deleted: bool,
    pub version: u64,
    pub offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistinctIdRow {
    pub team_id: u32,
    pub distinct_id: String,
    pub person_id: Uuid,
    pub is_deleted: bool,
    pub version: u64,
    pub offset: u64,
}

/// A version of a group type's slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupTypeRow {
    pub team_id: u32,
    pub kind: String,
    pub slot: Option<u8>,
    pub version: u64,
    pub offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    pub team_id: u32,
    pub kind: String,
    pub key: String,
    pub created_at_ms: UnixMillis,
    /// JSON text.
    pub properties: String,
    /// JSON text: property name to milliseconds.
    pub property_times: String,
    pub is_deleted: bool,
    pub version: u64,
    pub offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginLogRow {
    pub id: Uuid,
    pub plugin_id: String,
    pub version: String,
    pub at_ms: UnixMillis,
    pub source: &'static str,
    pub level: &'static str,
    pub message: String,
    pub offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterRow {
    pub id: Uuid,
    pub event_uuid: Uuid,
    pub event: String,
    pub distinct_id: String,
    pub team_id: u32,
    pub received_at_ms: UnixMillis,
    pub ip: String,
    pub site_url: String,
    pub raw_payload: String,
    pub error_at_ms: UnixMillis,
    pub error_location: &'static str,
    pub error: String,
    /// By a client; what plugins made has no place in the intake log.
    pub is_captured: bool,
    pub journal_sequence: u64,
    pub offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarningRow {
    pub id: Uuid,
    pub team_id: u32,
    pub kind: &'static str,
    /// JSON text.
    pub details: String,
    pub at_ms: UnixMillis,
    pub offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageRow {
    pub plugin_id: String,
    pub key: String,
    pub value: Option<String>,
    pub journal_sequence: u64,
    pub order: u64,
}

/// A sink as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkRow {
    pub record: SinkRecord,
    /// Without failures.
    pub cursor: SinkCursor,
    pub is_removed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkFailureRow {
    pub id: Uuid,
    pub sink: String,
    pub failure: SinkFailure,
}

/// How far the projection got, and what it has counted so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Journal records applied: the sequence of the next one.
    pub journal_sequence: u64,
    /// Intake offsets applied: the next one.
    pub intake_offset: u64,
    pub outcomes: OutcomeCounts,
}

/// Everything one commit adds.
#[derive(Debug, Clone, Default)]
pub struct RowBatch {
    pub events: Vec<EventRow>,
    pub persons: Vec<PersonRow>,
    pub distinct_ids: Vec<DistinctIdRow>,
    pub group_types: Vec<GroupTypeRow>,
    pub groups: Vec<GroupRow>,
    /// (project, uuid, offset) of stored events that another of the same uuid replaced.
    pub superseded: Vec<(u32, Uuid, u64)>,
    /// (offset, uuid, journal sequence, outcome) of dead letters that were redriven.
    pub redriven: Vec<(u64, Uuid, u64, Outcome)>,
    pub plugin_logs: Vec<PluginLogRow>,
    pub dead_letters: Vec<DeadLetterRow>,
    pub warnings: Vec<WarningRow>,
    pub storage: Vec<StorageRow>,
    /// (project, token, offset)
    pub projects: Vec<(u32, String, u64)>,
    /// Current state by name; the newest of a name counts.
    pub sinks: Vec<SinkRow>,
    pub sink_failures: Vec<SinkFailureRow>,
    /// (key, value); the newest of a key counts.
    pub meta: Vec<(String, String)>,
    pub windows: Windows,
}

impl RowBatch {
    pub fn append(&mut self, mut other: Self) {
        self.events.append(&mut other.events);
        self.persons.append(&mut other.persons);
        self.distinct_ids.append(&mut other.distinct_ids);
        self.group_types.append(&mut other.group_types);
        self.groups.append(&mut other.groups);
        self.superseded.append(&mut other.superseded);
        self.redriven.append(&mut other.redriven);
        self.plugin_logs.append(&mut other.plugin_logs);
        self.dead_letters.append(&mut other.dead_letters);
        self.warnings.append(&mut other.warnings);
        self.storage.append(&mut other.storage);
        self.projects.append(&mut other.projects);
        self.sinks.append(&mut other.sinks);
        self.sink_failures.append(&mut other.sink_failures);
        self.meta.append(&mut other.meta);
        self.windows.append(other.windows);
    }

    pub fn row_count(&self) -> usize {
        self.events.len()
            + self.persons.len()
            + self.distinct_ids.len()
            + self.group_types.len()
            + self.groups.len()
            + self.superseded.len()
            + self.redriven.len()
            + self.plugin_logs.len()
            + self.dead_letters.len()
            + self.warnings.len()
            + self.storage.len()
            + self.projects.len()
            + self.sinks.len()
            + self.sink_failures.len()
            + self.meta.len()
            + self.windows.len()
    }
}
