//! The total order of events.

use uuid::Uuid;
use weir_event::clock::UnixMillis;

/// Compared field by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey {
    pub timestamp_ms: UnixMillis,
    pub uuid: Uuid,
    /// First half of the SHA-256 of the event as captured.
    pub payload: u128,
}
