//! Benches: plugins away from the stream, beside a host that goes on.

use std::fs;

use weir_api::plugin::PluginState;
use weir_event::journal::StorageMutation;
use weir_plugins::{Answers, BenchConfig, BenchError, ControlEffects, Part, Settings, Workshop};

use crate::support::{Bench, event, output, run, run_one, write};

const COUNTS: &str = "export async function processEvent(event, { utils }) {\n\
                      event.properties.seen = await utils.cursor.increment('seen'); return event }";

fn part(blueprint: &weir_plugins::Blueprint) -> Part<'_> {
    Part { blueprint, settings: Settings::default(), answers: Answers::Own }
}

#[test]
fn a_bench_begins_with_what_it_is_given_and_changes_nothing_outside() {
    let live = Bench::new();
    let view = live.live("plugin", &[("index.ts", COUNTS)]);
    let mut lane = live.host.lane();
    assert_eq!(output(&run_one(&mut lane))["properties"]["seen"], 1);
    let workshop = Workshop::beside(&live.host);
    let blueprint = workshop.open(&live.folder("plugin")).unwrap();
    assert_eq!(workshop.version_of(&blueprint, Settings::default()).unwrap().0, view.version, "the same version");
    let kept = StorageMutation { plugin_id: "plugin".into(), key: "seen".into(), value: Some("41".into()) };
    let config = BenchConfig { storage: vec![kept], ..BenchConfig::at(5_000, 1) };
    let bench = workshop.bench(vec![part(&blueprint)], &config, &mut ControlEffects::default()).unwrap();
    let result = run(&mut bench.lane(), &[event(1), event(2)]);
    assert_eq!(output(&result.events[1])["properties"]["seen"], 43);
    assert_eq!(bench.storage("plugin"), [("seen".to_owned(), "43".to_owned())]);
    assert_eq!(live.host.storage("plugin"), [("seen".to_owned(), "1".to_owned())]);
    assert_eq!(output(&run_one(&mut lane))["properties"]["seen"], 2, "live goes on from its own");
}

#[test]
fn what_does_not_set_up_is_told_with_its_place_and_its_log() {
    let live = Bench::new();
    let dir = live.folder("plugin");
    write(&dir, "index.js", "export function setupPlugin() {\n  console.warn('hm')\n  throw new Error('no') }");
    let workshop = Workshop::beside(&live.host);
    let blueprint = workshop.open(&dir).unwrap();
    let mut effects = ControlEffects::default();
    let failed = workshop.bench(vec![part(&blueprint)], &BenchConfig::at(0, 1), &mut effects);
    let Err(BenchError::Plugin(problem)) = failed else { panic!("it set up") };
    assert_eq!((problem.message.as_str(), problem.line), ("setupPlugin failed: Error: no", 3));
    assert_eq!(effects.logs.iter().filter(|line| line.message == "hm").count(), 1);
}

#[test]
fn teardown_runs_when_a_bench_is_cleared() {
    let live = Bench::new();
    let dir = live.folder("plugin");
    write(
        &dir,
        "index.js",
        "export function teardownPlugin() { console.log('bye') }\nexport function processEvent(e) { return e }",
    );
    let workshop = Workshop::beside(&live.host);
    let blueprint = workshop.open(&dir).unwrap();
    let bench = workshop.bench(vec![part(&blueprint)], &BenchConfig::at(0, 1), &mut ControlEffects::default()).unwrap();
    drop(bench.lane());
    bench.tear_down();
    assert!(bench.drain_control().logs.iter().any(|line| line.message == "bye"));
}

#[test]
fn saving_a_fixture_is_no_reload() {
    let live = Bench::new();
    let before = live.live("plugin", &[("index.ts", COUNTS), ("fixtures/a.json", "{}")]);
    let fixtures = live.folder("plugin").join("fixtures");
    fs::write(fixtures.join("a.json"), "[]").unwrap();
    fs::write(fixtures.join("b.json"), "no JSON").unwrap();
    // A later save of code is the second version, and not the third.
    write(&live.folder("plugin"), "index.ts", &format!("{COUNTS} // more"));
    let after = live.wait_for("the new code", 0, |view| view.version != before.version);
    assert_eq!((after.generation, after.state), (before.generation + 1, PluginState::Live));
    assert!(live.host.drain_control().logs.iter().all(|line| !line.message.contains("failed")));
}
