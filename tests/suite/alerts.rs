//! Alerts on a real server: they fire for what is wrong, say so everywhere, and are resolved when it is mended.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use pipeline_core::api::alert::{Alert, AlertChange, AlertList, AlertSet, AlertStep, AlertsRequest};
use pipeline_core::api::ledger::Status;
use pipeline_core::api::oracle::OracleRequest;
use pipeline_core::api::redrive::RedriveRequest;
use pipeline_core::api::registry;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::browser::Browser;
use crate::server::{Weir, event, plugin, scratch, wait_for};

const BREAKS: &str = "export function processEvent(event) { event.uuid = 'none'; return event }";
const MENDED: &str = "export function processEvent(event) { return event }";

fn list(weir: &Weir) -> AlertList {
    weir.call::<registry::Alerts>(&AlertsRequest::default()).expect("alerts")
}

fn set(weir: &Weir, name: &str, threshold: &str) {
    let request = AlertSet { name: name.into(), threshold: Some(threshold.into()), ..AlertSet::default() };
    weir.call::<registry::AlertSet>(&request).expect("a setting");
}

fn firing(weir: &Weir, name: &str) -> Option<Alert> {
    list(weir).active.into_iter().find(|alert| alert.name == name)
}

/// A command on the server of a data directory: its JSON and its exit code.
fn command<T: DeserializeOwned>(data: &Path, arguments: &[&str]) -> (T, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    let output = command.args(arguments).arg("--json").arg("--data").arg(data).output().expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let answer = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (answer, output.status.code().expect("a code"))
}

