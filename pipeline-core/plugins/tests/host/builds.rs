//! From a save to a component: what is told about a build that fails, and what goes on meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use weir_api::plugin::{PluginState, PluginView};
use weir_event::journal::{Fate, StepLabel};
use weir_plugins::Limits;

use crate::samples::crate_dir;
use crate::support::{Bench, error, has_python, labels, output, run_numbered, run_one, skipped, write};

const GOOD: &str = "use weir_plugin::{Event, Meta, Plugin, PluginError};\n\nstruct Marker;\n\n\
impl Plugin for Marker {\n    fn new(_: &Meta) -> Result<Self, PluginError> {\n        Ok(Self)\n    }\n\n    \
fn process_event(&mut self, mut event: Event) -> Result<Option<Event>, PluginError> {\n        \
event.set(\"mark\", 1);\n        Ok(Some(event))\n    }\n}\n\nweir_plugin::plugin!(Marker);\n";

/// A crate in a folder that is the same for every run, so that it is built anew only where it has changed.
fn crate_folder() -> PathBuf {
    let user = std::env::var("USER").unwrap_or_default();
    let dir = std::env::temp_dir().join(format!("weir-plugins-test-crate-{user}"));
    let sdk = crate_dir().join("sdk/rust").canonicalize().unwrap();
    let lock = fs::read_to_string(crate_dir().join("tests/fixtures/rust-behaviours/Cargo.lock")).unwrap();
    write(&dir, "Cargo.lock", &lock.replace("rust-behaviours", "marker"));
    write(
        &dir,
        "Cargo.toml",
        &format!(
            "[package]\nname = \"marker\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [lib]\ncrate-type = [\"cdylib\"]\n\n[dependencies]\nweir-plugin = {{ path = \"{}\" }}\n",
            sdk.display()
        ),
    );
    write(&dir, "src/lib.rs", GOOD);
    dir
}

#[test]
fn a_rust_crate_is_built_on_every_save() {
    let bench = Bench::new();
    let dir = crate_folder();
    let view = bench.host.add(&dir).unwrap();
    assert_eq!(view.state, PluginState::Live, "{:?}", view.load_error);
    let mut lane = bench.host.lane();
    assert_eq!(output(&run_one(&mut lane))["mark"], 1);

    // An error: told with its place, while the old version serves.
    let bad =
        GOOD.replace("event.set(\"mark\", 1);", "let mark: u32 = \"two\";\n        event.set(\"mark\", missing);");
    write(&dir, "src/lib.rs", &bad);
    bench.wait_for("the build", 0, |view| view.state == PluginState::Building);
    assert_eq!(output(&run_one(&mut lane))["mark"], 1, "the old version serves");
    let view = bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    let problem = view.load_error.unwrap();
    assert_eq!((problem.file.as_str(), problem.line > 0), ("src/lib.rs", true), "{problem:?}");
    assert!(problem.message.contains("[E0"), "{problem:?}");
    assert!(problem.excerpt.contains("mark"), "{problem:?}");
    assert!(problem.hint.as_deref().is_some_and(|hint| hint.contains("1 more error")), "{problem:?}");
    assert_eq!(output(&run_one(&mut lane))["mark"], 1);

    // Two saves in a row: the first build is given up for the second.
    write(&dir, "src/lib.rs", &GOOD.replace("\"mark\", 1", "\"mark\", 2"));
    bench.wait_for("the build", 0, |view| view.state == PluginState::Building);
    write(&dir, "src/lib.rs", &GOOD.replace("\"mark\", 1", "\"mark\", 3"));
    let live = bench.wait_for("the newest", 0, |view| view.state == PluginState::Live);
    assert_eq!(live.generation, 2, "the one in between never was");
    assert_eq!(output(&run_one(&mut lane))["mark"], 3);

    // What builds leave in the folder is no save.
    write(&dir, "target/wasm32-wasip2/release/marker.wasm", "x");
    write(&dir, "marker.wasm", "x");
    std::thread::sleep(Duration::from_millis(1_500));
    let view = bench.view(0);
    assert_eq!((view.state, view.generation), (PluginState::Live, 2));

    write(&dir, "Cargo.toml", "[package]\nname = oops\n");
    let view = bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    let problem = view.load_error.unwrap();
    assert_eq!((problem.file.as_str(), problem.line), ("Cargo.toml", 2), "{problem:?}");
    assert_eq!(problem.excerpt, "name = oops");
    drop(lane);
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn other_plugins_load_while_one_is_built() {
    let bench = Bench::new();
    let dir = crate_dir().join("tests/fixtures/rust-behaviours");
    std::thread::scope(|scope| {
        let builder = scope.spawn(|| bench.host.add(&dir).unwrap());
        bench.wait_for_any("the build", |views| views.iter().any(|view| view.state == PluginState::Building));
        let other = bench.live("other", &[("index.ts", "export const processEvent = (e) => e")]);
        assert_eq!(other.state, PluginState::Live);
        assert_eq!(builder.join().unwrap().state, PluginState::Live);
    });
}

const PYTHON: &str = "def process_event(event):\n    event['mark'] = 1\n    return event\n";

#[test]
fn python_goes_live_on_every_save() {
    if !has_python() {
        return skipped();
    }
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    bench.live("plugin", &[("plugin.py", PYTHON)]);
    let mut lane = bench.host.lane();
    assert_eq!(output(&run_one(&mut lane))["mark"], 1);

    write(&dir, "plugin.py", "def process_event(event):\n    event['mark'] = = 2\n    return event\n");
    let problem = bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed).load_error.unwrap();
    assert_eq!((problem.file.as_str(), problem.line, problem.column), ("plugin.py", 2, 21), "{problem:?}");
    assert!(problem.message.starts_with("SyntaxError: invalid syntax"), "{problem:?}");
    assert_eq!(problem.excerpt, "event['mark'] = = 2");
    assert_eq!(output(&run_one(&mut lane))["mark"], 1);

    write(&dir, "plugin.py", "import helper, unheard_of\n\ndef process_event(event):\n    return event\n");
    write(&dir, "helper.py", "MARK = 2\n");
    let met =
        |view: &PluginView| view.load_error.as_ref().is_some_and(|problem| problem.message.contains("unheard_of"));
    let problem = bench.wait_for("the import", 0, met).load_error.unwrap();
    assert_eq!((problem.file.as_str(), problem.line), ("plugin.py", 1), "{problem:?}");

    write(&dir, "lib/vendored/__init__.py", "from .inner import add\n");
    write(&dir, "lib/vendored/inner.py", "def add(a, b):\n    return a + b\n");
    let code = "import fractions\nimport shelve, colorsys\nimport helper\nfrom vendored import add\n\n\
                def process_event(event, meta):\n    event['mark'] = add(helper.MARK, 1)\n    return event\n";
    write(&dir, "plugin.py", &code.replace("shelve, ", ""));
    bench.wait_for("several files", 0, |view| view.state == PluginState::Live && view.generation == 2);
    assert_eq!(output(&run_one(&mut lane))["mark"], 3);
    write(&dir, "lib/vendored/inner.py", "def add(a, b):\n    return a * 10 + b\n");
    bench.wait_for("a save in a package", 0, |view| view.generation == 3);
    assert_eq!(output(&run_one(&mut lane))["mark"], 21);

    write(&dir, "__pycache__/plugin.cpython-313.pyc", "x");
    write(&dir, "__pycache__/plugin.py", "x");
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(bench.view(0).generation, 3);
}

