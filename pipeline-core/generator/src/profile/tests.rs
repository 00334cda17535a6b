use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::scenario::built_in;
use crate::{Request, Stream};

/// Values that nothing else has.
const SECRETS: [&str; 9] = [
    "Quillfeather",
    "zanzibar-4711",
    "@feather.example",
    "feather.example",
    "198.51.77.13",
    "73194287",
    "Wednesday the 12th",
    "8f14e45f-ceea-467f-a5d0-1f2e3d4c5b6a",
    "0.7319",
];

fn row(number: u64) -> Value {
    let second = number % 60;
    let event = ["$pageview", "ordered", "$identify"][(number % 3) as usize];
    json!({
        "uuid": format!("00000000-0000-4000-8000-{number:012x}"),
        "event": event,
        "distinct_id": if number.is_multiple_of(2) { "8f14e45f-ceea-467f-a5d0-1f2e3d4c5b6a".to_owned() } else { format!("Quillfeather{}", number % 7) },
        "timestamp": format!("2025-11-12T09:{:02}:{second:02}Z", number / 60 % 60),
        "properties": {
            "plan": if number.is_multiple_of(4) { "zanzibar-4711" } else { "free" },
            "contact": format!("quill{number}@feather.example"),
            "$current_url": format!("https://feather.example/p/{number}"),
            "address": "198.51.77.13",
            "amount": 73_194_286_i64 + number as i64,
            "share": 0.7319 + number as f64 / 1e5,
            "note": format!("Wednesday the 12th, {number}"),
            "nested": {"name": "Quillfeather", "tags": ["zanzibar-4711"], "deep": {"er": {"still": {"more": "Quillfeather"}}}},
            "flag": number.is_multiple_of(5),
            "$anon_distinct_id": "8f14e45f-ceea-467f-a5d0-1f2e3d4c5b6a",
            "int": 1, "leave": "Quillfeather",
        },
    })
}

#[test]
fn nothing_of_the_values_is_left() {
    let mut profile = Profile::default();
    (0..900).for_each(|number| profile.add(&row(number)).expect("an event"));
    let text = profile.scenario().expect("a scenario");
    let scenario = Scenario::read(&text, "p.toml").expect("a scenario");
    let stream = Stream::new(Arc::new(scenario), 1).events(3_000).flat_map(Request::into_events);
    let told: Vec<String> = stream.map(|event| event.json()).collect();
    for secret in SECRETS {
        assert!(row(4).to_string().contains(secret) || row(1).to_string().contains(secret), "{secret} is in no row");
        assert!(!text.contains(secret), "{secret} is in the scenario:\n{text}");
        assert!(!told.iter().any(|event| event.contains(secret)), "{secret} is in the stream");
    }
}

#[test]
fn the_schema_the_spread_and_the_journeys_are_kept() {
    let shop = Arc::new(built_in("web-shop").expect("built in").scenario());
    let events = |scenario: &Arc<Scenario>, count| -> Vec<Value> {
        let requests = Stream::new(Arc::clone(scenario), 3).events(count);
        requests
            .flat_map(Request::into_events)
            .map(|event| serde_json::from_str(&event.json()).expect("JSON"))
            .collect()
    };
    let original = events(&shop, 10_000);
    let mut profile = Profile::default();
    original.iter().for_each(|event| profile.add(event).expect("an event"));
    let copy = Arc::new(Scenario::read(&profile.scenario().expect("a scenario"), "p.toml").expect("a scenario"));
    let copied = events(&copy, 10_000);
    let share = |events: &[Value], name: &str| {
        events.iter().filter(|event| event["event"] == name).count() as f64 / events.len() as f64
    };
    for name in ["$pageview", "product added", "$identify", "purchase"] {
        let (one, other) = (share(&original, name), share(&copied, name));
        assert!((one - other).abs() < 0.05, "{name}: {one} {other}");
    }
    let purchase = copied.iter().find(|event| event["event"] == "purchase").expect("one buys");
    let properties = &purchase["properties"];
    assert!(properties["items"].is_array() && properties["revenue"].is_number(), "{purchase}");
    assert!(properties["payment"].as_str().is_some_and(|payment| payment.starts_with("payment ")), "{purchase}");
    let campaigns =
        |events: &[Value]| events.iter().filter(|event| event["properties"]["utm_source"].is_string()).count();
    assert!(campaigns(&copied).abs_diff(campaigns(&original)) < 200, "{} {}", campaigns(&copied), campaigns(&original));
}

#[test]
fn rows_are_read_as_the_world_writes_them() {
    let mut profile = Profile::default();
    for row in [
        json!({"event": "a", "distinct_id": "d", "properties": {"p": 1}}),
        json!({"event": "a", "person_id": "d", "properties": "{\"p\": 2}", "timestamp": "2026-01-01 10:00:00.000"}),
        json!({"event_name": "a", "distinct_id": 7, "properties.p": 3, "created_at": 1_767_225_600_000_i64}),
        json!({"event": "a", "properties": null}),
    ] {
        profile.add(&row).expect("an event");
    }
    let text = profile.scenario().expect("a scenario");
    assert!(text.contains("\"p\" = { maybe = 0.7500, then = { int = ["), "{text}");
    for (row, reason) in [
        (json!({"distinct_id": "d"}), "an event needs its name"),
        (json!({"event": "a", "properties": [1]}), "are no object"),
        (json!({"event": "a", "properties": "{"}), "are no object"),
    ] {
        let error = profile.add(&row).expect_err("no event").to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert!(matches!(Profile::default().scenario(), Err(ProfileError::NoEvents)));
}
