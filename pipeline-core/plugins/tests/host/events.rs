//! What a plugin may do to an event.

use serde_json::json;
use weir_event::journal::{Fate, StepLabel};

use crate::support::{Bench, error, event, labels, output, run, run_numbered, run_one};

#[test]
fn a_change_is_passed_on() {
    let (_bench, mut lane) =
        Bench::single("export function processEvent(event) { event.properties.seen = true; return event }");
    let result = run_one(&mut lane);
    assert_eq!(output(&result)["properties"], json!({ "n": 0, "seen": true }));
    assert_eq!(labels(&result), [StepLabel::Modified]);
    assert!(result.steps[0].after.is_some());
}

#[test]
fn an_untouched_event_keeps_its_text() {
    let (_bench, mut lane) = Bench::single("export const processEvent = (event) => event");
    let mut odd = event(1);
    odd["properties"] = json!({ "float": 1.0, "text": "ü\u{2028}\"" });
    let result = run(&mut lane, &[odd]);
    assert_eq!(result.events[0].output, None);
    assert_eq!(labels(&result.events[0]), [StepLabel::Unmodified]);
}

#[test]
fn nothing_returned_drops_the_event() {
    let (_bench, mut lane) =
        Bench::single("export function processEvent(event) { return event.properties.n % 2 ? null : event }");
    let result = run_numbered(&mut lane, 4);
    let fates: Vec<_> = result.events.iter().map(|event| event.fate.clone()).collect();
    assert_eq!(fates, [Fate::Passed, Fate::Dropped, Fate::Passed, Fate::Dropped]);
    assert_eq!(labels(&result.events[1]), [StepLabel::Dropped]);
}

#[test]
fn an_exception_keeps_changes_made_before_it() {
    let code = "export function processEvent(event: { properties: object }) {\n  \
                event.properties['half'] = 1\n  const nothing: any = null\n  return nothing.field\n}\n";
    let (bench, mut lane) = Bench::single(code);
    let result = run_numbered(&mut lane, 1);
    let first = &result.events[0];
    assert_eq!(output(first)["properties"]["half"], 1);
    assert_eq!(labels(first), [StepLabel::Error]);
    assert!(error(first).contains("(index.ts:4:"), "{}", error(first));
    assert!(result.logs.iter().any(|line| line.message.contains("index.ts:4:")), "{:?}", result.logs);
    let view = bench.view(0);
    assert_eq!(view.errors, 1);
    assert_eq!(view.last_error.unwrap().kind, "exception");
}

#[test]
fn promises_are_awaited() {
    let code = "async function later(x) { await null; return x }\n\
                export async function processEvent(event) {\n\
                event.properties.a = await later(1); await Promise.all([later(2), later(3)]);\n\
                if (event.properties.n === 1) throw new Error('late'); return event }";
    let (_bench, mut lane) = Bench::single(code);
    let result = run_numbered(&mut lane, 3);
    assert_eq!(output(&result.events[0])["properties"]["a"], 1);
    assert_eq!(labels(&result.events[1]), [StepLabel::Error]);
    assert_eq!(output(&result.events[1])["properties"]["a"], 1);
    assert_eq!(labels(&result.events[2]), [StepLabel::Modified]);
}

#[test]
fn a_promise_nobody_settles_is_an_error() {
    let (_bench, mut lane) = Bench::single("export const processEvent = () => new Promise(() => {})");
    let result = run_numbered(&mut lane, 2);
    assert!(error(&result.events[1]).contains("nothing can settle"));
}

#[test]
fn the_team_cannot_be_changed() {
    let code = "export function processEvent(event) { event.team_id = 9; event.properties.kept = 1; return event }";
    let (_bench, mut lane) = Bench::single(code);
    let result = run_one(&mut lane);
    assert_eq!(output(&result)["team_id"], 2);
    assert_eq!(output(&result)["properties"]["kept"], 1);
    assert_eq!(labels(&result), [StepLabel::Error]);
    assert!(error(&result).contains("Plugin tried to change event.team_id"));
}

