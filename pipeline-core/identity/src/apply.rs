//! One event: merge if it asks for one, then properties.

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::clock::UnixMillis;
use weir_event::ids;
use weir_event::time::is_truthy;

use crate::merge::Link;
use crate::state::{DistinctIdRow, Identity, Owner, Person, PersonIndex, PersonRow, Project, json_text};

/// What identity needs of an event.
#[derive(Debug, Clone, Copy)]
pub struct IdentityEvent<'a> {
    pub project: ProjectId,
    pub uuid: Uuid,
    pub event: &'a str,
    pub distinct_id: &'a str,
    pub properties: &'a Map<String, Value>,
    pub timestamp_ms: UnixMillis,
}

/// The person of the event after it, and the rows that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub person: Uuid,
    pub person_created_at_ms: UnixMillis,
    pub is_identified: bool,
    /// The person's properties with the event's own `$set` on top, as JSON text.
    pub person_properties: Arc<str>,
    pub persons: Vec<PersonRow>,
    pub distinct_ids: Vec<DistinctIdRow>,
    pub warnings: Vec<Warning>,
}

/// An ingestion warning, under PostHog's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    pub kind: &'static str,
    pub details: Value,
}

/// Rows and warnings of the event in hand.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub persons: Vec<PersonRow>,
    pub distinct_ids: Vec<DistinctIdRow>,
    pub warnings: Vec<Warning>,
}

impl Identity {
    pub fn apply(&mut self, event: IdentityEvent<'_>) -> Outcome {
        let project = self.projects.entry(event.project).or_default();
        let mut changes = Changes::default();
        let link = link_of(&event);
        let (linked, mark_identified) = match &link {
            Some(link) => project.link(&event, link, &mut changes),
            None => (None, false),
        };
        let person = linked.or_else(|| project.owner_of(event.distinct_id));
        let person = match person {
            Some(person) => {
                project.update(person, &event, mark_identified, &mut changes);
                person
            }
            None => project.create(&event, &[event.distinct_id], mark_identified, &mut changes),
        };
        let person = project.person(person);
        let person_properties = with_own_set(person, event.properties);
        Outcome {
            person: person.uuid,
            person_created_at_ms: person.created_at_ms,
            is_identified: person.is_identified,
            person_properties,
            persons: changes.persons,
            distinct_ids: changes.distinct_ids,
            warnings: changes.warnings,
        }
    }
}

/// An event shows what it sets, even where `$unset` took it away again.
fn with_own_set(person: &Person, event: &Map<String, Value>) -> Arc<str> {
    let Some(Value::Object(set)) = event.get("$set") else { return Arc::clone(&person.json) };
    if set.iter().all(|(key, value)| person.properties.get(key) == Some(value)) {
        return Arc::clone(&person.json);
    }
    let mut properties = person.properties.clone();
    properties.extend(set.clone());
    json_text(&properties)
}

fn link_of(event: &IdentityEvent<'_>) -> Option<Link> {
    let (key, forced) = match event.event {
        "$identify" => ("$anon_distinct_id", false),
        "$create_alias" => ("alias", false),
        "$merge_dangerously" => ("alias", true),
        _ => return None,
    };
    let other = event.properties.get(key).filter(|value| is_truthy(value))?;
    let other = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
    Some(Link { other, forced })
}

impl Project {
    /// A new person that owns `distinct_ids`. `$set` beats `$set_once`; the creating event is named.
    pub fn create(
        &mut self,
        event: &IdentityEvent<'_>,
        distinct_ids: &[&str],
        is_identified: bool,
        changes: &mut Changes,
    ) -> PersonIndex {
        let mut properties = Map::new();
        for key in ["$set_once", "$set"] {
            if let Some(Value::Object(values)) = event.properties.get(key) {
                properties.extend(values.clone());
            }
        }
        properties.insert("$creator_event_uuid".into(), event.uuid.to_string().into());
        let json = json_text(&properties);
        let person = Person {
            uuid: ids::person_uuid(event.project, event.distinct_id, event.uuid),
            created_at_ms: event.timestamp_ms,
            properties,
            json,
            is_identified,
            version: 0,
            distinct_ids: distinct_ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        changes.persons.push(person.row(event.project, false));
        let index = self.persons.len();
        for distinct_id in distinct_ids {
            changes.distinct_ids.push(DistinctIdRow {
                project: event.project,
                distinct_id: (*distinct_id).to_owned(),
                person: person.uuid,
                version: 0,
            });
            self.owners.insert((*distinct_id).to_owned(), Owner { person: index, version: 0 });
        }
        self.persons.push(Some(person));
        index
    }

    fn update(&mut self, index: PersonIndex, event: &IdentityEvent<'_>, mark_identified: bool, changes: &mut Changes) {
        let person = self.person_mut(index);
        let mut changed = apply_properties(&mut person.properties, event.properties);
        if changed {
            person.write_json();
        }
        if mark_identified && !person.is_identified {
            person.is_identified = true;
            changed = true;
        }
        if changed {
            person.version += 1;
            changes.persons.push(person.row(event.project, false));
        }
    }
}

/// `$set_once` where nothing is yet, `$set` over everything, `$unset` last; `true` if anything changed.
///
/// A key in both `$set` and `$set_once` ends as `$set` says, because both look at the stored value.
pub(crate) fn apply_properties(stored: &mut Map<String, Value>, event: &Map<String, Value>) -> bool {
    let mut changed = false;
    if let Some(Value::Object(once)) = event.get("$set_once") {
        for (key, value) in once {
            if !stored.contains_key(key) {
                stored.insert(key.clone(), value.clone());
                changed = true;
            }
        }
    }
    if let Some(Value::Object(set)) = event.get("$set") {
        for (key, value) in set {
            if stored.get(key) != Some(value) {
                stored.insert(key.clone(), value.clone());
                changed = true;
            }
        }
    }
    let unset: Vec<&str> = match event.get("$unset") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(Value::Object(names)) => names.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    for name in unset {
        changed |= stored.shift_remove(name).is_some();
    }
    changed
}
