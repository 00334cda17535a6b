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
fn types_come_from_a_running_server_and_python_has_its_own() {
    let (dir, data) = scratch();
    for (name, lang) in [("typed", "ts"), ("snake", "python")] {
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
    for name in ["typed", "snake"] {
        let typed = weir(dir.path(), &["types", name, "--url", &server.control, "--token", &server.token]);
        assert!(typed.status.success(), "{}", String::from_utf8_lossy(&typed.stderr));
    }
    let text = fs::read_to_string(dir.path().join("typed/types/events.d.ts")).expect("types");
    assert!(text.contains("'checked out': {") && text.contains("cart: string[]"), "{text}");
    let text = fs::read_to_string(&python).expect("types");
    assert!(text.contains("\"checked out\": TypedDict(") && text.contains("\"cart\": list[str],"), "{text}");
    // It is Python, whoever reads it.
    let reads = ["-c", "import weir_types; weir_types.Events"];
    let read = Command::new("python3").args(reads).current_dir(dir.path().join("snake")).status();
    assert!(read.expect("python3 runs").success());
    let again = ["types", "snake", "--check", "--url", &server.control, "--token", &server.token];
    assert!(weir(dir.path(), &again).status.success(), "the same events give the same text");
    server.stop();
}
