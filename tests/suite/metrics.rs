//! The numbers on `/metrics`: every name that the sources publish is described, and every one that is described is
//! published; on a running server queues, stages, plugins and outcomes are there, and add up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use pipeline_core::api::live::DemoRequest;
use pipeline_core::api::metric::{METRICS, Metric, MetricKind};
use pipeline_core::api::plugin::PluginRequest;
use pipeline_core::api::registry;
use serde_json::json;

use crate::server::{Weir, event, plugin, root, scratch, wait_for};
use crate::troubleshooting;

const MACROS: [(&str, MetricKind); 3] =
    [("counter!(\"", MetricKind::Counter), ("gauge!(\"", MetricKind::Gauge), ("histogram!(\"", MetricKind::Summary)];
/// Folders without code of the server.
const APART: [&str; 5] = ["sdk", "tests", "target", "node_modules", "templates"];
/// Labels that are given as a list that was made before.
const LISTED: &str = "&labels";

#[test]
fn what_the_sources_publish_is_described_and_the_other_way_round() {
    let mut published = BTreeSet::new();
    for file in sources() {
        let text = fs::read_to_string(&file).expect("a source");
        for (begin, kind) in MACROS {
            for call in text.split(begin).skip(1) {
                let (name, rest) = call.split_once('"').expect("the end of a name");
                let arguments = &rest[..end_of_call(rest)];
                let metric = metric(name).unwrap_or_else(|| panic!("{}: {name} is not described", file.display()));
                assert_eq!(metric.kind, kind, "{name}");
                if !arguments.contains(LISTED) {
                    let labels = arguments.split("\" =>").filter_map(|part| Some(part.rsplit_once('"')?.1));
                    let labels: Vec<_> = labels.take(arguments.matches("\" =>").count()).collect();
                    assert_eq!(labels, metric.labels, "{}: labels of {name}", file.display());
                }
                published.insert(name.to_owned());
            }
        }
    }
    let described: BTreeSet<String> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(described.len(), METRICS.len(), "a name is described once");
    let idle: Vec<_> = described.difference(&published).collect();
    assert!(idle.is_empty(), "described, and published by no source: {idle:?}");
}

/// Up to the parenthesis that closes the call.
fn end_of_call(text: &str) -> usize {
    let mut open = 1;
    text.find(|c: char| {
        open += i32::from(c == '(') - i32::from(c == ')');
        open == 0
    })
    .expect("the end of a call")
}

fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

fn sources() -> Vec<PathBuf> {
    let found = troubleshooting::sources(&root(), &["pipeline-core", "studio"], &APART);
    assert!(found.len() > 100, "{} sources", found.len());
    found
}

/// A reply, of which there is one for each request, is no queue; the supervisor has no `/metrics`.
#[test]
fn every_queue_between_threads_is_measured() {
    let mut queues = 0;
    for file in sources() {
        let text = fs::read_to_string(&file).expect("a source");
        queues += text.matches("bounded(\"").count() + text.matches("QueueNumbers::new(").count();
        if file.ends_with("event/src/queue.rs") || file.ends_with("weir/src/supervise.rs") {
            continue;
        }
        for call in text.split("sync_channel(").skip(1) {
            assert!(call.starts_with("1)"), "{}: a queue of {}…", file.display(), &call[..call.len().min(20)]);
        }
        let is_measured = text.contains("QueueNumbers");
        assert!(is_measured || !text.contains("= mpsc::channel("), "{}: a queue without numbers", file.display());
        assert!(
            !text.contains("unbounded_channel") && !text.contains("std::sync::mpsc::channel("),
            "{}",
            file.display()
        );
    }
    assert!(queues > 8, "{queues} queues");
}

/// One line of the text format.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

fn samples(text: &str) -> Vec<Sample> {
    let sample = |line: &str| {
        let (head, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = head.split_once('{').unwrap_or((head, "}"));
        let labels = labels.trim_end_matches('}').split("\",").filter_map(|pair| {
            let (label, value) = pair.split_once("=\"")?;
            Some((label.to_owned(), value.trim_end_matches('"').to_owned()))
        });
        Sample { name: name.into(), labels: labels.collect(), value: value.parse().expect("a number") }
    };
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(sample).collect()
}

fn scrape(weir: &Weir) -> String {
    let answer = weir.http.get(format!("{}/metrics", weir.control)).bearer_auth(&weir.token).send().expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().expect("text")
}

/// The value of a number with exactly these labels.
fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let is_it = |sample: &&Sample| {
        sample.name == name
            && sample.labels.len() == labels.len()
            && labels.iter().all(|(label, value)| sample.labels.get(*label).is_some_and(|found| found == value))
    };
    samples.iter().find(is_it).map(|sample| sample.value)
}

