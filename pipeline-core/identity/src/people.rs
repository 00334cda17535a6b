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
pub use restoring::Restoring;
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
    pub version: u32,
    pub is_identified: bool,
    first_id: IdIndex,
    last_id: IdIndex,
}

#[derive(Debug, Clone, Copy)]
struct DistinctId {
    text: TextPlace,
    project: u32,
    person: PersonIndex,
    version: u32,
    /// The next id of the same person.
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
        self.push(Person {
            uuid,
            created_at_ms,
            properties,
            version: 0,
            is_identified,
            first_id: NO_ID,
            last_id: NO_ID,
        })
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
        match person.last_id {
            NO_ID => person.first_id = at,
            last => self.ids[last].next = at,
        }
        person.last_id = at;
        let hash = self.hasher.hash_one((project.0, distinct_id.as_bytes()));
        let (ids, texts, hasher) = (&self.ids, &self.texts, &self.hasher);
        self.by_text.insert_unique(hash, at, |other| {
            let other = &ids[*other];
            hasher.hash_one((other.project, texts.get(other.text, &mut [0; 36])))
        });
    }

    /// Takes a person out and gives its ids to another; a row for each id.
    pub fn absorb(&mut self, project: ProjectId, gone: PersonIndex, kept: PersonIndex) -> (Person, Vec<DistinctIdRow>) {
        let gone = self.persons[gone].take().expect("invariant: owners point at persons that exist");
        let mut moved = Vec::new();
        let uuid = self.person(kept).uuid;
        let mut at = gone.first_id;
        while at != NO_ID {
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
            at = id.next;
        }
        let (kept, _) = self.person_mut(kept);
        let last = kept.last_id;
        if last == NO_ID {
            kept.first_id = gone.first_id;
        }
        if gone.last_id != NO_ID {
            kept.last_id = gone.last_id;
        }
        if last != NO_ID {
            self.ids[last].next = gone.first_id;
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

impl Person {
    pub fn row(&self, project: ProjectId, is_deleted: bool, names: &Names) -> PersonRow {
        PersonRow {
            project,
            uuid: self.uuid,
            created_at_ms: self.created_at_ms,
            properties: self.properties.json(names),
            is_identified: self.is_identified,
            is_deleted,
            version: u64::from(self.version),
        }
    }
}
