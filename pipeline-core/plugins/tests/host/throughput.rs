//! Speed on the machine at hand. The bounds leave room for a busy machine; what was measured is printed
//! (`cargo nextest run -p weir-plugins --no-capture throughput`).

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use uuid::Uuid;
use weir_plugins::BatchEvent;

use crate::support::{Bench, write};

fn typical() -> String {
    json!({
        "event": "$pageview",
        "distinct_id": "018f2f0e-7c1b-7d5e-9d8a-2b6f5b1c9a11",
        "team_id": 2,
        "uuid": "018f2f0e-7c1b-7d5e-9d8a-2b6f5b1c9a12",
        "ip": "203.0.113.7",
        "site_url": "http://localhost:8000",
        "now": "2024-05-01T10:00:00.000Z",
        "timestamp": "2024-05-01T09:59:59.000Z",
        "properties": {
            "$current_url": "https://Shop.example.com/Shoes/?utm_source=mail&size=42",
            "$host": "shop.example.com", "$pathname": "/Shoes/", "$browser": "Chrome",
            "$browser_version": 124, "$os": "Linux", "$screen_width": 1920, "$screen_height": 1080,
            "$lib": "web", "$lib_version": "1.130.1", "$session_id": "018f2f0e-7c1b-7d5e-9d8a-2b6f5b1c9a13",
            "$referrer": "$direct", "$referring_domain": "$direct", "price": 19.95, "tags": ["a", "b", "c"],
            "$device_type": "Desktop", "token": "phc_test"
        }
    })
    .to_string()
}

fn batch(text: &str, count: u64) -> Vec<BatchEvent<'_>> {
    (0..count)
        .map(|offset| BatchEvent {
            offset,
            team_id: 2,
            uuid: Uuid::from_u128(offset.into()),
            json: Cow::Borrowed(text),
        })
        .collect()
}

#[test]
fn one_plugin_one_core() {
    let code =
        "export function processEvent(event) { event.properties.seen = event.properties.price > 10; return event }";
    let (_bench, mut lane) = Bench::single(code);
    let text = typical();
    lane.process_batch(batch(&text, 200));
    let rounds = 50;
    let started = Instant::now();
    for _ in 0..rounds {
        let result = lane.process_batch(batch(&text, 200));
        assert!(result.events.iter().all(|event| event.output.is_some()));
    }
    let micros = started.elapsed().as_secs_f64() * 1e6 / f64::from(rounds * 200);
    println!("{micros:.1} us per event of {} bytes through one plugin", text.len());
    assert!(micros < 500.0, "{micros} us per event");
}

#[test]
fn saves_go_live_under_traffic() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    let code = |mark: u32| format!("export function processEvent(event) {{ event.mark = {mark}; return event }}");
    bench.live("plugin", &[("index.ts", &code(0))]);
    let stop = AtomicBool::new(false);
    let saves = 40;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // 5,000 events a second: 50 every 10 ms.
            let mut lane = bench.host.lane();
            let text = typical();
            let mut next = Instant::now();
            while !stop.load(Ordering::Relaxed) {
                lane.process_batch(batch(&text, 50));
                next += Duration::from_millis(10);
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        });
        for mark in 1..=saves {
            write(&dir, "index.ts", &code(mark));
            bench.wait_for("the save", 0, |view| {
                view.generation == u64::from(mark) + 1 && bench.host.reload_samples().len() == mark as usize
            });
        }
        stop.store(true, Ordering::Relaxed);
    });
    let mut samples = bench.host.reload_samples();
    samples.sort_by(f64::total_cmp);
    let at = |share: f64| samples[((samples.len() as f64 * share) as usize).min(samples.len() - 1)];
    println!("reload ms: p50 {:.1}, p99 {:.1}, n {}", at(0.5), at(0.99), samples.len());
    assert!(at(0.5) < 500.0);
}
