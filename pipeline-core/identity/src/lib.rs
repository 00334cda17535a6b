//! Persons: which person an event belongs to, and what that person is like after it.
//!
//! # What it guarantees
//!
//! * The rules are PostHog's of December 2022 for the `arrival` mode: events are applied in the order
//!   of the log, one at a time.
//! * It is a pure state machine. No clock, no randomness, no I/O: a rebuild from the logs gives the
//!   same persons with the same uuids.
//! * Every change of a person or of an id's owner comes out as a row with a higher `version`; the newest
//!   row of a key is its current state, so the store only ever appends.
//!
//! # What it does not do
//!
//! It does not hold events, and does not forget: the state is one entry per person and per distinct id.

mod apply;
mod merge;
mod state;

pub use apply::{IdentityEvent, Outcome, Warning};
pub use state::{DistinctIdRow, Identity, PersonRow};
