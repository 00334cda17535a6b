//! Persons and ids as a store gives them back: every person once, then every id once, in any order. The
//! order of a person's ids decides in which order the rows of a merge come, and nothing else.
//!
//! A person and its first id were stored together, so the owner of an id is most often the person after
//! the owner of the one before. Only the others are looked up.

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
    /// Made when it is needed: most ids come in the order of their persons.
    by_uuid: Option<HashTable<PersonIndex>>,
    /// The person after the one that the last id was found with.
    likely: PersonIndex,
    /// The same before one that had to be looked up.
    before: PersonIndex,
}

impl Restoring {
    pub fn new(snapshot: GroupSnapshot) -> Result<Self, serde_json::Error> {
        Ok(Self { people: People::default(), groups: Groups::restore(snapshot)?, by_uuid: None, likely: 0, before: 0 })
    }

    /// Makes room for this many ids, so that their table does not grow in steps.
    pub fn expect_ids(&mut self, ids: usize) {
        self.people.reserve_ids(ids);
    }

    pub fn person(&mut self, known: KnownPerson<'_>) -> Result<(), serde_json::Error> {
        let people = &mut self.people;
        let properties = Properties::from_json(known.properties, &mut people.names)?;
        let mut person = Person::new(known.uuid, known.created_at_ms, properties, known.is_identified);
        person.add_versions(known.version as u32);
        people.push(person);
        Ok(())
    }

    /// An id of a person that is not there belonged to one that is gone: there is none such.
    pub fn id(&mut self, known: KnownId<'_>) {
        if let Some(index) = self.owner(known.person) {
            self.people.push_id(known.project, known.distinct_id, index, known.version as u32);
        }
    }

    fn owner(&mut self, uuid: Uuid) -> Option<PersonIndex> {
        let people = &self.people;
        for index in [self.likely.saturating_sub(1), self.likely, self.before] {
            if people.persons.get(index).and_then(Option::as_ref).is_some_and(|person| person.uuid == uuid) {
                self.likely = index + 1;
                return Some(index);
            }
        }
        let hash_of = |index: &PersonIndex| people.hasher.hash_one(people.person(*index).uuid);
        let by_uuid = self.by_uuid.get_or_insert_with(|| {
            let count = people.persons.len();
            let mut by_uuid = HashTable::with_capacity(count);
            (0..count as PersonIndex).for_each(|index| {
                by_uuid.insert_unique(hash_of(&index), index, hash_of);
            });
            by_uuid
        });
        let found = by_uuid.find(people.hasher.hash_one(uuid), |index| people.person(*index).uuid == uuid).copied()?;
        (self.before, self.likely) = (self.likely, found + 1);
        Some(found)
    }

    pub fn finish(self) -> Arrival {
        Arrival { people: self.people, groups: self.groups }
    }
}
