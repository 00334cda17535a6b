//! Persons and distinct ids in memory.
//!
//! Texts of ids lie one after another in an arena and are found through a table of numbers, and the ids
//! of a person are a linked list through their entries: a million persons cost no million small
//! allocations. Nothing is ever removed but a person that was merged into another.

use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;
use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::clock::UnixMillis;
use weir_event::ids;

use crate::properties::{Names, Properties};
use crate::rows::{DistinctIdRow, PersonRow};

const CHUNK_BYTES: usize = 1 << 20;
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
    /// Chunk number and place in it.
    text: u32,
    length: u16,
    project: u32,
    person: PersonIndex,
    version: u32,
    /// The next id of the same person.
    next: IdIndex,
}

#[derive(Debug, Default)]
pub struct People {
    persons: Vec<Option<Person>>,
    ids: Vec<DistinctId>,
    by_text: HashTable<IdIndex>,
    chunks: Vec<Vec<u8>>,
    hasher: RandomState,
    pub names: Names,
}

impl People {
    pub fn owner_of(&self, project: ProjectId, distinct_id: &str) -> Option<PersonIndex> {
        let hash = self.hasher.hash_one((project.0, distinct_id));
        let found = self.by_text.find(hash, |id| {
            let id = &self.ids[*id as usize];
            id.project == project.0 && self.text_of(id) == distinct_id
        })?;
        Some(self.ids[*found as usize].person)
    }

    pub fn person(&self, index: PersonIndex) -> &Person {
        self.persons[index as usize].as_ref().expect("invariant: owners point at persons that exist")
    }

    pub fn person_mut(&mut self, index: PersonIndex) -> (&mut Person, &mut Names) {
        let person = self.persons[index as usize].as_mut().expect("invariant: owners point at persons that exist");
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
        self.persons.push(Some(person));
        self.persons.len() as u32 - 1
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
        let text = self.store_text(distinct_id);
        let length = distinct_id.len() as u16;
        let at = self.ids.len() as u32;
        self.ids.push(DistinctId { text, length, project: project.0, person: index, version, next: NO_ID });
        let person = self.persons[index as usize].as_mut().expect("invariant: owners point at persons that exist");
        match person.last_id {
            NO_ID => person.first_id = at,
            last => self.ids[last as usize].next = at,
        }
        person.last_id = at;
        let hash = self.hasher.hash_one((project.0, distinct_id));
        let (ids, chunks, hasher) = (&self.ids, &self.chunks, &self.hasher);
        self.by_text.insert_unique(hash, at, |other| {
            let other = &ids[*other as usize];
            hasher.hash_one((other.project, text_in(chunks, other)))
        });
    }

    /// Takes a person out and gives its ids to another; a row for each id.
    pub fn absorb(&mut self, project: ProjectId, gone: PersonIndex, kept: PersonIndex) -> (Person, Vec<DistinctIdRow>) {
        let gone = self.persons[gone as usize].take().expect("invariant: owners point at persons that exist");
        let mut moved = Vec::new();
        let uuid = self.person(kept).uuid;
        let mut at = gone.first_id;
        while at != NO_ID {
            let id = &mut self.ids[at as usize];
            id.person = kept;
            id.version += 1;
            let id = *id;
            moved.push(DistinctIdRow {
                project,
                distinct_id: self.text_of(&id).to_owned(),
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
            self.ids[last as usize].next = gone.first_id;
        }
        (gone, moved)
    }

    /// Puts a person back as a store holds it; the ids that follow are its own.
    pub fn restore_person(&mut self, row: &PersonRow) -> Result<PersonIndex, serde_json::Error> {
        let object = serde_json::from_str(&row.properties)?;
        let properties = Properties::pack(&object, &mut self.names);
        Ok(self.push(Person {
            uuid: row.uuid,
            created_at_ms: row.created_at_ms,
            properties,
            version: row.version as u32,
            is_identified: row.is_identified,
            first_id: NO_ID,
            last_id: NO_ID,
        }))
    }

    pub fn restore_id(&mut self, project: ProjectId, distinct_id: &str, index: PersonIndex, version: u64) {
        self.push_id(project, distinct_id, index, version as u32);
    }

    pub fn person_count(&self) -> usize {
        self.persons.iter().flatten().count()
    }

    fn store_text(&mut self, text: &str) -> u32 {
        let has_room = |chunk: &Vec<u8>| chunk.capacity() - chunk.len() >= text.len();
        if !self.chunks.last().is_some_and(has_room) {
            self.chunks.push(Vec::with_capacity(CHUNK_BYTES));
        }
        let chunk = self.chunks.len() - 1;
        let place = self.chunks[chunk].len();
        self.chunks[chunk].extend_from_slice(text.as_bytes());
        (chunk * CHUNK_BYTES + place) as u32
    }

    fn text_of(&self, id: &DistinctId) -> &str {
        text_in(&self.chunks, id)
    }
}

fn text_in<'a>(chunks: &'a [Vec<u8>], id: &DistinctId) -> &'a str {
    let (chunk, place) = (id.text as usize / CHUNK_BYTES, id.text as usize % CHUNK_BYTES);
    let bytes = &chunks[chunk][place..place + usize::from(id.length)];
    std::str::from_utf8(bytes).expect("invariant: the arena holds texts")
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
