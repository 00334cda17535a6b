//! The ledger by time: every window adds up, and every number of it leads to the events that it counts.

use std::collections::HashSet;
use std::fs;
use std::process::Command;

use pipeline_core::api::event::JourneyRequest;
use pipeline_core::api::ledger::Ledger;
use pipeline_core::api::plugin::PluginState;
use pipeline_core::api::redrive::RedriveRequest;
use pipeline_core::api::registry;
use pipeline_core::api::window::{LedgerEvent, LedgerEventsRequest, LedgerWindow, Term, WindowsRequest};
use serde_json::{Value, json};

use crate::server::{Weir, event, plugin, scratch, wait_for};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");
/// One of each kind of ending, and events that it makes itself.
const SOURCE: &str = "export function processEvent(event) {
    const n = event.properties.n
    if (n % 4 === 1) { return null }
    if (n % 4 === 2) { event.uuid = 'none' }
    if (n % 4 === 3) { posthog.capture('made', { of: n }) }
    return event
}";
const MENDED: &str = "export function processEvent(event) {
    if (event.properties.n % 4 === 2) { posthog.capture('made of a letter', {}) }
    return event
}";

fn weir(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(WEIR).args(arguments).output().expect("weir runs");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn windows(server: &Weir, length_s: u32) -> Vec<LedgerWindow> {
    let request = WindowsRequest { length_s: Some(length_s), limit: Some(1_000), before_ms: None };
    let found = server.call::<registry::Windows>(&request).expect("windows");
    assert!(!found.has_older && found.unread == 0, "{found:?}");
    found.windows
}

fn events(server: &Weir, term: Term, window: Option<&LedgerWindow>, limit: u32) -> Vec<LedgerEvent> {
    let (mut events, mut after) = (Vec::new(), None);
    loop {
        let page = server
            .call::<registry::LedgerEvents>(&LedgerEventsRequest {
                term,
                from_ms: window.map(|window| window.from_ms),
                until_ms: window.map(|window| window.until_ms),
                after,
                limit: Some(limit),
            })
            .expect("events");
        events.extend(page.events);
        after = page.next;
        if after.is_none() {
            return events;
        }
    }
}

/// Windows sum to the ledger, each adds up, and each number is the events behind it.
fn all_adds_up(server: &Weir) -> Ledger {
    let ledger = server.status().ledger;
    for length_s in [10, 60] {
        let windows = windows(server, length_s);
        for term in Term::ALL {
            let sum: u64 = windows.iter().map(|window| term.of(&window.ledger)).sum();
            assert_eq!(sum, term.of(&ledger), "{term:?} of all windows of {length_s} s");
        }
        for window in &windows {
            assert_eq!(window.ledger.unexplained, 0, "{window:?}");
        }
        for (window, term) in windows.iter().flat_map(|window| Term::ALL.map(|term| (window, term))) {
            let found = events(server, term, Some(window), 1_000);
            let count: u64 = found.iter().map(|event| event.count).sum();
            assert_eq!(count, term.of(&window.ledger), "{term:?} of {window:?}");
        }
    }
    for term in Term::ALL {
        let found = events(server, term, None, 37);
        assert_eq!(found.iter().map(|event| event.count).sum::<u64>(), term.of(&ledger), "{term:?} of all time");
        let once: HashSet<_> = found.iter().map(|event| (event.offset, &event.uuid, &event.event)).collect();
        assert_eq!(once.len(), found.len(), "no page repeats what another had");
        // What the list says of an event its journey says too.
        for event in found.iter().filter(|event| !event.is_emitted && !event.uuid.is_empty()).step_by(29) {
            let journey =
                server.call::<registry::Journey>(&JourneyRequest { offset: event.offset }).expect("a journey");
            assert_eq!((&journey.summary.uuid, &journey.summary.outcome), (&event.uuid, &event.outcome), "{event:?}");
        }
    }
    ledger
}

#[test]
fn every_number_of_every_window_leads_to_its_events() {
    let (dir, data) = scratch();
    let folder = plugin(dir.path(), "sorter", "index.js", SOURCE);
    let server = Weir::start_with(&data, &["--plugin", folder.to_str().expect("a plain path")]);
    wait_for("the plugin", || (server.status().plugins.first()?.state == PluginState::Live).then_some(()));
    let sent: Vec<Value> = (0..400).map(|n| event("order", &format!("p{}", n % 7), n + 1, json!({"n": n}))).collect();
    sent.chunks(50).for_each(|some| assert!(server.send(some)));
    // With refused requests, repeats and whatever else goes wrong on a day.
    let (ok, said) = weir(&["generate", "--scenario", "worst-day", "--events", "3000", "--out", &server.capture]);
    assert!(ok, "{said}");
    // Refusals are gathered for a second before they are logged.
    wait_for("the refusals", || (server.settle().ledger.rejected > 0).then_some(()));
    let ledger = all_adds_up(&server);
    assert!(ledger.emitted == 100 && ledger.dropped >= 100 && ledger.dead_lettered >= 100, "{ledger:?}");
    assert!(ledger.rejected > 0 && ledger.deduplicated > 0 && ledger.in_flight == 0, "{ledger:?}");

    // A redrive moves outcomes where the letters were received, and what it made is there too.
    fs::write(folder.join("index.js"), MENDED).expect("a save");
    wait_for("the mended plugin", || (server.status().plugins.first()?.generation >= 2).then_some(()));
    let request = RedriveRequest { event: Some("order".into()), confirm: Some(100), ..RedriveRequest::default() };
    let redriven = server.call::<registry::Redrive>(&request).expect("a redrive");
    assert_eq!(redriven.stored, 100);
    wait_for("the store", || (server.settle().ledger.emitted == 200).then_some(()));
    let ledger = all_adds_up(&server);
    assert_eq!(ledger.emitted, 200);

    let target = ["--url", &server.control, "--token", &server.token];
    let (ok, said) = weir(&[&["ledger", "--window", "60"], &target[..]].concat());
    assert!(ok && said.contains("dead lettered") && said.contains("unexplained"), "{said}");
    let (ok, said) = weir(&[&["ledger", "--events", "dropped", "--limit", "5", "--json"], &target[..]].concat());
    let listed: Value = serde_json::from_str(&said).expect("JSON");
    let first = &listed["events"][0];
    assert!(ok && first["outcome"] == "dropped", "{said}");
    assert!(first["reason"].as_str().is_some_and(|reason| reason.contains("dropped by sorter")), "{said}");

    // A rebuild counts the same.
    let before = windows(&server, 10);
    server.stop();
    fs::remove_file(data.join("store.duckdb")).expect("a store");
    let server = Weir::start(&data);
    server.settle();
    assert_eq!(windows(&server, 10), before);
    server.stop();
}
