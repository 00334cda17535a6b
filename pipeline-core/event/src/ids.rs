//! Identifiers that are derived, never drawn, once an event is in the intake log: a rebuild from the
//! logs must name every person and every emitted event as the first run did.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A project (PostHog: team), numbered from 1 in the order its token was first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectId(pub u32);

impl std::fmt::Display for ProjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Namespace of every UUIDv5 that Weir derives. Part of the format: never change it.
const NAMESPACE: Uuid = Uuid::from_u128(0x7765_6972_0000_4000_8000_6576_656e_7473);

/// The uuid of the person that `distinct_id` created.
///
/// An id creates at most one person, so project and id name it; an event that was stored without a
/// person already carries the uuid that a later person of its id will have.
pub fn person_uuid(project: ProjectId, distinct_id: &str) -> Uuid {
    let mut name = Vec::with_capacity(distinct_id.len() + 16);
    name.extend_from_slice(b"person:");
    name.extend_from_slice(&project.0.to_be_bytes());
    name.extend_from_slice(distinct_id.as_bytes());
    Uuid::new_v5(&NAMESPACE, &name)
}

/// The uuid of the `index`-th event that `plugin` emitted while it processed `parent`.
pub fn emitted_uuid(parent: Uuid, plugin: &str, index: u32) -> Uuid {
    let mut name = Vec::with_capacity(plugin.len() + 32);
    name.extend_from_slice(b"emitted:");
    name.extend_from_slice(parent.as_bytes());
    name.extend_from_slice(&index.to_be_bytes());
    name.extend_from_slice(plugin.as_bytes());
    Uuid::new_v5(&NAMESPACE, &name)
}

/// Events with the same key keep their order where others may overtake. Not part of a format.
pub fn order_key(project: u32, distinct_id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (project, distinct_id).hash(&mut hasher);
    hasher.finish()
}

/// The uuid of a row that has none of its own (a plugin log line, a warning), from its place in the
/// journal.
pub fn row_uuid(kind: &str, journal_sequence: u64, index: u32) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{kind}:{journal_sequence}:{index}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_are_stable_across_versions() {
        // These values are on disk in every store; a change here breaks rebuilds.
        let ann = person_uuid(ProjectId(1), "ann");
        assert_eq!(ann.to_string(), "eefbb07c-760d-5e35-b26d-8ac925afdfd3");
        assert_ne!(ann, person_uuid(ProjectId(2), "ann"));
        let creator = Uuid::from_u128(7);
        assert_ne!(emitted_uuid(creator, "p", 0), emitted_uuid(creator, "p", 1));
    }
}
