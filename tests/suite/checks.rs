//! SQL checks: over a running store, on the screen, and over what fixtures leave.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pipeline_core::api::check::{CheckList, CheckState, ChecksRequest};
use pipeline_core::api::plugin::PluginState;
use pipeline_core::api::registry;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::server::{Weir, event, plugin, root, scratch, wait_for};

const GOOD: &str =
    "export function processEvent(event) {\n event.properties.gross = event.properties.net * 1.19\n return event\n}";
/// A slip of one sign.
const BAD: &str =
    "export function processEvent(event) {\n event.properties.gross = event.properties.net * -1.19\n return event\n}";
const CHECK: &str = "-- Nobody is paid for an order.\n-- every: 500ms\n\nSELECT _offset, uuid, properties->>'gross' AS gross\n\
                     FROM events\nWHERE (properties->>'gross')::DOUBLE < 0\n";

fn weir(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir")).args(arguments).output().expect("the binary runs")
}

/// `weir check`, as a program sees it.
fn check(data: &Path, more: &[&str]) -> (CheckList, i32) {
    let output = weir(&[&["check", "--json", "--data", data.to_str().expect("a plain path")], more].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    let list = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (list, output.status.code().expect("a code"))
}

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join("checks").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a check");
}

fn order(number: u64) -> Value {
    event("order", "ann", number, json!({"net": number}))
}

