//! A test runs the code that production runs: what a server's journal says plugins did, a trial does again.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use pipeline_core::event::intake::IntakeRecord;
use pipeline_core::event::journal::{BatchRecord, ControlRecord, HostCall, JournalRecord, StepLabel};
use pipeline_core::flow::{decode_intake, decode_journal};
use pipeline_core::generator::{BUILT_IN, MessRates, Request, Stream};
use pipeline_core::log::{Log, LogConfig, RealFilesystem, Record};
use pipeline_core::plugins::{Blueprint, Recorded, Settings};
use pipeline_core::trial::{Answers, Part, RecordedBatch, Start, Trial, Workshop, differences};
use serde_json::{Value, json};

use crate::server::{Weir, root, scratch};

/// The seed that a server gives its plugins.
const LIVE_SEED: u64 = 1;
const BATCHES: usize = 6;
const BATCH_EVENTS: usize = 150;

/// Stores, remembers, makes events and asks for jobs; chance and time are in what it writes.
const COUNTER: &str = r"
    export function setupPlugin({ global }) { global.first = Math.random() }
    export async function processEvent(event, { global, storage, cache, utils, jobs }) {
        const seen = await utils.cursor.increment('seen')
        event.properties.drawn = [global.first, Math.random()]
        event.properties.on = new Date().toISOString().slice(0, 10)
        event.properties.of_name = await cache.incr(event.event)
        if (seen % 10 === 0 && event.event !== 'tenth') {
            posthog.capture('tenth', { distinct_id: event.distinct_id, seen })
            await storage.set(`tenth:${seen}`, event.event)
            console.info('tenth', seen)
        }
        if (seen % 7 === 0) await jobs.later({ seen }).runIn(1, 'days')
        return event
    }
    export const jobs = { later() {} }";

struct Recording {
    batches: Vec<RecordedBatch>,
    calls: Vec<HostCall>,
}

fn records(dir: &Path, name: &'static str) -> Vec<Record> {
    let log = Log::open_read_only(LogConfig::new(name, dir.join(name), Arc::new(RealFilesystem))).expect("a log");
    let mut reader = log.read_from_sequence(0);
    let mut records = Vec::new();
    loop {
        let more = reader.read(100_000, 64 << 20).expect("records");
        if more.is_empty() {
            return records;
        }
        records.extend(more);
    }
}

fn recording(data: &Path) -> Recording {
    let intake: Vec<(u64, IntakeRecord)> = records(data, "intake")
        .iter()
        .map(|record| (record.offset, decode_intake(&record.payload).expect("an intake record")))
        .collect();
    let mut recording = Recording { batches: Vec::new(), calls: Vec::new() };
    for record in records(data, "journal") {
        match decode_journal(&record.payload).expect("a journal record") {
            JournalRecord::Batch(batch) => {
                let covered = batch.first_offset..batch.first_offset + u64::from(batch.event_count);
                let of_batch = intake.iter().filter(|(offset, _)| covered.contains(offset));
                let intake = of_batch.map(|(_, record)| record.clone()).collect();
                recording.calls.extend(batch.calls.iter().cloned());
                recording.batches.push(RecordedBatch { intake, batch });
            }
            JournalRecord::Control(ControlRecord::Storage { mutations }) => {
                panic!("nothing here stores outside events: {mutations:?}")
            }
            _ => {}
        }
    }
    recording
}

fn all(recording: &Recording) -> impl Iterator<Item = &BatchRecord> {
    recording.batches.iter().map(|recorded| &recorded.batch)
}

