//! Synthetic streams: what holds for every event of thousands, and how many of them there are.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use weir_generator::Shop;

use crate::compare::{Difference, contains};
use crate::fixture::Expect;
use crate::input::{DEFAULT_IP, Request, SITE_URL, capture};
use crate::observed::{Observed, after, errors};
use crate::trial::{Trial, Tried};

const BATCH: usize = 512;
/// Of events that do not fit, and of those that failed.
const SHOWN: usize = 5;

/// Sends events of the demo shop at a rate of the trial's clock.
pub fn run(
    trial: &mut Trial,
    name: &str,
    seed: u64,
    events: usize,
    per_second: u32,
    observed: &mut Observed,
    expect: Option<&Expect>,
) {
    let mut shop = Shop::new(seed);
    let began_ms = trial.now_ms();
    let mut hasher = blake3::Hasher::new();
    let mut sent = 0;
    while sent < events {
        let count = BATCH.min(events - sent);
        let moment = |at: usize| began_ms + (at as i64 * 1000) / i64::from(per_second);
        let raws: Vec<Box<RawValue>> = (sent..sent + count)
            .filter_map(|at| serde_json::value::to_raw_value(&shop.next_event(moment(at))).ok())
            .collect();
        let now_ms = moment(sent + count - 1).max(trial.now_ms());
        trial.clock().set(now_ms);
        let raws: Vec<&RawValue> = raws.iter().map(|raw| &**raw).collect();
        let request =
            Request { received_at_ms: now_ms, ip: DEFAULT_IP, site_url: SITE_URL, name, first_offset: sent as u64 };
        // The generator makes nothing that capture refuses.
        let inputs = capture(&raws, &request).unwrap_or_default();
        let outcome = trial.process(&inputs);
        for (tried, input) in observed.take(outcome).into_iter().zip(inputs) {
            hasher.update(tried.after().unwrap_or("dropped").as_bytes()).update(b"\n");
            check(&tried, expect, observed);
            if !errors(&tried).is_empty() && observed.events.len() < SHOWN {
                observed.events.push((tried, Some(input)));
            }
        }
        sent += count;
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
