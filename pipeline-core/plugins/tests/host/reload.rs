//! From a save to new behaviour.

use std::fs;

use weir_api::plugin::{PluginState, PluginView};
use weir_event::journal::StepLabel;

use weir_plugins::Settings;

use crate::support::{Bench, labels, output, run_one, write};

fn marking(mark: u32) -> String {
    format!("export const processEvent = (e: any) => ({{ ...e, mark: {mark} }})")
}

#[test]
fn a_save_in_place_takes_over_between_batches() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    bench.live("plugin", &[("index.ts", &marking(1))]);
    let mut lane = bench.host.lane();
    assert_eq!(output(&run_one(&mut lane))["mark"], 1);
    let first = lane.chain().0.to_owned();
    write(&dir, "index.ts", &marking(2));
    let view = bench.wait_for("second version", 0, |view| view.generation == 2);
    assert_eq!(view.reload_ms, None, "no event has met it yet");
    assert_eq!(lane.chain().0, first, "until the next batch");
    let result = crate::support::run_numbered(&mut lane, 1);
    assert_eq!(result.first_on_new_version, ["plugin"]);
    assert_eq!(output(&result.events[0])["mark"], 2);
    assert_ne!(lane.chain().0, first);
    assert!(bench.view(0).reload_ms.unwrap() > 0.0);
    assert_eq!(bench.host.reload_samples().len(), 1);
}

#[test]
fn a_save_by_renaming_is_noticed_again_and_again() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    bench.live("plugin", &[("index.ts", &marking(0))]);
    let mut lane = bench.host.lane();
    for round in 1..=5 {
        write(&dir, ".index.ts.swp", "half");
        write(&dir, "index.ts.tmp", &marking(round));
        fs::rename(dir.join("index.ts"), dir.join("index.ts~")).unwrap();
        fs::rename(dir.join("index.ts.tmp"), dir.join("index.ts")).unwrap();
        bench.wait_for("the rename", 0, |view| view.generation == u64::from(round) + 1);
        assert_eq!(output(&run_one(&mut lane))["mark"], round);
    }
}

#[test]
fn a_broken_save_leaves_the_last_good_version_live() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    let good = bench.live("plugin", &[("index.ts", &marking(1))]);
    let mut lane = bench.host.lane();
    run_one(&mut lane);
    write(&dir, "index.ts", "export const processEvent = (e: any) => {\n  return {...e, mark: }\n}");
    let failed = bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    let problem = failed.load_error.unwrap();
    assert_eq!((problem.file.as_str(), problem.line), ("index.ts", 2));
    assert_eq!(failed.version, good.version);
    assert_eq!(output(&run_one(&mut lane))["mark"], 1);
    let told = bench.host.drain_control().logs;
    assert!(told.iter().any(|line| line.message.starts_with("Reload failed: ")), "{told:?}");

    write(&dir, "index.ts", &marking(3));
    bench.wait_for("the repair", 0, |view| view.state == PluginState::Live);
    assert_eq!(output(&run_one(&mut lane))["mark"], 3);
    assert_eq!(bench.view(0).load_error, None);
}

#[test]
fn going_back_to_the_live_version_clears_the_error() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    bench.live("plugin", &[("index.ts", &marking(1))]);
    write(&dir, "index.ts", "oops(");
    bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    write(&dir, "index.ts", &marking(1));
    let view = bench.wait_for("the way back", 0, |view| view.state == PluginState::Live);
    assert_eq!(view.generation, 1);
}

#[test]
fn a_version_whose_setup_fails_does_not_serve() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    bench.live("plugin", &[("index.ts", &marking(1))]);
    let mut lane = bench.host.lane();
    write(&dir, "index.ts", &format!("export function setupPlugin() {{ while (true) {{}} }}\n{}", marking(2)));
    let view = bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    assert!(view.load_error.unwrap().message.contains("time limit"));
    assert_eq!(output(&run_one(&mut lane))["mark"], 1);
}

/// Fails on its first calls; what it stored tells their number.
fn failing_setups(calls: u32, error: &str) -> String {
    format!(
        "export async function setupPlugin({{ storage }}) {{\n\
         const calls = (await storage.get('calls', 0)) + 1\n\
         await storage.set('calls', calls)\n\
         if (calls <= {calls}) throw new {error}(`not yet ${{calls}}`) }}\n{}",
        marking(1)
    )
}

fn setup_calls(bench: &Bench) -> String {
    bench.host.storage("plugin").pop().expect("a stored number").1
}

