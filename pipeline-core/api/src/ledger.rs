//! The ledger as the world sees it.

use serde::{Deserialize, Serialize};

use crate::alert::Alert;
use crate::plugin::PluginView;
use crate::sink::SinkView;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StatusRequest {}

/// Every event that came in, and where it is. All terms are read at one moment.
///
/// `received + emitted = stored + dropped + rejected + dead_lettered + deduplicated + in_flight`;
/// `unexplained` is the difference, and anything but zero is an alarm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    pub received: u64,
    pub emitted: u64,
    pub stored: u64,
    pub dropped: u64,
    pub rejected: u64,
    pub dead_lettered: u64,
    pub deduplicated: u64,
    /// Counted by the queues and by the stages for what they hold, never by subtraction.
    pub in_flight: u64,
    pub unexplained: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    #[serde(flatten)]
    pub ledger: Ledger,
    /// Of the deduplicated: same uuid with another payload.
    pub conflicting_duplicates: u64,
    /// Accepted-to-returned-by-SQL of the newest canary, milliseconds; `None` before the first.
    pub queryable_lag_ms: Option<f64>,
    pub plugins: Vec<PluginView>,
    #[serde(default)]
    pub sinks: Vec<SinkView>,
    /// What is firing, the newest first.
    #[serde(default)]
    pub alerts: Vec<Alert>,
    /// What start-up found and repaired, newest last.
    pub recovery: Vec<String>,
    /// `ready`, or what the store is doing (`rebuilding`, `catching up`).
    pub store_state: String,
    /// How identity orders events: `arrival` or `event-time`.
    pub ordering: String,
    pub version: String,
    pub uptime_s: f64,
    /// The process's resident memory.
    pub resident_bytes: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditRequest {}

/// A recount of the logs against the store, over the offsets the store has committed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Intake offsets `0..through_offset` were recounted.
    pub through_offset: u64,
    /// Events found in the intake log in that range.
    pub intake_events: u64,
    /// Outcomes the journal gives them.
    pub journal: Ledger,
    /// Outcomes the store committed for them.
    pub store: Ledger,
    /// Rows the store's `events` view returns.
    pub event_rows: u64,
    /// Each difference in one sentence; empty when everything agrees.
    pub differences: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DigestRequest {}

/// One digest per table of the current state; equal content gives an equal digest in any row order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    pub tables: Vec<TableDigest>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TableDigest {
    pub table: String,
    pub rows: u64,
    pub digest: String,
}