/// A plugin of which `main` names a component.
fn component(bytes: &[u8]) -> (Bench, PluginView) {
    load(Bench::new(), bytes)
}

fn load(bench: Bench, bytes: &[u8]) -> (Bench, PluginView) {
    let dir = bench.folder("plugin");
    write(&dir, "plugin.json", r#"{ "name": "bytes", "main": "plugin.wasm" }"#);
    fs::write(dir.join("plugin.wasm"), bytes).unwrap();
    let view = bench.host.add(&dir).unwrap();
    (bench, view)
}

/// Assembles a module in text form against the contract.
fn assemble(text: &str, world: &str) -> Vec<u8> {
    use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
    let mut module = wat::parse_str(text).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(crate_dir().join("wit/v0_1")).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

fn dropper_text() -> String {
    fs::read_to_string(crate_dir().join("../../sample-plugins/wat-drop/plugin.wat")).unwrap()
}

#[test]
fn a_component_written_by_hand_runs() {
    let (bench, view) = component(&assemble(&dropper_text(), "plugin"));
    assert_eq!(view.state, PluginState::Live, "{:?}", view.load_error);
    let mut lane = bench.host.lane();
    let result = run_numbered(&mut lane, 5);
    for (at, event) in result.events.iter().enumerate() {
        assert_eq!(labels(event), [if at % 2 == 0 { StepLabel::Unmodified } else { StepLabel::Dropped }], "event {at}");
    }
}

fn refused(bytes: &[u8], words: &str) {
    let (_bench, view) = component(bytes);
    assert_eq!(view.state, PluginState::Failed);
    let problem = view.load_error.unwrap();
    assert!(problem.message.contains(words), "{problem:?}");
    assert_eq!(problem.file, "plugin.wasm");
    assert!(problem.hint.is_some(), "{problem:?}");
}

#[test]
fn what_is_no_plugin_is_refused_with_its_reason() {
    refused(b"#!/bin/sh\nrm -rf /\n", "not WebAssembly");
    refused(b"", "not WebAssembly");
    refused(b"\0asm", "core WebAssembly module");
    refused(&wat::parse_str("(module)").unwrap(), "core WebAssembly module, not a component");
    let mut damaged = assemble(&dropper_text(), "plugin");
    damaged.truncate(damaged.len() / 2);
    refused(&damaged, "Cannot compile the component");
    refused(&wat::parse_str("(component)").unwrap(), "does not export `describe`");
    refused(
        &wat::parse_str(r#"(component (import "acme:rockets/launch@1.0.0" (instance)))"#).unwrap(),
        "imports `acme:rockets/launch@1.0.0`",
    );
    refused(
        &wat::parse_str(r#"(component (import "wasi:http/outgoing-handler@0.2.0" (instance)))"#).unwrap(),
        "imports `wasi:http/outgoing-handler@0.2.0`",
    );
    refused(
        &wat::parse_str(r#"(component (import "weir:plugin/log@0.1.0" (instance (export "shout" (func)))))"#).unwrap(),
        "does not fit the contract",
    );
    let (_bench, view) = {
        let bench = Bench::new();
        let view = bench.add("plugin", &[("plugin.json", r#"{ "main": "plugin.wasm" }"#)]);
        (bench, view)
    };
    assert!(view.load_error.unwrap().message.contains("which is not there"));
}

#[test]
fn a_component_is_loaded_again_when_it_is_built_again() {
    let text = dropper_text();
    let (bench, view) = component(&assemble(&text, "plugin"));
    let dir = Path::new(&view.dir).to_owned();
    // Keeps the odd ones instead.
    let other = text.replace("i32.const 1 ;; the odd ones", "i32.const 0 ;; the even ones");
    assert_ne!(text, other);
    let bytes = assemble(&other, "plugin");
    fs::write(dir.join("plugin.wasm"), &bytes[..bytes.len() / 2]).unwrap();
    bench.wait_for("half a file", 0, |view| view.state == PluginState::Failed);
    fs::write(dir.join("plugin.wasm"), &bytes).unwrap();
    let again = bench.wait_for("the new build", 0, |view| view.state == PluginState::Live && view.generation == 2);
    assert_ne!(again.version, view.version);
}

/// The plugin of `wat-drop` with something else in one place, within small limits.
fn altered(from: &str, to: &str) -> (Bench, PluginView) {
    let text = dropper_text();
    assert!(text.contains(from), "{from}");
    let limits = Limits { cpu_setup: Duration::from_millis(200), ..Limits::default() };
    load(Bench::with_limits(limits), &assemble(&text.replacen(from, to, 1), "plugin"))
}

#[test]
fn a_component_cannot_take_more_than_it_may_before_it_runs() {
    let memory = "(memory (export \"memory\") 2)";
    for (more, words) in [
        ("(memory 600) (memory 600)", "memory limit"),
        ("(table 200000 funcref)", "table"),
        ("(func $spin (loop $l (br $l))) (start $spin)", "time limit: loading"),
        ("(func $trap unreachable) (start $trap)", "loading was stopped"),
        ("(func $deep (call $deep)) (start $deep)", "stack overflow"),
    ] {
        let (_bench, view) = altered(memory, &format!("{memory} {more}"));
        assert_eq!(view.state, PluginState::Failed, "{more}");
        let problem = view.load_error.unwrap();
        assert!(problem.message.contains(words), "{more}: {problem:?}");
    }
    let (_bench, view) = altered(memory, &format!("{memory} (memory 900)"));
    assert_eq!(view.state, PluginState::Live, "{:?}", view.load_error);
}

#[test]
fn a_component_that_breaks_the_contract_costs_no_event() {
    for (from, to, words) in [
        ("(local.get $index)\n          (select", "(i32.const 99)\n          (select", "is not open"),
        ("(br_if $done", "(br $done) (br_if $done", "did not report this event"),
        (
            "(i32.const 2)\n            (i32.const 0)",
            "(i32.const 7)\n            (i32.const 7)",
            "processEvent was stopped",
        ),
        ("(br_if $done", "unreachable (br_if $done", "processEvent was stopped"),
    ] {
        let (bench, view) = altered(from, to);
        assert_eq!(view.state, PluginState::Live, "{words}: {:?}", view.load_error);
        let mut lane = bench.host.lane();
        let result = run_numbered(&mut lane, 5);
        for event in &result.events {
            assert_eq!((&event.fate, &event.output), (&Fate::Passed, &None), "{words}");
            assert_eq!(labels(event), [StepLabel::Error], "{words}: {event:?}");
            assert!(error(event).contains(words), "{event:?}");
        }
    }
}
