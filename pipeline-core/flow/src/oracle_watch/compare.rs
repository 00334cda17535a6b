//! Rows that must be there against rows that are.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use weir_event::StoredEvent;
use weir_event::clock::UnixMillis;
use weir_oracle::{ExpectedEvent, ExpectedGroupColumn, same_json, same_map};

use super::tally::{Place, Tally};

/// A row that must be in the store.
#[derive(Debug)]
pub struct Due {
    pub offset: u64,
    pub project: u32,
    pub uuid: String,
    pub row: ExpectedEvent,
    /// `$plugins_succeeded`, `$plugins_failed` and `$plugins_deferred`; empty when no plugin saw it.
    pub plugins: Vec<(&'static str, Vec<String>)>,
}

/// Whose creation capture drew a uuid for: any is right.
const CREATOR: &str = "$creator_event_uuid";

/// Compares all rows of a range of offsets; those of persons on events only where they say what was known then.
pub fn rows(tally: &mut Tally, at_ms: UnixMillis, due: Vec<Due>, stored: Vec<StoredEvent>, with_persons: bool) {
    tally.state.expected += due.len() as u64;
    tally.state.stored += stored.len() as u64;
    let mut found: BTreeMap<(u64, String), StoredEvent> = BTreeMap::new();
    let mut doubles = Vec::new();
    for event in stored {
        if let Some(double) = found.insert((event.offset, event.uuid.clone()), event) {
            doubles.push(double);
        }
    }
    let mut absent = Vec::new();
    for due in due {
        match found.remove(&(due.offset, due.uuid.clone())) {
            Some(event) => one(tally, at_ms, &due, &event, with_persons),
            None => absent.push(due),
        }
    }
    for due in absent {
        // Stored under another uuid it is wrong, not missing.
        let place = found.range((due.offset, String::new())..(due.offset + 1, String::new())).next();
        let key = place.filter(|(_, event)| event.event == due.row.event).map(|(key, _)| key.clone());
        if let Some(event) = key.and_then(|key| found.remove(&key)) {
            tally.state.wrong += 1;
            tally.differs(at_ms, "event", "uuid", place_of(&due), (due.uuid.clone(), event.uuid));
            continue;
        }
        tally.state.missing += 1;
        let expected = format!("{} of {}", due.row.event, due.row.distinct_id);
        tally.differs(at_ms, "missing", "", place_of(&due), (expected, "nothing".into()));
    }
    for event in found.into_values().chain(doubles) {
        tally.state.extra += 1;
        let place = Place {
            offset: event.offset,
            project: event.team_id as u32,
            uuid: &event.uuid,
            distinct_id: &event.distinct_id,
        };
        let words = format!("{} of {}", event.event, event.distinct_id);
        tally.differs(at_ms, "extra", "", place, ("nothing".into(), words));
    }
}

fn place_of(due: &Due) -> Place<'_> {
    Place { offset: due.offset, project: due.project, uuid: &due.uuid, distinct_id: &due.row.distinct_id }
}

/// What differs in one row, by field.
#[derive(Default)]
pub struct Differences(pub Vec<(String, String, String)>);

impl Differences {
    pub fn field(&mut self, name: &str, expected: impl ToString, found: impl ToString) {
        let (expected, found) = (expected.to_string(), found.to_string());
        if expected != found {
            self.0.push((name.to_owned(), expected, found));
        }
    }

    pub fn properties(&mut self, name: &str, expected: &Map<String, Value>, found: &str) {
        let Ok(Value::Object(found)) = serde_json::from_str::<Value>(found) else {
            self.0.push((name.to_owned(), "an object".into(), found.to_owned()));
            return;
        };
        self.maps(name, expected, &found);
    }

    fn maps(&mut self, name: &str, expected: &Map<String, Value>, found: &Map<String, Value>) {
        if same_map(expected, found) {
            return;
        }
        for key in expected.keys().chain(found.keys().filter(|key| !expected.contains_key(*key))) {
            let (left, right) = (expected.get(key), found.get(key));
            let is_drawn = key == CREATOR && left.is_some_and(Value::is_null) && right.is_some();
            let is_same = matches!((left, right), (Some(left), Some(right)) if same_json(left, right));
            if !is_same && !is_drawn {
                let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".into(), Value::to_string);
                self.0.push((format!("{name}.{key}"), shown(left), shown(right)));
            }
        }
    }
}

fn one(tally: &mut Tally, at_ms: UnixMillis, due: &Due, found: &StoredEvent, with_persons: bool) {
    let expected = &due.row;
    let mut differences = Differences::default();
    differences.field("team_id", i64::from(due.project), found.team_id);
    differences.field("event", &expected.event, &found.event);
    differences.field("distinct_id", &expected.distinct_id, &found.distinct_id);
    if expected.timestamp_ms != found.timestamp_ms {
        tally.state.timestamps_off += 1;
        let iso = weir_event::time::iso;
        differences.field("timestamp", iso(expected.timestamp_ms), iso(found.timestamp_ms));
    }
    differences.field("elements_chain", &expected.elements_chain, &found.elements_chain);
    differences.field("person_id", expected.person_id, &found.person_id);
    differences.field("person_created_at", expected.person_created_at_ms, found.person_created_at_ms);
    differences.field("person_mode", expected.person_mode, &found.person_mode);
    properties(&mut differences, due, found);
    if with_persons {
        differences.properties("person_properties", &expected.person_properties, &found.person_properties);
    }
    for (slot, (group, (text, created_at_ms))) in expected.groups.iter().zip(&found.groups).enumerate() {
        let nothing = ExpectedGroupColumn::default();
        let group = group.as_ref().unwrap_or(&nothing);
        differences.properties(&format!("group{slot}_properties"), &group.properties, text);
        differences.field(&format!("group{slot}_created_at"), group.created_at_ms, *created_at_ms);
    }
    if differences.0.is_empty() {
        return;
    }
    tally.state.wrong += 1;
    for (field, expected, found) in differences.0 {
        tally.differs(at_ms, "event", &field, place_of(due), (expected, found));
    }
}

/// Those of the event, and next to them the lists of plugins that were there.
fn properties(differences: &mut Differences, due: &Due, found: &StoredEvent) {
    if due.plugins.is_empty() {
        differences.properties("properties", &due.row.properties, &found.properties);
        return;
    }
    let mut expected = due.row.properties.clone();
    for (name, members) in &due.plugins {
        expected.insert((*name).to_owned(), json!(members));
    }
    differences.properties("properties", &expected, &found.properties);
}
