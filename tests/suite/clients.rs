//! The official client libraries, unmodified from their registries, from their call to the row.
//!
//! Each is told to talk to a relay in front of the capture port. What went over the wire is then
//! compared with what is stored, event by event and property by property: a client is not asked what it
//! believes to have sent.

use std::path::PathBuf;
use std::process::Command;

use pipeline_core::event::iso8601;
use serde_json::Value;

use crate::server::{Weir, root, scratch, wait_for};
use crate::wiretap::Wiretap;

/// Properties that the pipeline reads and takes away or completes; their effects are checked apart.
const CHANGED: [&str; 5] = ["$set", "$set_once", "$elements", "$elements_chain", "$process_person_profile"];
/// Clients and server share a clock, so a stored time is the sent one up to rounding and skew of a request.
const SKEW_MS: i64 = 60_000;

/// Where the set-up put the clients. A missing client fails the test: skipping would prove nothing.
pub fn installed(path: &str) -> PathBuf {
    let root = std::env::var_os("WEIR_CLIENTS").expect("WEIR_CLIENTS is set by ./dev test");
    let path = PathBuf::from(root).join(path);
    assert!(path.exists(), "{} is missing; run ./dev test once", path.display());
    path
}

fn script(name: &str) -> PathBuf {
    root().join("tests/clients").join(name)
}

/// Every event that was sent is stored once, with all that it said.
pub fn check_rows(weir: &Weir, sent: &[Value]) {
    for event in sent {
        let id = event["uuid"].as_str().or(event["properties"]["$insert_id"].as_str()).unwrap_or_default();
        assert!(!id.is_empty(), "an event without an id: {event}");
        let sql = format!("SELECT event, distinct_id, properties, timestamp FROM events WHERE uuid = '{id}'");
        let rows = weir.query(&sql);
        assert_eq!(rows.len(), 1, "{event}");
        let row = &rows[0];
        assert_eq!(row["event"], event["event"]);
        let distinct_id = [&event["distinct_id"], &event["$distinct_id"], &event["properties"]["distinct_id"]];
        assert_eq!(Some(&&row["distinct_id"]), distinct_id.iter().find(|id| !id.is_null()), "{event}");
        for (name, value) in event["properties"].as_object().into_iter().flatten() {
            if !CHANGED.contains(&name.as_str()) {
                assert_eq!(&row["properties"][name], value, "{name} of {event}");
            }
        }
        // Persons are told what was asked for, wherever it stood in the event.
        for part in ["$set", "$set_once"] {
            for place in [&event[part], &event["properties"][part]] {
                for (name, value) in place.as_object().into_iter().flatten() {
                    assert_eq!(&row["properties"][part][name], value, "{part}.{name} of {event}");
                }
            }
        }
        if let Some(at) = event["timestamp"].as_str() {
            let at = iso8601::parse(at).expect("clients send times");
            let stored = iso8601::parse(row["timestamp"].as_str().expect("text")).expect("a time");
            assert!((stored - at).abs() < SKEW_MS, "{row} of {event}");
        }
    }
}

/// What the scripts of server-side libraries do, seen in the store.
fn check_story(weir: &Weir, library: &str) {
    let bought = weir.query("SELECT distinct_id, properties FROM events WHERE event = 'bought'");
    assert_eq!(bought.len(), 1);
    let properties = &bought[0]["properties"];
    assert_eq!(bought[0]["distinct_id"], "user-1");
    assert_eq!(properties["price"], 12.5);
    assert_eq!(properties["title"], "Käse & 🧀");
    assert_eq!(properties["$lib"], library);
    assert_eq!(properties["$groups"]["company"], "acme");
    let looked = weir.query("SELECT properties FROM events WHERE event = 'looked'");
    assert_eq!(looked[0]["properties"]["nested"].to_string(), r#"{"list":[1,null,"x"]}"#);
    let grouped = weir.query("SELECT properties FROM events WHERE event = '$groupidentify'");
    assert_eq!(grouped[0]["properties"]["$group_type"], "company");
    assert_eq!(grouped[0]["properties"]["$group_key"], "acme");
    assert_eq!(grouped[0]["properties"]["$group_set"]["seats"], 3);

    let persons = weir.query("SELECT id, properties FROM persons WHERE properties->>'$.email' = 'user-1@example.com'");
    assert_eq!(persons.len(), 1);
    assert_eq!(persons[0]["properties"]["plan"], "pro");
    assert_eq!(persons[0]["properties"]["source"], "first", "$set_once holds the first");
    let owners = weir.query("SELECT distinct_id, person_id FROM person_distinct_ids ORDER BY distinct_id");
    let owner = |id: &str| owners.iter().find(|row| row["distinct_id"] == id).map(|row| &row["person_id"]);
    assert_eq!(owner("anon-1"), Some(&persons[0]["id"]), "the alias made one person of two ids");
    assert_eq!(owner("user-1"), Some(&persons[0]["id"]));
}

fn check_round_trip(library: &str, mut client: Command) {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let wiretap = Wiretap::before(&weir.capture);
    let output = client.env("WEIR_CAPTURE", &wiretap.url).output().expect("the client runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sent = wiretap.events();
    assert!(sent.len() >= 5, "{sent:#?}");
    assert_eq!(wiretap.failures(), Vec::<String>::new());
    let status = wait_for("the client's events", || {
        let status = weir.settle();
        (status.ledger.received >= sent.len() as u64).then_some(status)
    });
    assert_eq!((status.ledger.rejected, status.ledger.dead_lettered, status.ledger.unexplained), (0, 0, 0));
    assert_eq!(status.ledger.stored, sent.len() as u64);
    check_rows(&weir, &sent);
    check_story(&weir, library);
    weir.stop();
}

fn python() -> Command {
    let mut python = Command::new(installed("venv/bin/python"));
    python.arg(script("client.py"));
    python
}

#[test]
fn posthog_python_round_trip() {
    check_round_trip("posthog-python", python());
}

#[test]
fn posthog_python_packed_round_trip() {
    let mut python = python();
    python.env("WEIR_GZIP", "1");
    check_round_trip("posthog-python", python);
}

#[test]
fn posthog_python_strict_round_trip() {
    let mut python = python();
    python.env("WEIR_CAPTURE_MODE", "v1");
    check_round_trip("posthog-python", python);
}

#[test]
fn posthog_node_round_trip() {
    let mut node = Command::new("node");
    node.arg(script("client.cjs")).env("NODE_PATH", installed("node_modules"));
    check_round_trip("posthog-node", node);
}

#[test]
fn posthog_rs_round_trip() {
    check_round_trip("posthog-rs", Command::new(installed("bin/weir-test-client")));
}