#[test]
fn a_retry_error_in_setup_is_tried_five_times() {
    let bench = Bench::impatient();
    let view = bench.add("plugin", &[("index.ts", &failing_setups(4, "RetryError"))]);
    assert_eq!(view.state, PluginState::Failed);
    bench.wait_for("the fifth call", 0, |view| view.state == PluginState::Live);
    assert_eq!(setup_calls(&bench), "5");
    assert_eq!(output(&run_one(&mut bench.host.lane()))["mark"], 1);

    let bench = Bench::impatient();
    bench.add("plugin", &[("index.ts", &failing_setups(9, "RetryError"))]);
    let given_up =
        |view: &PluginView| view.load_error.as_ref().is_some_and(|problem| problem.message.contains("yet 5"));
    let view = bench.wait_for("the last call", 0, given_up);
    assert!(view.load_error.unwrap().hint.unwrap().contains("five times"));
    // A save begins anew.
    bench.host.set_storage("plugin", "calls", None);
    write(&bench.folder("plugin"), "index.ts", &failing_setups(1, "RetryError"));
    bench.wait_for("another start", 0, |view| view.state == PluginState::Live);
    assert_eq!(setup_calls(&bench), "2");
}

#[test]
fn another_error_in_setup_is_final() {
    let bench = Bench::impatient();
    let view = bench.add("plugin", &[("index.ts", &failing_setups(1, "Error"))]);
    assert_eq!(view.state, PluginState::Failed);
    bench.host.configure("plugin", Settings::default()).unwrap();
    assert_eq!(setup_calls(&bench), "2", "only what was asked for");
}

#[test]
fn a_folder_may_be_deleted_and_come_back() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    bench.live("plugin", &[("index.ts", &marking(1)), ("lib/a.ts", "export const a = 1")]);
    let mut lane = bench.host.lane();
    fs::remove_dir_all(&dir).unwrap();
    bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    assert_eq!(output(&run_one(&mut lane))["mark"], 1);
    fs::create_dir(&dir).unwrap();
    write(&dir, "index.ts", &marking(2));
    bench.wait_for("the return", 0, |view| view.generation == 2);
    write(&dir, "index.ts", &marking(3));
    bench.wait_for("a save after it", 0, |view| view.generation == 3);
    assert_eq!(output(&run_one(&mut lane))["mark"], 3);
}

#[test]
fn files_in_new_folders_are_watched() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    bench.live("plugin", &[("index.ts", &marking(1))]);
    write(&dir, "lib/value.ts", "export const value = 2");
    write(
        &dir,
        "index.ts",
        "import { value } from './lib/value'\nexport const processEvent = (e) => ({ ...e, mark: value })",
    );
    bench.wait_for("the import", 0, |view| view.generation == 2);
    write(&dir, "lib/value.ts", "export const value = 3");
    bench.wait_for("the change behind it", 0, |view| view.generation == 3);
    write(&dir, "lib/unused.ts", "export const nothing = 0");
    write(&dir, "node_modules/x/index.js", "export const nothing = 0");
    write(&dir, "lib/value.ts", "export const value = 4");
    bench.wait_for("the next change", 0, |view| view.generation == 4);
    let mut lane = bench.host.lane();
    assert_eq!(output(&run_one(&mut lane))["mark"], 4);
}

#[test]
fn every_lane_takes_over() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    bench.live("plugin", &[("index.ts", &marking(1))]);
    let mut lanes = [bench.host.lane(), bench.host.lane()];
    write(&dir, "index.ts", &marking(2));
    bench.wait_for("second version", 0, |view| view.generation == 2);
    for lane in &mut lanes {
        assert_eq!(output(&run_one(lane))["mark"], 2);
    }
}

#[test]
fn a_removed_plugin_leaves_the_chain() {
    let bench = Bench::new();
    bench.live("plugin", &[("index.ts", &marking(1))]);
    let mut lane = bench.host.lane();
    assert_eq!(labels(&run_one(&mut lane)), [StepLabel::Modified]);
    bench.host.remove("plugin").unwrap();
    assert!(run_one(&mut lane).steps.is_empty());
    assert!(lane.chain().1.is_empty());
}

#[test]
fn a_mock_that_changes_is_a_reload() {
    let bench = Bench::new();
    let code = "export async function processEvent(event) {\n\
                event.properties.rate = (await (await fetch('https://rates.example/')).json()).rate; return event }";
    let mock = |rate: u32| {
        format!(r#"{{"request": {{"url": "https://rates.example/"}}, "response": {{"json": {{"rate": {rate}}}}}}}"#)
    };
    let view = bench.live("plugin", &[("index.ts", code), ("mocks/rates.json", &mock(1))]);
    let mut lane = bench.host.lane();
    assert_eq!(output(&run_one(&mut lane))["properties"]["rate"], 1);
    write(std::path::Path::new(&view.dir), "mocks/rates.json", &mock(2));
    bench.wait_for("the new mock", 0, |now| now.version != view.version);
    assert_eq!(output(&run_one(&mut lane))["properties"]["rate"], 2);
    write(std::path::Path::new(&view.dir), "mocks/rates.json", "{\n  oops\n}");
    let broken = bench.wait_for("the broken mock", 0, |now| now.load_error.is_some()).load_error.unwrap();
    assert_eq!((broken.file.as_str(), broken.line), ("mocks/rates.json", 2), "{broken:?}");
}
