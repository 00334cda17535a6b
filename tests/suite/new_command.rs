//! `weir new` and `weir types`: a project is made without a network, and its tests pass as they come.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::server::{Weir, event, scratch};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");
const TEMPLATES: [&str; 3] = ["transform", "export", "import"];

fn weir(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(WEIR).args(arguments).current_dir(dir).output().expect("weir starts")
}

fn made_and_green(lang: &str, template: &str) {
    let dir = tempfile::tempdir().expect("a temp dir");
    let made = weir(dir.path(), &["new", "my-plugin", "--lang", lang, "--template", template]);
    assert!(made.status.success(), "{lang} {template}: {}", String::from_utf8_lossy(&made.stderr));
    assert!(String::from_utf8_lossy(&made.stdout).contains("weir test ."), "the next commands are named");
    let project = dir.path().join("my-plugin");
    for path in ["README.md", "plugin.json", ".editorconfig", ".github/workflows/test.yml", "fixtures"] {
        assert!(project.join(path).exists(), "{lang} {template}: {path}");
    }
    let tested = weir(&project, &["test", "."]);
    let said = String::from_utf8_lossy(&tested.stdout);
    assert!(tested.status.success(), "{lang} {template}: {said}");
    assert!(said.contains(" passed, 0 mismatches, 0 errors, 0 invalid") && !said.contains("\n0 passed"), "{said}");
}

#[test]
fn scripts_are_green_as_they_come() {
    for lang in ["ts", "js"] {
        for template in TEMPLATES {
            made_and_green(lang, template);
        }
    }
}

#[test]
fn rust_is_green_as_it_comes() {
    for template in TEMPLATES {
        made_and_green("rust", template);
    }
}

#[test]
fn a_mistake_in_a_new_plugin_is_found_by_its_tests() {
    let dir = tempfile::tempdir().expect("a temp dir");
    assert!(weir(dir.path(), &["new", "p", "--lang", "js"]).status.success());
    let source = dir.path().join("p/index.js");
    let text = fs::read_to_string(&source).expect("a source");
    fs::write(&source, text.replace("toLowerCase", "toUpperCase")).expect("a source");
    assert_eq!(weir(dir.path(), &["test", "p"]).status.code(), Some(1));
}

#[test]
fn a_folder_that_has_files_is_left_alone() {
    let dir = tempfile::tempdir().expect("a temp dir");
    fs::write(dir.path().join("notes.txt"), "mine").expect("a file");
    let refused = weir(dir.path(), &["new", "."]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("notes.txt"), "{refused:?}");
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1, "nothing was written");
}

#[test]
fn types_come_from_the_manifest_and_from_events_that_were_seen() {
    let dir = tempfile::tempdir().expect("a temp dir");
    assert!(weir(dir.path(), &["new", "p", "--lang", "ts"]).status.success());
    let events = "{\"event\": \"paid\", \"properties\": {\"amount\": 3, \"code\": \"a\"}}\n\
                  {\"event\": \"paid\", \"properties\": {\"amount\": 4}}\n";
    fs::write(dir.path().join("seen.ndjson"), events).expect("a file");
    let typed = weir(dir.path(), &["types", "p", "--from", "seen.ndjson"]);
    assert!(typed.status.success(), "{}", String::from_utf8_lossy(&typed.stderr));
    let text = fs::read_to_string(dir.path().join("p/types/events.d.ts")).expect("types");
    assert!(text.contains("paid") && text.contains("amount: number") && text.contains("code?: string"), "{text}");
}

