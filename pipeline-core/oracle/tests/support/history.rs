//! Short ways to say what was sent.
#![allow(dead_code, reason = "each test file uses some of it")]

use chrono::DateTime;
use serde_json::{Value, json};
use uuid::Uuid;
use weir_oracle::{ExpectedEvent, ExpectedProject, Oracle, Ordering, RawRequest};

pub const NOW: &str = "2023-06-01T12:00:00Z";
pub const TOKEN: &str = "token";

pub fn ms(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}")).timestamp_millis()
}

/// The uuid of the `number`-th event.
pub fn uuid(number: usize) -> Uuid {
    format!("00000000-0000-4000-8000-{number:012x}").parse().expect("invariant: it has the form of a uuid")
}

pub fn post(now: &str, body: &Value) -> RawRequest {
    RawRequest {
        received_at_ms: ms(now),
        peer_ip: "10.0.0.9".to_owned(),
        method: "POST".to_owned(),
        path: "/e/".to_owned(),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
        ..RawRequest::default()
    }
}

/// Sends each event alone, at `NOW`, the n-th with the n-th uuid if it has none.
pub fn send(oracle: &mut Oracle, events: &[Value]) {
    for (index, event) in events.iter().enumerate() {
        let mut event = event.clone();
        event["token"] = json!(TOKEN);
        if event.get("uuid").is_none() {
            event["uuid"] = json!(uuid(index + 1));
        }
        let answer = oracle.request(&post(NOW, &event));
        assert_eq!(answer.status, 200, "{event}: {}", answer.body);
    }
}

pub fn outcome_of(ordering: Ordering, events: &[Value]) -> ExpectedProject {
    let mut oracle = Oracle::new(ordering);
    send(&mut oracle, events);
    oracle.expected_project(TOKEN).expect("a request was accepted")
}

pub fn arrived(events: &[Value]) -> ExpectedProject {
    outcome_of(Ordering::Arrival, events)
}

/// The stored form of the `number`-th event.
pub fn event(project: &ExpectedProject, number: usize) -> &ExpectedEvent {
    let found = project.events.iter().find(|event| event.uuid == Some(uuid(number)));
    found.unwrap_or_else(|| panic!("event {number} is not stored"))
}
