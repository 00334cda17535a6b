//! Dead letters: kept whole, counted, and sent through the plugins once more when those are mended.

use std::fs;

use pipeline_core::api::plugin::PluginState;
use pipeline_core::api::redrive::{Redrive, RedriveRequest};
use pipeline_core::api::registry;
use serde_json::json;

use crate::server::{Weir, event, scratch, wait_for};

const BROKEN: &str =
    "export function processEvent(event) { if (event.properties.n % 2) event.uuid = 'none'; return event }";
const MENDED: &str = "export function processEvent(event) { event.properties.mended = true; return event }";

#[test]
fn letters_are_counted_redriven_once_and_survive_a_rebuild() {
    let (dir, data) = scratch();
    let plugin = dir.path().join("breaker");
    fs::create_dir(&plugin).expect("a folder");
    fs::write(plugin.join("plugin.json"), r#"{"name": "breaker"}"#).expect("a manifest");
    fs::write(plugin.join("index.js"), BROKEN).expect("a source");
    let weir = Weir::start_with(&data, &["--plugin", plugin.to_str().expect("a plain path")]);
    wait_for("the plugin", || (weir.status().plugins.first()?.state == PluginState::Live).then_some(()));
    let events: Vec<_> = (0..10).map(|n| event("order", "ann", n + 1, json!({"n": n, "$set": {"last": n}}))).collect();
    assert!(weir.send(&events));
    let status = weir.settle();
    assert_eq!((status.ledger.stored, status.ledger.dead_lettered, status.ledger.unexplained), (5, 5, 0));
    let letters = weir.query("SELECT event, distinct_id, raw_payload, error FROM dead_letters ORDER BY _offset");
    assert!(letters[0]["error"].as_str().is_some_and(|error| error.contains("not a UUID")), "{letters:?}");
    assert!(letters[0]["raw_payload"].as_str().is_some_and(|payload| payload.contains("order")));
    assert_eq!(weir.audit().differences, Vec::<String>::new());

    // Unmended they fail again, and nothing is lost by trying.
    let redrive = |request: RedriveRequest| weir.call::<registry::Redrive>(&request);
    let all = || RedriveRequest { event: Some("order".into()), ..RedriveRequest::default() };
    let counted = redrive(all()).expect("a count");
    assert_eq!(counted, Redrive { matched: 5, ..Redrive::default() });
    let other = RedriveRequest { reason: Some("something else".into()), ..all() };
    assert_eq!(redrive(other).expect("a count").matched, 0);
    let again = redrive(RedriveRequest { confirm: Some(5), ..all() }).expect("a redrive");
    assert_eq!((again.dead_lettered, again.stored), (5, 0));
    let refused = redrive(RedriveRequest { confirm: Some(9), ..all() });
    assert!(refused.is_err_and(|error| error.message.contains("9 dead letters were confirmed, and 5 fit now")));

    fs::write(plugin.join("index.js"), MENDED).expect("a save");
    wait_for("the mended plugin", || (weir.status().plugins.first()?.generation >= 2).then_some(()));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["redrive", "--event", "order", "--yes", "--url", &weir.control, "--token", &weir.token])
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("5 dead letters redriven: 5 stored"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    // The ledger follows the store's commit by a moment.
    let status = wait_for("the ledger", || Some(weir.settle()).filter(|status| status.ledger.stored == 10));
    assert_eq!(status.ledger.received, 10);
    assert_eq!((status.ledger.dead_lettered, status.ledger.unexplained), (0, 0));
    assert_eq!(weir.count("events"), 10);
    assert_eq!(weir.count("events WHERE properties->>'$.mended' = 'true'"), 5);
    assert_eq!(weir.count("dead_letters"), 0);
    assert_eq!(redrive(all()).expect("a count").matched, 0, "a letter moves once");
    assert_eq!(weir.audit().differences, Vec::<String>::new());

    // A retry of a redriven event is a duplicate, and a rebuild repeats the redrive without a plugin.
    assert!(weir.send(&events[1..2]));
    assert_eq!(weir.settle().ledger.deduplicated, 1);
    let before = weir.digest();
    weir.stop();
    fs::remove_file(data.join("store.duckdb")).expect("a store");
    let weir = Weir::start(&data);
    weir.settle();
    assert_eq!(weir.digest(), before);
    assert_eq!(weir.audit().differences, Vec::<String>::new());
}
