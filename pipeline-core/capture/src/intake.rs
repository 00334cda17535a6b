//! What capture needs of the log behind it.

use std::pin::Pin;

use weir_event::intake::IntakeRecord;

pub type IntakeFuture<'a> = Pin<Box<dyn Future<Output = Result<(), IntakeRefusal>> + Send + 'a>>;

/// The durable queue that capture feeds.
pub trait Intake: Send + Sync + 'static {
    /// Completes when the record is durable.
    fn append(&self, record: IntakeRecord) -> IntakeFuture<'_>;

    /// Whether a new record would be accepted now: checked before a body is read.
    fn check(&self) -> Result<(), IntakeRefusal>;
}

/// Why the intake does not take a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntakeRefusal {
    #[error("the disk is nearly full: {free_bytes} bytes free, {reserve_bytes} are kept in reserve")]
    DiskReserve { free_bytes: u64, reserve_bytes: u64 },
    #[error("{message}")]
    Log { message: String },
    #[error("a record of this size does not fit the log")]
    TooLarge,
}
