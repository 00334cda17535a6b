//! Events that wait: several at once, in order where they must be, each with its own effects.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weir_event::journal::{Fate, StepLabel};
use weir_plugins::{Called, Limits, Task};

use crate::support::{Bench, error, event, labels, output, run, run_keyed, run_numbered, run_one};

#[test]
fn waiting_does_not_serialise_a_lane() {
    let code = "export async function processEvent(event) {\n\
                await new Promise((done) => setTimeout(done, 100)); event.properties.done = true; return event }";
    let (_bench, mut lane) = Bench::single(code);
    run_one(&mut lane);
    let began = Instant::now();
    let result = run_numbered(&mut lane, 64);
    // One after the other they would take 6.4 s; 32 at a time, 0.2 s.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    for (number, event) in result.events.iter().enumerate() {
        assert_eq!(output(event)["properties"], json!({ "n": number, "done": true }), "in their places");
        assert!(event.steps[0].effect.wait_us >= 90_000, "{:?}", event.steps[0].effect);
    }
}

#[test]
fn events_of_one_person_keep_their_order() {
    let code = "let running = 0\nexport async function processEvent(event, { global }) {\n\
                running++; const together = running\n\
                await new Promise((done) => setTimeout(done, 30 - event.properties.n * 5))\n\
                running--; global.seen = [...(global.seen ?? []), event.properties.n]\n\
                event.properties.seen = global.seen; event.properties.together = together; return event }";
    let (_bench, mut lane) = Bench::single(code);
    let events: Vec<Value> = (0..4).map(event).collect();
    let result = run_keyed(&mut lane, &events, |_| 7);
    let last = output(result.events.last().unwrap());
    assert_eq!((&last["properties"]["seen"], &last["properties"]["together"]), (&json!([0, 1, 2, 3]), &json!(1)));
    let result = run_keyed(&mut lane, &events, |at| at);
    assert_eq!(output(&result.events[3])["properties"]["together"], 4);
}

#[test]
fn each_event_keeps_its_own_writes_and_children() {
    let code = "export async function processEvent(event, { storage }) {\n\
                const n = event.properties.n\n\
                await new Promise((done) => setTimeout(done, n === 0 ? 40 : 1))\n\
                await storage.set(`k${n}`, n); posthog.capture(`child ${n}`)\n\
                if (n === 1) for (;;) {}\n\
                return event }";
    let bench = Bench::with_limits(Limits { cpu_per_event: Duration::from_millis(50), ..Limits::default() });
    bench.live("plugin", &[("index.js", code)]);
    let mut lane = bench.host.lane();
    let result = run_numbered(&mut lane, 3);
    assert!(error(&result.events[1]).contains("time limit"), "{:?}", result.events[1]);
    assert_eq!(labels(&result.events[0]), [StepLabel::Unmodified], "it ran again in a new instance");
    let mut keys: Vec<_> = result.storage.iter().map(|write| write.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["k0", "k2"], "the event that was cut short stored nothing");
    let mut children: Vec<_> =
        result.emitted.iter().map(|(offset, _, event)| (*offset, event.contains("child"))).collect();
    children.sort_unstable();
    assert_eq!(children, [(0, true), (2, true)]);
}

#[test]
fn an_event_that_waits_too_long_goes_on_as_it_came() {
    let code = "export async function processEvent(event) { event.properties.changed = true\n\
                if (event.properties.n === 0) await new Promise((done) => setTimeout(done, 60000)); return event }";
    let bench = Bench::with_limits(Limits { wait: Duration::from_millis(80), ..Limits::default() });
    bench.live("plugin", &[("index.js", code)]);
    let mut lane = bench.host.lane();
    let result = run_numbered(&mut lane, 2);
    assert!(error(&result.events[0]).contains("promise waited for 0.08 seconds"), "{:?}", result.events[0]);
    assert_eq!((&result.events[0].fate, &result.events[0].output), (&Fate::Passed, &None));
    assert_eq!(output(&result.events[1])["properties"]["changed"], true);
    let view = bench.view(0);
    let failure = view.last_error.unwrap();
    assert_eq!((failure.kind.as_str(), view.instances_lost), ("waiting", 0));
    assert!(failure.consequence.contains("would have stored"), "{}", failure.consequence);
}

#[test]
fn a_promise_that_nothing_can_settle_is_an_error_at_once() {
    let (_bench, mut lane) = Bench::single("export const processEvent = () => new Promise(() => {})");
    assert!(error(&run_one(&mut lane)).contains("nothing can settle"));
}

