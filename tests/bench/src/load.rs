//! Events that are ready before the clock starts, so that making them is not measured.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use pipeline_core::generator::{BUILT_IN, MessRates, Request, SentEvent, Stream};

/// Request bodies of `batch` events each.
pub fn bodies(seed: u64, events: usize, batch: usize) -> Vec<Vec<u8>> {
    let events: Vec<String> = shop(seed, events).map(|event| event.json()).collect();
    let body = |batch: &[String]| format!("{{\"api_key\":\"phc_bench\",\"batch\":[{}]}}", batch.join(",")).into_bytes();
    events.chunks_exact(batch).map(body).collect()
}

/// Events of the web shop on a day without mess: each is new, and each is stored.
pub fn shop(seed: u64, events: usize) -> impl Iterator<Item = SentEvent<'static>> {
    let mut scenario = BUILT_IN[0].scenario();
    scenario.mess = MessRates::default();
    Stream::new(Arc::new(scenario), seed).events(events as u64).flat_map(Request::into_events)
}

/// Sends until the bodies are used up or the time is over; events acked.
pub fn closed_loop(capture: &str, bodies: Vec<Vec<u8>>, batch: usize, connections: usize, time: Duration) -> u64 {
    let (bodies, next, acked) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
    let deadline = Instant::now() + time;
    let senders: Vec<_> = (0..connections)
        .filter_map(|_| {
            let (bodies, next, acked) = (Arc::clone(&bodies), Arc::clone(&next), Arc::clone(&acked));
            let url = format!("{capture}/batch/");
            thread::Builder::new()
                .name("load".into())
                .spawn(move || {
                    let Ok(http) = reqwest::blocking::Client::builder().no_proxy().build() else { return };
                    while Instant::now() < deadline {
                        let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                        let sent = http.post(&url).body(body.clone()).send();
                        if sent.is_ok_and(|response| response.status().is_success()) {
                            acked.fetch_add(batch as u64, Ordering::Relaxed);
                        }
                    }
                })
                .ok()
        })
        .collect();
    senders.into_iter().for_each(|sender| drop(sender.join()));
    acked.load(Ordering::Relaxed)
}

/// Sends at a fixed pace whatever the answers; times are from when a request was due, so that a stall
/// is not hidden by the requests it held back.
pub fn open_loop(
    capture: &str,
    bodies: Vec<Vec<u8>>,
    batch: usize,
    connections: usize,
    events_per_second: f64,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<Histogram<u64>> {
    let bodies = Arc::new(bodies);
    let next = Arc::new(AtomicUsize::new(0));
    let times = Arc::new(Mutex::new(Histogram::<u64>::new(3)?));
    let interval = Duration::from_secs_f64(batch as f64 / events_per_second);
    let started = Instant::now();
    let senders: Vec<_> = (0..connections)
        .filter_map(|_| {
            let (bodies, next, times, stop) =
                (Arc::clone(&bodies), Arc::clone(&next), Arc::clone(&times), Arc::clone(stop));
            let url = format!("{capture}/batch/");
            thread::Builder::new()
                .name("load".into())
                .spawn(move || {
                    let Ok(http) = reqwest::blocking::Client::builder().no_proxy().build() else { return };
                    while !stop.load(Ordering::Relaxed) {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(body) = bodies.get(index) else { return };
                        let due = started + interval * index as u32;
                        thread::sleep(due.saturating_duration_since(Instant::now()));
                        if http.post(&url).body(body.clone()).send().is_ok_and(|answer| answer.status().is_success())
                            && let Ok(mut times) = times.lock()
                        {
                            times.saturating_record(due.elapsed().as_micros() as u64);
                        }
                    }
                })
                .ok()
        })
        .collect();
    senders.into_iter().for_each(|sender| drop(sender.join()));
    let times = times.lock().map_err(|_| anyhow::anyhow!("a sender panicked"))?.clone();
    Ok(times)
}
