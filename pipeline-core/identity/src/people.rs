//! Persons and distinct ids in memory.
//!
//! Texts of ids lie one after another ([`texts`]) and are found through a table of numbers, and the ids
//! of a person are a linked list through their entries: a million persons cost no million small
//! allocations but one each, for the properties. Nothing is ever removed but a person that was merged into
//! another.

mod list;
mod restoring;
mod texts;

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};
use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::clock::UnixMillis;
use weir_event::ids;

use crate::properties::{Names, Properties};
use crate::rows::{DistinctIdRow, PersonRow};
use list::List;
pub use restoring::{KnownId, KnownPerson, Restoring};
use texts::{TextPlace, Texts};

const NO_ID: u32 = u32::MAX;

/// Position of a person in [`People`].
pub type PersonIndex = u32;
type IdIndex = u32;

#[derive(Debug)]
pub struct Person {
    pub uuid: Uuid,
    pub created_at_ms: UnixMillis,
    pub properties: Properties,
    /// The version, twice, and one for a person that is identified.
    state: u32,
    /// The newest of a ring.
    last_id: IdIndex,
}

#[derive(Debug, Clone, Copy)]
struct DistinctId {
    text: TextPlace,
    project: u32,
    person: PersonIndex,
    version: u32,
    /// The next id of the same person; the first after the last.
    next: IdIndex,
}

#[derive(Debug, Default)]
pub struct People {
    persons: List<Option<Person>>,
    ids: List<DistinctId>,
    by_text: HashTable<IdIndex>,
    texts: Texts,
    hasher: DefaultHashBuilder,
    pub names: Names,
}

impl People {
    pub fn owner_of(&self, project: ProjectId, distinct_id: &str) -> Option<PersonIndex> {
        let distinct_id = distinct_id.as_bytes();
        let found = self.by_text.find(self.hasher.hash_one((project.0, distinct_id)), |id| {
            let id = &self.ids[*id];
            id.project == project.0 && self.texts.get(id.text, &mut [0; 36]) == distinct_id
        })?;
        Some(self.ids[*found].person)
    }

    pub fn person(&self, index: PersonIndex) -> &Person {
        self.persons[index].as_ref().expect("invariant: owners point at persons that exist")
    }

    pub fn person_mut(&mut self, index: PersonIndex) -> (&mut Person, &mut Names) {
        let person = self.persons[index].as_mut().expect("invariant: owners point at persons that exist");
        (person, &mut self.names)
    }

    pub fn row(&self, project: ProjectId, index: PersonIndex) -> PersonRow {
        self.person(index).row(project, false, &self.names)
    }

    /// A person without ids yet, named after the id that creates it.
    pub fn add_person(
        &mut self,
        project: ProjectId,
        creating_id: &str,
        created_at_ms: UnixMillis,
        properties: Properties,
        is_identified: bool,
    ) -> PersonIndex {
        let uuid = ids::person_uuid(project, creating_id);
        self.push(Person::new(uuid, created_at_ms, properties, is_identified))
    }

    fn push(&mut self, person: Person) -> PersonIndex {
        self.persons.push(Some(person))
    }

    /// Gives a new id to a person.
    pub fn add_id(&mut self, project: ProjectId, distinct_id: &str, index: PersonIndex) -> DistinctIdRow {
        self.push_id(project, distinct_id, index, 0);
        DistinctIdRow {
            project,
            distinct_id: distinct_id.to_owned(),
            person: self.person(index).uuid,
            is_deleted: false,
            version: 0,
        }
    }

    fn push_id(&mut self, project: ProjectId, distinct_id: &str, index: PersonIndex, version: u32) {
        let text = self.texts.add(distinct_id);
        let at = self.ids.push(DistinctId { text, project: project.0, person: index, version, next: NO_ID });
        let person = self.persons[index].as_mut().expect("invariant: owners point at persons that exist");
        let before = std::mem::replace(&mut person.last_id, at);
        self.ids[at].next = if before == NO_ID { at } else { std::mem::replace(&mut self.ids[before].next, at) };
        let hash = self.hasher.hash_one((project.0, distinct_id.as_bytes()));
        let (ids, texts, hasher) = (&self.ids, &self.texts, &self.hasher);
        self.by_text.insert_unique(hash, at, |other| hash_of(&ids[*other], texts, hasher));
    }

    fn reserve_ids(&mut self, count: usize) {
        let (ids, texts, hasher) = (&self.ids, &self.texts, &self.hasher);
        self.by_text.reserve(count, |id| hash_of(&ids[*id], texts, hasher));
    }

    /// Takes a person out and gives its ids to another; a row for each id.
    pub fn absorb(&mut self, project: ProjectId, gone: PersonIndex, kept: PersonIndex) -> (Person, Vec<DistinctIdRow>) {
        let gone = self.persons[gone].take().expect("invariant: owners point at persons that exist");
        let mut moved = Vec::new();
        let uuid = self.person(kept).uuid;
        if gone.last_id == NO_ID {
            return (gone, moved);
        }
        let first = self.ids[gone.last_id].next;
        let mut at = first;
        loop {
            let id = &mut self.ids[at];
            id.person = kept;
            id.version += 1;
            let id = *id;
            moved.push(DistinctIdRow {
                project,
                distinct_id: self.text_of(id.text),
                person: uuid,
                is_deleted: false,
                version: u64::from(id.version),
            });
            if at == gone.last_id {
                break;
            }
            at = id.next;
        }
        // Two rings become one.
        let (kept, _) = self.person_mut(kept);
        let before = std::mem::replace(&mut kept.last_id, gone.last_id);
        if before != NO_ID {
            let first_kept = std::mem::replace(&mut self.ids[before].next, first);
            self.ids[gone.last_id].next = first_kept;
        }
        (gone, moved)
    }

    pub fn person_count(&self) -> usize {
        self.persons.iter().flatten().count()
    }

    fn text_of(&self, place: TextPlace) -> String {
        let mut buffer = [0; 36];
        let text = self.texts.get(place, &mut buffer);
        String::from_utf8(text.to_vec()).expect("invariant: ids are texts")
    }
}

fn hash_of(id: &DistinctId, texts: &Texts, hasher: &DefaultHashBuilder) -> u64 {
    hasher.hash_one((id.project, texts.get(id.text, &mut [0; 36])))
}

// A million of them are meant to be small.
const _: () = assert!(size_of::<Option<Person>>() == 48 && size_of::<DistinctId>() == 24);

impl Person {
    fn new(uuid: Uuid, created_at_ms: UnixMillis, properties: Properties, is_identified: bool) -> Self {
        Self { uuid, created_at_ms, properties, state: u32::from(is_identified), last_id: NO_ID }
    }

    pub fn version(&self) -> u32 {
        self.state / 2
    }

    pub fn add_versions(&mut self, count: u32) {
        self.state += count * 2;
    }

    pub fn is_identified(&self) -> bool {
        self.state % 2 == 1
    }

    pub fn identify(&mut self) {
        self.state |= 1;
    }

    pub fn row(&self, project: ProjectId, is_deleted: bool, names: &Names) -> PersonRow {
        PersonRow {
            project,
            uuid: self.uuid,
            created_at_ms: self.created_at_ms,
            properties: self.properties.json(names),
            is_identified: self.is_identified(),
            is_deleted,
            version: u64::from(self.version()),
        }
    }
}
