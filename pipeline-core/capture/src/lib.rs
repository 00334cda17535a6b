//! The edge: HTTP requests of PostHog clients become intake records.
//!
//! A request is taken off the wire ([`reading`]), unpacked to JSON ([`body`]: [`form`], [`inflate`],
//! [`lz_string`]), looked over once ([`scan`]), split into events ([`payload`], [`strict`]: [`fields`], [`token`]),
//! handed to the intake ([`accept`]), and answered only when the intake says that it is durable. A
//! refused request leaves a counted trace ([`rejections`]), so that the ledger can show it. Projects
//! share what there is fairly ([`share`]).
//!
//! This port is write-only and open to every origin ([`cors`]): it can add events and tells nothing.
//! What client libraries ask for besides is answered with nothing, in the right shapes ([`stubs`]).

mod accept;
mod body;
mod cors;
mod error;
mod fields;
mod form;
mod inflate;
mod intake;
mod lz_string;
mod payload;
mod query;
mod reading;
mod rejections;
mod router;
mod scan;
mod share;
mod strict;
mod stubs;
mod token;
mod unpacking;

pub use error::{CaptureError, Refusal};
pub use intake::{Intake, IntakeFuture, IntakeRefusal};
pub use payload::{RequestFacts, unpack};
pub use rejections::EdgeRejections;
pub use router::{CaptureDeps, Limits, router};
