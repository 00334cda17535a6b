//! Fixtures over a plugin that does a little of everything.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weir_trial::{FixtureResult, Report, Selection, Suite, Verdict, Workshop, junit};

const PLUGIN: &str = r"
    export function setupPlugin({ config }) { console.info('set up') }
    export async function processEvent(event, { cache, storage, jobs, config }) {
        const p = event.properties
        if (event.event === 'drop') return null
        if (event.event === 'loop') for (;;) {}
        if (event.event === 'sleep') { const t = Date.now(); await new Promise((r) => setTimeout(r, 90_000)); p.slept = Date.now() - t }
        if (event.event === 'patient') await new Promise((r) => setTimeout(r, 20_000))
        if (event.event === 'fetch') p.answer = (await (await fetch('https://api.example.com/a', { method: 'POST', body: JSON.stringify({ q: p.q, extra: 1 }) })).json()).a
        if (event.event === 'child') { posthog.capture('grandchild', { distinct_id: 'x' }); p.was = 'child' }
        if (event.event === 'parent') posthog.capture('child', { distinct_id: 'x', n: 1 })
        if (event.event === 'job') { await jobs.later({ n: p.n }).runIn(5, 'minutes'); await jobs.later({ n: 0 }).runNow() }
        if (event.event === 'uuid') event.uuid = 'none'
        if (event.event === 'seen') { p.seen = await cache.get('seen', 0); await cache.set('seen', p.seen + 1) }
        if (config.greeting) p.greeting = config.greeting
        if (event.event === 'random') p.random = Math.random()
        return event
    }
    export async function runEveryHour({ storage }) { await storage.set('hour', new Date().toISOString()); posthog.capture('hourly', { distinct_id: 'x' }) }
    export const jobs = { async later({ n }, { storage }) { if (n < 0) throw new Error('negative'); await storage.set('job', [n, new Date().toISOString()]) } }";

fn event(name: &str, properties: Value) -> Value {
    json!({"event": name, "distinct_id": "ann", "properties": properties})
}

struct Bench {
    dir: tempfile::TempDir,
    workshop: Workshop,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(dir.path().join("plugin/fixtures")).expect("a folder");
        fs::write(dir.path().join("plugin/index.js"), PLUGIN).expect("a source");
        let cache = std::env::temp_dir().join(format!("weir-trial-{}", std::env::var("USER").unwrap_or_default()));
        Self { dir, workshop: Workshop::start(&cache, None).expect("a workshop") }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("plugin")
    }

    fn run_text(&self, text: &str) -> Report {
        fs::write(self.folder().join("fixtures/a.json"), text).expect("fixtures");
        let selection = Selection { filter: None, changed: None, threads: 2, update: false };
        Suite::new(&self.workshop, selection).run(&[self.folder()], &|_, _| {}).expect("a report")
    }

    fn run(&self, fixtures: &Value) -> Report {
        self.run_text(&fixtures.to_string())
    }

    fn one(&self, fixture: &Value) -> FixtureResult {
        self.run(fixture).results.remove(0)
    }

    fn pass(&self, fixture: &Value) -> FixtureResult {
        let result = self.one(fixture);
        assert_eq!(result.verdict, Verdict::Pass, "{:#?} {:?}", result.differences, result.problem);
        result
    }

    fn paths(&self, fixture: &Value) -> Vec<String> {
        self.one(fixture).differences.into_iter().map(|difference| difference.path).collect()
    }
}

