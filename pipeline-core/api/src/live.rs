//! The frames of `GET /api/live` (WebSocket): one JSON text message every 200 ms.
//!
//! A frame is complete but for `events`, which holds only what is new. A client that falls behind
//! loses frames, never blocks the pipeline, and sees how many events it missed.

use serde::{Deserialize, Serialize};

use crate::{
    alert::Alert, event::EventSummary, fault::ActiveFault, ledger::Ledger, plugin::PluginView, sink::SinkView,
};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LiveFrame {
    pub sequence: u64,
    pub at_ms: i64,
    pub ledger: Ledger,
    pub rates: Rates,
    /// Newest canary: accepted to returned by SQL, milliseconds.
    pub queryable_lag_ms: Option<f64>,
    /// Where the time goes, in pipeline order.
    pub stages: Vec<StageView>,
    pub plugins: Vec<PluginView>,
    #[serde(default)]
    pub sinks: Vec<SinkView>,
    pub demo: DemoState,
    /// What the oracle has found that is wrong.
    #[serde(default)]
    pub oracle_mismatches: u64,
    /// What is being made to go wrong on purpose.
    #[serde(default)]
    pub faults: Vec<ActiveFault>,
    /// What is firing, the newest first.
    #[serde(default)]
    pub alerts: Vec<Alert>,
    /// SQL checks that return rows or cannot run.
    #[serde(default)]
    pub checks_failing: u64,
    /// Newest events, oldest first; a sample when the stream is fast.
    pub events: Vec<EventSummary>,
    /// Events since the last frame that are not in `events`.
    pub events_skipped: u64,
    pub store_state: String,
    /// `arrival` or `event-time`.
    pub ordering: String,
    /// `false` when capture refuses (disk reserve, failed fsync); `capture_problem` says why.
    pub accepting: bool,
    pub capture_problem: Option<String>,
    pub disk_free_bytes: u64,
    pub resident_bytes: u64,
}

/// Per second, over the last second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    pub received: f64,
    pub stored: f64,
    pub dropped: f64,
    pub rejected: f64,
    pub dead_lettered: f64,
    pub deduplicated: f64,
    pub errors: f64,
}

/// One box of the pipeline graph.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StageView {
    /// `capture`, `intake`, `plugins`, `journal`, `identity`, `store`.
    pub id: String,
    pub label: String,
    /// Events waiting for or inside this stage now.
    pub in_flight: u64,
    /// Events that left this stage in the last second.
    pub per_second: f64,
    /// Time spent here over the last seconds, milliseconds.
    pub p50_ms: f64,
    pub p99_ms: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct DemoRequest {
    /// `None` leaves it as it is.
    #[serde(default)]
    pub running: Option<bool>,
    /// Events a second, 1 to 20,000; `None` leaves it as it is.
    #[serde(default)]
    pub events_per_second: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct DemoState {
    pub running: bool,
    pub events_per_second: u32,
    pub seed: u64,
    pub sent: u64,
    /// Requests without an answer, or with another than they had to have.
    pub failed: u64,
}