#[test]
fn an_edit_that_breaks_the_data_fails_a_check_in_the_terminal_and_on_screen() {
    let (dir, data) = scratch();
    let priced = plugin(dir.path(), "priced", "index.js", GOOD);
    write(&priced, "positive.sql", CHECK);
    let extra = dir.path().join("extra");
    fs::create_dir(&extra).expect("a folder");
    fs::write(extra.join("no-ghosts.sql"), "-- severity: warning\nSELECT uuid FROM events WHERE event = 'ghost'")
        .expect("a check");
    let (priced_dir, extra_dir) = (priced.display().to_string(), extra.display().to_string());
    let weir_server = Weir::start_with(&data, &["--plugin", &priced_dir, "--checks", &extra_dir]);
    wait_for("the plugin", || (weir_server.status().plugins.first()?.state == PluginState::Live).then_some(()));
    assert!(weir_server.send(&(1..=20).map(order).collect::<Vec<_>>()));
    weir_server.settle();
    let (list, code) = check(&data, &["--run"]);
    let ids: Vec<_> = list.checks.iter().map(|check| (check.id.as_str(), check.state)).collect();
    assert_eq!(ids, [("priced/positive", CheckState::Passing), ("no-ghosts", CheckState::Passing)]);
    assert_eq!((code, list.checks[0].description.as_str()), (0, "Nobody is paid for an order."));
    assert_eq!(list.checks[0].every_ms, 500);

    let browser = Browser::in_studio(dir.path(), &weir_server);
    browser.run("location.hash = '#/correctness'");
    wait_for("both to pass", || browser.text("checks-state").filter(|text| text == "2 passing"));

    // The edit goes live, and nobody asks for a run.
    fs::write(priced.join("index.js"), BAD).expect("a save");
    wait_for("the edit", || (weir_server.status().plugins.first()?.generation >= 2).then_some(()));
    assert!(weir_server.send(&(21..=24).map(order).collect::<Vec<_>>()));
    let (list, code) = wait_for("the check to fail", || Some(check(&data, &[])).filter(|(_, code)| *code == 1));
    let failing = &list.checks[0];
    assert_eq!((code, failing.state, failing.rows), (1, CheckState::Failing, 4), "{failing:?}");
    assert_eq!(failing.columns, ["_offset", "uuid", "gross"]);
    assert!(failing.since_ms > 0 && failing.ran_at_ms >= failing.since_ms && failing.duration_ms > 0.0);
    let said = String::from_utf8_lossy(&weir(&["check", "--data", data.to_str().expect("a path")]).stdout).into_owned();
    assert!(said.contains("failing  priced/positive  4 rows") && said.contains("-24.99"), "{said}");

    wait_for("it on the screen", || browser.text("checks-state").filter(|text| text == "1 passing · 1 failing"));
    let rows = wait_for("its rows", || browser.text("check-rows"));
    assert!(rows.contains("-24.99"), "{rows}");
    browser.press("[data-testid='check-rows'] .link");
    wait_for("the event's journey", || browser.text("side-panel").filter(|text| text.contains("priced")));

    // A row with a uuid alone leads there, too.
    fs::write(extra.join("no-ghosts.sql"), "SELECT uuid FROM events WHERE event = 'order' AND _offset = 3")
        .expect("a save");
    wait_for("the edited check", || browser.text("checks-state").filter(|text| text == "2 failing"));
    browser.press("[data-testid='check']:nth-child(2) .link");
    wait_for("that event", || browser.text("side-panel").filter(|text| text.contains("000000000004")));
    assert_eq!(browser.errors(), Vec::<String>::new(), "nothing on the console");

    // What is no SQL is told with the line of the file, and a slip of a directive with its line.
    write(&priced, "positive.sql", "-- words\n\nSELECT *\nFORM events\n");
    fs::write(extra.join("no-ghosts.sql"), "-- evry: 5s\nSELECT 1").expect("a save");
    let (list, code) = wait_for("the errors", || {
        Some(check(&data, &[])).filter(|(list, _)| list.checks.iter().all(|check| check.state == CheckState::Error))
    });
    let problems: Vec<_> = list.checks.iter().filter_map(|check| check.problem.as_ref()).collect();
    assert_eq!((code, problems[0].code.as_str(), problems[0].line), (1, "sql_failed", 4), "{problems:?}");
    assert_eq!((problems[1].code.as_str(), problems[1].line), ("check_invalid", 1), "{problems:?}");
    let ask = ChecksRequest { run: true };
    write(
        &priced,
        "positive.sql",
        "SELECT * FROM range(1000000000) a, range(1000000000) b WHERE a.range + b.range < 0",
    );
    let list = weir_server.call::<registry::Checks>(&ask).expect("an answer");
    assert_eq!(list.checks[0].problem.as_ref().map(|problem| problem.code.as_str()), Some("sql_timeout"));
    write(&priced, "positive.sql", "DELETE FROM event_rows");
    let list = weir_server.call::<registry::Checks>(&ask).expect("an answer");
    assert_eq!(list.checks[0].problem.as_ref().map(|problem| problem.code.as_str()), Some("sql_refused"));

    // Mended, and with what was stored meanwhile out of sight.
    write(&priced, "positive.sql", &CHECK.replace("FROM events", "FROM (SELECT * FROM events WHERE _offset >= 24)"));
    fs::remove_file(extra.join("no-ghosts.sql")).expect("removed");
    let (list, code) = wait_for("all to be well", || Some(check(&data, &[])).filter(|(_, code)| *code == 0));
    assert_eq!((list.checks.len(), code), (1, 0));
    assert_eq!(weir_server.count("events"), 24, "checks read and nothing else");
    weir_server.stop();
}

#[test]
fn a_folder_that_is_not_there_is_refused_at_the_start() {
    let (dir, data) = scratch();
    let (missing, data) = (dir.path().join("none").display().to_string(), data.display().to_string());
    let output = weir(&["serve", "--data", &data, "--checks", &missing]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(&missing) && said.contains("is no folder"), "{said}");
}

/// `weir test` in a folder, with its report as JSON.
fn tested(dir: &Path, more: &[&str]) -> (Value, i32) {
    let output = weir(&[&["test", dir.to_str().expect("a plain path"), "--json"], more].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {} {}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    });
    (report, output.status.code().expect("a code"))
}

