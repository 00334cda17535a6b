use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};
use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
use weir_event::journal::HostCall;
use weir_plugins::{Answers, Blueprint, HttpMode, HttpSettings, OtherSettings, Recorded, Settings};

use super::*;
use crate::input::inputs_of;

const NOW_MS: i64 = 1_767_225_600_000;

struct Bench {
    dir: tempfile::TempDir,
    workshop: Workshop,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let workshop = Workshop::start(&dir.path().join("compiled"), None).expect("a workshop");
        Self { dir, workshop }
    }

    /// The plugin of this name as it is with this source.
    fn version(&self, name: &str, source: &str) -> Blueprint {
        let dir = self.dir.path().join(name);
        fs::create_dir_all(&dir).expect("a folder");
        fs::write(dir.join("index.js"), source).expect("a source");
        self.workshop.open(&dir).expect("a plugin")
    }

    /// What changes for the plugin `p`, whose requests are answered with these.
    fn compare(&self, before: &[&Blueprint], after: &[&Blueprint], inputs: &[Input], calls: &[HostCall]) -> PluginDiff {
        let http = HttpSettings { mode: HttpMode::Live, ..HttpSettings::default() };
        let settings = Settings { other: OtherSettings { http, ..Default::default() }, ..Settings::default() };
        let (before, after) = (parts(before, &settings, calls), parts(after, &settings, calls));
        let start = Start { now_ms: NOW_MS, seed: 1, ..Start::default() };
        let mut comparison = Comparison::start(&self.workshop, "p", before, after, &start)
            .unwrap_or_else(|refused| panic!("{}: {}", refused.side, refused.failed.error));
        for slice in inputs.chunks(2) {
            comparison.slice(NOW_MS, slice);
        }
        comparison.end()
    }

    /// The calls that a version makes, and what the mocks of its folder answer.
    fn recorded(&self, version: &Blueprint, inputs: &[Input]) -> Vec<HostCall> {
        let mocks = self.dir.path().join("p/mocks");
        fs::create_dir_all(&mocks).expect("a folder");
        let rates = json!({"request": {"url": "https://api.example.com/rates"}, "response": {"body": "1.1"}});
        fs::write(mocks.join("rates.json"), json!({"mocks": [rates]}).to_string()).expect("a mock");
        let part = Part { blueprint: version, settings: Settings::default(), answers: Answers::Own };
        let start = Start { now_ms: NOW_MS, ..Start::default() };
        let mut trial =
            crate::Trial::start(&self.workshop, vec![part], &start).unwrap_or_else(|failed| panic!("{}", failed.error));
        trial.process(inputs).calls
    }
}

fn parts<'b>(blueprints: &[&'b Blueprint], settings: &Settings, calls: &[HostCall]) -> Vec<Part<'b>> {
    let answers = || Answers::Recorded(Arc::new(Recorded::new(calls)));
    let part = |blueprint: &&'b Blueprint| Part { blueprint, settings: settings.clone(), answers: answers() };
    blueprints.iter().map(part).collect()
}

/// Events from an offset on, with these properties.
fn inputs(properties: &[Value]) -> Vec<Input> {
    let event = |(at, properties): (usize, &Value)| CapturedEvent {
        uuid: uuid::Uuid::from_u128(at as u128 + 1),
        client_uuid: true,
        distinct_id: "d".into(),
        data: json!({"event": "e", "distinct_id": "d", "properties": properties}).to_string(),
    };
    let record = IntakeRecord {
        received_at_ms: NOW_MS,
        token: "t".into(),
        ip: String::new(),
        site_url: String::new(),
        sent_at: None,
        body: IntakeBody::Events(properties.iter().enumerate().map(event).collect()),
    };
    inputs_of(record, 100, 1)
}

fn groups(groups: &[weir_api::diff::DiffGroup]) -> Vec<String> {
    groups.iter().map(|group| format!("{} {} {} {:?}", group.kind, group.path, group.count, group.offsets)).collect()
}

