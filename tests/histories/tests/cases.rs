//! The specification's tables (`pipeline-core/oracle/cases`) through the real pipeline. The model runs the same
//! files in its own tests, so that a table holds both and neither can be right only by agreeing with the other.
//!
//! Every case has a token of its own and all cases of a file share one pipeline: starting one costs more than they do.

use std::collections::BTreeMap;

use chrono::DateTime;
use histories::observed;
use histories::pipeline::Pipeline;
use pipeline_core::event::Ordering;
use pipeline_core::event::ids::person_uuid;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use weir_oracle::{ExpectedEvent, ExpectedProject, RawRequest, same_json, same_map};

const NOW: &str = "2023-06-01T12:00:00Z";

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

/// What a case looks at and what it finds wrong, in sentences.
struct Judge<'a> {
    project: &'a ExpectedProject,
    said: Vec<String>,
}

fn ms(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}")).timestamp_millis()
}

fn uuid(number: usize) -> Uuid {
    format!("00000000-0000-4000-8000-{number:012x}").parse().expect("a uuid")
}

/// All cases of a file through one pipeline; panics with every case that fails and its row of the specification.
fn check<G: DeserializeOwned, E: DeserializeOwned>(
    text: &str,
    requests: impl Fn(&G) -> Vec<(String, Value)>,
    judge: impl Fn(&mut Judge<'_>, &G, &E),
) {
    let cases: Vec<Case<G, E>> = serde_json::from_str(text).expect("cases as their README says");
    let dir = tempfile::tempdir().expect("a temp dir");
    let pipeline = Pipeline::start(dir.path(), Ordering::Arrival, false);
    for (index, case) in cases.iter().enumerate() {
        for (now, mut body) in requests(&case.given) {
            body["token"] = json!(format!("case-{index}"));
            let answer = pipeline.send(&RawRequest {
                received_at_ms: ms(&now),
                peer_ip: "10.0.0.9".to_owned(),
                method: "POST".to_owned(),
                path: "/e/".to_owned(),
                headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
                body: body.to_string().into_bytes(),
                ..RawRequest::default()
            });
            assert_eq!(answer.status, 200, "{} ({}): {}", case.name, case.spec, answer.body);
        }
    }
    pipeline.settle();
    let found = observed::projects(&pipeline, Ordering::Arrival);
    let mut failed = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let mut it = Judge { project: &found[&format!("case-{index}")], said: Vec::new() };
        judge(&mut it, &case.given, &case.expect);
        failed.extend(it.said.into_iter().map(|said| format!("{} ({}): {said}", case.name, case.spec)));
    }
    assert!(failed.is_empty(), "{} of {} cases:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

/// Each event alone, the n-th with the n-th uuid.
fn each_alone(events: &[Value]) -> Vec<(String, Value)> {
    let numbered = events.iter().enumerate().map(|(index, event)| {
        let mut event = event.clone();
        event["uuid"] = json!(uuid(index + 1));
        (NOW.to_owned(), event)
    });
    numbered.collect()
}

impl Judge<'_> {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: T, expected: T) {
        if found != expected {
            self.said.push(format!("{what}: {expected:?} expected, {found:?} found"));
        }
    }

    fn event(&mut self, number: usize) -> Option<ExpectedEvent> {
        let found = self.project.events.iter().find(|event| event.uuid == Some(uuid(number))).cloned();
        if found.is_none() {
            self.said.push(format!("event {number} is not stored"));
        }
        found
    }

    fn warnings(&mut self, expected: &[Warning]) {
        let mut rest: Vec<_> = self.project.warnings.iter().collect();
        for warning in expected {
            let at = rest.iter().position(|found| {
                let told = |(key, value): (&String, &Value)| same_json(&found.details[key.as_str()], value);
                found.kind == warning.kind && warning.details.iter().all(told)
            });
            match at {
                Some(at) => drop(rest.swap_remove(at)),
                None => self.said.push(format!("no warning {} {:?} in {rest:?}", warning.kind, warning.details)),
            }
        }
        if !rest.is_empty() {
            self.said.push(format!("not expected: {rest:?}"));
        }
    }

    fn persons(&mut self, expected: &[Person]) {
        let project = self.project;
        self.same("persons", project.persons.len(), expected.len());
        for person in expected {
            let id = person_uuid(project.number, &person.uuid_of);
            let Some(found) = project.persons.iter().find(|found| found.uuid == id) else {
                self.said.push(format!("no person of {}", person.uuid_of));
                continue;
            };
            let owned = project.distinct_ids.iter().filter(|owner| owner.person == id);
            let owned: BTreeMap<_, _> = owned.map(|owner| (owner.distinct_id.clone(), owner.version)).collect();
            let what = |field: &str| format!("{field} of {}", person.uuid_of);
            self.same(&what("distinct ids"), &owned, &person.distinct_ids);
            self.same(&what("is_identified"), found.is_identified, person.is_identified);
            self.same(&what("version"), found.version, person.version);
            self.same(&what("created_at"), found.created_at_ms, ms(&person.created_at));
            let mut properties = person.properties.clone();
            properties.insert("$creator_event_uuid".to_owned(), json!(uuid(person.creator)));
            if !same_map(&found.properties, &properties) {
                self.same(&what("properties"), &found.properties, &properties);
            }
        }
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
    check(
        include_str!("../../../pipeline-core/oracle/cases/timestamps.json"),
        |given: &Given| {
            let mut event = Value::Object(given.event.clone());
            event["event"] = json!("x");
            event["distinct_id"] = json!("d");
            event["uuid"] = json!(uuid(1));
            vec![(given.now.clone(), json!({"batch": [event], "sent_at": given.sent_at}))]
        },
        |it, _, expect: &Expect| {
            if let Some(event) = it.event(1) {
                it.same("timestamp", event.timestamp_ms, ms(&expect.timestamp));
            }
            it.warnings(&expect.warnings);
        },
    );
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
    check(
        include_str!("../../../pipeline-core/oracle/cases/merges.json"),
        |given: &Given| each_alone(&given.events),
        |it, given, expect: &Expect| {
            it.same("events", it.project.events.len(), given.events.len());
            it.persons(&expect.persons);
            it.warnings(&expect.warnings);
            for (index, id) in expect.person_of_events.iter().enumerate() {
                if let Some(event) = it.event(index + 1) {
                    let person = person_uuid(it.project.number, id);
                    it.same(&format!("the person of event {}", index + 1), event.person_id, person);
                }
            }
        },
    );
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
    check(
        include_str!("../../../pipeline-core/oracle/cases/is_identified.json"),
        |given: &Given| each_alone(&given.events),
        |it, given, expect: &Expect| {
            let project = it.project;
            let person = |id: &String| project.persons.iter().find(|person| person.distinct_ids.contains(id));
            let (Some(target), Some(other)) = (person(&given.target), person(&given.other)) else {
                it.said.push(format!("an id without a person: {:?}", project.persons));
                return;
            };
            it.same("one person", target.uuid == other.uuid, expect.merged);
            it.same("the target's flag", target.is_identified, expect.target_is_identified);
        },
    );
}
