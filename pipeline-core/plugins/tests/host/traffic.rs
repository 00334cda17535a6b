//! Saves while events flow: each goes live, whatever the machine is busy with. How fast is for `cargo xtask
//! bench`.

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
            order_key: offset,
            team_id: 2,
            uuid: Uuid::from_u128(offset.into()),
            json: Cow::Borrowed(text),
        })
        .collect()
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
        // The traffic ends however this scope is left.
        let _ends = Ends(&stop);
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
            let before = bench.view(0).version;
            write(&dir, "index.ts", &code(mark));
            bench.wait_for("the save", 0, |view| view.version != before && view.load_error.is_none());
            bench.wait_for("its first event", 0, |view| view.reload_ms.is_some());
        }
    });
    assert!(!bench.host.reload_samples().is_empty());
}

struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