#[test]
fn plugins_run_in_order() {
    let bench = Bench::new();
    let mark = |name: &str| {
        format!("export function processEvent(e) {{ (e.properties.path ??= []).push('{name}'); return e }}")
    };
    bench.live("first", &[("index.js", &mark("first"))]);
    bench.live("watcher", &[("index.js", "export const processEvent = (e) => e")]);
    bench.live("second", &[("index.js", &mark("second"))]);
    bench.live("sieve", &[("index.js", "export const processEvent = (e) => e.properties.n ? e : undefined")]);
    let mut lane = bench.host.lane();
    let result = run_numbered(&mut lane, 2);
    use StepLabel::{Dropped, Modified, Unmodified};
    assert_eq!(labels(&result.events[0]), [Modified, Unmodified, Modified, Dropped]);
    assert_eq!(labels(&result.events[1]), [Modified, Unmodified, Modified, Unmodified]);
    assert_eq!(output(&result.events[1])["properties"]["path"], json!(["first", "second"]));
    let (hash, members) = lane.chain();
    assert_eq!(hash.len(), 16);
    assert_eq!(members.len(), 4);
    assert_eq!(result.events[1].steps[2].effect.plugin, 2);
}

#[test]
fn an_event_too_large_passes_as_it_came() {
    let code = "export function processEvent(e) { e.properties.big = 'x'.repeat(2 << 20); return e }";
    let (_bench, mut lane) = Bench::single(code);
    let result = run_one(&mut lane);
    assert_eq!(result.output, None);
    assert!(error(&result).starts_with("output limit"));
}

#[test]
fn an_event_that_is_kept_keeps_its_own_properties() {
    // Read only in a later batch, when another event is in its place.
    let code = "let last\nexport function processEvent(event) {\n\
                const before = last; last = event\n\
                if (before === undefined) return event\n\
                return { ...event, before: before.properties.n } }";
    let (_bench, mut lane) = Bench::single(code);
    run(&mut lane, &[event(1)]);
    assert_eq!(output(&run(&mut lane, &[event(2)]).events[0])["before"], 1);
    assert_eq!(output(&run(&mut lane, &[event(3)]).events[0])["before"], 2);
}

#[test]
fn a_frozen_event_can_be_read() {
    let code = "export function processEvent(event) { Object.freeze(event)\n\
                return { ...event, n: event.properties.n, again: event.properties.n } }";
    let (_bench, mut lane) = Bench::single(code);
    let out = output(&run(&mut lane, &[event(4)]).events[0]);
    assert_eq!((&out["n"], &out["again"]), (&json!(4), &json!(4)));
}

#[test]
fn null_can_be_thrown_and_costs_no_instance() {
    let (bench, mut lane) = Bench::single("export function processEvent() { throw null }");
    assert_eq!(error(&run_one(&mut lane)), "null");
    assert_eq!(bench.view(0).instances_lost, 0);
}

#[test]
fn half_a_character_does_not_spoil_the_event() {
    let code = "export function processEvent(e) { e.properties.short = 'a😀'.slice(0, 2); return e }";
    let (_bench, mut lane) = Bench::single(code);
    assert_eq!(output(&run_one(&mut lane))["properties"]["short"], "a\u{fffd}");
}

#[test]
fn what_to_json_makes_is_held_to_the_same_rules() {
    let code = "export function processEvent(e) {\n\
                e.toJSON = () => e.properties.n ? { event: 'x', team_id: 9 } : 'text'; return e }";
    let (_bench, mut lane) = Bench::single(code);
    let result = run_numbered(&mut lane, 2);
    assert!(error(&result.events[0]).contains("must return an event"), "{}", error(&result.events[0]));
    assert_eq!(output(&result.events[1]), json!({ "event": "x", "team_id": 2 }));
    assert!(error(&result.events[1]).contains("change event.team_id"));
}

#[test]
fn a_frozen_event_that_is_kept_keeps_its_own_properties() {
    let code = "const kept = []\nexport function processEvent(event) {\n\
                kept.push(Object.freeze(event))\n\
                return { ...event, all: kept.map((one) => one.properties.n) } }";
    let (_bench, mut lane) = Bench::single(code);
    for round in 1..4 {
        let all = output(&run(&mut lane, &[event(round)]).events[0])["all"].clone();
        assert_eq!(all, json!((1..=round).collect::<Vec<_>>()));
    }
}