#[test]
fn fixtures_are_checked_too() {
    let (dir, _) = scratch();
    let priced = plugin(dir.path(), "priced", "index.js", GOOD);
    write(&priced, "positive.sql", CHECK);
    fs::create_dir(priced.join("fixtures")).expect("a folder");
    let sent = |net: i64| json!({"event": "order", "distinct_id": "ann", "properties": {"net": net}});
    let fixtures = json!([
        {"name": "an order", "event": sent(100), "expect": {"errors": 0}},
        {"name": "a return", "event": sent(-5), "expect": {"errors": 0}},
        {"name": "a shop", "stream": {"scenario": "web-shop", "seed": 3, "events": 200}, "expect": {"errors": 0}},
    ]);
    fs::write(priced.join("fixtures/orders.json"), fixtures.to_string()).expect("fixtures");
    let result = |report: &Value| {
        let all = report["results"].as_array().expect("a list").clone();
        all.into_iter().find(|result| result["file"] == "checks/positive.sql").expect("the check has a result")
    };
    let (report, code) = tested(&priced, &[]);
    let found = result(&report);
    assert_eq!((code, &found["verdict"]), (1, &json!("mismatch")), "{found:#}");
    assert_eq!(found["differences"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["differences"][0]["path"], "rows over \"a return\"");
    assert_eq!(found["differences"][0]["actual"][0]["gross"], "-5.949999999999999");

    // A return may be negative, and the check says so.
    write(&priced, "positive.sql", &CHECK.replace("-- every", "-- except: a return\n-- every"));
    let (report, code) = tested(&priced, &[]);
    assert_eq!((code, &result(&report)["verdict"]), (0, &json!("pass")));

    // The plugin breaks: every form of report has it.
    fs::write(priced.join("index.js"), BAD).expect("a save");
    let (junit, html) =
        (dir.path().join("r.xml").display().to_string(), dir.path().join("r.html").display().to_string());
    let (report, code) = tested(&priced, &["--junit", &junit, "--html", &html]);
    let found = result(&report);
    assert_eq!((code, &found["verdict"]), (1, &json!("mismatch")));
    assert_eq!(found["differences"][0]["path"], "rows over \"an order\"");
    let junit = fs::read_to_string(junit).expect("a report");
    assert!(junit.contains("name=\"check positive\"") && junit.contains("failures=\"1\""), "{junit}");
    let html = fs::read_to_string(html).expect("a page");
    assert!(html.contains("check positive") && html.contains("Nobody is paid for an order."), "{html}");
    let text = weir(&["test", priced.to_str().expect("a plain path")]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("MISMATCH check positive priced/checks/positive.sql") && text.contains("an order"), "{text}");

    // What is no check is an invalid fixture, with its line.
    write(&priced, "positive.sql", "-- words\nSELECT nothing FROM events");
    let (report, code) = tested(&priced, &[]);
    let found = result(&report);
    assert_eq!((code, &found["verdict"], &found["problem"]["line"]), (3, &json!("invalid"), &json!(2)), "{found:#}");
}

#[test]
fn samples_and_templates_have_checks_that_pass() {
    let (report, code) = tested(&root().join("sample-plugins"), &[]);
    let checks: Vec<_> = report["results"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|result| result["file"].as_str().is_some_and(|file| file.starts_with("checks/")))
        .collect();
    assert!(checks.len() >= 3 && code == 0, "{checks:#?}");
    let (dir, _) = scratch();
    for template in ["transform", "export", "import"] {
        let made = dir.path().join(template);
        let path = made.to_str().expect("a plain path");
        let output = weir(&["new", path, "--lang", "js", "--template", template]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (report, code) = tested(&made, &[]);
        let checks = report["results"].as_array().expect("a list").iter().filter(|result| {
            result["file"].as_str().is_some_and(|file| file.starts_with("checks/")) && result["verdict"] == "pass"
        });
        assert_eq!((code, checks.count()), (0, 1), "{template}: {report:#}");
        if template == "transform" {
            // It would not pass whatever happens.
            let source = fs::read_to_string(made.join("index.js")).expect("a source");
            let broken = source.replace("properties[property] = address", "properties[property] = given");
            assert_ne!(broken, source);
            fs::write(made.join("index.js"), broken).expect("a save");
            let (report, _) = tested(&made, &["--filter", "written in one form"]);
            let check = report["results"].as_array().and_then(|results| results.last()).expect("a result");
            assert_eq!((&check["file"], &check["verdict"]), (&json!("checks/addresses.sql"), &json!("mismatch")));
        }
    }
}