#[test]
fn a_trial_does_what_the_journal_says_was_done() {
    let (dir, data) = scratch();
    let counter = dir.path().join("counter");
    fs::create_dir(&counter).expect("a folder");
    fs::write(counter.join("index.js"), COUNTER).expect("a source");
    let samples = root().join("sample-plugins");
    let chain = [
        samples.join("url-normalizer"),
        samples.join("checkout-enricher"),
        samples.join("sessionizer"),
        samples.join("currency-converter"),
        samples.join("broken/throws"),
        counter,
    ];
    let arguments: Vec<&str> = chain.iter().flat_map(|dir| ["--plugin", dir.to_str().expect("a plain path")]).collect();
    let weir = Weir::start_with(&data, &arguments);
    let mut scenario = BUILT_IN[0].scenario();
    // Bots are there to be dropped; for the rest, each event is new.
    scenario.mess = MessRates { bots: scenario.mess.bots, ..MessRates::default() };
    let events = Stream::new(Arc::new(scenario), 11).flat_map(Request::into_events);
    let mut shop = events.map(|event| serde_json::from_str::<Value>(&event.json()).expect("JSON"));
    for _ in 0..BATCHES {
        let events: Vec<Value> = (0..BATCH_EVENTS)
            .map(|at| {
                let mut event = shop.next().expect("a stream has no end");
                let properties = event["properties"].as_object_mut().expect("an object");
                // So that rates are asked for, and sessions looked for.
                if at % 2 == 0 {
                    properties.insert("currency".into(), "USD".into());
                    properties.shift_remove("$session_id");
                }
                if at % 3 == 0 {
                    properties.insert("user".into(), json!({"email": "ann@example.com"}));
                }
                event
            })
            .collect();
        assert!(weir.send(&events));
    }
    let status = weir.settle();
    assert_eq!(status.ledger.unexplained, 0);
    weir.stop();

    let recording = recording(&data);
    // Each of the things that are compared did happen.
    let effects = || all(&recording).flat_map(|batch| &batch.effects);
    let labelled = |label| effects().flat_map(|effect| &effect.steps).filter(|step| step.label == label).count();
    assert_eq!(effects().count(), BATCHES * BATCH_EVENTS);
    for label in [StepLabel::Modified, StepLabel::Unmodified, StepLabel::Dropped, StepLabel::Error] {
        assert!(labelled(label) > 10, "{label:?}");
    }
    assert!(all(&recording).map(|batch| batch.storage.len()).sum::<usize>() > 500);
    assert!(all(&recording).map(|batch| batch.emitted.len()).sum::<usize>() > 20);
    assert!(all(&recording).map(|batch| batch.jobs.len()).sum::<usize>() > 20);
    assert!(all(&recording).any(|batch| !batch.logs.is_empty()) && !recording.calls.is_empty());

    let workshop = Workshop::start(&dir.path().join("compiled"), None).expect("a workshop");
    let blueprints: Vec<Blueprint> = chain.iter().map(|dir| workshop.open(dir).expect("a plugin")).collect();
    let part = |blueprint| {
        let own = recording.calls.iter().filter(|call| call.plugin_id == Blueprint::plugin_id(blueprint));
        Part { blueprint, settings: Settings::default(), answers: Answers::Recorded(Arc::new(Recorded::new(own))) }
    };
    let parts = || blueprints.iter().map(part).collect::<Vec<_>>();
    let start = Start {
        now_ms: recording.batches[0].batch.processed_at_ms,
        // Plugins are set up in the same order, so each instance draws the same numbers.
        seed: LIVE_SEED,
        ..Start::default()
    };
    let mut trial = Trial::start(&workshop, parts(), &start).unwrap_or_else(|failed| panic!("{}", failed.error));
    let mut found = Vec::new();
    for recorded in &recording.batches {
        found.extend(differences(&mut trial, recorded, |_| 1));
    }
    assert!(found.is_empty(), "{} differences, the first: {:#?}", found.len(), &found[..found.len().min(5)]);

    // And it would have said so: another seed draws other numbers, which are in every output.
    let other = Start { seed: LIVE_SEED + 1, ..start };
    let mut trial = Trial::start(&workshop, parts(), &other).unwrap_or_else(|failed| panic!("{}", failed.error));
    let found = differences(&mut trial, &recording.batches[0], |_| 1);
    assert!(found.iter().any(|difference| difference.contains("output")), "{found:?}");
}
