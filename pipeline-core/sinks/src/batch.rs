//! What a sink is given, and what it may answer.

use std::time::Duration;

use weir_event::StoredEvent;

use crate::stop::Stop;

/// Stored events of whole offsets, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Names the sink and the offsets. A batch that is sent again, also after a crash, has the same key
    /// and the same events.
    pub key: String,
    pub first_offset: u64,
    /// Not included.
    pub until_offset: u64,
    pub events: Vec<StoredEvent>,
}

/// When a batch is large enough or has waited long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    pub max_events: usize,
    pub max_bytes: usize,
    /// How long the first event may wait for others.
    pub linger: Duration,
}

impl Batching {
    /// What is there goes out at once.
    pub const fn prompt(max_events: usize, max_bytes: usize) -> Self {
        Self { max_events, max_bytes, linger: Duration::ZERO }
    }
}

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// The destination has the batch, durably, but for what is listed.
    Delivered { rejected: Vec<Rejected> },
    /// Not now. `after` is what the destination asked for; the feed backs off by itself without it.
    Retry { after: Option<Duration>, reason: String },
    /// Never: the batch is given up.
    Failed { reason: String },
}

impl Delivery {
    pub const fn delivered() -> Self {
        Self::Delivered { rejected: Vec::new() }
    }

    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry { after: None, reason: reason.into() }
    }
}

/// Events of a batch that the destination will never take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub first_offset: u64,
    /// Not included.
    pub until_offset: u64,
    pub events: u64,
    pub attempts: u32,
    pub reason: String,
}

/// A destination. Lives on the thread of its [`crate::Feed`].
pub trait Sink: Send {
    fn batching(&self) -> Batching;

    /// False while it cannot take anything for a reason that is not a failure.
    fn is_ready(&mut self) -> bool {
        true
    }

    /// Whether a batch that did not work may be tried again before its pause is over: what was in the way is gone.
    fn is_worth_another_try(&mut self) -> bool {
        false
    }

    /// Takes a batch. It must be safe to be given a batch again, whole or in part taken before. Ends
    /// soon after `stop` is said.
    fn deliver(&mut self, batch: &Batch, stop: &Stop) -> Delivery;
}