#[test]
fn a_plugin_in_rust_has_types_that_compile_whatever_events_are_called() {
    let dir = tempfile::tempdir().expect("a temp dir");
    assert!(weir(dir.path(), &["new", "p", "--lang", "rust"]).status.success());
    let events = [
        json!({"event": "order placed", "properties": {"total": 9.5, "utm source": "mail", "type": "x", "self": 1,
            "$set": {}, "set": true, "1st": null, "größe": [1, "a"], "q\"\\\n*/": "?", "": "?", "of": "?"}}),
        json!({"event": "order placed", "properties": {"total": 3}}),
        json!({"event": "$Order Placed", "properties": {}}),
        json!({"event": "Self", "properties": {"userId": "7"}}),
        json!({"event": "`\n", "properties": {}}),
        json!({"event": "日本", "properties": {}}),
    ];
    let lines = events.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    fs::write(dir.path().join("seen.ndjson"), lines).expect("a file");
    let typed = weir(dir.path(), &["types", "p", "--from", "seen.ndjson"]);
    assert!(typed.status.success(), "{}", String::from_utf8_lossy(&typed.stderr));
    assert!(String::from_utf8_lossy(&typed.stdout).contains("src/weir_types.rs"), "{typed:?}");
    // Used by the plugin: what an event has decides what becomes of it.
    let source = dir.path().join("p/src/lib.rs");
    let text = fs::read_to_string(&source).expect("a source");
    let body = "        if let weir_types::Seen::OrderPlaced(order) = weir_types::Seen::of(&event)
            && order.total() == Some(9.5) && order.r#type() == Some(\"x\") && order.set() == Some(true)
            && order.set_2().is_some() && order.self_2() == Some(1.0) && order.gr_e().is_some_and(|list| list.len() == 2)
        {
            return Ok(None);
        }
        let property = &self.property;";
    fs::write(&source, text.replace("        let property = &self.property;", body)).expect("a source");
    let mut sent = events[..2].to_vec();
    sent.iter_mut().for_each(|event| event["distinct_id"] = "ada".into());
    let fixture = json!({"fixtures": [{"name": "types read what was sent", "events": sent,
        "expect": {"events": [null, {"$contains": {"properties": {"total": 3}}}], "dropped": 1}}]});
    let fixtures = dir.path().join("p/fixtures");
    fs::remove_dir_all(&fixtures).expect("its own fixtures");
    fs::create_dir(&fixtures).expect("a folder");
    fs::write(fixtures.join("typed.json"), fixture.to_string()).expect("a fixture");
    let tested = weir(dir.path(), &["test", "p"]);
    assert!(
        tested.status.success(),
        "{}{}",
        String::from_utf8_lossy(&tested.stdout),
        String::from_utf8_lossy(&tested.stderr)
    );
    assert!(weir(dir.path(), &["types", "p", "--from", "seen.ndjson", "--check"]).status.success());
}

#[test]
fn types_come_from_a_running_server_and_python_and_rust_have_their_own() {
    let (dir, data) = scratch();
    for (name, lang) in [("typed", "ts"), ("snake", "python"), ("oxide", "rust")] {
        assert!(weir(dir.path(), &["new", name, "--lang", lang]).status.success());
    }
    let python = dir.path().join("snake/weir_types.py");
    let text = fs::read_to_string(&python).expect("types");
    assert!(text.contains("\"$pageview\": TypedDict("), "the demo stream's, as it comes: {text}");

    let server = Weir::start(&data);
    let events: Vec<_> =
        (1..4).map(|n| event("checked out", "ann", n, json!({"total": 9.5, "cart": ["mug"]}))).collect();
    assert!(server.send(&events));
    server.settle();
    for name in ["typed", "snake", "oxide"] {
        let typed = weir(dir.path(), &["types", name, "--url", &server.control, "--token", &server.token]);
        assert!(typed.status.success(), "{}", String::from_utf8_lossy(&typed.stderr));
    }
    let text = fs::read_to_string(dir.path().join("typed/types/events.d.ts")).expect("types");
    assert!(text.contains("'checked out': {") && text.contains("cart: string[]"), "{text}");
    let text = fs::read_to_string(&python).expect("types");
    assert!(text.contains("\"checked out\": TypedDict(") && text.contains("\"cart\": list[str],"), "{text}");
    let text = fs::read_to_string(dir.path().join("oxide/src/weir_types.rs")).expect("types");
    assert!(
        text.contains("CheckedOut(CheckedOut<'e>),") && text.contains("fn cart(self) -> Option<&'e [Value]>"),
        "{text}"
    );
    // It is Python, whoever reads it.
    let reads = ["-c", "import weir_types; weir_types.Events"];
    let read = Command::new("python3").args(reads).current_dir(dir.path().join("snake")).status();
    assert!(read.expect("python3 runs").success());
    let again = ["types", "snake", "--check", "--url", &server.control, "--token", &server.token];
    assert!(weir(dir.path(), &again).status.success(), "the same events give the same text");
    server.stop();
}
