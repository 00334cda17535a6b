//! The ledger by time, and the events behind each of its numbers.

use serde::{Deserialize, Serialize};

use crate::ledger::Ledger;

/// Windows of the ledger, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowsRequest {
    /// Seconds, a multiple of 10, which it is without.
    #[serde(default)]
    pub length_s: Option<u32>,
    /// Windows at most: 60 without, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only those that start before: the `from_ms` of the oldest of an answer asks for the ones before it.
    #[serde(default)]
    pub before_ms: Option<i64>,
}

/// An event counts in the window in which its request was received, whenever its outcome came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Windows {
    pub length_s: u32,
    pub windows: Vec<LedgerWindow>,
    /// Events that wait so far behind that nobody has looked yet when they were received; they are in no window.
    pub unread: u64,
    /// There are older windows.
    pub has_older: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerWindow {
    pub from_ms: i64,
    pub until_ms: i64,
    #[serde(flatten)]
    pub ledger: Ledger,
}

/// A number of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    Received,
    Emitted,
    Stored,
    Dropped,
    Rejected,
    DeadLettered,
    Deduplicated,
    InFlight,
}

impl Term {
    pub const ALL: [Self; 8] = [
        Self::Received,
        Self::Emitted,
        Self::Stored,
        Self::Dropped,
        Self::Rejected,
        Self::DeadLettered,
        Self::Deduplicated,
        Self::InFlight,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Emitted => "emitted",
            Self::Stored => "stored",
            Self::Dropped => "dropped",
            Self::Rejected => "rejected",
            Self::DeadLettered => "dead_lettered",
            Self::Deduplicated => "deduplicated",
            Self::InFlight => "in_flight",
        }
    }

    pub const fn of(self, ledger: &Ledger) -> u64 {
        match self {
            Self::Received => ledger.received,
            Self::Emitted => ledger.emitted,
            Self::Stored => ledger.stored,
            Self::Dropped => ledger.dropped,
            Self::Rejected => ledger.rejected,
            Self::DeadLettered => ledger.dead_lettered,
            Self::Deduplicated => ledger.deduplicated,
            Self::InFlight => ledger.in_flight,
        }
    }
}

/// The events that a number of the ledger counts, in the order of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerEventsRequest {
    pub term: Term,
    /// Of windows that start at this time or later; with `until_ms`. Without both: of all time.
    #[serde(default)]
    pub from_ms: Option<i64>,
    /// Of windows that start earlier.
    #[serde(default)]
    pub until_ms: Option<i64>,
    /// From this offset on: the `next` of the answer before.
    #[serde(default)]
    pub after: Option<u64>,
    /// Events at most, but for those of one request: 100 without, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerEvents {
    pub events: Vec<LedgerEvent>,
    /// Where to go on; absent at the end. An answer without events may have one: it has looked at as many events as one
    /// answer may.
    pub next: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerEvent {
    /// Its place in the intake log, or that of the event it was made of.
    pub offset: u64,
    /// How many events this line stands for: refusals of one rule are kept as a number.
    pub count: u64,
    /// Empty for refusals.
    pub uuid: String,
    pub event: String,
    pub distinct_id: String,
    pub received_at_ms: i64,
    pub outcome: String,
    pub reason: String,
    /// Made by a plugin, not sent by a client.
    pub is_emitted: bool,
}
