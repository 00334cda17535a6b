//! `kill -9` in the middle of everything, again and again.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::server::{TOKEN, Weir, event, scratch, wait_for};

const KILLS: u64 = 10;
const SENDERS: u64 = 4;
const BATCH: u64 = 20;

/// Sends numbered batches until the server is gone; remembers what was acked.
fn load(capture: &str, next: &AtomicU64, acked: &Mutex<HashSet<u64>>, enough: &AtomicU64) {
    let http = reqwest::blocking::Client::builder().no_proxy().build().expect("a client");
    loop {
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        let events: Vec<_> = (first..first + BATCH)
            .map(|number| {
                event(
                    "load",
                    &format!("person-{}", number % 50),
                    number,
                    json!({"number": number, "$set": {"last": number}}),
                )
            })
            .collect();
        let body = json!({"api_key": TOKEN, "batch": events});
        match http.post(format!("{capture}/batch/")).json(&body).send() {
            Ok(response) if response.status().is_success() => {
                acked.lock().expect("no sender panics").extend(first..first + BATCH);
                enough.fetch_add(BATCH, Ordering::Relaxed);
            }
            _ => return,
        }
    }
}

#[test]
fn ten_kills_under_load_lose_and_double_nothing() {
    let (dir, data) = scratch();
    let plugin = dir.path().join("marker");
    std::fs::create_dir(&plugin).expect("a folder");
    std::fs::write(plugin.join("plugin.json"), r#"{"name": "marker"}"#).expect("a manifest");
    std::fs::write(
        plugin.join("index.js"),
        "export function processEvent(event) { event.properties.marked = true; return event.properties.number % 10 === 3 ? null : event }",
    )
    .expect("a source");
    let plugin = plugin.to_str().expect("a plain path");

    let next = Arc::new(AtomicU64::new(1));
    let acked = Arc::new(Mutex::new(HashSet::new()));
    for round in 0..KILLS {
        let weir = Weir::start_with(&data, &["--plugin", plugin]);
        let enough = Arc::new(AtomicU64::new(0));
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                let (capture, next, acked, enough) =
                    (weir.capture.clone(), Arc::clone(&next), Arc::clone(&acked), Arc::clone(&enough));
                std::thread::Builder::new().spawn(move || load(&capture, &next, &acked, &enough)).expect("a thread")
            })
            .collect();
        // Each round is killed at another point of its life.
        wait_for("load", || (enough.load(Ordering::Relaxed) >= 200 + round * 150).then_some(()));
        weir.kill();
        for sender in senders {
            sender.join().expect("a sender ends by itself");
        }
    }

    let weir = Weir::start_with(&data, &["--plugin", plugin]);
    let status = weir.settle();
    let acked = acked.lock().expect("all senders ended");
    assert!(acked.len() as u64 > KILLS * 200);
    assert_eq!(status.ledger.unexplained, 0);
    assert_eq!(status.ledger.deduplicated, 0, "nobody retried");
    assert_eq!(status.ledger.received, status.ledger.stored + status.ledger.dropped);
    assert!(status.ledger.received >= acked.len() as u64, "what was not acked may have been kept, not the reverse");

    let rows =
        weir.query_all("SELECT properties->>'$.number' AS number, properties->>'$.marked' AS marked FROM events");
    let stored: Vec<u64> =
        rows.iter().map(|row| row["number"].as_str().expect("text").parse().expect("a number")).collect();
    let unique: HashSet<u64> = stored.iter().copied().collect();
    assert_eq!(stored.len(), unique.len(), "no event is stored twice");
    assert_eq!(stored.len() as u64, status.ledger.stored, "the ledger and the store agree");
    let missing: Vec<_> = acked.iter().filter(|number| *number % 10 != 3 && !unique.contains(number)).collect();
    assert!(missing.is_empty(), "acked and not stored: {missing:?}");
    assert!(unique.iter().all(|number| number % 10 != 3), "what the plugin drops is not stored");
    assert!(rows.iter().all(|row| row["marked"] == "true"), "every event went through the plugin");
    assert_eq!(weir.audit().differences, Vec::<String>::new());

    // A rebuild from the same logs gives the same store.
    let before = weir.digest();
    weir.stop();
    std::fs::remove_file(data.join("store.duckdb")).expect("a store");
    let weir = Weir::start(&data);
    weir.settle();
    assert_eq!(weir.digest().tables, before.tables);
}

#[test]
fn a_torn_tail_is_cut_kept_and_reported() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    assert!(weir.send(&[event("e", "a", 1, json!({}))]));
    weir.settle();
    weir.kill();
    let segment = std::fs::read_dir(data.join("intake"))
        .expect("a log")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "segment"))
        .expect("a segment");
    let mut bytes = std::fs::read(&segment).expect("bytes");
    bytes.extend_from_slice(&[0xff; 77]);
    std::fs::write(&segment, bytes).expect("a torn tail");
    let weir = Weir::start(&data);
    let status = weir.settle();
    assert!(status.recovery.iter().any(|note| note.contains("cut a torn tail of 77 bytes")), "{:?}", status.recovery);
    assert_eq!(status.ledger.stored, 1);
    assert!(weir.send(&[event("e", "a", 2, json!({}))]));
    assert_eq!(weir.settle().ledger.stored, 2);
}
