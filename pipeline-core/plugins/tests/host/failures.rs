//! What a plugin cannot do to its neighbours.

use weir_event::journal::{LogSource, StepLabel};
use weir_plugins::{EventResult, Lane, Limits};

use crate::support::{Bench, error, labels, output, run_numbered};

/// Runs ten events through a plugin that does `harm` on the fourth, and checks that only that one is hurt.
fn only_the_fourth_is_hurt(harm: &str, kind: &str, message: &str) {
    let code = format!(
        "export function setupPlugin({{ global }}) {{ global.count = 0 }}\n\
         export async function processEvent(event, {{ global, storage }}) {{\n\
           await storage.set('last', event.properties.n)\n\
           if (event.properties.n === 3) {{ event.properties.before = 1; {harm} }}\n\
           event.properties.count = ++global.count\n  return event\n}}"
    );
    let (bench, mut lane) = Bench::single(&code);
    let result = run_numbered(&mut lane, 10);
    for (at, event) in result.events.iter().enumerate() {
        if at == 3 {
            assert_eq!(labels(event), [StepLabel::Error]);
            assert_eq!(event.output, None, "passes as it entered");
            assert!(error(event).contains(message), "{}", error(event));
        } else {
            assert_eq!(labels(event), [StepLabel::Modified], "event {at}: {event:?}");
            let count = if at < 3 { at + 1 } else { at - 3 };
            assert_eq!(output(event)["properties"]["count"], count, "global starts anew after a loss");
        }
    }
    assert!(!result.storage.iter().any(|write| write.value.as_deref() == Some("3")), "its writes are discarded");
    assert_eq!(result.storage.len(), 9);
    let told = result.logs.iter().any(|line| line.source == LogSource::System && line.message.contains("global"));
    assert!(told, "{:?}", result.logs);
    let view = bench.view(0);
    assert_eq!((view.instances_lost, view.errors), (1, 1));
    assert_eq!(view.last_error.unwrap().kind, kind);
    assert_eq!(labels(&run_numbered(&mut lane, 1).events[0]), [StepLabel::Modified]);
}

#[test]
fn an_endless_loop() {
    only_the_fourth_is_hurt(
        "while (true) {}",
        "timeout",
        "time limit: processEvent ran longer than 100 ms of CPU (index.ts",
    );
}

#[test]
fn an_endless_chain_of_promises() {
    only_the_fourth_is_hurt("for (;;) await null", "timeout", "time limit");
}

#[test]
fn a_memory_bomb() {
    only_the_fourth_is_hurt("const kept = []; for (;;) kept.push(new Uint8Array(8 << 20))", "memory", "memory limit");
}

#[test]
fn deep_recursion_is_an_exception() {
    let code = "export function processEvent(event) {\n  const f = (n) => f(n + 1) + 1\n\
                if (event.properties.n === 1) f(0)\n  return event }";
    let (bench, mut lane) = Bench::single(code);
    let result = run_numbered(&mut lane, 3);
    assert_eq!(labels(&result.events[0]), [StepLabel::Unmodified]);
    assert_eq!(labels(&result.events[1]), [StepLabel::Error]);
    assert_eq!(labels(&result.events[2]), [StepLabel::Unmodified]);
    assert!(error(&result.events[1]).contains("stack"), "{}", error(&result.events[1]));
    assert_eq!(bench.view(0).instances_lost, 0);
}

#[test]
fn recursion_through_built_ins_does_not_hurt_the_host() {
    let code = "export function processEvent(event) {\n\
                const f = (x) => [1].map(() => JSON.stringify({ toJSON: () => f(x) }))\n  f(1)\n  return event }";
    let (_bench, mut lane) = Bench::single(code);
    assert_eq!(labels(&run_numbered(&mut lane, 2).events[1]), [StepLabel::Error]);
    let deep = "export function processEvent(event) {\n\
                let a = []; for (let i = 0; i < 100000; i++) a = [a]\n\
                event.properties.a = a\n  return event }";
    let (_bench, mut lane) = Bench::single(deep);
    assert_eq!(labels(&run_numbered(&mut lane, 2).events[1]), [StepLabel::Error]);
}

#[test]
fn a_plugin_that_always_fails_never_holds_an_event_back() {
    let (bench, mut lane) = Bench::single("export function processEvent() { while (true) {} }");
    let result = run_numbered(&mut lane, 7);
    assert!(result.events.iter().all(|event| event.output.is_none() && labels(event) == [StepLabel::Error]));
    assert_eq!(bench.view(0).instances_lost, 7);
}

/// Spins as often as the event says, and says how often.
const SPIN: &str = "export async function processEvent(event) {\n\
    for (let i = 0; i < event.properties.n * 20000; i++) event.properties.i = i\n\
    if (event.properties.n % 2) await new Promise((done) => setTimeout(done, 1))\n\
    for (let i = 0; i < event.properties.n * 20000; i++) event.properties.i = i\n  return event }";

fn spinning(most: u64) -> (Bench, Lane) {
    let bench = Bench::with_limits(Limits { instructions_per_event: Some(most), ..Limits::default() });
    bench.live("plugin", &[("index.ts", SPIN)]);
    let lane = bench.host.lane();
    (bench, lane)
}

fn counted(events: &[EventResult]) -> Vec<u64> {
    events.iter().map(|event| event.steps[0].instructions.expect("counted")).collect()
}

#[test]
fn instructions_are_charged_to_the_event_that_executes_them() {
    let (bench, mut lane) = spinning(u64::MAX);
    // The first batch warms caches in the plugin's own engine.
    run_numbered(&mut lane, 4);
    let counted = counted(&run_numbered(&mut lane, 4).events);
    // One and three wait while the others run: an event in hand pays, not the one that began before it.
    let step = counted[1] - counted[0];
    assert!(step > 200_000, "{counted:?}");
    for (n, count) in counted.iter().enumerate() {
        let expected = counted[0] + step * n as u64;
        assert!(count.abs_diff(expected) < expected / 10 + 20_000, "event {n}: {counted:?}");
    }
    let view = bench.view(0).instructions.expect("figures");
    assert_eq!(view.worst.map(|worst| worst.offset), Some(3));
    assert!(view.p50 >= counted[1] && view.p99 >= counted[3], "{counted:?}");
}

#[test]
fn an_event_that_executes_too_much_is_ended_and_the_rest_goes_on() {
    let free = counted(&run_numbered(&mut spinning(u64::MAX).1, 4).events);
    let most = u64::midpoint(free[2], free[3]);
    let (bench, mut lane) = spinning(most);
    let result = run_numbered(&mut lane, 6);
    let counted = counted(&result.events);
    for (n, event) in result.events.iter().enumerate() {
        let limit = format!("instruction limit: processEvent executed more than {most} (index.ts processEvent)");
        match n {
            0 => assert_eq!(labels(event), [StepLabel::Unmodified]),
            1 | 2 => assert_eq!(labels(event), [StepLabel::Modified]),
            _ => assert_eq!((labels(event), error(event)), (vec![StepLabel::Error], limit.as_str())),
        }
        assert_eq!(counted[n] >= most, n > 2, "event {n}: {counted:?}");
    }
    assert_eq!(bench.view(0).last_error.map(|error| error.kind), Some("instructions".to_owned()));
}

#[test]
fn what_does_not_count_has_no_figures() {
    let (bench, mut lane) = Bench::single("export function processEvent(event) { return event }");
    assert_eq!(run_numbered(&mut lane, 1).events[0].steps[0].instructions, None);
    assert_eq!(bench.view(0).instructions, None);
}
