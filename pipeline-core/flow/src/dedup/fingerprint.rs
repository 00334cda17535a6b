//! What the index keeps of an event.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use uuid::Uuid;

/// What is known of a (project, uuid).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    New,
    /// Seen with the same payload.
    Duplicate,
    /// Seen with another payload.
    Conflicting,
}

/// Identifies an event for recognition, and its content for telling a retry from a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    pub(super) key: u128,
    pub(super) payload: u64,
}

impl Fingerprint {
    pub fn new(project: u32, uuid: Uuid, data: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&project.to_le_bytes());
        hasher.update(uuid.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        let mut payload = [0; 8];
        payload.copy_from_slice(&blake3::hash(data.as_bytes()).as_bytes()[..8]);
        Self { key: u128::from_le_bytes(key), payload: u64::from_le_bytes(payload) }
    }

    /// Looks among the events of one batch, which the index does not hold yet, and joins them.
    pub fn seen_in(self, batch: &mut HashMap<u128, Self>) -> Seen {
        match batch.entry(self.key) {
            Entry::Vacant(vacant) => {
                vacant.insert(self);
                Seen::New
            }
            Entry::Occupied(known) => self.compared_with(known.get().payload),
        }
    }

    /// `payload` is what an event of the same key had.
    pub(super) fn compared_with(self, payload: u64) -> Seen {
        if self.payload == payload { Seen::Duplicate } else { Seen::Conflicting }
    }
}
