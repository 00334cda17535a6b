//! Plugins that mean harm, thousands of them: whatever they do, each event comes out with a fate, the
//! harmless plugin behind them sees what passed, and the host goes on, in bounded time and memory.
//!
//! A run is made from a seed: a few tricks of the catalogue, at places of its choosing, in front of a
//! harmless plugin. `WEIR_HOSTILE` says how many runs each test makes, `WEIR_SEED` which slice of seeds, and
//! `WEIR_HOSTILE_RUN` repeats one run by the number that its failure names.

mod catalogue;
mod program;

use std::time::{Duration, Instant};

use serde_json::Value;
use weir_api::plugin::PluginState;
use weir_event::journal::{Fate, StepLabel};
use weir_plugins::{BatchResult, Lane, Limits};

use crate::process;
use crate::support::{Bench, labels, run_numbered, write};
use program::Hostile;

const RUNS: u64 = 50;
const EVENTS: u64 = 6;
/// Of one run: each event may use its budgets and cost an instance, twice over on a busy machine.
const LONGEST_RUN: Duration = Duration::from_mins(1);
/// What a thousand instances may leave behind, allocators included.
const MOST_GROWTH_BYTES: u64 = 400 << 20;

fn limits() -> Limits {
    Limits {
        cpu_per_event: Duration::from_millis(25),
        cpu_setup: Duration::from_millis(400),
        cpu_task: Duration::from_millis(100),
        wait: Duration::from_millis(150),
        calls_under_way: 100,
        instructions_per_event: None,
        memory_bytes: 12 << 20,
        output_bytes: 256 << 10,
        log_lines_per_second: 100,
        http_calls_per_event: 10,
        emitted_per_event: 20,
    }
}

const HARMLESS: &str = "export function processEvent(event) {\n\
     event.properties = { ...event.properties, harmless: true }\n  return event\n}";

#[test]
fn hostile_plugins_first_third() {
    slice(0);
}

#[test]
fn hostile_plugins_second_third() {
    slice(1);
}

#[test]
fn hostile_plugins_last_third() {
    slice(2);
}

/// Each trick by itself, at each place it can be: none is left to chance.
#[test]
fn every_trick_alone() {
    let bench = Bench::with_limits(limits());
    bench.live("harmless", &[("index.js", HARMLESS)]);
    for hostile in Hostile::each_alone() {
        check(&bench, &hostile);
    }
}

fn slice(third: u64) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let runs = number("WEIR_HOSTILE").unwrap_or(RUNS);
    let first = (number("WEIR_SEED").unwrap_or(1) * 3 + third) * runs;
    let bench = Bench::with_limits(limits());
    bench.live("harmless", &[("index.js", HARMLESS)]);
    // The first few fill caches and pools.
    let warm = (first..first + runs.min(10)).map(|seed| check(&bench, &Hostile::from_seed(seed))).count();
    let before = process::resident_bytes();
    let seeds = match number("WEIR_HOSTILE_RUN") {
        Some(one) => one..one + 1,
        None => first + warm as u64..first + runs,
    };
    for seed in seeds {
        check(&bench, &Hostile::from_seed(seed));
    }
    let grown = process::resident_bytes().saturating_sub(before);
    assert!(grown < MOST_GROWTH_BYTES, "the host has grown by {} MiB", grown >> 20);
}

/// One run. The hostile plugin is put in front of the harmless one and taken away again.
fn check(bench: &Bench, hostile: &Hostile) {
    let began = Instant::now();
    let dir = bench.folder("hostile");
    write(&dir, "index.js", &hostile.code);
    let view = bench.host.add(&dir).unwrap_or_else(|error| panic!("{hostile}\n{error}"));
    bench.host.reorder(&["hostile".to_owned(), "harmless".to_owned()]);
    assert!(matches!(view.state, PluginState::Live | PluginState::Failed), "{hostile}\n{view:?}");
    let is_live = view.state == PluginState::Live;
    if !is_live {
        let problem = view.load_error.unwrap_or_else(|| panic!("{hostile}\nfailed without a word"));
        assert!(!problem.message.is_empty(), "{hostile}");
    }
    let mut lane = bench.host.lane();
    for _ in 0..2 {
        let result = run_numbered(&mut lane, EVENTS);
        check_batch(hostile, &lane, &result, is_live);
        // What it left running.
        lane.wake();
    }
    bench.host.remove("hostile").unwrap();
    let clean = run_numbered(&mut lane, 2);
    assert!(clean.events.iter().all(|event| labels(event) == [StepLabel::Modified]), "{hostile}\n{clean:?}");
    drop(lane);
    bench.host.drain_control();
    let took = began.elapsed();
    assert!(took < LONGEST_RUN, "{hostile}\nit took {took:?}");
}

fn check_batch(hostile: &Hostile, lane: &Lane, result: &BatchResult, is_live: bool) {
    assert_eq!(lane.chain().1.len(), 1 + usize::from(is_live), "{hostile}");
    let saw = usize::from(is_live);
    for event in &result.events {
        let told = || format!("{hostile}\n{event:?}");
        match &event.fate {
            Fate::Passed => {
                assert_eq!(event.steps.len(), 1 + saw, "{}", told());
                let harmless = &event.steps[saw].effect;
                assert_eq!(harmless.label, StepLabel::Modified, "{}", told());
                let text = event.output.as_deref().unwrap_or_else(|| panic!("{}", told()));
                let out: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {}", told()));
                assert_eq!(out["properties"]["harmless"], true, "{}", told());
                assert_eq!(out["team_id"], 2, "{}", told());
                assert!(text.len() <= (256 << 10), "{} bytes", text.len());
            }
            Fate::Dropped => assert_eq!(labels(event), [StepLabel::Dropped], "{}", told()),
            other => panic!("{other:?}: {}", told()),
        }
        if let Some(step) = event.steps.first().filter(|step| step.effect.label == StepLabel::Error) {
            assert!(
                step.effect.error.as_ref().is_some_and(|error| !error.is_empty()),
                "an error has words: {}",
                told()
            );
        }
    }
    let limits = limits();
    assert!(result.emitted.len() <= limits.emitted_per_event * (EVENTS as usize + 1), "{hostile}");
    // Each instance and each second has an allowance; a line for each loss and each error comes on top.
    assert!(result.logs.len() <= 4000, "{hostile}\n{} lines", result.logs.len());
    assert!(result.logs.iter().all(|line| line.message.len() <= 300_000), "{hostile}");
    for (_, _, event) in &result.emitted {
        assert!(serde_json::from_str::<Value>(event).is_ok_and(|event| event.is_object()), "{hostile}\n{event}");
    }
}
