//! What is true of a stream, request by request: for who wants to know whether a pipeline is right.
//!
//! A request's truth says everything about it that the request itself does not show: which of its events were
//! intended, whose they really are, when they really happened, what was done to them on the way, how the request must
//! be answered and what must become of each event. It refers backwards only, by offset, so that it can be consumed
//! with the stream, one request at a time.
//!
//! The fates are those of a pipeline without plugins that orders by arrival and is given the requests in order. What
//! must be *in* the store (persons, properties, corrected times) follows from the requests themselves; whose events
//! they truly were does not, which is why it is here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use weir_event::clock::UnixMillis;

use crate::knobs::MessSet;

/// A real person (or program) of the story, whatever ids they appear under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(u64);

impl PersonId {
    pub(crate) const fn of(number: u64) -> Self {
        Self(number)
    }

    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What must become of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    Stored,
    /// With its request.
    Rejected,
    /// The same event, payload and all, was accepted at that offset.
    Duplicate {
        of: u64,
    },
    /// An event of this uuid with another payload was accepted at that offset.
    Conflicting {
        of: u64,
    },
}

/// One event of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventTruth {
    /// Its place in the stream, from 0; every sending has one.
    pub offset: u64,
    /// What was meant to be sent: repetitions share this number.
    pub intended: u64,
    pub uuid: Uuid,
    pub event: Arc<str>,
    /// The id that it is sent under.
    pub distinct_id: Arc<str>,
    /// Whose it really is.
    pub person: PersonId,
    /// When it really happened.
    pub true_ms: UnixMillis,
    /// When its client says that it happened. `timestamp_ms - sent_at_ms` is what a pipeline can correct by.
    pub timestamp_ms: UnixMillis,
    pub mess: MessSet,
    #[serde(flatten)]
    pub fate: Fate,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestTruth {
    /// When it is due, in millionths of an event: at a rate of `r` events a second it is sent `due / r` microseconds
    /// after the stream's start.
    pub due: u64,
    /// When it is really sent.
    pub true_sent_ms: UnixMillis,
    /// The same by the client's clock, which is what the request says.
    pub sent_at_ms: UnixMillis,
    /// What was done to the request as a whole.
    pub mess: MessSet,
    pub status: u16,
    /// The ledger's name of the rule that refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Cow<'static, str>>,
    /// Events that the ledger counts as received: of a body that nobody can read it is one.
    pub counted: u64,
    pub events: Vec<EventTruth>,
}

impl RequestTruth {
    pub const fn is_accepted(&self) -> bool {
        self.status == 200
    }
}

/// Sums over requests, as the ledger has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub requests: u64,
    pub received: u64,
    pub stored: u64,
    pub rejected: u64,
    pub deduplicated: u64,
    /// Of the deduplicated: same uuid, another payload.
    pub conflicting: u64,
    /// Refused requests by rule.
    pub refusals: BTreeMap<String, u64>,
    /// Events by what was done to them or to their request.
    pub mess: BTreeMap<String, u64>,
}

impl Tally {
    pub fn add(&mut self, truth: &RequestTruth) {
        self.requests += 1;
        self.received += truth.counted;
        if let Some(rule) = &truth.rule {
            self.rejected += truth.counted;
            *self.refusals.entry(rule.to_string()).or_default() += 1;
        }
        for event in &truth.events {
            match event.fate {
                Fate::Stored => self.stored += 1,
                Fate::Rejected => {}
                Fate::Duplicate { .. } => self.deduplicated += 1,
                Fate::Conflicting { .. } => {
                    self.deduplicated += 1;
                    self.conflicting += 1;
                }
            }
            for mess in event.mess.iter().chain(truth.mess.iter().filter(|mess| !event.mess.has(*mess))) {
                *self.mess.entry(mess.as_str().to_owned()).or_default() += 1;
            }
        }
    }
}
