//! `weir test`: the same command on a laptop and in CI, with everything that a build server looks at.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::server::root;

const PASSES: &str = "export function processEvent(event) { event.properties.seen = true; return event }";

struct Folder(tempfile::TempDir);

impl Folder {
    /// A plugin of one file with one file of fixtures.
    fn new(source: &str, fixtures: &Value) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        folder.write("plugin/plugin.json", "{}");
        folder.write("plugin/index.js", source);
        folder.write("plugin/fixtures/a.json", &serde_json::to_string_pretty(fixtures).expect("JSON"));
        folder
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).expect("a file")
    }

    fn test(&self, arguments: &[&str]) -> Output {
        test(self.0.path(), arguments)
    }

    fn report(&self, arguments: &[&str]) -> (Value, i32) {
        report(&self.test(&[&["plugin", "--json"], arguments].concat()))
    }
}

fn test(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.arg("test").args(arguments).current_dir(dir).output().expect("the binary runs")
}

fn report(output: &Output) -> (Value, i32) {
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text} {}", String::from_utf8_lossy(&output.stderr)));
    (report, output.status.code().expect("an exit code"))
}

fn event(properties: Value) -> Value {
    json!({"event": "e", "distinct_id": "ann", "properties": properties})
}

#[test]
fn all_fixtures_of_the_samples_pass() {
    let (report, code) = report(&test(&root(), &["sample-plugins", "--json"]));
    let failed: Vec<&Value> =
        report["results"].as_array().expect("a list").iter().filter(|result| result["verdict"] != "pass").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!((code, &report["exit_code"]), (0, &json!(0)));
    let plugins = report["plugins"].as_array().expect("a list");
    for plugin in plugins {
        let dir = plugin["dir"].as_str().expect("a path");
        // One has to be assembled first, and the broken ones are there to be broken.
        let has_fixtures = !dir.contains("broken") && !dir.ends_with("wat-drop");
        assert_eq!(plugin["fixtures"].as_u64() > Some(0), has_fixtures, "{plugin}");
        assert_eq!(plugin["version"].as_str().map(str::len), Some(if has_fixtures { 12 } else { 0 }), "{plugin}");
    }
    assert!(plugins.len() > 15, "{}", plugins.len());
}

#[test]
fn each_verdict_has_its_exit_code() {
    let passing = json!({"name": "p", "event": event(json!({})), "expect": {"modified": 1}});
    let (report, code) = Folder::new(PASSES, &passing).report(&[]);
    assert_eq!((code, &report["results"][0]["verdict"]), (0, &json!("pass")), "{report}");
    assert_eq!(report["results"][0]["consequence"], "This event would be stored as the plugin left it.");

    let other = json!([passing, {"name": "m", "event": event(json!({})), "expect": {"events": [event(json!({}))]}}]);
    let (report, code) = Folder::new(PASSES, &other).report(&[]);
    let result = &report["results"][1];
    assert_eq!((code, &result["verdict"]), (1, &json!("mismatch")), "{report}");
    assert_eq!(result["differences"], json!([{"path": "events[0].properties.seen", "actual": true}]));

    let (report, code) = Folder::new("export function processEvent(event {", &passing).report(&[]);
    let result = &report["results"][0];
    assert_eq!((code, &result["verdict"]), (2, &json!("error")), "{report}");
    assert_eq!((&result["problem"]["file"], &result["problem"]["line"]), (&json!("index.js"), &json!(1)));

    let slip = json!({"name": "i", "evnet": event(json!({})), "expect": {}});
    let (report, code) = Folder::new(PASSES, &slip).report(&[]);
    let problem = &report["results"][0]["problem"];
    assert_eq!((code, &report["results"][0]["verdict"]), (3, &json!("invalid")), "{report}");
    assert_eq!((&problem["line"], &problem["hint"]), (&json!(3), &json!("Did you mean `event`?")), "{problem}");

    let folder = Folder::new(PASSES, &passing);
    assert_eq!(folder.report(&["--filter", "no such name"]).1, 4);
    fs::remove_dir_all(folder.0.path().join("plugin/fixtures")).expect("removed");
    let output = folder.test(&["plugin"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stdout).contains("weir test --update"), "it says how to make one");
    let output = folder.test(&["nowhere"]);
    assert_eq!(output.status.code(), Some(2), "a wrong path is not a mismatch");
}