#[test]
fn each_kind_of_difference_is_counted_and_placed() {
    let bench = Bench::new();
    let old = bench.version(
        "p",
        "export async function processEvent(event, { storage }) {
            const p = event.properties
            if (p.n === 1) return null
            if (p.n === 2) throw new Error('two')
            if (event.event === 'e') await storage.set('last', p.n)
            if (p.n === 4) posthog.capture('made', { from: 'old' })
            console.info('seen')
            p.list = [{ price: 1 }, { price: 2 }]
            return event
        }",
    );
    let new = bench.version(
        "p",
        "
        export async function processEvent(event, { storage }) {
            const p = event.properties
            if (p.n === 0) return null
            if (p.n === 3) throw new Error('three')
            if (event.event === 'e') await storage.set(p.n > 4 ? 'newest' : 'last', p.n)
            if (p.n === 4) posthog.capture('made', { from: 'new' })
            if (p.n % 2) console.info('seen')
            p.list = p.n === 5 ? [{ price: 1 }, { price: 3 }] : [{ price: 1 }, { price: 2 }]
            if (p.n === 5) p.extra = true
            return event
        }",
    );
    let inputs = inputs(&(0..6).map(|n| json!({"n": n})).collect::<Vec<_>>());
    let diff = bench.compare(&[&old], &[&new], &inputs, &[]);
    assert_eq!(diff.events, 6);
    assert_eq!(groups(&diff.fates), ["newly_dropped  1 [100]", "undropped  1 [101]"]);
    let fields = groups(&diff.fields);
    for wanted in ["changed properties.list[].price 1 [105]", "added properties.extra 1 [105]"] {
        assert!(fields.iter().any(|group| group == wanted), "{fields:#?}");
    }
    assert!(fields.contains(&"changed made[].properties.from 1 [104]".to_owned()), "{fields:#?}");
    let errors: Vec<String> = diff.errors.iter().map(|group| format!("{} {}", group.kind, group.path)).collect();
    assert!(errors.iter().any(|error| error.starts_with("error_gone") && error.contains("two")), "{errors:?}");
    assert!(errors.iter().any(|error| error.starts_with("error_new") && error.contains("three")), "{errors:?}");
    let counts = diff.counts;
    assert_eq!((counts.newly_dropped, counts.undropped, counts.errors_new, counts.errors_gone), (1, 1, 1, 1));
    // Two whose error came or went, and the one that is otherwise.
    assert_eq!((counts.changed, counts.made_changed), (3, 1));
    let stored: Vec<String> = diff
        .storage
        .entries
        .iter()
        .map(|entry| format!("{} {:?} {:?}", entry.key, entry.before, entry.after))
        .collect();
    assert_eq!(stored, ["last Some(\"5\") Some(\"4\")", "newest None Some(\"5\")"]);
    let messages: Vec<&str> = diff.logs.messages.iter().map(|message| message.message.as_str()).collect();
    assert!(messages.contains(&"seen"), "{messages:?}");
    assert!(diff.logs.lines.before > diff.logs.lines.after, "{:?}", diff.logs);
    assert!(diff.cpu_us_total.before > 0.0 && diff.memory_bytes.after > 0.0);
    let example = &diff.fields.iter().find(|group| group.path.ends_with("price")).expect("the group").examples[0];
    assert_eq!((example.offset, &example.before, &example.after), (Some(105), &Some(json!(2)), &Some(json!(3))));
    assert!(diff.consequence.contains("1 would be dropped and never stored"), "{}", diff.consequence);
    assert!(summary(&diff).starts_with("3 changed, 1 newly dropped, 1 un-dropped"), "{}", summary(&diff));
}

#[test]
fn the_same_version_does_nothing_differently_whatever_it_uses() {
    let bench = Bench::new();
    let source = "export function setupPlugin({ global }) { global.first = Math.random() }
        export async function processEvent(event, { global, storage, cache, utils }) {
            event.properties.drawn = [global.first, Math.random(), Date.now()]
            event.properties.seen = await utils.cursor.increment('seen')
            event.properties.cached = await cache.incr('n')
            if (event.properties.n % 3 === 0) posthog.capture('made', { n: event.properties.n })
            return event
        }";
    // Places in the source move and say nothing.
    let throws =
        "\nexport function processEvent(event) { if (event.properties.n === 1) throw new Error('x'); return event }";
    let inputs = inputs(&(0..20).map(|n| json!({"n": n})).collect::<Vec<_>>());
    for (old, new) in [(source.to_owned(), source.to_owned()), (throws.to_owned(), format!("\n\n{throws}"))] {
        let (old, new) = (bench.version("p", &old), bench.version("p", &new));
        let diff = bench.compare(&[&old], &[&new], &inputs, &[]);
        assert!(diff.is_empty(), "{diff:#?}");
        assert_eq!(summary(&diff), "no difference in 20 events");
        assert!(diff.consequence.contains("each would be stored as it is now"), "{}", diff.consequence);
    }
}