#[test]
fn work_left_running_goes_on_between_batches() {
    let code = "let ticks = 0\nexport function setupPlugin() { setInterval(() => { ticks++ }, 5) }\n\
                export function processEvent(event) { event.properties.ticks = ticks; return event }";
    let (_bench, mut lane) = Bench::single(code);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        lane.wake();
        let ticks = output(&run_one(&mut lane))["properties"]["ticks"].as_u64().unwrap();
        if ticks >= 3 {
            break;
        }
        assert!(Instant::now() < deadline, "timers never ran");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_task_that_waited_keeps_what_it_made() {
    let bench = Bench::new();
    let mocks =
        r#"{"mocks": [{"request": {"url": "https://api.example.com/stars"}, "response": {"json": {"stars": 3}}}]}"#;
    let code = "export async function runEveryMinute({ storage, jobs }) {\n\
                posthog.capture('before'); await storage.set('a', 1)\n\
                const { stars } = await (await fetch('https://api.example.com/stars')).json()\n\
                posthog.capture('after', { stars }); await storage.set('b', stars); await jobs.later({ x: 1 }).runIn(2, 'minutes') }\n\
                export const jobs = { later: async (payload, { storage }) => { await storage.set('job', payload) } }";
    let view = bench.live("plugin", &[("index.js", code), ("mocks/api.json", mocks)]);
    assert!(view.methods.contains(&"jobs.later".to_owned()), "{:?}", view.methods);
    let mut caller = bench.host.caller("plugin");
    assert_eq!(caller.run(&Task::Schedule("runEveryMinute".into())), Called::Done(None));
    let emitted = caller.take_emitted();
    assert!(emitted[0].contains("before") && emitted[1].contains("\"stars\":3"), "{emitted:?}");
    let effects = bench.host.drain_control();
    let keys: Vec<_> = effects.storage.iter().map(|write| write.key.as_str()).collect();
    assert_eq!(keys, ["a", "b"]);
    assert_eq!((effects.jobs[0].name.as_str(), effects.jobs[0].payload.as_str()), ("later", r#"{"x":1}"#));
    assert_eq!((effects.calls[0].kind.as_str(), effects.calls[0].status.as_str()), ("http_mock", "200"));
    let job = Task::Job { name: "later".into(), payload: r#"{"x":1}"#.into() };
    assert_eq!(caller.run(&job), Called::Done(None));
    assert_eq!(bench.host.drain_control().storage[0].value.as_deref(), Some(r#"{"x":1}"#));
    let missing = Task::Job { name: "no such".into(), payload: "{}".into() };
    assert!(matches!(caller.run(&missing), Called::Failed(reason) if reason.contains("there is no job \"no such\"")));
}

#[test]
fn requests_are_refused_beyond_the_limit_of_an_event() {
    let code = "export async function processEvent(event) { const said = []\n\
                for (let i = 0; i < 4; i++) { try { await fetch('https://a.example/') } catch (e) { said.push(String(e)) } }\n\
                event.properties.said = said; return event }";
    let bench = Bench::with_limits(Limits { http_calls_per_event: 2, ..Limits::default() });
    let mocks = r#"{"request": {"url": "https://a.example/"}, "response": {"json": {}}}"#;
    bench.live("plugin", &[("index.js", code), ("mocks/a.json", mocks)]);
    let mut lane = bench.host.lane();
    let result = run(&mut lane, &[event(1), event(2)]);
    for event in &result.events {
        let said = output(event)["properties"]["said"].as_array().unwrap().clone();
        assert_eq!(said.len(), 2);
        assert!(said[0].as_str().unwrap().contains("more than 2 requests"), "{said:?}");
    }
    assert_eq!(result.calls.len(), 8, "each call is journalled, refused ones too");
}

#[test]
fn jobs_are_due_by_posthogs_units() {
    let code = "export async function processEvent(event, { jobs }) { const now = Date.now()\n\
                for (const [n, unit] of [[1, 'second'], [2, 'minutes'], [1, 'hour'], [1, 'day'], [1, 'week'], [1, 'month'], [1, 'quarter'], [1, 'years']]) {\n\
                await jobs['any name'](event.properties.n).runIn(n, unit) }\n\
                await jobs.x(null).runAt(new Date(5)); await jobs.y().runNow(); event.properties.now = now\n\
                try { await jobs.z().runIn(1, 'fortnight') } catch (e) { event.properties.wrong = String(e) }; return event }";
    let (_bench, mut lane) = Bench::single(code);
    let result = run(&mut lane, &[event(0)]);
    let out = output(&result.events[0]);
    let now = out["properties"]["now"].as_f64().unwrap();
    let hours: Vec<i64> = result.jobs.iter().map(|job| ((job.at_ms - now) / 3_600_000.0).round() as i64).collect();
    assert_eq!(hours[1..8], [0, 1, 24, 168, 30 * 168, 13 * 168, 365 * 24]);
    assert_eq!((result.jobs[8].at_ms.to_bits(), result.jobs[0].payload.as_str()), (5.0_f64.to_bits(), "0"));
    assert_eq!((result.jobs[8].name.as_str(), result.jobs[0].name.as_str()), ("x", "any name"));
    assert_eq!(out["properties"]["wrong"], "Error: Unknown time unit: fortnight");
}
