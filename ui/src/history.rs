//! What the charts draw: one row a frame, for the last [`SPAN_S`] seconds.

use weir_api::live::{LiveFrame, StageView};

use crate::ring::Ring;

pub const SPAN_S: usize = 180;
const FRAMES_PER_SECOND: usize = 5;

/// Stages in the order of the chart's series.
pub const STAGES: [&str; 6] = ["capture", "intake", "plugins", "journal", "identity", "store"];

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub at_s: f64,
    pub received: f64,
    pub stored: f64,
    pub dropped: f64,
    /// NaN before the first canary.
    pub queryable_ms: f64,
    pub stage_p99_ms: [f64; STAGES.len()],
}

#[derive(Debug, Clone)]
pub struct History {
    samples: Ring<Sample>,
}

impl Default for History {
    fn default() -> Self {
        Self { samples: Ring::new(SPAN_S * FRAMES_PER_SECOND) }
    }
}

impl History {
    pub fn push(&mut self, frame: &LiveFrame) {
        let sample = Sample::of(frame);
        // A restarted server or a set-back clock would draw the line backwards.
        if self.samples.newest().is_some_and(|newest| newest.at_s >= sample.at_s) {
            self.samples.clear();
        }
        self.samples.push(sample);
    }

    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Columns one after the other: time, received, stored, dropped.
    pub fn throughput(&self) -> Vec<f64> {
        self.columns(&[|s| s.at_s, |s| s.received, |s| s.stored, |s| s.dropped])
    }

    /// Columns one after the other: time, queryable, then p99 of every stage.
    pub fn lag(&self) -> Vec<f64> {
        let mut out = self.columns(&[|s| s.at_s, |s| positive(s.queryable_ms)]);
        for stage in 0..STAGES.len() {
            out.extend(self.samples.oldest_first().map(|s| positive(s.stage_p99_ms[stage])));
        }
        out
    }

    /// The newest `count` values of one column, for a sparkline.
    pub fn tail(&self, count: usize, column: fn(&Sample) -> f64) -> Vec<f64> {
        let skip = self.samples.len().saturating_sub(count);
        self.samples.oldest_first().skip(skip).map(column).collect()
    }

    fn columns(&self, columns: &[fn(&Sample) -> f64]) -> Vec<f64> {
        columns.iter().flat_map(|column| self.samples.oldest_first().map(column)).collect()
    }
}

impl Sample {
    fn of(frame: &LiveFrame) -> Self {
        let p99 = |id: &str| {
            let found = frame.stages.iter().find(|stage: &&StageView| stage.id == id);
            found.map_or(f64::NAN, |stage| stage.p99_ms)
        };
        Self {
            at_s: frame.at_ms as f64 / 1e3,
            received: frame.rates.received,
            stored: frame.rates.stored,
            dropped: frame.rates.dropped,
            queryable_ms: frame.queryable_lag_ms.unwrap_or(f64::NAN),
            stage_p99_ms: STAGES.map(p99),
        }
    }
}

/// The lag chart is logarithmic: zero has no place on it and becomes a gap.
fn positive(value: f64) -> f64 {
    if value > 0.0 { value } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_api::live::Rates;

    fn frame(at_ms: i64, received: f64) -> LiveFrame {
        LiveFrame {
            at_ms,
            rates: Rates { received, ..Rates::default() },
            stages: vec![StageView { id: "store".into(), p99_ms: 7.0, ..StageView::default() }],
            ..LiveFrame::default()
        }
    }

    #[test]
    fn columns_follow_each_other() {
        let mut history = History::default();
        history.push(&frame(1_000, 10.0));
        history.push(&frame(1_200, 20.0));
        assert_eq!(history.throughput(), [1.0, 1.2, 10.0, 20.0, 0.0, 0.0, 0.0, 0.0]);
        let lag = history.lag();
        assert_eq!(lag.len(), (2 + STAGES.len()) * 2);
        assert_eq!(lag[lag.len() - 2..], [7.0, 7.0]);
        assert!(lag[2].is_nan(), "no canary yet");
        assert_eq!(history.tail(1, |s| s.received), [20.0]);
    }

    #[test]
    fn a_clock_that_goes_back_starts_over() {
        let mut history = History::default();
        history.push(&frame(5_000, 1.0));
        history.push(&frame(1_000, 2.0));
        assert_eq!(history.tail(9, |s| s.received), [2.0]);
    }
}
