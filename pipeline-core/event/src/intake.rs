//! The payload of a record in the intake log: one accepted request, or a count of refused events.
//!
//! On disk a payload is one version byte followed by the [postcard] form of [`IntakeRecord`]. A new
//! field is a new version; the reader keeps the old ones.
//!
//! [postcard]: https://postcard.jamesmunns.com/wire-format

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::UnixMillis;

/// The version byte that leads a payload.
pub const INTAKE_VERSION: u8 = 1;

/// What one HTTP request left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeRecord {
    /// Server time when the request was read; the `now` of the timestamp rules.
    pub received_at_ms: UnixMillis,
    /// The project token, as sent.
    pub token: String,
    /// Client address without port; empty when unknown.
    pub ip: String,
    /// `scheme://host` the client addressed.
    pub site_url: String,
    /// The request's `sent_at`, as sent.
    pub sent_at: Option<String>,
    pub body: IntakeBody,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum IntakeBody {
    Events(Vec<CapturedEvent>),
    /// Refusals of one rule within about a second, so that a flood of bad requests costs a few
    /// bytes and still shows in the ledger. Each counts as one offset.
    EdgeRejections {
        rule: String,
        count: u32,
        example: String,
    },
}

impl IntakeRecord {
    /// How many offsets of the intake log this record takes.
    pub fn event_count(&self) -> u32 {
        match &self.body {
            IntakeBody::Events(events) => events.len() as u32,
            IntakeBody::EdgeRejections { count, .. } => *count,
        }
    }
}

/// One event as the client sent it, plus what capture already worked out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedEvent {
    pub uuid: Uuid,
    /// The client chose the uuid, so that a retry can be recognised by it.
    pub client_uuid: bool,
    /// At most 200 characters.
    pub distinct_id: String,
    /// The event object, byte for byte.
    pub data: String,
}
