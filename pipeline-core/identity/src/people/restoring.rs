//! Persons and ids as a store gives them back: every person once, in any order, then every id once, in
//! the order in which they came to their owners.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::clock::UnixMillis;

use super::{People, Person, PersonIndex};
use crate::arrival::Arrival;
use crate::groups::Groups;
use crate::properties::Properties;
use crate::rows::GroupSnapshot;

/// A person as it is known.
#[derive(Debug, Clone, Copy)]
pub struct KnownPerson<'a> {
    pub uuid: Uuid,
    pub created_at_ms: UnixMillis,
    /// JSON text.
    pub properties: &'a str,
    pub is_identified: bool,
    pub version: u64,
}

/// An id and the person that has it.
#[derive(Debug, Clone, Copy)]
pub struct KnownId<'a> {
    pub project: ProjectId,
    pub distinct_id: &'a str,
    pub person: Uuid,
    pub version: u64,
}

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

    /// Makes room for this many persons and ids, so that nothing grows in steps.
    pub fn expect(&mut self, persons: usize, ids: usize) {
        let people = &mut self.people;
        self.by_uuid.reserve(persons, |index| people.hasher.hash_one(people.person(*index).uuid));
        people.reserve_ids(ids);
    }

    pub fn person(&mut self, known: KnownPerson<'_>) -> Result<(), serde_json::Error> {
        let people = &mut self.people;
        let properties = Properties::from_json(known.properties, &mut people.names)?;
        let mut person = Person::new(known.uuid, known.created_at_ms, properties, known.is_identified);
        person.add_versions(known.version as u32);
        let index = people.push(person);
        let hash = people.hasher.hash_one(known.uuid);
        self.by_uuid.insert_unique(hash, index, |other| people.hasher.hash_one(people.person(*other).uuid));
        Ok(())
    }

    /// An id of a person that is not there belonged to one that is gone: there is none such.
    pub fn id(&mut self, known: KnownId<'_>) {
        let people = &mut self.people;
        let hash = people.hasher.hash_one(known.person);
        if let Some(index) = self.by_uuid.find(hash, |index| people.person(*index).uuid == known.person) {
            people.push_id(known.project, known.distinct_id, *index, known.version as u32);
        }
    }

    pub fn finish(self) -> Arrival {
        Arrival { people: self.people, groups: self.groups }
    }
}