#[test]
fn dead_letters_fire_everywhere_and_a_redrive_resolves_them() {
    let (dir, data) = scratch();
    let breaker = plugin(dir.path(), "breaker", "index.js", BREAKS);
    let weir = Weir::start_with(&data, &["--plugin", &breaker.display().to_string()]);
    weir.settle();
    let (quiet, code): (AlertList, _) = command(&data, &["alerts"]);
    assert_eq!((quiet.active.len(), code), (0, 0));
    set(&weir, "dead_letters", "2");
    let mut follower = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["alerts", "--follow", "--json", "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(follower.stdout.take().expect("a pipe")).lines();
    let mut next = || -> AlertChange {
        serde_json::from_str(&lines.next().expect("a line").expect("text")).expect("one change a line")
    };
    let browser = Browser::in_studio(dir.path(), &weir);
    assert_eq!(browser.text("alert-chip"), None, "nothing is said while nothing fires");

    assert!(weir.send(&[event("e", "ann", 1, json!({})), event("e", "ann", 2, json!({}))]));
    weir.settle();
    assert_eq!(firing(&weir, "dead_letters"), None, "two are not above two");
    assert!(weir.send(&[event("e", "ann", 3, json!({}))]));
    let alert = wait_for("the alert", || firing(&weir, "dead_letters"));
    assert_eq!((alert.value, alert.threshold, alert.place.as_str()), (3.0, 2.0, "#/health"));
    assert!(!alert.meaning.is_empty() && !alert.what_to_do.is_empty() && alert.since_ms > 0);
    let (told, code): (AlertList, _) = command(&data, &["alerts"]);
    assert_eq!((told.active.len(), code), (1, 1));
    let (status, _): (Status, _) = command(&data, &["status"]);
    assert_eq!(status.alerts.first().map(|alert| alert.name.as_str()), Some("dead_letters"));
    let fired = next();
    assert_eq!((fired.step, fired.alert.name.as_str()), (AlertStep::Fired, "dead_letters"));

    // The chip leads to what it is about.
    wait_for("the chip", || browser.text("alert-chip").filter(|text| text.contains("1 alert")));
    browser.press("[data-testid='alert-chip']");
    let shown = wait_for("the alert on the page", || browser.text("alert"));
    assert!(shown.contains("dead_letters 3, above 2") && shown.contains("redrive"), "{shown}");
    assert_eq!(browser.run("return location.hash"), "#/health");

    fs::write(breaker.join("index.js"), MENDED).expect("a save");
    wait_for("the mended plugin", || (weir.status().plugins.first()?.generation >= 2).then_some(()));
    let request = RedriveRequest { confirm: Some(3), ..RedriveRequest::default() };
    assert_eq!(weir.call::<registry::Redrive>(&request).expect("a redrive").stored, 3);
    wait_for("it to be resolved", || list(&weir).active.is_empty().then_some(()));
    assert_eq!(next().step, AlertStep::Resolved);
    wait_for("the chip to go", || browser.text("alert-chip").is_none().then_some(()));
    wait_for("its history on the page", || browser.text("alert-history").filter(|text| text.contains("resolved")));
    let history: Vec<_> = list(&weir).history.iter().map(|change| (change.sequence, change.step)).collect();
    assert_eq!(history, [(1, AlertStep::Fired), (2, AlertStep::Resolved)]);
    follower.kill().expect("it runs until it is ended");
    follower.wait().expect("an end");
    assert_eq!(browser.errors(), Vec::<String>::new(), "nothing on the console");
    weir.stop();
}

#[test]
fn a_mismatch_and_a_check_that_fails_are_alerts() {
    let (dir, data) = scratch();
    let checks = dir.path().join("checks");
    fs::create_dir(&checks).expect("a folder");
    fs::write(
        checks.join("few.sql"),
        "-- every: 500ms\n-- severity: warning\nSELECT _offset FROM events WHERE _offset > 21",
    )
    .expect("a check");
    let weir = Weir::start_in(&data, &["--checks", &checks.display().to_string()], &[("WEIR_SABOTAGE", "hour_off:20")]);
    let watch = OracleRequest { running: Some(true), from_start: true };
    weir.call::<registry::Oracle>(&watch).expect("it starts");
    let sent: Vec<_> = (1..20).map(|number| event("e", "ann", number, json!({}))).collect();
    assert!(weir.send(&sent));
    let received = |count| {
        let asked = OracleRequest::default();
        wait_for("the oracle", || {
            let state = weir.call::<registry::Oracle>(&asked).expect("a state");
            (state.through_offset >= count).then_some(())
        });
    };
    received(19);
    assert_eq!(list(&weir).active, []);
    assert!(weir.send(&[event("e", "ann", 20, json!({}))]));
    let alert = wait_for("the oracle's alert", || firing(&weir, "oracle"));
    assert_eq!((alert.severity.as_str(), alert.place.as_str()), ("error", "#/correctness"));
    assert!(weir.send(&(21..25).map(|number| event("e", "ann", number, json!({}))).collect::<Vec<_>>()));
    let alert = wait_for("the check's alert", || firing(&weir, "checks"));
    assert_eq!((alert.severity.as_str(), alert.detail.as_str()), ("warning", "few"));

    // Each is resolved by its own cause.
    fs::remove_file(checks.join("few.sql")).expect("removed");
    wait_for("the check to be resolved", || firing(&weir, "checks").is_none().then_some(()));
    assert!(firing(&weir, "oracle").is_some());
    weir.call::<registry::Oracle>(&OracleRequest { running: Some(true), from_start: false }).expect("it starts anew");
    wait_for("the oracle to be resolved", || firing(&weir, "oracle").is_none().then_some(()));
    weir.stop();
}

#[test]
fn a_backlog_fires_while_it_lasts() {
    let (dir, data) = scratch();
    let slow = plugin(
        dir.path(),
        "slow",
        "index.js",
        "export function processEvent(event) { const end = Date.now() + 12; while (Date.now() < end); return event }",
    );
    let weir = Weir::start_with(&data, &["--plugin", &slow.display().to_string()]);
    weir.settle();
    set(&weir, "backlog", "100");
    set(&weir, "lag", "1s");
    for batch in 0..9 {
        let events: Vec<_> =
            (0..100).map(|at| event("e", &format!("p{at}"), batch * 100 + at + 1, json!({}))).collect();
        assert!(weir.send(&events));
    }
    let alert = wait_for("the backlog's alert", || firing(&weir, "backlog"));
    assert!(alert.value > 100.0 && alert.detail.is_empty(), "{alert:?}");
    wait_for("the lag's alert", || firing(&weir, "lag"));
    wait_for("the backlog to be gone", || (weir.status().ledger.in_flight == 0).then_some(()));
    wait_for("both to be resolved", || list(&weir).active.is_empty().then_some(()));
    weir.stop();
}

#[test]
fn a_sink_that_cannot_deliver_fires() {
    let (_dir, data) = scratch();
    // Nobody listens on a port that was free a moment ago.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let weir = Weir::start_with(&data, &["--sink", &format!("http://127.0.0.1:{port}/events")]);
    weir.settle();
    assert!(weir.send(&[event("e", "ann", 1, json!({}))]));
    let alert = wait_for("the sink's alert", || firing(&weir, "sinks"));
    assert_eq!((alert.value, alert.detail.as_str()), (1.0, "http"));
    weir.stop();
}

#[test]
fn settings_are_durable_and_refused_with_what_is_possible() {
    let (dir, data) = scratch();
    let weir = Weir::start(&data);
    weir.settle();
    let browser = Browser::in_studio(dir.path(), &weir);
    browser.run("location.hash = '#/health'");
    wait_for("the rules", || {
        browser
            .run("return document.querySelector('[data-testid=alert-threshold-lag]')?.value")
            .as_str()
            .map(str::to_owned)
    });
    let (rule, code): (serde_json::Value, _) = command(&data, &["alerts", "set", "lag", "7s"]);
    assert_eq!((&rule["threshold"], code), (&json!(7_000.0), 0));
    command::<serde_json::Value>(&data, &["alerts", "off", "drops"]);
    let shown = |name: &str| {
        browser.run(&format!("return document.querySelector('[data-testid=alert-threshold-{name}]').value"))
    };
    wait_for("the page to follow", || (shown("lag") == "7s").then_some(()));

    // The same from the page: typed, and committed by Enter.
    browser.run("document.querySelector('.alert-rules').open = true");
    browser.run("document.querySelector('[data-testid=alert-threshold-backlog]').select()");
    browser.keys("[data-testid='alert-threshold-backlog']", "500\u{e007}");
    let threshold =
        |name: &str| list(&weir).rules.into_iter().find(|rule| rule.name == name).map(|rule| (rule.threshold, rule.on));
    wait_for("the setting", || (threshold("backlog") == Some((500.0, true))).then_some(()));
    browser.press("[data-testid='alert-on-sinks']");
    wait_for("the switch", || (threshold("sinks") == Some((0.0, false))).then_some(()));

    let refused = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        let output = command.args(arguments).arg("--data").arg(&data).output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(refused(&["alerts", "set", "lga", "5s"]).contains("did you mean lag?"));
    assert!(refused(&["alerts", "set", "lag", "often"]).contains("is no span of time"));
    weir.stop();

    // The journal has them: the store may go.
    fs::remove_file(data.join("store.duckdb")).expect("a store");
    let weir = Weir::start(&data);
    weir.settle();
    let rule = |name: &str| list(&weir).rules.into_iter().find(|rule| rule.name == name).expect("a rule");
    wait_for("the settings", || (rule("lag").threshold as u64 == 7_000).then_some(()));
    assert!(!rule("drops").on && rule("backlog").threshold as u64 == 500 && !rule("sinks").on);
    let (reset, _): (serde_json::Value, _) = command(&data, &["alerts", "reset", "drops"]);
    assert_eq!(reset["on"], true);
    weir.stop();
}
