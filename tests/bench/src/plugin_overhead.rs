//! What a plugin costs an event: CPU time of a lane, the host's part included.

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use pipeline_core::api::plugin::PluginState;
use pipeline_core::plugins::{BatchEvent, HostConfig, Limits, PluginHost};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use uuid::Uuid;

use crate::report::Report;

const BATCH: usize = 256;
const BATCHES: usize = 200;
const WARM_UP: usize = 10;

/// One page view as posthog-js sends it, about 900 bytes.
fn event(number: usize) -> String {
    json!({
        "uuid": Uuid::from_u128(number as u128).to_string(),
        "event": "$pageview",
        "distinct_id": format!("0190163a-0000-7000-8000-{number:012x}"),
        "ip": "203.0.113.7", "site_url": "", "team_id": 1, "now": "2026-01-01T00:00:00.000Z",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "properties": {
            "token": "phc_bench", "$lib": "web", "$lib_version": "1.297.2",
            "$session_id": "0190163a-0000-7000-8000-000000000001", "$window_id": "0190163a-0000-7000-8000-000000000002",
            "$screen_height": 1080, "$screen_width": 1920, "$viewport_height": 900, "$viewport_width": 1600,
            "$host": "shop.example.com", "title": "Trail Jacket", "$insert_id": "k3j4h5k3j4h5",
            "$browser": "Chrome", "$browser_version": 142, "$device_type": "Desktop", "$os": "Mac OS X",
            "$current_url": format!("https://Shop.example.com/p/{number}/?utm_source=newsletter"),
            "$pathname": format!("/p/{number}"), "$referrer": "https://www.google.com/",
            "utm_source": "newsletter", "price": 129.5, "is_member": true, "tags": ["a", "b"],
        },
    })
    .to_string()
}

pub fn measure(report: &mut Report) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let written = [
        ("JavaScript that returns its event", "export function processEvent(event) { return event }", "<= 15 us"),
        (
            "JavaScript that reads one property",
            "export const processEvent = (e) => (e.properties.price > 0 ? e : null)",
            "",
        ),
        (
            "JavaScript that sets one property",
            "export function processEvent(e) { e.properties.seen = 1; return e }",
            "",
        ),
        (
            "JavaScript that spreads its event",
            "export const processEvent = (e) => ({ ...e, properties: { ...e.properties, seen: 1 } })",
            "",
        ),
    ];
    for (at, (what, code, bar)) in written.into_iter().enumerate() {
        let plugin = dir.path().join(format!("written-{at}"));
        fs::create_dir(&plugin)?;
        fs::write(plugin.join("index.ts"), code)?;
        one(report, dir.path(), what, &plugin, bar)?;
    }
    one(report, dir.path(), "sample url-normalizer (TypeScript)", Path::new("sample-plugins/url-normalizer"), "")?;
    let rust = Path::new("pipeline-core/plugins/tests/fixtures/rust-behaviours");
    one(report, dir.path(), "Rust that returns its event", rust, "<= 2 us")?;
    one(report, dir.path(), "sample rust-sessionizer", Path::new("sample-plugins/rust-sessionizer"), "")?;
    let python = dir.path().join("python");
    fs::create_dir(&python)?;
    fs::write(python.join("plugin.py"), "def process_event(event):\n    return event\n")?;
    // Python needs a tool that is not everywhere.
    if let Err(error) = one(report, dir.path(), "Python that returns its event", &python, "") {
        eprintln!("not measured: {error:#}");
    }
    Ok(())
}

fn one(report: &mut Report, cache: &Path, what: &str, plugin: &Path, bar: &str) -> anyhow::Result<()> {
    let config = HostConfig::new(cache.to_owned(), Limits::default());
    let host = PluginHost::start(config)?;
    let view = host.add(plugin)?;
    ensure!(view.state == PluginState::Live, "{what}: {:?}", view.load_error);
    let mut lane = host.lane();
    let events: Vec<String> = (0..BATCH).map(event).collect();
    let mut figures = Vec::with_capacity(BATCHES);
    for round in 0..WARM_UP + BATCHES {
        let batch = events.iter().enumerate().map(|(at, json)| BatchEvent {
            offset: at as u64,
            team_id: 1,
            uuid: Uuid::from_u128(at as u128),
            order_key: at as u64,
            json: Cow::Borrowed(json.as_str()),
        });
        let batch: Vec<_> = batch.collect();
        let before = thread_time();
        let result = lane.process_batch(batch);
        let spent = thread_time().saturating_sub(before);
        ensure!(result.events.len() == BATCH, "{what}: events are missing");
        if round >= WARM_UP {
            figures.push(spent.as_secs_f64() * 1e6 / BATCH as f64);
        }
    }
    drop(lane);
    host.shutdown();
    figures.sort_by(f64::total_cmp);
    let measured = format!(
        "{:.1} us an event (median of batches of {BATCH}; p90 {:.1} us)",
        figures[figures.len() / 2],
        figures[figures.len() * 9 / 10]
    );
    report.add(&format!("plugin overhead: {what}"), measured, bar);
    Ok(())
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
