//! Plugins that ask before a new version goes live.

use std::time::Duration;

use weir_api::plugin::{PluginState, PluginView};
use weir_plugins::{OtherSettings, PluginError, ReloadMode, Settings};

use crate::support::{Bench, output, run_one, write};

fn marks(mark: u32) -> String {
    format!(
        "export async function setupPlugin({{ storage }}) {{ await storage.set('set-up', {mark}); console.log('up', {mark}) }}
        export function processEvent(event) {{ event.properties.mark = {mark}; return event }}"
    )
}

fn asking() -> Settings {
    Settings { other: OtherSettings { reload: ReloadMode::Ask, ..OtherSettings::default() }, ..Settings::default() }
}

/// A plugin that asks, with its first version live.
fn start() -> (Bench, PluginView) {
    let bench = Bench::new();
    bench.live("plugin", &[("index.ts", &marks(1))]);
    let view = bench.host.configure("plugin", asking()).unwrap();
    assert_eq!((view.generation, view.state), (1, PluginState::Live), "asking makes no other version");
    (bench, view)
}

fn waits(bench: &Bench) -> String {
    bench.wait_for("a version to wait", 0, |view| view.state == PluginState::Waiting).waiting.unwrap()
}

#[test]
fn nothing_of_a_version_runs_before_it_is_promoted() {
    let (bench, first) = start();
    let mut lane = bench.host.lane();
    assert_eq!(output(&run_one(&mut lane))["properties"]["mark"], 1);
    bench.host.drain_control();
    write(&bench.folder("plugin"), "index.ts", &marks(2));
    let second = waits(&bench);
    assert_eq!((bench.view(0).version, bench.view(0).generation), (first.version.clone(), 1));
    assert_eq!(output(&run_one(&mut lane))["properties"]["mark"], 1);
    assert_eq!(bench.host.storage("plugin"), [("set-up".to_owned(), "1".to_owned())]);
    assert!(bench.host.drain_control().logs.is_empty());

    let view = bench.host.promote("plugin").unwrap();
    assert_eq!((view.version, view.state, view.waiting), (second.clone(), PluginState::Live, None));
    assert_eq!(output(&run_one(&mut lane))["properties"]["mark"], 2);
    assert_eq!(bench.host.storage("plugin"), [("set-up".to_owned(), "2".to_owned())]);
    assert!(matches!(bench.host.promote("plugin"), Err(PluginError::NothingWaits(_))));

    // The news came in order, each with what makes its version again.
    let mut told = Vec::new();
    while let Some(reload) = bench.host.reloads().next(Duration::ZERO) {
        assert!(reload.blueprint.text("index.ts").is_some());
        told.push((reload.version, reload.is_live, reload.replaces));
    }
    assert_eq!(
        told,
        [
            (first.version.clone(), true, None),
            (second.clone(), false, Some(first.version.clone())),
            (second, true, Some(first.version)),
        ]
    );
}

#[test]
fn what_waits_follows_the_folder_and_the_setting() {
    let (bench, first) = start();
    let dir = bench.folder("plugin");
    write(&dir, "index.ts", &marks(2));
    let second = waits(&bench);
    // A newer save takes its place, the old content takes it away, and so does what does not build.
    write(&dir, "index.ts", &marks(3));
    bench.wait_for("the newer one", 0, |view| view.waiting.as_ref().is_some_and(|waiting| *waiting != second));
    write(&dir, "index.ts", &marks(1));
    let view = bench.wait_for("the old content", 0, |view| view.waiting.is_none());
    assert_eq!((view.version, view.state), (first.version.clone(), PluginState::Live));
    write(&dir, "index.ts", &marks(2));
    assert_eq!(waits(&bench), second);
    write(&dir, "index.ts", "export function processEvent( {");
    let view = bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    assert_eq!((view.version, view.waiting), (first.version.clone(), None));

    // Discarded, it is gone until the next save.
    write(&dir, "index.ts", &marks(2));
    assert_eq!(waits(&bench), second);
    let view = bench.host.discard("plugin").unwrap();
    assert_eq!((view.version, view.state, view.waiting), (first.version, PluginState::Live, None));
    assert!(matches!(bench.host.discard("plugin"), Err(PluginError::NothingWaits(_))));
    write(&dir, "index.ts", &marks(4));
    let fourth = waits(&bench);
    // Who asks no more has it live.
    let view = bench.host.configure("plugin", Settings::default()).unwrap();
    assert_eq!((view.version, view.state, view.waiting), (fourth, PluginState::Live, None));
}

#[test]
fn one_that_cannot_be_set_up_fails_when_it_is_promoted_and_the_old_one_goes_on() {
    let (bench, first) = start();
    let broken =
        "export function setupPlugin() { throw new Error('no key') }\nexport function processEvent(e) { return e }";
    write(&bench.folder("plugin"), "index.ts", broken);
    waits(&bench);
    let view = bench.host.promote("plugin").unwrap();
    assert_eq!((view.version, view.state), (first.version, PluginState::Failed));
    assert!(view.load_error.unwrap().message.contains("no key"));
    assert_eq!(output(&run_one(&mut bench.host.lane()))["properties"]["mark"], 1);
}

#[test]
fn what_served_last_serves_again_after_a_start() {
    let (bench, first) = start();
    let (_, blueprint) = bench.host.live_blueprint("plugin").unwrap().unwrap();
    write(&bench.folder("plugin"), "index.ts", &marks(2));
    let second = waits(&bench);

    let again = Bench::new();
    let dir = bench.folder("plugin");
    assert_eq!(again.host.next_id(&dir).as_deref(), Some("plugin"));
    again.host.restore_settings("plugin", asking());
    again.host.restore_version("plugin", blueprint);
    let view = again.host.add(&dir).unwrap();
    assert_eq!((view.version, view.waiting, view.state), (first.version, Some(second), PluginState::Waiting));
    assert_eq!(output(&run_one(&mut again.host.lane()))["properties"]["mark"], 1);
    assert_eq!(again.host.next_id(&dir), None, "it is in the chain");
}
