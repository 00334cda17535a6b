//! Identity alone, on persons it knows, beside the lookup that nothing can do without.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use pipeline_core::event::ProjectId;
use pipeline_core::event::normalize;
use pipeline_core::event::prepare::Profile;
use pipeline_core::identity::{Arrival, IdentityEvent};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::report::Report;

const PERSONS: usize = 10_000;
const ROUNDS: usize = 30;
/// Persons are known, and everyone has been identified once.
const WARM_UP: usize = 10;
/// Few enough that they are still in the caches, as an event is that was just prepared, and that other
/// processes rarely fall within.
const BATCH: usize = 50;
const NOW_MS: i64 = 1_700_000_000_000;

struct Sent {
    event: &'static str,
    distinct_id: String,
    properties: Map<String, Value>,
}

/// What posthog-js sends, after the rules that fill `$set` and `$set_once`: four page views with all 16
/// campaign and initial properties to one `$identify` or `$set`. One in two of those changes a value.
fn events(round: usize) -> impl Iterator<Item = Sent> {
    (0..PERSONS).map(move |number| {
            let distinct_id = format!("0190163a-{:04x}-7000-8000-{number:012x}", number & 0xffff);
            let mut properties = json!({
                "token": "phc_bench", "distinct_id": distinct_id, "$lib": "web", "$lib_version": "1.297.2",
                "$session_id": "0190163a-0000-7000-8000-000000000001", "$window_id": "0190163a-0000-7000-8000-000000000002",
                "$screen_height": 1080, "$screen_width": 1920, "$viewport_height": 900, "$viewport_width": 1600,
                "$host": "shop.example.com", "title": "Trail Jacket", "$insert_id": "k3j4h5k3j4h5", "$time": 1_700_000_000.123,
                "$browser": "Chrome", "$browser_version": 142, "$device_type": "Desktop", "$os": "Mac OS X",
                "$current_url": format!("https://shop.example.com/p/{round}?utm_source=newsletter"),
                "$pathname": format!("/p/{round}"),
                "$referring_domain": "www.google.com", "$referrer": "https://www.google.com/",
                "utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "autumn", "utm_content": "header",
                "utm_name": "a", "utm_term": "jacket", "gclid": "CjwKCAjw", "fbclid": "IwAR0",
            });
            let kind = (number + round) % 10;
            let event = match kind {
                0 => "$identify",
                1 => "$set",
                _ => "$pageview",
            };
            if kind < 2 {
                let visits = if number.is_multiple_of(2) { round } else { 0 };
                properties["$set"] = json!({"email": format!("visitor.{number}@example.com"), "plan": "team", "visits": visits});
                properties["$anon_distinct_id"] = format!("anonymous {number}").into();
            }
            let mut whole = Map::from_iter([("event".to_owned(), event.into()), ("properties".to_owned(), properties)]);
            normalize::normalize(&mut whole);
            let properties = std::mem::take(normalize::properties_mut(&mut whole));
            Sent { event, distinct_id, properties }
    })
}

pub fn arrival(report: &mut Report) {
    let mut identity = Arrival::default();
    let mut count = 0_u128;
    let mut run = |events: &mut [Sent]| {
        let started = Instant::now();
        for sent in events {
            count += 1;
            black_box(identity.apply(IdentityEvent {
                project: ProjectId(1),
                uuid: Uuid::from_u128(count),
                event: sent.event,
                distinct_id: &sent.distinct_id,
                properties: &mut sent.properties,
                timestamp_ms: NOW_MS,
                received_at_ms: NOW_MS,
                profile: Profile::Full,
            }));
        }
        started.elapsed()
    };
    let mut times = Vec::new();
    for round in 0..WARM_UP + ROUNDS {
        let mut events = events(round);
        loop {
            let mut batch: Vec<_> = events.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            let took = run(&mut batch).as_secs_f64() * 1e6 / batch.len() as f64;
            if round >= WARM_UP {
                times.push(took);
            }
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |quantile: f64| times[((times.len() - 1) as f64 * quantile) as usize];
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    report.add(
        "identity of an event, known persons, 20 % $identify or $set, 16 campaign and initial properties",
        format!("{:.2} us (median of batches of {BATCH}; p90 {:.2} us, mean {mean:.2} us)", at(0.5), at(0.9)),
        &format!("<= 3 us; a bare hash map lookup of the id: {:.2} us", lookup()),
    );
}

fn lookup() -> f64 {
    let ids: Vec<String> = events(0).map(|sent| sent.distinct_id).collect();
    let map: HashMap<(u32, &str), usize> = ids.iter().enumerate().map(|(at, id)| ((1, id.as_str()), at)).collect();
    let started = Instant::now();
    for _ in 0..ROUNDS {
        for id in &ids {
            black_box(map.get(&(1, id.as_str())));
        }
    }
    started.elapsed().as_secs_f64() * 1e6 / (ids.len() * ROUNDS) as f64
}
