//! Synthetic streams: what holds for every event of thousands, and how many of them there are.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use weir_event::time;
use weir_generator::truth::Fate;
use weir_generator::{Request, Stream};

use crate::compare::{Difference, contains};
use crate::fixture::Expect;
use crate::input::{self, DEFAULT_IP, SITE_URL, capture};
use crate::observed::{Observed, after, errors};
use crate::trial::{Trial, Tried};

/// Of events that do not fit, and of those that failed.
const SHOWN: usize = 5;

/// Sends the events of a stream that the pipeline would give to plugins: none that capture refuses, no repetitions.
pub fn run(
    trial: &mut Trial,
    name: &str,
    stream: Stream,
    events: usize,
    observed: &mut Observed,
    expect: Option<&Expect>,
) {
    let mut hasher = blake3::Hasher::new();
    let mut sent = 0;
    for request in stream.filter(Request::has_news) {
        if sent == events {
            break;
        }
        let now_ms = request.truth.true_sent_ms.max(trial.now_ms());
        trial.clock().set(now_ms);
        let sent_at = time::iso(request.truth.sent_at_ms);
        let news = request.events().filter(|event| event.truth.fate == Fate::Stored);
        let raws: Vec<Box<RawValue>> =
            news.take(events - sent).filter_map(|event| RawValue::from_string(event.json()).ok()).collect();
        let raws: Vec<&RawValue> = raws.iter().map(|raw| &**raw).collect();
        let facts = input::Request {
            received_at_ms: now_ms,
            ip: DEFAULT_IP,
            site_url: SITE_URL,
            sent_at: Some(&sent_at),
            name,
            first_offset: sent as u64,
        };
        // The truth says that it takes them.
        let inputs = capture(&raws, &facts).unwrap_or_default();
        sent += raws.len();
        let outcome = trial.process(&inputs);
        for (tried, input) in observed.take(outcome, now_ms).into_iter().zip(inputs) {
            hasher.update(tried.after().unwrap_or("dropped").as_bytes()).update(b"\n");
            check(&tried, expect, observed);
            if !errors(&tried).is_empty() && observed.events.len() < SHOWN {
                observed.events.push((tried, Some(input)));
            }
        }
    }
    observed.digest = Some(hasher.finalize().to_hex()[..16].to_owned());
}

fn check(tried: &Tried, expect: Option<&Expect>, observed: &mut Observed) {
    let Some(expect) = expect.filter(|expect| expect.each.is_some() || expect.never.is_some()) else { return };
    if tried.after().is_none() || observed.unfitting.len() >= SHOWN {
        return;
    }
    let event: Value = after(tried);
    let place = tried.offset;
    let mut unfitting = |path: &str, pattern: &Value| {
        observed.unfitting.push(Difference {
            path: format!("{path} (event {place} of the stream)"),
            expected: Some(json!({ "$contains": pattern })),
            actual: Some(event.clone()),
        });
    };
    match &expect.each {
        Some(pattern) if !contains(pattern, &event) => unfitting("each", pattern),
        _ => {}
    }
    match &expect.never {
        Some(pattern) if contains(pattern, &event) => unfitting("never", pattern),
        _ => {}
    }
}
