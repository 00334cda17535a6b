//! Persons when the order of arrival decides (SPEC 5.1 to 5.9): every event finds what those before it left.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::ids::person_uuid;

use crate::expected::{ExpectedDistinctId, ExpectedPerson, ExpectedWarning};
use crate::prepare::Prepared;
use crate::same::same_map;

/// Creation time shown for events without a person.
pub(crate) const PERSONLESS_CREATED_AT_MS: i64 = 5_000;

/// A real person this much older than a personless event takes the event over.
const UPGRADE_AFTER_MS: i64 = 60_000;

#[derive(Debug, Clone)]
struct Person {
    properties: Map<String, Value>,
    is_identified: bool,
    created_at_ms: i64,
    version: u64,
}

#[derive(Debug, Clone)]
struct Owner {
    person: Uuid,
    version: u64,
}

/// The persons of one project.
#[derive(Debug)]
pub(crate) struct Persons {
    project: ProjectId,
    by_uuid: BTreeMap<Uuid, Person>,
    ids: BTreeMap<String, Owner>,
    /// Since it was last taken, where somebody takes it.
    changed: Option<Changed>,
}

/// What is another than it was.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// Those that are gone, too.
    pub persons: BTreeSet<Uuid>,
    pub ids: BTreeSet<String>,
}

/// The person columns of an event.
pub(crate) struct PersonColumns {
    pub id: Uuid,
    pub created_at_ms: i64,
    pub properties: Map<String, Value>,
    pub mode: &'static str,
}

impl Persons {
    pub fn new(project: ProjectId) -> Self {
        Self { project, by_uuid: BTreeMap::new(), ids: BTreeMap::new(), changed: None }
    }

    pub fn process(&mut self, event: &Prepared, warnings: &mut Vec<ExpectedWarning>) -> PersonColumns {
        if event.personless {
            return self.personless(event);
        }
        let mut identify = false;
        if let Some(merge) = &event.merge {
            identify = true;
            self.merge(event, &merge.other, merge.forced, warnings);
        }
        let id = self.update(event, identify);
        let person = &self.by_uuid[&id];
        let mut properties = person.properties.clone();
        properties.extend(event.set.clone());
        PersonColumns { id, created_at_ms: person.created_at_ms, properties, mode: "full" }
    }

    fn personless(&self, event: &Prepared) -> PersonColumns {
        let real = self.ids.get(&event.distinct_id).map(|owner| (owner.person, &self.by_uuid[&owner.person]));
        match real {
            Some((id, person)) if event.timestamp_ms > person.created_at_ms + UPGRADE_AFTER_MS => PersonColumns {
                id,
                created_at_ms: person.created_at_ms,
                properties: person.properties.clone(),
                mode: "force_upgrade",
            },
            _ => PersonColumns {
                id: person_uuid(self.project, &event.distinct_id),
                created_at_ms: PERSONLESS_CREATED_AT_MS,
                properties: Map::new(),
                mode: "propertyless",
            },
        }
    }

    /// SPEC 5.5 step 4, 5.6: the other id's person into that of the event's distinct id.
    fn merge(&mut self, event: &Prepared, other: &str, forced: bool, warnings: &mut Vec<ExpectedWarning>) {
        let target_person = self.ids.get(&event.distinct_id).map(|owner| owner.person);
        let other_person = self.ids.get(other).map(|owner| owner.person);
        match (other_person, target_person) {
            (Some(other_person), None) => self.add_id(&event.distinct_id, other_person),
            (None, Some(target_person)) => self.add_id(other, target_person),
            (None, None) => {
                let person = self.create(event, true);
                self.add_id(other, person);
            }
            (Some(other_person), Some(target_person)) if other_person == target_person => {}
            (Some(other_person), Some(_)) if self.by_uuid[&other_person].is_identified && !forced => {
                warnings.push(ExpectedWarning {
                    kind: "cannot_merge_already_identified".to_owned(),
                    details: json!({ "sourcePersonDistinctId": other, "targetPersonDistinctId": event.distinct_id }),
                });
            }
            (Some(other_person), Some(target_person)) => self.merge_persons(event, other_person, target_person),
        }
    }

