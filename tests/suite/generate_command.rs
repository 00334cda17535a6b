//! `weir generate` and `weir profile`: what was promised is what a real server counts.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pipeline_core::api::generator::{GeneratorRequest, ScenariosRequest};
use pipeline_core::api::registry;
use serde_json::Value;

use crate::server::{Weir, scratch, wait_for};

fn weir(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir")).args(arguments).output().expect("the binary runs")
}

fn done(arguments: &[&str]) -> String {
    let output = weir(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn refused(arguments: &[&str]) -> String {
    let output = weir(arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).expect("text")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[test]
fn the_ledger_of_the_worst_day_is_what_the_truth_says() {
    let (dir, data) = scratch();
    let server = Weir::start(&data);
    let truth = dir.path().join("truth.ndjson");
    let arguments = ["generate", "--scenario", "worst-day", "--seed", "5", "--events", "4000", "--connections", "1"];
    let to = ["--out", "log", "--truth", path(&truth), "--url", &server.control, "--token", &server.token, "--json"];
    let report: Value = serde_json::from_str(&done(&[&arguments[..], &to].concat())).expect("JSON");
    assert_eq!((&report["unexpected"], &report["failed"]), (&0.into(), &0.into()), "{report}");
    assert_eq!((&report["events"], &report["next_offset"]), (&4_000.into(), &4_000.into()));
    let status = wait_for("the edge's refusals to be counted", || {
        let status = server.settle();
        (report["expected"]["received"] == status.ledger.received).then_some(status)
    });
    let expected = &report["expected"];
    let ledger = &status.ledger;
    for (name, count) in [
        ("stored", ledger.stored),
        ("rejected", ledger.rejected),
        ("deduplicated", ledger.deduplicated),
        ("conflicting", status.conflicting_duplicates),
    ] {
        assert_eq!(expected[name], count, "{name}: {expected} {ledger:?}");
        assert!(count > 20, "{name}: {count}");
    }
    assert_eq!(ledger.unexplained, 0);
    // And the same, counted from the file, event by event.
    let truth = fs::read_to_string(&truth).expect("the truth");
    let lines = truth.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let events: Vec<Value> = lines.flat_map(|line| line["events"].as_array().cloned().expect("a list")).collect();
    let stored: Vec<&Value> = events.iter().filter(|event| event["fate"] == "stored").collect();
    assert_eq!((events.len(), stored.len() as u64), (4_000, ledger.stored));
    let rows = server.query_all("SELECT uuid, event, distinct_id FROM events");
    let known = |event: &&&Value| {
        rows.iter().any(|row| row["uuid"] == event["uuid"] && row["distinct_id"] == event["distinct_id"])
    };
    assert_eq!(stored.iter().filter(known).count(), stored.len());
    server.stop();
}

#[test]
fn a_file_goes_on_where_it_ended_and_standard_output_is_the_same() {
    let dir = tempfile::tempdir().expect("a folder");
    let [whole, rest] = ["whole", "rest"].map(|name| dir.path().join(name));
    let scenario = ["generate", "--scenario", "b2b-saas", "--seed", "3"];
    done(&[&scenario[..], &["--events", "1700", "--out", path(&whole)]].concat());
    done(&[&scenario[..], &["--events", "700", "--from", "1000", "--out", path(&rest)]].concat());
    let whole = fs::read_to_string(whole).expect("events");
    let tail: Vec<&str> = whole.lines().skip(1_000).collect();
    assert_eq!(fs::read_to_string(rest).expect("events").lines().collect::<Vec<_>>(), tail);
    assert_eq!(done(&[&scenario[..], &["--events", "1700", "--out", "-"]].concat()), whole);
}

#[test]
fn open_loop_keeps_to_its_rate_and_says_what_was_late() {
    let (_dir, data) = scratch();
    let server = Weir::start(&data);
    let arguments = ["generate", "--scenario", "media-site", "--events", "400", "--rate", "800", "--json", "--out"];
    let report: Value = serde_json::from_str(&done(&[&arguments[..], &[&server.capture]].concat())).expect("JSON");
    // The last request is due when its events are, so it cannot be done sooner.
    assert!(report["elapsed_s"].as_f64().expect("a number") > 0.4, "{report}");
    assert!(report["late"].is_u64() && report["p99_ms"].as_f64() >= report["p50_ms"].as_f64(), "{report}");
    let status = server.settle();
    assert_eq!(report["expected"]["stored"], status.ledger.stored);
    server.stop();
}

#[test]
fn what_cannot_be_generated_is_explained() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("mine.toml");
    let text = done(&["generate", "--show", "web-shop"]);
    fs::write(&file, text.replace("{products.slug}", "{products.sulg}")).expect("written");
    let out = ["--events", "10", "--out", "-"];
    let error = refused(&[&["generate", "--scenario", path(&file)], &out[..]].concat());
    assert!(error.contains("mine.toml:") && error.contains("nothing is called {products.sulg}"), "{error}");
    assert!(error.contains("Did you mean {products.slug}?") && error.contains("$current_url"), "{error}");
    let error = refused(&[&["generate", "--scenario", "web-shpo"], &out[..]].concat());
    assert!(error.contains("built in are web-shop, b2b-saas"), "{error}");
    let error = refused(&[&["generate", "--scenario", "web-shop", "--mess", "dupliacte=1"], &out[..]].concat());
    assert!(error.contains("did you mean duplicate?"), "{error}");
    fs::write(&file, text).expect("written");
    let events = done(&[&["generate", "--scenario", path(&file), "--mess", "duplicate=1"], &out[..]].concat());
    assert_eq!(events.lines().count(), 10);
    let list: Value = serde_json::from_str(&done(&["generate", "--list", "--json"])).expect("JSON");
    assert_eq!(list["scenarios"].as_array().map(Vec::len), Some(6));
    assert_eq!(list["scenarios"][0]["mess"]["bots"], 0.04);
}

#[test]
fn an_export_becomes_a_scenario_that_can_be_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let [export, scenario] = ["export.ndjson", "mine.toml"].map(|name| dir.path().join(name));
    done(&["generate", "--scenario", "fintech", "--events", "3000", "--out", path(&export)]);
    let said: Value =
        serde_json::from_str(&done(&["profile", path(&export), "--out", path(&scenario), "--json"])).expect("JSON");
    assert!(said["event_names"].as_u64().is_some_and(|names| names > 8), "{said}");
    let told = done(&["generate", "--scenario", path(&scenario), "--events", "500", "--out", "-"]);
    let payment = told.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let payment = payment.into_iter().find(|event| event["event"] == "card_payment").expect("somebody pays");
    assert!(payment["properties"]["amount_minor"].is_number(), "{payment}");
    assert!(!told.contains("groceries"), "values are replaced");
    fs::write(&export, "{\"event\": \"a\"}\nnonsense\n").expect("written");
    let error = refused(&["profile", path(&export), "--out", "-"]);
    assert!(error.contains("line 2") && error.contains("no JSON"), "{error}");
}

#[test]
fn the_server_sends_what_is_chosen_and_every_answer_is_right() {
    let (_dir, data) = scratch();
    let server = Weir::start(&data);
    let all = server.call::<registry::Scenarios>(&ScenariosRequest::default()).expect("a list");
    assert_eq!((all.scenarios.len(), all.scenarios[0].name.as_str()), (6, "web-shop"));
    let choose = |request: GeneratorRequest| server.call::<registry::Generator>(&request);
    let state = choose(GeneratorRequest::default()).expect("a state");
    assert_eq!(
        (state.running, state.scenario.as_str(), state.to.as_str()),
        (false, "web-shop", server.capture.as_str())
    );
    let request = GeneratorRequest {
        running: Some(true),
        scenario: Some("worst-day".into()),
        seed: Some(9),
        events_per_second: Some(2_000),
        mess: Some([("duplicate".to_owned(), 0.3)].into()),
    };
    choose(request).expect("a state");
    let state = wait_for("a few thousand events", || {
        let state = choose(GeneratorRequest::default()).expect("a state");
        (state.sent > 3_000).then_some(state)
    });
    assert_eq!((state.unexpected, state.failed, state.seed), (0, 0, 9), "{state:?}");
    assert!(state.by_mess["duplicate"] > state.sent / 10 && state.mess["duplicate"] > 0.29, "{state:?}");
    // The demo's command is about the same stream.
    let demo = server.call::<registry::Demo>(&pipeline_core::api::live::DemoRequest {
        running: Some(false),
        events_per_second: None,
    });
    assert!(!demo.expect("a state").running);
    for (request, hint) in [
        (GeneratorRequest { scenario: Some("nothing".into()), ..Default::default() }, "built in are"),
        (GeneratorRequest { mess: Some([("bots".to_owned(), 2.0)].into()), ..Default::default() }, "0 to 1"),
        (GeneratorRequest { events_per_second: Some(0), ..Default::default() }, "1 to 20000"),
    ] {
        let error = choose(request).expect_err("refused");
        assert!(error.hint.as_deref().is_some_and(|said| said.contains(hint)), "{error:?}");
    }
    assert_eq!(server.settle().ledger.unexplained, 0);
    server.stop();
}
