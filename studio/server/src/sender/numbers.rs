//! What was sent, and how it was answered.

use std::time::Duration;

use hdrhistogram::Histogram;
use pipeline_core::generator::truth::{RequestTruth, Tally};

/// Sent later than this after it was due, a request is late.
const LATE: Duration = Duration::from_millis(50);
const LONGEST_US: u64 = 3_600_000_000;

#[derive(Debug)]
pub struct Numbers {
    /// What is true of everything that was sent.
    pub tally: Tally,
    pub events: u64,
    /// Without an answer, or with one that asks to come again.
    pub failed: u64,
    pub unexpected: u64,
    /// The first of each.
    pub failure: Option<String>,
    pub surprise: Option<String>,
    pub late: u64,
    latency_us: Histogram<u64>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            tally: Tally::default(),
            events: 0,
            failed: 0,
            unexpected: 0,
            failure: None,
            surprise: None,
            late: 0,
            latency_us: Histogram::new_with_max(LONGEST_US, 3).expect("an hour fits"),
        }
    }
}

impl Numbers {
    /// The answer is a status with its text, or why there is none.
    pub fn add(
        &mut self,
        truth: &RequestTruth,
        answer: &Result<(u16, String), String>,
        latency: Duration,
        late: Option<Duration>,
    ) {
        self.events += truth.events.len() as u64;
        self.tally.add(truth);
        self.late += u64::from(late.is_some_and(|late| late > LATE));
        self.latency_us.saturating_record(latency.as_micros() as u64);
        match answer {
            Ok((status, _)) if *status == truth.status => {}
            Ok((status @ (429 | 502 | 503 | 504), said)) => {
                self.failed += 1;
                self.failure.get_or_insert_with(|| format!("{status}: {said}"));
            }
            Ok((status, said)) => {
                self.unexpected += 1;
                self.surprise.get_or_insert_with(|| {
                    let rule = truth.rule.as_deref().map(|rule| format!(" ({rule})")).unwrap_or_default();
                    format!("answered {status} ({said}) where {}{rule} is right", truth.status)
                });
            }
            Err(error) => {
                self.failed += 1;
                self.failure.get_or_insert_with(|| error.clone());
            }
        }
    }

    /// p50, p99 and the longest, in milliseconds.
    pub fn latency_ms(&self) -> [f64; 3] {
        let of = |us: u64| us as f64 / 1_000.0;
        let at = |quantile| of(self.latency_us.value_at_quantile(quantile));
        [at(0.5), at(0.99), of(self.latency_us.max())]
    }
}
