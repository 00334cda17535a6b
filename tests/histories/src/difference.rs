//! Where the store and the model disagree, in sentences.

use serde_json::{Map, Value};
use weir_oracle::{ExpectedEvent, ExpectedProject, ExpectedWarning, same_json, same_map};

/// Empty when the two agree.
pub fn between(expected: &ExpectedProject, found: &ExpectedProject) -> Vec<String> {
    let mut said = Vec::new();
    events(&expected.events, &found.events, &mut said);
    count("persons", expected.persons.len(), found.persons.len(), &mut said);
    for person in &expected.persons {
        let Some(other) = found.persons.iter().find(|other| other.uuid == person.uuid) else {
            said.push(format!("the person {} of {:?} is missing", person.uuid, person.distinct_ids));
            continue;
        };
        let what = |field: &str| format!("person of {:?}: {field}", person.distinct_ids);
        field(&what("distinct ids"), &person.distinct_ids, &other.distinct_ids, &mut said);
        field(&what("is_identified"), &person.is_identified, &other.is_identified, &mut said);
        field(&what("created_at"), &person.created_at_ms, &other.created_at_ms, &mut said);
        field(&what("version"), &person.version, &other.version, &mut said);
        properties(&what("properties"), &person.properties, &other.properties, &mut said);
    }
    field("distinct ids", &expected.distinct_ids, &found.distinct_ids, &mut said);
    count("groups", expected.groups.len(), found.groups.len(), &mut said);
    for (group, other) in expected.groups.iter().zip(&found.groups) {
        let what = |field: &str| format!("group {} {}: {field}", group.type_name, group.key);
        let place = |g: &weir_oracle::ExpectedGroup| (g.type_index, g.type_name.clone(), g.key.clone());
        field(&what("place"), &place(group), &place(other), &mut said);
        field(&what("created_at"), &group.created_at_ms, &other.created_at_ms, &mut said);
        field(&what("version"), &group.version, &other.version, &mut said);
        properties(&what("properties"), &group.properties, &other.properties, &mut said);
    }
    warnings(&expected.warnings, &found.warnings, &mut said);
    said
}

fn events(expected: &[ExpectedEvent], found: &[ExpectedEvent], said: &mut Vec<String>) {
    count("events", expected.len(), found.len(), said);
    let mut rest: Vec<&ExpectedEvent> = found.iter().collect();
    // Those that capture named are told apart by all they say, once the others are taken out.
    let (named, drawn): (Vec<_>, Vec<_>) = expected.iter().partition(|event| event.uuid.is_some());
    for event in named.into_iter().chain(drawn) {
        let same = |other: &&ExpectedEvent| match event.uuid {
            Some(uuid) => other.uuid == Some(uuid),
            None => {
                (&other.event, &other.distinct_id, other.timestamp_ms)
                    == (&event.event, &event.distinct_id, event.timestamp_ms)
            }
        };
        let exactly = |other: &&ExpectedEvent| same(other) && same_map(&event.properties, &other.properties);
        let Some(at) = rest.iter().position(exactly).or_else(|| rest.iter().position(same)) else {
            said.push(format!("the event {:?} {} of {:?} is missing", event.uuid, event.event, event.distinct_id));
            continue;
        };
        let other = rest.swap_remove(at);
        let what = |field: &str| format!("event {} of {:?}: {field}", event.event, event.distinct_id);
        field(&what("name"), &event.event, &other.event, said);
        field(&what("distinct_id"), &event.distinct_id, &other.distinct_id, said);
        field(&what("timestamp"), &event.timestamp_ms, &other.timestamp_ms, said);
        field(&what("elements_chain"), &event.elements_chain, &other.elements_chain, said);
        field(&what("person_id"), &event.person_id, &other.person_id, said);
        field(&what("person_created_at"), &event.person_created_at_ms, &other.person_created_at_ms, said);
        field(&what("person_mode"), &event.person_mode, &other.person_mode, said);
        properties(&what("properties"), &event.properties, &other.properties, said);
        for slot in 0..5 {
            match (&event.groups[slot], &other.groups[slot]) {
                (Some(group), Some(other)) => {
                    field(&what("group created_at"), &group.created_at_ms, &other.created_at_ms, said);
                    properties(&what("group properties"), &group.properties, &other.properties, said);
                }
                (group, other) => field(&what("group"), &group.is_some(), &other.is_some(), said),
            }
        }
    }
}

/// The properties of persons on events, which say what was known when each was stored.
pub fn between_person_properties(expected: &ExpectedProject, found: &ExpectedProject) -> Vec<String> {
    let mut said = Vec::new();
    for event in expected.events.iter().filter(|event| event.uuid.is_some()) {
        if let Some(other) = found.events.iter().find(|other| other.uuid == event.uuid) {
            let what = format!("event {} of {:?}: person_properties", event.event, event.distinct_id);
            properties(&what, &event.person_properties, &other.person_properties, &mut said);
        }
    }
    said
}

fn warnings(expected: &[ExpectedWarning], found: &[ExpectedWarning], said: &mut Vec<String>) {
    count("warnings", expected.len(), found.len(), said);
    let mut rest: Vec<&ExpectedWarning> = found.iter().collect();
    for warning in expected {
        match rest.iter().position(|other| other.kind == warning.kind && same_details(&warning.details, &other.details))
        {
            Some(at) => drop(rest.swap_remove(at)),
            None => said.push(format!("no warning {} {}; there are {rest:?}", warning.kind, warning.details)),
        }
    }
}

/// The wording of a reason is free, and the uuid that capture drew is not known.
fn same_details(expected: &Value, found: &Value) -> bool {
    let (Some(expected), Some(found)) = (expected.as_object(), found.as_object()) else { return expected == found };
    expected.iter().all(|(key, value)| {
        key == "reason"
            || (key == "eventUuid" && value.is_null())
            || found.get(key).is_some_and(|v| same_json(v, value))
    })
}

fn properties(what: &str, expected: &Map<String, Value>, found: &Map<String, Value>, said: &mut Vec<String>) {
    const CREATOR: &str = "$creator_event_uuid";
    let (mut left, mut right) = (expected.clone(), found.clone());
    if left.get(CREATOR).is_some_and(Value::is_null) {
        left.remove(CREATOR);
        right.remove(CREATOR);
    }
    if same_map(&left, &right) {
        return;
    }
    for key in left.keys().chain(right.keys().filter(|key| !left.contains_key(*key))) {
        let same = match (left.get(key), right.get(key)) {
            (Some(left), Some(right)) => same_json(left, right),
            _ => false,
        };
        if !same {
            let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".into(), Value::to_string);
            said.push(format!("{what}.{key}: {} expected, {} found", shown(left.get(key)), shown(right.get(key))));
        }
    }
}

fn field<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T, said: &mut Vec<String>) {
    if expected != found {
        said.push(format!("{what}: {expected:?} expected, {found:?} found"));
    }
}

fn count(what: &str, expected: usize, found: usize, said: &mut Vec<String>) {
    if expected != found {
        said.push(format!("{expected} {what} expected, {found} found"));
    }
}