#[test]
fn an_error_never_passes_silently_and_equal_ones_are_told_once() {
    let throws = "export function processEvent(event) { event.properties.a = 1; throw new Error('no luck') }";
    let fixture = |name: &str, expect: Value| json!({"name": name, "event": event(json!({})), "expect": expect});
    let fixtures = json!([
        fixture("one", json!({"dropped": 0})),
        fixture("two", json!({"dropped": 0})),
        fixture("three", json!({"error": "no luck"})),
        fixture("four", json!({"error": "other"})),
    ]);
    let folder = Folder::new(throws, &fixtures);
    let (report, code) = folder.report(&[]);
    let verdicts: Vec<_> = report["results"].as_array().expect("a list").iter().map(|r| r["verdict"].clone()).collect();
    assert_eq!((code, json!(verdicts)), (1, json!(["mismatch", "mismatch", "pass", "mismatch"])), "{report}");
    let text = String::from_utf8_lossy(&folder.test(&["plugin"]).stdout).into_owned();
    assert!(text.contains("the same in 1 more:\n      two"), "{text}");
    assert!(text.contains("index.js:1:73: Error: no luck\n") && text.contains("1 | export function"), "{text}");
    assert!(text.contains("would have stored this event with the changes made so far and logged the error"), "{text}");
    assert!(text.contains("1 passed, 3 mismatches, 0 errors, 0 invalid"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours where nobody sees them");
}

#[test]
fn files_for_build_servers_are_written() {
    let fixtures = json!([
        {"name": "passes <1>", "event": event(json!({})), "expect": {"dropped": 0}},
        {"name": "fails", "event": event(json!({})), "expect": {"dropped": 1}},
        {"name": "invalid", "event": event(json!({}))},
    ]);
    let folder = Folder::new(PASSES, &fixtures);
    assert_eq!(folder.test(&["plugin", "--junit", "out.xml", "--html", "out.html"]).status.code(), Some(3));
    let junit = folder.read("out.xml");
    assert!(junit.contains(r#"<testsuites name="weir test" tests="3" failures="1" errors="1""#), "{junit}");
    assert!(junit.contains(r#"<testcase name="passes &lt;1&gt;" classname="plugin.fixtures.a""#), "{junit}");
    assert!(junit.contains(r#"<failure type="mismatch" message="dropped is not as expected">"#), "{junit}");
    assert!(junit.contains(r#"<error type="invalid" message="it expects nothing">"#), "{junit}");
    let html = folder.read("out.html");
    assert!(html.contains("passes &lt;1&gt;") && html.contains("prefers-color-scheme:dark"), "{html}");
    assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("<script"), "it stands alone");
}

#[test]
fn an_update_writes_what_is_and_keeps_everything_else() {
    let folder = Folder::new(PASSES, &json!({}));
    let text = "[\n  {\n    \"name\":   \"new\",\n    \"event\": {\"event\":\"e\",\"distinct_id\":\"ann\"}\n  },\n  {\n    \
                \"name\": \"old\", \"events\": [{\"event\":\"a\",\"distinct_id\":\"b\"}, {\"event\":\"c\",\"distinct_id\":\"d\"}],\n    \
                \"expect\": {\n      \"events\": [ {\"event\":\"a\",  \"properties\":{\"seen\":\"*\"}}, null ]\n    }\n  }\n]\n";
    folder.write("plugin/fixtures/a.json", text);
    let output = folder.test(&["plugin", "--update"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("wrote plugin/fixtures/a.json") && said.contains("2 passed"), "{said}");
    let written = folder.read("plugin/fixtures/a.json");
    let wanted = text
        .replace(
            "\"distinct_id\":\"ann\"}\n  }",
            "\"distinct_id\":\"ann\"},\n    \"expect\": {\n      \"events\": [{ \"event\": \"e\", \"properties\": { \"seen\": true } }]\n    }\n  }",
        )
        .replace("}}, null ]", "}}, { \"event\": \"c\", \"properties\": { \"seen\": true } } ]");
    assert_eq!(written, wanted);
    folder.test(&["plugin", "--update"]);
    assert_eq!(folder.read("plugin/fixtures/a.json"), wanted, "what passes is left alone");
}

#[test]
fn only_what_has_changed_since_the_commit() {
    let passing = json!({"name": "a", "event": event(json!({})), "expect": {"dropped": 0}});
    let folder = Folder::new(PASSES, &passing);
    let output = folder.test(&["plugin", "--modified"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Leave it out to run everything"), "{output:?}");
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
        let output = Command::new("git").current_dir(folder.0.path()).args(identity).args(arguments).output();
        assert!(output.expect("git runs").status.success(), "{arguments:?}");
    };
    folder.write("plugin/fixtures/b.json", &passing.to_string().replace("\"a\"", "\"b\""));
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "all"]);
    assert_eq!(folder.report(&["--modified"]).1, 4);
    folder.write("plugin/fixtures/b.json", &passing.to_string().replace("\"a\"", "\"other\""));
    let names = |report: &Value| {
        let results = report["results"].as_array().expect("a list").iter();
        results.map(|result| result["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&folder.report(&["--modified"]).0), ["other"]);
    folder.write("plugin/index.js", &format!("{PASSES} // more"));
    assert_eq!(names(&folder.report(&["--modified"]).0), ["a", "other"], "code concerns every fixture");
}

#[test]
fn a_save_runs_everything_again_and_says_what_it_changed() {
    let fixture = json!({"name": "sees", "event": event(json!({})), "expect": {"modified": 1}});
    let folder = Folder::new(PASSES, &fixture);
    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["test", "plugin", "--watch"])
        .current_dir(folder.0.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut until = |wanted: &str| {
        let found = lines.by_ref().map(|line| line.expect("a line")).find(|line| line.contains(wanted));
        assert!(found.is_some(), "{wanted} is never said");
    };
    until("1 passed");
    until("waiting for a save");
    folder.write("plugin/index.js", "export function processEvent(event) { return event }");
    until("changed: sees, pass before and mismatch now");
    until("waiting for a save");
    folder.write("plugin/index.js", PASSES);
    until("fixed: sees, mismatch before and pass now");
    child.kill().expect("a signal");
    child.wait().expect("an end");
}

#[test]
fn a_reader_who_leaves_early_is_no_panic() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["test", "sample-plugins", "--json"])
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let mut stderr = child.stderr.take().expect("a pipe");
    let reader = thread::Builder::new()
        .spawn(move || {
            let mut said = String::new();
            std::io::Read::read_to_string(&mut stderr, &mut said).map(|_| said)
        })
        .expect("a thread");
    assert_eq!(child.wait().expect("an end").code(), Some(141));
    assert_eq!(reader.join().expect("it read").expect("text"), "");
}
