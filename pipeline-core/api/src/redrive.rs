//! Dead letters, once more.

use serde::{Deserialize, Serialize};

/// Which letters; all that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RedriveRequest {
    #[serde(default)]
    pub project: Option<u32>,
    /// Name of the event.
    #[serde(default)]
    pub event: Option<String>,
    /// A part of the error.
    #[serde(default)]
    pub reason: Option<String>,
    /// How many letters to move, the oldest first: the number that was counted. Without it they are only
    /// counted.
    #[serde(default)]
    pub confirm: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redrive {
    /// Letters that fit.
    pub matched: u64,
    /// Whether they were moved; the rest is zero if not.
    pub redriven: bool,
    pub stored: u64,
    pub dropped: u64,
    pub deduplicated: u64,
    /// Failed again, with a new reason.
    pub dead_lettered: u64,
}
