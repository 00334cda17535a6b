//! The specification's tables, `cases/`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use weir_event::ids::person_uuid;
use weir_oracle::{ExpectedProject, ExpectedWarning, Oracle, Ordering, canonical_json, same_json};

#[path = "support/history.rs"]
mod history;
use history::{TOKEN, arrived, event, ms, post, uuid};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<G, E> {
    name: String,
    spec: String,
    given: G,
    expect: E,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Warning {
    kind: String,
    details: Map<String, Value>,
}

fn check_warnings(name: &str, found: &[ExpectedWarning], expected: &[Warning]) {
    let kinds = |kinds: &mut Vec<&str>| kinds.sort_unstable();
    let (mut left, mut right): (Vec<&str>, Vec<&str>) =
        (found.iter().map(|it| it.kind.as_str()).collect(), expected.iter().map(|it| it.kind.as_str()).collect());
    kinds(&mut left);
    kinds(&mut right);
    assert_eq!(left, right, "{name}: {found:?}");
    for warning in expected {
        let fits = |found: &&ExpectedWarning| {
            found.kind == warning.kind
                && warning.details.iter().all(|(key, value)| same_json(&found.details[key.as_str()], value))
        };
        assert!(found.iter().any(|found| fits(&found)), "{name}: {:?} is not in {found:?}", warning.details);
    }
}

#[test]
fn timestamps() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Given {
        now: String,
        sent_at: Option<String>,
        event: Map<String, Value>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Expect {
        timestamp: String,
        warnings: Vec<Warning>,
    }
    let cases: Vec<Case<Given, Expect>> = serde_json::from_str(include_str!("../cases/timestamps.json")).unwrap();
    for Case { name, spec, given, expect } in cases {
        let name = format!("{name} ({spec})");
        let mut sent = Value::Object(given.event);
        sent["event"] = json!("x");
        sent["distinct_id"] = json!("d");
        sent["uuid"] = json!(uuid(1));
        let body = json!({"token": TOKEN, "batch": [sent], "sent_at": given.sent_at});
        let mut oracle = Oracle::new(Ordering::Arrival);
        assert_eq!(oracle.request(&post(&given.now, &body)).status, 200, "{name}");
        let project = oracle.expected_project(TOKEN).unwrap();
        assert_eq!(event(&project, 1).timestamp_ms, ms(&expect.timestamp), "{name}");
        check_warnings(&name, &project.warnings, &expect.warnings);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    uuid_of: String,
    distinct_ids: BTreeMap<String, u64>,
    is_identified: bool,
    version: u64,
    created_at: String,
    creator: usize,
    properties: Map<String, Value>,
}

fn check_persons(name: &str, project: &ExpectedProject, expected: &[Person]) {
    assert_eq!(project.persons.len(), expected.len(), "{name}: {:?}", project.persons);
    for person in expected {
        let id = person_uuid(project.number, &person.uuid_of);
        let found = project.persons.iter().find(|found| found.uuid == id);
        let found = found.unwrap_or_else(|| panic!("{name}: no person of {}", person.uuid_of));
        let owned = project.distinct_ids.iter().filter(|owner| owner.person == id);
        let owned: BTreeMap<_, _> = owned.map(|owner| (owner.distinct_id.clone(), owner.version)).collect();
        let ids: Vec<String> = person.distinct_ids.keys().cloned().collect();
        assert_eq!(owned, person.distinct_ids, "{name}");
        assert_eq!(found.distinct_ids, ids, "{name}");
        assert_eq!(found.is_identified, person.is_identified, "{name}: {}", person.uuid_of);
        assert_eq!(found.version, person.version, "{name}: {}", person.uuid_of);
        assert_eq!(found.created_at_ms, ms(&person.created_at), "{name}: {}", person.uuid_of);
        let mut properties = person.properties.clone();
        properties.insert("$creator_event_uuid".to_owned(), json!(uuid(person.creator)));
        let (found, expected) = (json!(found.properties), json!(properties));
        assert_eq!(canonical_json(&found), canonical_json(&expected), "{name}: {}", person.uuid_of);
    }
}

#[test]
fn merges() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Given {
        events: Vec<Value>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Expect {
        persons: Vec<Person>,
        warnings: Vec<Warning>,
        #[serde(default)]
        person_of_events: Vec<String>,
    }
    let cases: Vec<Case<Given, Expect>> = serde_json::from_str(include_str!("../cases/merges.json")).unwrap();
    for Case { name, spec, given, expect } in cases {
        let name = format!("{name} ({spec})");
        let project = arrived(&given.events);
        assert_eq!(project.events.len(), given.events.len(), "{name}");
        check_persons(&name, &project, &expect.persons);
        check_warnings(&name, &project.warnings, &expect.warnings);
        for (index, id) in expect.person_of_events.iter().enumerate() {
            assert_eq!(event(&project, index + 1).person_id, person_uuid(project.number, id), "{name}: event {index}");
        }
    }
}

#[test]
fn is_identified() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Given {
        events: Vec<Value>,
        target: String,
        other: String,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Expect {
        merged: bool,
        target_is_identified: bool,
    }
    let cases: Vec<Case<Given, Expect>> = serde_json::from_str(include_str!("../cases/is_identified.json")).unwrap();
    for Case { name, spec, given, expect } in cases {
        let name = format!("{name} ({spec})");
        let project = arrived(&given.events);
        let person = |id: &String| project.persons.iter().find(|person| person.distinct_ids.contains(id)).unwrap();
        let (target, other) = (person(&given.target), person(&given.other));
        assert_eq!(target.uuid == other.uuid, expect.merged, "{name}");
        assert_eq!(target.is_identified, expect.target_is_identified, "{name}");
    }
}
