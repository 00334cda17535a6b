//! Samples in Rust and Python.

use serde_json::{Value, json};
use weir_api::plugin::PluginState;
use weir_plugins::Lane;

use super::{named, samples_dir};
use crate::support::{Bench, configured, event, has_python, output, run, skipped};

fn running(name: &str) -> (Bench, Lane) {
    let bench = Bench::new();
    let view = bench.host.add(&samples_dir().join(name)).unwrap();
    assert_eq!(view.state, PluginState::Live, "{:?}", view.load_error);
    let lane = bench.host.lane();
    (bench, lane)
}

fn at(minute: u32, person: &str) -> Value {
    let mut event = event(1);
    event["distinct_id"] = person.into();
    event["timestamp"] = format!("2024-05-01T{:02}:{:02}:00.000Z", minute / 60, minute % 60).into();
    event
}

#[test]
fn rust_sessionizer() {
    let (_bench, mut lane) = running("rust-sessionizer");
    let events = [at(0, "ada"), at(10, "ada"), at(5, "bob"), at(40, "ada"), at(71, "ada"), at(65, "ada"), at(6, "ada")];
    let result = run(&mut lane, &events);
    let property = |place: usize, name: &str| output(&result.events[place])["properties"][name].clone();
    let numbers = [0, 1, 2, 3, 4, 5].map(|place| property(place, "session_event").as_u64().unwrap());
    assert_eq!(numbers, [1, 2, 1, 3, 1, 2]);
    let ids = [0, 1, 2, 3, 4, 5].map(|place| property(place, "session_id").as_str().unwrap().to_owned());
    assert!(ids[0] == ids[1] && ids[0] == ids[3], "pauses of half an hour are allowed: {ids:?}");
    assert!(ids[4] == ids[5] && ids[4] != ids[0] && ids[2] != ids[0], "{ids:?}");
    assert!(result.events[6].output.is_none(), "too late for its session");

    let ended: Vec<Value> = result.emitted.iter().map(|(_, _, text)| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(ended.len(), 1);
    assert_eq!((&ended[0]["event"], &ended[0]["distinct_id"]), (&json!("session ended"), &json!("ada")));
    assert_eq!(ended[0]["properties"], json!({ "session_id": ids[0], "seconds": 2400, "events": 3 }));
    let untouched = run(&mut lane, &[ended[0].clone(), event(1)]);
    assert!(untouched.events.iter().all(|event| event.output.is_none()), "its own events and those without a time");

    let (bench, _) = running("rust-sessionizer");
    let values = configured("pause_minutes", "soon");
    let problem = bench.host.configure("rust-sessionizer", values).unwrap().load_error.unwrap();
    assert!(problem.message.contains("pause_minutes is \"soon\", which is no number of minutes"), "{problem:?}");
}

#[test]
fn python_pii_scrubber() {
    if !has_python() {
        return skipped();
    }
    let (bench, mut lane) = running("python-pii-scrubber");
    let cases = [
        ("mail ada@example.com or bob.b+x@mail.example.org", "mail [email] or [email]"),
        ("4111 1111 1111 1111", "[card]"),
        ("4111-1111-1111-1112", "4111-1111-1111-1112"),
        ("card 378282246310005.", "card [card]."),
        ("call +46 70 123 45 67 now", "call [phone] now"),
        ("(555) 123-4567", "[phone]"),
        ("2024-05-01T09:59:59.000Z", "2024-05-01T09:59:59.000Z"),
        ("0190163a-0000-7000-8000-000000000001", "0190163a-0000-7000-8000-000000000001"),
        ("order 1714557600000, 192.168.100.200", "order 1714557600000, 192.168.100.200"),
    ];
    let events: Vec<Value> = cases
        .iter()
        .map(|(text, _)| named("signup", json!({ "text": text, "deep": { "list": [text] }, "token": text, "n": 1.5 })))
        .collect();
    let result = run(&mut lane, &events);
    for ((before, after), event) in cases.iter().zip(&result.events) {
        if before == after {
            assert!(event.output.is_none(), "{before}: {event:?}");
            continue;
        }
        let properties = &output(event)["properties"];
        assert_eq!((&properties["text"], &properties["deep"]["list"][0]), (&json!(after), &json!(after)));
        assert_eq!((&properties["token"], &properties["n"]), (&json!(before), &json!(1.5)));
    }
    assert_eq!(output(&result.events[0])["properties"]["$pii_scrubbed"], json!({ "email": 4 }));

    let values = configured("kinds", "email, iban");
    let problem = bench.host.configure("python-pii-scrubber", values).unwrap().load_error.unwrap();
    assert!(problem.message.contains("kinds has iban; possible are email, phone, card"), "{problem:?}");
    assert_eq!(problem.file, "plugin.py");
}
