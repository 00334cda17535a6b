//! Sinks: where stored events go next.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SinksRequest {}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SinkList {
    pub sinks: Vec<SinkView>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SinkAdd {
    /// `jsonl`, `parquet` or `http`.
    pub kind: String,
    /// Absolute path of a directory, or an `http://` URL.
    pub target: String,
    /// The kind, made unique, when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Send what is stored already, too.
    #[serde(default)]
    pub from_start: bool,
    /// Deliveries tried before a batch is given up; for ever when absent.
    #[serde(default)]
    pub max_attempts: Option<u32>,
}

/// Sends stored events once more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SinkReplay {
    pub name: String,
    /// From the first event whose timestamp is at or after this, milliseconds since the Unix epoch; from the
    /// start when absent. Everything that was stored after it goes out again, in order, and then what is new.
    #[serde(default)]
    pub from_ms: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SinkRemove {
    pub name: String,
}

/// What a sink is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkState {
    /// Nothing is pending, or a batch is being gathered.
    #[default]
    Idle,
    Delivering,
    /// The newest delivery did not work; it is tried again.
    Retrying,
    /// Its plugin is not live.
    Waiting,
    /// It ended by itself; `last_error` says why. What is pending is sent after a restart.
    Stopped,
}

impl SinkState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Delivering => "delivering",
            Self::Retrying => "retrying",
            Self::Waiting => "waiting",
            Self::Stopped => "stopped",
        }
    }

    /// What it tried last did not work, or it ended by itself.
    pub const fn is_stuck(self) -> bool {
        matches!(self, Self::Retrying | Self::Stopped)
    }
}

/// A sink and its ledger: `delivered + failed + pending` are the stored events from `start` on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SinkView {
    pub name: String,
    /// `jsonl`, `parquet`, `http`, `plugin_on_event` or `plugin_export_events`.
    pub kind: String,
    /// A directory, a URL or the id of a plugin.
    pub target: String,
    pub state: SinkState,
    /// First intake offset that it is sent.
    pub start: u64,
    /// Everything before this offset is delivered or given up.
    pub offset: u64,
    /// Events.
    pub delivered: u64,
    /// Events given up; `sink_failures` in the store names them.
    pub failed: u64,
    /// Deliveries that were tried again.
    pub retried: u64,
    /// Stored events beyond the cursor, counted in the store; `None` while it cannot be asked.
    pub pending: Option<u64>,
    /// Deliveries of the batch in hand that did not work.
    pub attempts: u32,
    /// When the next is due.
    pub retry_at_ms: Option<i64>,
    pub last_error: Option<String>,
}