#[test]
fn what_counts_is_the_end_of_the_chain() {
    let bench = Bench::new();
    let clean = bench.version(
        "clean",
        "export function processEvent(event) { delete event.properties.scratch; return event.properties.drop ? null : event }",
    );
    let old = bench.version("p", "export function processEvent(event) { return event }");
    let scratch =
        bench.version("p", "export function processEvent(event) { event.properties.scratch = 1; return event }");
    let marks = bench.version(
        "p",
        "export function processEvent(event) { if (event.properties.n) event.properties.drop = 1; return event }",
    );
    let inputs = inputs(&[json!({"n": 0}), json!({"n": 1})]);
    assert!(bench.compare(&[&old, &clean], &[&scratch, &clean], &inputs, &[]).is_empty());
    let diff = bench.compare(&[&old, &clean], &[&marks, &clean], &inputs, &[]);
    assert_eq!((diff.counts.newly_dropped, diff.counts.changed), (1, 0));
    // And its CPU is its own, at its place.
    let diff = bench.compare(&[&clean, &old], &[&clean, &old], &inputs, &[]);
    assert!(diff.cpu_us_total.before > 0.0);
}

#[test]
fn requests_get_what_was_recorded_and_the_first_without_is_told() {
    let bench = Bench::new();
    let asks = |path: &str| {
        format!(
            "export async function processEvent(event) {{
                if (event.properties.n === 2) event.properties.rate = await (await fetch('https://api.example.com/{path}')).text()
                return event
            }}"
        )
    };
    let old = bench.version("p", &asks("rates"));
    let same = bench.version("p", &format!("\n{}", asks("rates")));
    let other = bench.version("p", &asks("latest"));
    let inputs = inputs(&(0..4).map(|n| json!({"n": n})).collect::<Vec<_>>());
    let recorded = bench.recorded(&old, &inputs);
    assert_eq!(recorded.len(), 1);
    let diff = bench.compare(&[&old], &[&same], &inputs, &recorded);
    assert!(diff.is_empty() && diff.divergence.is_none(), "{diff:#?}");
    let diff = bench.compare(&[&old], &[&other], &inputs, &recorded);
    let divergence = diff.divergence.clone().expect("a divergence");
    assert_eq!((divergence.offset, divergence.side.as_str()), (Some(102), "after"));
    assert_eq!(divergence.call, "GET https://api.example.com/latest");
    assert_eq!(diff.counts.errors_new, 1);
    assert!(diff.consequence.contains("from event 102 on this is a guess"), "{}", diff.consequence);
    let rate = diff.fields.iter().find(|group| group.path == "properties.rate").expect("the field");
    assert_eq!((rate.kind.as_str(), &rate.examples[0].before), ("removed", &Some(json!("1.1"))));
}

#[test]
fn a_version_that_cannot_be_set_up_is_no_difference_but_an_error() {
    let bench = Bench::new();
    let old = bench.version("p", "export function processEvent(event) { return event }");
    let new = bench.version("p", "export function setupPlugin() { throw new Error('no key') }");
    let part = |blueprint| vec![Part { blueprint, settings: Settings::default(), answers: Answers::Own }];
    let start = Start { now_ms: NOW_MS, ..Start::default() };
    let refused = Comparison::start(&bench.workshop, "p", part(&old), part(&new), &start);
    let refused = refused.err().expect("it is refused");
    assert_eq!(refused.side, "after");
    assert!(refused.failed.error.to_string().contains("no key"), "{}", refused.failed.error);
}

#[test]
fn samples_run_with_both_versions_in_trials_of_their_own() {
    let bench = Bench::new();
    let old = bench.version(
        "p",
        "export function processEvent(event, { config }) { event.properties.x = config.x; return event }",
    );
    let dir = bench.dir.path().join("p");
    fs::create_dir_all(dir.join("fixtures")).expect("a folder");
    let fixture = json!([
        {"name": "first", "config": {"x": "one"}, "event": {"event": "e", "distinct_id": "a", "properties": {}},
         "expect": {"events": [null]}},
        {"name": "broken", "evnt": {}},
    ]);
    fs::write(dir.join("fixtures/a.json"), fixture.to_string()).expect("a fixture");
    let new = bench.version(
        "p",
        "export function processEvent(event, { config }) { event.properties.x = config.x + '!'; return event }",
    );
    let part = |blueprint| vec![Part { blueprint, settings: Settings::default(), answers: Answers::Own }];
    let start = Start { now_ms: NOW_MS, ..Start::default() };
    let comparison = Comparison::start(&bench.workshop, "p", part(&old), part(&new), &start);
    let mut comparison = comparison.unwrap_or_else(|refused| panic!("{}", refused.failed.error));
    let left_out = samples(&mut comparison, &bench.workshop, &dir, &old, &new, || true);
    assert!(left_out.len() == 1 && left_out[0].contains("broken"), "{left_out:?}");
    let diff = comparison.end();
    assert_eq!((diff.events, diff.sample_events, diff.counts.changed), (1, 1, 1));
    let example = &diff.fields[0].examples[0];
    assert_eq!((example.sample.as_deref(), &example.after), (Some("first"), &Some(json!("one!"))));
}