    fn merge_persons(&mut self, event: &Prepared, other_id: Uuid, target_id: Uuid) {
        let other = self.by_uuid.remove(&other_id).expect("invariant: an owner exists");
        let target = self.by_uuid.get_mut(&target_id).expect("invariant: an owner exists");
        let mut properties = other.properties;
        properties.extend(target.properties.clone());
        target.properties = applied(&properties, event);
        target.created_at_ms = target.created_at_ms.min(other.created_at_ms);
        target.is_identified = true;
        target.version += 1;
        let mut moved = Vec::new();
        for (id, owner) in self.ids.iter_mut().filter(|(_, owner)| owner.person == other_id) {
            owner.person = target_id;
            owner.version += 1;
            moved.push(id.clone());
        }
        self.note(&[other_id, target_id], &moved);
    }

    /// SPEC 5.2, 5.3: creates the person, or updates it if that changes anything.
    fn update(&mut self, event: &Prepared, identify: bool) -> Uuid {
        let Some(owner) = self.ids.get(&event.distinct_id) else {
            return self.create(event, identify);
        };
        let id = owner.person;
        let person = self.by_uuid.get_mut(&id).expect("invariant: an owner exists");
        let properties = applied(&person.properties, event);
        let is_identified = person.is_identified || identify;
        if !same_map(&properties, &person.properties) || is_identified != person.is_identified {
            person.properties = properties;
            person.is_identified = is_identified;
            person.version += 1;
            self.note(&[id], &[]);
        }
        id
    }

    fn create(&mut self, event: &Prepared, is_identified: bool) -> Uuid {
        let id = person_uuid(self.project, &event.distinct_id);
        let mut properties = event.set_once.clone();
        properties.extend(event.set.clone());
        properties.insert("$creator_event_uuid".to_owned(), event.uuid_value());
        let person = Person { properties, is_identified, created_at_ms: event.timestamp_ms, version: 0 };
        self.by_uuid.insert(id, person);
        self.note(&[id], &[]);
        self.add_id(&event.distinct_id, id);
        id
    }

    fn add_id(&mut self, distinct_id: &str, person: Uuid) {
        self.ids.insert(distinct_id.to_owned(), Owner { person, version: 0 });
        self.note(&[], &[distinct_id.to_owned()]);
    }

    fn note(&mut self, persons: &[Uuid], ids: &[String]) {
        if let Some(changed) = &mut self.changed {
            changed.persons.extend(persons);
            changed.ids.extend(ids.iter().cloned());
        }
    }

    /// From now on what changes is noted, for [`Self::take_changed`].
    pub fn note_changes(&mut self) {
        self.changed.get_or_insert_default();
    }

    /// What changed since this was last asked.
    pub fn take_changed(&mut self) -> Changed {
        self.changed.take().unwrap_or_default()
    }

    /// Without its distinct ids, which would have to be looked for; none for one that is gone.
    pub fn person(&self, uuid: Uuid) -> Option<ExpectedPerson> {
        self.by_uuid.get(&uuid).map(|person| ExpectedPerson {
            uuid,
            properties: person.properties.clone(),
            is_identified: person.is_identified,
            created_at_ms: person.created_at_ms,
            version: person.version,
            distinct_ids: Vec::new(),
        })
    }

    pub fn distinct_id(&self, distinct_id: &str) -> Option<ExpectedDistinctId> {
        let owner = self.ids.get(distinct_id)?;
        Some(ExpectedDistinctId { distinct_id: distinct_id.to_owned(), person: owner.person, version: owner.version })
    }

    pub fn expected(&self) -> (Vec<ExpectedPerson>, Vec<ExpectedDistinctId>) {
        let persons = self.by_uuid.iter().map(|(uuid, person)| ExpectedPerson {
            uuid: *uuid,
            properties: person.properties.clone(),
            is_identified: person.is_identified,
            created_at_ms: person.created_at_ms,
            version: person.version,
            distinct_ids: self
                .ids
                .iter()
                .filter(|(_, owner)| owner.person == *uuid)
                .map(|(id, _)| id.clone())
                .collect(),
        });
        let ids = self.ids.iter().map(|(distinct_id, owner)| ExpectedDistinctId {
            distinct_id: distinct_id.clone(),
            person: owner.person,
            version: owner.version,
        });
        (persons.collect(), ids.collect())
    }
}

/// `$set_once` where there is nothing yet, then `$set`, then `$unset`.
fn applied(stored: &Map<String, Value>, event: &Prepared) -> Map<String, Value> {
    let mut properties = stored.clone();
    for (key, value) in &event.set_once {
        if !stored.contains_key(key) {
            properties.insert(key.clone(), value.clone());
        }
    }
    properties.extend(event.set.clone());
    for key in &event.unset {
        properties.shift_remove(key);
    }
    properties
}
