//! The demo stream: the generator's shop, sent to the capture port over HTTP like any client's events.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pipeline_core::api::live::{DemoRequest, DemoState};
use pipeline_core::api::{ApiError, ErrorCode};
use pipeline_core::event::Clock;
use pipeline_core::flow::DemoControl;
use pipeline_core::generator::Shop;
use tokio::sync::watch;

const TICK: Duration = Duration::from_millis(50);
const FASTEST: u32 = 20_000;
/// Events of one request; a faster stream sends more requests.
const REQUEST_EVENTS: usize = 250;
const TOKEN: &str = "phc_weir_demo_shop";

#[derive(Debug)]
pub struct Demo {
    running: AtomicBool,
    events_per_second: AtomicU32,
    seed: u64,
    sent: AtomicU64,
    failed: AtomicU64,
}

impl Demo {
    pub fn new(seed: u64, running: bool, events_per_second: u32) -> Self {
        Self {
            running: AtomicBool::new(running),
            events_per_second: AtomicU32::new(events_per_second),
            seed,
            sent: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    pub fn set(&self, request: DemoRequest) -> Result<(), ApiError> {
        if let Some(rate) = request.events_per_second {
            if !(1..=FASTEST).contains(&rate) {
                return Err(ApiError::new(ErrorCode::BadRequest, format!("{rate} events a second is out of range"))
                    .hint(format!("choose 1 to {FASTEST}")));
            }
            self.events_per_second.store(rate, Ordering::Relaxed);
        }
        if let Some(running) = request.running {
            self.running.store(running, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Sends until the server stops.
    pub async fn run(
        self: Arc<Self>,
        capture_url: String,
        client: reqwest::Client,
        clock: Arc<dyn Clock>,
        mut stopping: watch::Receiver<bool>,
    ) {
        let url = format!("{capture_url}/batch/");
        // Every run of one seed tells the same story, but its events must not be taken for retries of
        // the last run's, so the run's start is part of the seed.
        let mut shop = Shop::new(self.seed ^ clock.now_ms().unsigned_abs());
        let mut last = Instant::now();
        let mut owed = 0.0;
        loop {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stopping.changed() => return,
            }
            let elapsed = last.elapsed().as_secs_f64();
            last = Instant::now();
            if !self.running.load(Ordering::Relaxed) {
                owed = 0.0;
                continue;
            }
            let rate = f64::from(self.events_per_second.load(Ordering::Relaxed));
            // A stream that cannot keep up does not save up a burst.
            owed = (owed + rate * elapsed).min(rate.max(1.0));
            let mut requests = Vec::new();
            while owed >= 1.0 {
                let count = (owed as usize).min(REQUEST_EVENTS);
                owed -= count as f64;
                let events: Vec<_> = (0..count).map(|_| shop.next_event(clock.now_ms())).collect();
                let body = serde_json::json!({"api_key": TOKEN, "batch": events});
                requests.push(self.send(&client, &url, body.to_string(), count as u64));
            }
            futures_util::future::join_all(requests).await;
        }
    }

    async fn send(&self, client: &reqwest::Client, url: &str, body: String, events: u64) {
        let request = client.post(url).header("content-type", "application/json").body(body);
        let accepted = request.send().await.is_ok_and(|response| response.status().is_success());
        let count = if accepted { &self.sent } else { &self.failed };
        count.fetch_add(events, Ordering::Relaxed);
    }
}

impl DemoControl for Demo {
    fn state(&self) -> DemoState {
        DemoState {
            running: self.running.load(Ordering::Relaxed),
            events_per_second: self.events_per_second.load(Ordering::Relaxed),
            seed: self.seed,
            sent: self.sent.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}
