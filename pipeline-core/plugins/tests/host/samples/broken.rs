//! The broken samples break as their READMEs say, and nothing else breaks with them.

use serde_json::{Value, json};
use weir_event::journal::{LogSource, StepLabel};

use super::{Sample, named};
use crate::support::{error, event, labels, output, run};

#[test]
fn a_loop_is_stopped() {
    let sample = Sample::new("broken/loop", &[]);
    let events = [
        named("x", json!({ "$pathname": "/a/b" })),
        named("x", json!({ "$pathname": "/a//b" })),
        named("x", json!({ "$pathname": "/c" })),
    ];
    let result = run(&mut sample.lane(), &events);
    let all: Vec<_> = result.events.iter().map(|event| labels(event)[0]).collect();
    assert_eq!(all, [StepLabel::Unmodified, StepLabel::Error, StepLabel::Unmodified]);
    assert!(error(&result.events[1]).contains("time limit: processEvent ran longer than 100 ms of CPU (index.js"));
    assert!(result.events.iter().all(|event| event.output.is_none()));
    assert_eq!(sample.bench.view(0).instances_lost, 1);
}

#[test]
fn a_bomb_is_stopped() {
    let sample = Sample::new("broken/memory-bomb", &[]);
    let result = run(&mut sample.lane(), &(0..40).map(event).collect::<Vec<_>>());
    let lost = result.events.iter().filter(|event| labels(event) == [StepLabel::Error]).collect::<Vec<_>>();
    assert!((2..=8).contains(&lost.len()), "once in a dozen events: {}", lost.len());
    assert!(lost.iter().all(|event| error(event).contains("limit") && event.output.is_none()), "{lost:?}");
    let fine = result.events.iter().filter(|event| labels(event) == [StepLabel::Modified]);
    assert_eq!(fine.count(), 40 - lost.len());
}

#[test]
fn an_error_names_its_line() {
    let sample = Sample::new("broken/throws", &[]);
    let events = [named("x", json!({ "user": { "email": "a@b.example" } })), named("x", json!({}))];
    let result = run(&mut sample.lane(), &events);
    assert_eq!(output(&result.events[0])["properties"]["email_domain"], "b.example");
    assert!(error(&result.events[1]).contains("(index.ts:12:"), "{}", error(&result.events[1]));
    assert_eq!(output(&result.events[1])["properties"], json!({ "checked": true }));
}

#[test]
fn waiting_holds_nobody_else_up() {
    let sample = Sample::new("broken/slow", &[("wait_ms", "300")]);
    let events: Vec<Value> = (0..32).map(event).collect();
    let begin = std::time::Instant::now();
    let result = run(&mut sample.lane(), &events);
    let took = begin.elapsed();
    assert!(took.as_millis() >= 300 && took.as_secs() < 5, "all wait at once: {took:?}");
    for event in &result.events {
        let step = &event.steps[0].effect;
        assert!(step.wait_us >= 290_000 && step.cpu_us < 100_000, "{step:?}");
    }
}

#[test]
fn a_flood_is_cut() {
    let sample = Sample::new("broken/log-flood", &[]);
    let mut noisy = event(1);
    noisy["properties"] = (0..10).map(|n| (format!("p{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
    let result = run(&mut sample.lane(), &[noisy]);
    assert_eq!(labels(&result.events[0]), [StepLabel::Unmodified]);
    // A second may begin in between, and with it a new allowance.
    assert!(result.logs.len() <= 2002, "{}", result.logs.len());
    let told = result.logs.iter().any(|line| line.source == LogSource::System && line.message.contains("discarded"));
    assert!(told);
}