#[test]
fn waiting_moves_the_clock_and_takes_no_time() {
    let bench = Bench::new();
    let started = Instant::now();
    let expect = json!({"events": [{"event": "patient", "properties": {}}]});
    let result = bench.pass(&json!({"event": event("patient", json!({})), "expect": expect}));
    assert_eq!(result.spent.wait_us, 20_000_000);
    // Longer than an event may wait: the same as live, and as quick to see.
    let expect = json!({"error": "timed out after promise waited for 30 seconds"});
    bench.pass(&json!({"event": event("sleep", json!({})), "expect": expect}));
    let expect = json!({"events": [{"event": "sleep", "properties": {"slept": 90000}}]});
    let limits = json!({"wait_ms_per_event": 100_000});
    bench.pass(&json!({"event": event("sleep", json!({})), "limits": limits, "expect": expect}));
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[test]
fn schedules_and_jobs_run_as_the_clock_moves() {
    let bench = Bench::new();
    bench.pass(&json!({"now": "2026-01-01T09:30:00Z", "steps": [
        {"advance": "29m", "expect": {"storage": {}, "emitted": []}},
        {"advance": "1m", "expect": {"storage": {"hour": "2026-01-01T10:00:00.000Z"},
            "emitted": [{"$contains": {"event": "hourly", "distinct_id": "x"}}]}},
        {"advance": "3h", "expect": {"storage": {"hour": "2026-01-01T13:00:00.000Z"}, "emitted": ["*", "*", "*"]}},
        {"event": event("job", json!({"n": 3}))},
        {"advance": "0s", "expect": {"storage": {"hour": "*", "job": [0, "2026-01-01T13:00:00.000Z"]}}},
        {"advance": "4m", "expect": {"storage": {"$contains": {"job": [0, "*"]}}}},
        {"advance": "1m", "expect": {"storage": {"hour": "*", "job": [3, "2026-01-01T13:05:00.000Z"]}}},
        {"schedule": "runEveryHour", "expect": {"storage": {"hour": "2026-01-01T13:05:00.000Z", "job": "*"}}},
        {"job": {"name": "later", "payload": {"n": -1}}, "expect": {"error": "negative"}},
    ]}));
    let paths =
        bench.paths(&json!({"steps": [{"job": {"name": "later", "payload": {"n": -1}}, "expect": {"emitted": []}}]}));
    assert_eq!(paths, ["error"]);
    let result = bench.one(&json!({"steps": [{"schedule": "runEveryMinute", "expect": {"emitted": []}}]}));
    assert_eq!(result.verdict, Verdict::Invalid);
    assert_eq!(result.problem.expect("a problem").hint, "It has runEveryHour.");
}

#[test]
fn a_limit_costs_one_event_and_says_what_production_would_do() {
    let bench = Bench::new();
    let events = json!([event("a", json!({})), event("loop", json!({})), event("b", json!({}))]);
    let fixture = json!({"events": events, "limits": {"preset": "tealium", "cpu_ms_per_event": 20},
        "expect": {"error": "time limit", "events": [event("a", json!({})), event("loop", json!({})), event("b", json!({}))]}});
    let result = bench.pass(&fixture);
    assert_eq!(result.events[1].consequence, "Tealium would have passed this event on untransformed.");
    let mut other = fixture;
    other["limits"] = json!({"on_error": "drop", "cpu_ms_per_event": 20});
    assert_eq!(bench.paths(&other), ["events[1]"], "it is dropped now");
    let refused = bench.one(&json!({"event": event("uuid", json!({})), "expect": {"dropped": 0}}));
    assert_eq!(refused.verdict, Verdict::Mismatch);
    assert!(refused.consequence.contains("kept aside as a dead letter"), "{}", refused.consequence);
    let result = bench.one(&json!({"event": event("a", json!({})), "limits": {"preset": "heroku"}, "expect": {}}));
    assert!(result.problem.expect("a problem").hint.starts_with("Possible here: weir, "), "unknown presets are told");
}

#[test]
fn requests_events_made_and_what_is_kept() {
    let bench = Bench::new();
    let mocks = json!([{"request": {"url": "https://api.example.com/*"}, "response": {"json": {"a": 7}}}]);
    bench.pass(&json!({"event": event("fetch", json!({"q": "x"})), "mocks": mocks, "expect": {
        "events": [{"event": "fetch", "properties": {"q": "x", "answer": 7}}],
        "requests": [{"method": "POST", "url": "https://api.example.com/*", "body": {"q": "x"}, "status": 200}],
        "budget": {"requests": 1, "log_lines": 0}}}));
    let without =
        bench.one(&json!({"event": event("fetch", json!({})), "expect": {"requests": [{"status": "http_no_mock"}]}}));
    assert_eq!(without.differences.len(), 1, "only the error: {:?}", without.differences);
    bench.pass(&json!({"event": event("parent", json!({})), "expect": {"emitted": [
        {"event": "child", "distinct_id": "x", "properties": {"$contains": {"n": 1, "was": "child"}}},
        {"event": "grandchild", "distinct_id": "x", "properties": "*"}]}}));
    bench.pass(&json!({"cache": {"seen": 4}, "steps": [
        {"event": event("seen", json!({})), "expect": {"events": [event("seen", json!({"seen": 4}))], "cache": {"seen": 5}}},
        {"event": event("seen", json!({})), "expect": {"events": [event("seen", json!({"seen": 5}))]}}]}));
    let budget = json!({"requests": 0, "output_bytes": 10, "memory_bytes": 1000});
    let paths = bench.paths(&json!({"event": event("fetch", json!({})), "mocks": mocks, "expect": {"budget": budget}}));
    assert_eq!(paths, ["budget.memory_bytes", "budget.requests", "budget.output_bytes"]);
}

#[test]
fn instructions_are_counted_where_a_budget_or_a_limit_names_them() {
    let bench = Bench::new();
    let counted = |expect: Value| {
        let result = bench.one(&json!({"event": event("parent", json!({})), "expect": expect}));
        (result.spent.instructions, result.differences)
    };
    assert_eq!(counted(json!({"errors": 0})).0, None);
    let (first, differences) = counted(json!({"budget": {"instructions": 0}}));
    assert_eq!(differences[0].path, "budget.instructions");
    let (second, differences) = counted(json!({"budget": {"instructions": first}}));
    assert_eq!((second, differences.len()), (first, 0), "the same each time");
    let limited = json!({"event": event("parent", json!({})), "limits": {"instructions_per_event": 1000},
        "expect": {"error": "instruction limit: processEvent executed more than 1000"}});
    bench.pass(&limited);
}

#[test]
fn a_stream_holds_for_every_event_and_is_the_same_each_time() {
    let bench = Bench::new();
    let stream = json!({"scenario": "web-shop", "seed": 7, "events": 3000});
    let with = |expect: Value| json!({"config": {"greeting": "hi"}, "stream": stream, "expect": expect});
    bench.pass(&with(json!({"each": {"properties": {"greeting": "hi"}}, "never": {"event": "nothing"},
        "dropped": 0, "errors": 0, "modified": 3000})));
    let result = bench.one(&with(json!({"each": {"event": "$pageview"}})));
    assert_eq!((result.verdict, result.differences.len()), (Verdict::Mismatch, 5), "the first few are told");
    assert!(result.differences[0].path.starts_with("each (event "), "{:?}", result.differences[0]);
    let digest = |seed: u64| {
        let mut fixture = with(json!({"digest": "other"}));
        fixture["stream"]["seed"] = json!(seed);
        bench.one(&fixture).differences.remove(0).actual
    };
    assert_eq!(digest(7), digest(7));
    assert_ne!(digest(7), digest(8));
}

#[test]
fn a_stream_may_tell_a_scenario_of_the_authors_own() {
    let bench = Bench::new();
    let scenario = r#"
        title = "Mine"
        description = "One kind of event, sent twice as often as not."
        token = "phc_mine"
        start = "2026-01-05T08:00:00Z"
        events_per_second = 5
        places = [{ city = "Berlin" }]
        mess = { duplicate = 0.5, malformed = 0.2, clock_skew = 0.5 }
        personas.one.journey = "all"
        journeys.all.start = { seen = 1 }
        journeys.all.states.seen = { event = "mine", properties = { city = "{place.city}" }, next = { seen = 3, leave = 1 } }
    "#;
    fs::write(bench.folder().join("fixtures/mine.toml"), scenario).expect("a scenario");
    let stream = |name: &str| json!({"scenario": name, "events": 400});
    let told = |name: &str, expect: Value| json!({"stream": stream(name), "expect": expect});
    // Plugins see each event once, and none that capture refuses.
    let each = json!({"event": "mine", "properties": {"city": "Berlin"}});
    let mut fixture = told("mine.toml", json!({"each": each, "modified": 400, "errors": 0}));
    fixture["config"] = json!({"greeting": "hi"});
    bench.pass(&fixture);
    for (name, reason, hint) in [
        ("web-shpo", "unknown scenario `web-shpo`", "Did you mean `web-shop`?"),
        ("other.toml", "other.toml", ""),
        ("broken.toml", "broken.toml:2:9: invalid type", ""),
    ] {
        fs::write(bench.folder().join("fixtures/broken.toml"), "\ntitle = 1").expect("a scenario");
        let problem = bench.one(&told(name, json!({"errors": 0}))).problem.expect("a problem");
        assert!(problem.message.contains(reason) && problem.hint.contains(hint), "{problem:?}");
    }
}

#[test]
fn a_run_is_decided_by_its_fixture_alone() {
    let bench = Bench::new();
    let fixture = |seed: u64| json!({"seed": seed, "event": event("random", json!({})), "expect": {"events": [null]}});
    let random = |result: &FixtureResult| {
        result.differences[0].actual.clone().expect("an event")["properties"]["random"].clone()
    };
    let drawn = |seed| random(&bench.one(&fixture(seed)));
    assert_eq!(drawn(3), drawn(3));
    assert_ne!(drawn(3), drawn(4));
    let many = (0..20).map(|_| fixture(3)).collect::<Vec<_>>();
    let report = bench.run(&json!(many));
    let alone = drawn(3);
    assert!(alone.is_f64() && report.results.iter().all(|result| random(result) == alone), "nothing around it matters");
}

#[test]
fn what_is_not_understood_is_told_with_its_place() {
    let bench = Bench::new();
    let cases = [
        ("{", 1, "EOF while parsing an object"),
        (
            "[\n  {\"event\": {\"event\":\"e\",\"distinct_id\":\"d\"},\n   \"expect\": {\"evnets\": []}}\n]",
            3,
            "unknown field `evnets`",
        ),
        ("{\"name\": \"n\", \"expect\": {}}", 1, "it needs exactly one thing to do"),
        (
            "{\"event\": {\"event\":\"e\"}, \"expect\": {\"dropped\": 1}}",
            1,
            "event 0: event submitted without a distinct_id",
        ),
        ("{\"event\": {}, \"expect\": {\"digest\": \"\"}}", 1, "expect.digest means nothing for events"),
        ("{\"events\": [{}, {}],\n \"expect\": {\"events\": [null]}}", 2, "expect.events has 1 entries for 2 events"),
        ("{\"event\": {}, \"steps\": []}", 1, "it has steps, so its events, stream and expect belong into a step"),
        ("{\"event\": {\"event\": \"e\", \"distinct_id\": \"d\"}, \"expect\": {}}", 1, "it expects nothing"),
        ("{\"now\": \"soon\", \"event\": {}}", 1, "now: \"soon\" is no moment"),
        (
            "{\"event\": {},\n\n \"mocks\": [{\"request\": {\"url\": \"*\"}, \"respnse\": {}}]}",
            3,
            "unknown field `respnse`",
        ),
        ("{\"steps\": [\n {\"advance\": \"1 fortnight\"}]}", 2, "\"1 fortnight\" is no span of time"),
        ("{\"events_file\": \"../../outside.ndjson\"}", 1, "outside.ndjson"),
        ("{\"event\": {}, \"expect\": {\"dropped\": {\"least\": 1}}}", 1, "is neither a count nor"),
    ];
    for (text, line, reason) in cases {
        let report = bench.run_text(text);
        let result = &report.results[0];
        assert_eq!((result.verdict, report.exit_code), (Verdict::Invalid, 3), "{text}: {:?}", result.differences);
        let problem = result.problem.as_ref().expect("a problem");
        assert!(problem.message.contains(reason), "{text}: {}", problem.message);
        assert_eq!(problem.line, line, "{text}: {problem:?}");
        assert!(problem.file.ends_with("a.json"), "{problem:?}");
    }
    let report = bench.run_text("{\"name\": \"\\u0001 & <b>\", \"event\": {}}");
    assert!(junit(&report).contains("name=\"\u{fffd} &amp; &lt;b&gt;\""), "what XML cannot hold is replaced");
}
