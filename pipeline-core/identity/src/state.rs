//! Persons and distinct ids in memory, keyed by project.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::clock::UnixMillis;

/// A version of a person. The newest version of a uuid is its current state.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonRow {
    pub project: ProjectId,
    pub uuid: Uuid,
    pub created_at_ms: UnixMillis,
    /// JSON text.
    pub properties: Arc<str>,
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
    pub version: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub uuid: Uuid,
    pub created_at_ms: UnixMillis,
    pub properties: Map<String, Value>,
    /// The same as JSON text: most events change nothing and need it again.
    pub json: Arc<str>,
    pub is_identified: bool,
    pub version: u64,
    pub distinct_ids: Vec<String>,
}

/// Position of a person in [`Project::persons`]; the slot of a merged person stays empty.
pub(crate) type PersonIndex = usize;

#[derive(Debug, Default)]
pub(crate) struct Project {
    pub persons: Vec<Option<Person>>,
    pub owners: HashMap<String, Owner>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub person: PersonIndex,
    pub version: u64,
}

/// All persons of all projects.
#[derive(Debug, Default)]
pub struct Identity {
    pub(crate) projects: HashMap<ProjectId, Project>,
}

impl Identity {
    /// Puts back current state that the store holds. Persons first, then ids.
    pub fn restore(persons: Vec<PersonRow>, distinct_ids: Vec<DistinctIdRow>) -> Result<Self, serde_json::Error> {
        let mut identity = Self::default();
        let mut places: HashMap<(ProjectId, Uuid), PersonIndex> = HashMap::with_capacity(persons.len());
        for row in persons {
            let project = identity.projects.entry(row.project).or_default();
            places.insert((row.project, row.uuid), project.persons.len());
            project.persons.push(Some(Person {
                uuid: row.uuid,
                created_at_ms: row.created_at_ms,
                properties: serde_json::from_str(&row.properties)?,
                json: row.properties,
                is_identified: row.is_identified,
                version: row.version,
                distinct_ids: Vec::new(),
            }));
        }
        for row in distinct_ids {
            let Some(&place) = places.get(&(row.project, row.person)) else { continue };
            let project = identity.projects.entry(row.project).or_default();
            if let Some(person) = &mut project.persons[place] {
                person.distinct_ids.push(row.distinct_id.clone());
            }
            project.owners.insert(row.distinct_id, Owner { person: place, version: row.version });
        }
        Ok(identity)
    }

    pub fn person_count(&self) -> usize {
        self.projects.values().map(|project| project.persons.iter().flatten().count()).sum()
    }
}

impl Project {
    pub fn owner_of(&self, distinct_id: &str) -> Option<PersonIndex> {
        self.owners.get(distinct_id).map(|owner| owner.person)
    }

    /// A person that a live index points at.
    pub fn person(&self, index: PersonIndex) -> &Person {
        self.persons[index].as_ref().expect("invariant: owners point at persons that exist")
    }

    pub fn person_mut(&mut self, index: PersonIndex) -> &mut Person {
        self.persons[index].as_mut().expect("invariant: owners point at persons that exist")
    }
}

impl Person {
    /// Call after every change of `properties`.
    pub fn write_json(&mut self) {
        self.json = json_text(&self.properties);
    }

    pub fn row(&self, project: ProjectId, is_deleted: bool) -> PersonRow {
        PersonRow {
            project,
            uuid: self.uuid,
            created_at_ms: self.created_at_ms,
            properties: Arc::clone(&self.json),
            is_identified: self.is_identified,
            is_deleted,
            version: self.version,
        }
    }
}

/// JSON text of properties.
pub(crate) fn json_text(properties: &Map<String, Value>) -> Arc<str> {
    // A map with text keys can always be written.
    serde_json::to_string(properties).unwrap_or_default().into()
}