#[test]
fn queues_stages_plugins_and_outcomes_are_there_and_add_up() {
    let (dir, data) = scratch();
    let source = "export function processEvent(event, { metrics }) {
        if (event.event === 'unwanted') return null
        event.properties.seen = true
        metrics?.seen?.increment?.(1)
        return event
    }
    export function runEveryMinute() {}
    export function exportEvents() {}";
    let own = plugin(dir.path(), "own", "index.js", source).display().to_string();
    let weir = Weir::start_with(&data, &["--demo", "--demo-rate", "200", "--plugin", &own]);
    assert!(weir.send(&[event("wanted", "ann", 1, json!({})), event("unwanted", "ann", 2, json!({}))]));
    wait_for("events to be stored", || Some(()).filter(|()| weir.status().ledger.stored > 500));
    weir.call::<registry::Demo>(&DemoRequest { running: Some(false), ..DemoRequest::default() })
        .expect("the demo pauses");
    // Requests that were under way are stored too.
    let (text, ledger) = wait_for("a quiet moment", || {
        let (before, text, after) = (weir.status().ledger, scrape(&weir), weir.status().ledger);
        (before == after && after.in_flight == 0).then_some((text, after))
    });
    let found = samples(&text);
    // Nothing is published that is not described, with the labels and of the kind that are.
    for sample in &found {
        let name = sample.name.strip_suffix("_sum").or_else(|| sample.name.strip_suffix("_count"));
        let metric = metric(&sample.name).or_else(|| metric(name?)).unwrap_or_else(|| panic!("{sample:?}"));
        let labels: BTreeSet<&str> =
            sample.labels.keys().map(String::as_str).filter(|label| *label != "quantile").collect();
        assert_eq!(labels, metric.labels.iter().copied().collect(), "{sample:?}");
        let kind = match metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Summary => "summary",
        };
        assert!(text.contains(&format!("# TYPE {} {kind}\n", metric.name)), "{sample:?}");
        assert!(text.contains(&format!("# HELP {} ", metric.name)), "{sample:?}");
    }

    let get = |name: &str, labels: &[(&str, &str)]| {
        value(&found, name, labels).unwrap_or_else(|| panic!("{name} {labels:?} in\n{text}")) as u64
    };
    let term = |term: &str| get("weir_ledger_events", &[("term", term)]);
    assert_eq!((term("received"), term("stored")), (ledger.received, ledger.stored));
    assert_eq!((term("dropped"), term("in_flight"), term("unexplained")), (1, 0, 0));
    let outcomes = ["stored", "dropped", "rejected", "dead_lettered", "deduplicated"].map(term);
    assert_eq!(term("received") + term("emitted"), outcomes.iter().sum::<u64>());

    for queue in
        ["intake_log", "journal_log", "handoff", "control", "redrive", "plugin_loader", "plugin_http", "generator"]
    {
        assert!(get("weir_queue_capacity", &[("queue", queue)]) >= 1, "{queue}");
        get("weir_queue_depth", &[("queue", queue)]);
    }
    for queue in ["capture_in_hand_bytes", "capture_appends", "capture_large_bodies", "queries"] {
        assert_eq!(get("weir_queue_depth", &[("queue", queue)]), 0, "{queue}");
    }
    // One record a request, each of which waited to be synced.
    let waits = get("weir_queue_wait_seconds_count", &[("queue", "intake_log")]);
    assert!(waits >= 10 && get("weir_queue_depth", &[("queue", "intake_log")]) == 0, "{waits}");
    assert!(get("weir_queue_wait_seconds_count", &[("queue", "handoff")]) >= 1);

    for stage in ["intake", "plugins", "journal", "identity", "store"] {
        assert_eq!(get("weir_stage_in_flight_events", &[("stage", stage)]), 0, "{stage}");
        assert!(get("weir_stage_seconds_count", &[("stage", stage)]) >= 1, "{stage}");
    }
    assert_eq!(get("weir_stage_events_total", &[("stage", "plugins")]), term("received"));

    let of_own = |name: &str| get(name, &[("plugin", "own")]);
    assert_eq!((of_own("weir_plugins_live"), of_own("weir_plugins_versions_total")), (1, 1));
    assert!(of_own("weir_plugins_memory_bytes") > 0 && of_own("weir_plugins_cpu_seconds_count") >= 1);
    assert_eq!(get("weir_plugins_events_total", &[("plugin", "own"), ("label", "dropped")]), 1);
    let modified = get("weir_plugins_events_total", &[("plugin", "own"), ("label", "modified")]);
    assert_eq!(modified + 1, term("received") - term("rejected") - term("deduplicated"));
    get("weir_sink_pending_events", &[("sink", "plugin:own:exportEvents")]);
    assert_eq!((get("weir_store_ready", &[]), get("weir_generator_running", &[])), (1, 0));
    assert!(get("weir_generator_events", &[]) > 500);

    // A plugin that was taken out serves nothing any more.
    weir.call::<registry::PluginRemove>(&PluginRequest { id: "own".into() }).expect("removed");
    assert_eq!(value(&samples(&scrape(&weir)), "weir_plugins_live", &[("plugin", "own")]), Some(0.0));
}

#[test]
fn the_command_prints_them_and_the_token_has_a_file() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    weir.settle();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.arg("metrics").args(arguments).arg("--data").arg(&data).output().expect("the binary runs")
    };
    let all = String::from_utf8(run(&[]).stdout).expect("text");
    assert!(all.contains("weir_ledger_events{term=\"unexplained\"} 0\n"), "{all}");
    let some = String::from_utf8(run(&["weir_queue"]).stdout).expect("text");
    assert!(some.contains("weir_queue_depth{") && some.contains("# HELP weir_queue_depth "), "{some}");
    assert!(!some.contains("weir_ledger"), "{some}");
    let none = run(&["weir_nothing"]);
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(!none.status.success() && said.contains("docs/metrics.md"), "{said}");

    let token = fs::read_to_string(data.join("control.token")).expect("a file with the token");
    assert_eq!(token, weir.token);
    let url = format!("{}/metrics", weir.control);
    assert_eq!(weir.http.get(&url).send().expect("an answer").status(), 401);
    weir.stop();
    assert!(!data.join("control.token").exists(), "it opens nothing any more");
}
