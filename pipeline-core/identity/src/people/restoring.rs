//! Persons and ids as a store gives them back: every person once, in any order, then every id once, in
//! the order in which they came to their owners.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;

use super::{NO_ID, People, Person, PersonIndex};
use crate::arrival::Arrival;
use crate::groups::Groups;
use crate::properties::Properties;
use crate::rows::{DistinctIdRow, GroupSnapshot, PersonRow};

/// An [`Arrival`] that is being put back.
#[derive(Debug)]
pub struct Restoring {
    people: People,
    groups: Groups,
    by_uuid: HashTable<PersonIndex>,
}

impl Restoring {
    pub fn new(snapshot: GroupSnapshot) -> Result<Self, serde_json::Error> {
        Ok(Self { people: People::default(), groups: Groups::restore(snapshot)?, by_uuid: HashTable::new() })
    }

    pub fn person(&mut self, row: &PersonRow) -> Result<(), serde_json::Error> {
        let people = &mut self.people;
        let properties = Properties::from_json(&row.properties, &mut people.names)?;
        let index = people.push(Person {
            uuid: row.uuid,
            created_at_ms: row.created_at_ms,
            properties,
            version: row.version as u32,
            is_identified: row.is_identified,
            first_id: NO_ID,
            last_id: NO_ID,
        });
        let hash = people.hasher.hash_one(row.uuid);
        self.by_uuid.insert_unique(hash, index, |other| people.hasher.hash_one(people.person(*other).uuid));
        Ok(())
    }

    /// An id of a person that is not there belonged to one that is gone: there is none such.
    pub fn id(&mut self, row: &DistinctIdRow) {
        let people = &mut self.people;
        let hash = people.hasher.hash_one(row.person);
        if let Some(index) = self.by_uuid.find(hash, |index| people.person(*index).uuid == row.person) {
            people.push_id(row.project, &row.distinct_id, *index, row.version as u32);
        }
    }

    pub fn finish(self) -> Arrival {
        Arrival { people: self.people, groups: self.groups }
    }
}
