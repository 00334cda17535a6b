//! Rows of current state. The newest version of a key is what holds.

use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::clock::UnixMillis;
use weir_event::prepare::Warning;

/// A version of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonRow {
    pub project: ProjectId,
    pub uuid: Uuid,
    pub created_at_ms: UnixMillis,
    /// JSON text.
    pub properties: String,
    pub is_identified: bool,
    pub is_deleted: bool,
    pub version: u64,
}

/// A version of the owner of a distinct id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistinctIdRow {
    pub project: ProjectId,
    pub distinct_id: String,
    pub person: Uuid,
    /// Nothing speaks of the id any more.
    pub is_deleted: bool,
    pub version: u64,
}

/// A version of a group type's slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupTypeRow {
    pub project: ProjectId,
    pub kind: String,
    /// 0 to 4; `None` for a type that lost its slot to older ones.
    pub slot: Option<u8>,
    pub version: u64,
}

/// A version of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRow {
    pub project: ProjectId,
    /// Name of its type.
    pub kind: String,
    pub key: String,
    pub created_at_ms: UnixMillis,
    /// JSON text.
    pub properties: String,
    /// JSON text: property name to the time of the event that set it, milliseconds.
    pub property_times: String,
    /// Nothing speaks of the group any more.
    pub is_deleted: bool,
    pub version: u64,
}

/// What one event changed, in order.
#[derive(Debug, Default)]
pub struct Changes {
    pub persons: Vec<PersonRow>,
    pub distinct_ids: Vec<DistinctIdRow>,
    pub group_types: Vec<GroupTypeRow>,
    pub groups: Vec<GroupRow>,
    pub warnings: Vec<Warning>,
}

/// Current state of groups, as a store gives it back.
#[derive(Debug, Default)]
pub struct GroupSnapshot {
    pub group_types: Vec<GroupTypeRow>,
    pub groups: Vec<GroupRow>,
}
