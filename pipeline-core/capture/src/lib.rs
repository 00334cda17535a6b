//! The edge: HTTP requests of PostHog clients become intake records.
//!
//! A request is read ([`body`]), unpacked to events ([`payload`]), handed to the intake as one record,
//! and answered only when the intake says that the record is durable. A refused request leaves a
//! counted trace ([`rejections`]), so that the ledger can show it.
//!
//! This port is write-only and open to every origin: it can add events and tells nothing.

mod body;
mod error;
mod intake;
mod payload;
mod rejections;
mod router;

pub use error::CaptureError;
pub use intake::{Intake, IntakeFuture, IntakeRefusal};
pub use payload::{Payload, RequestFacts, unpack};
pub use rejections::EdgeRejections;
pub use router::{CaptureDeps, Limits, router};
