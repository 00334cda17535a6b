//! Persons and groups: which person an event belongs to, and what that person is like after it.
//!
//! # What it guarantees
//!
//! * [`Arrival`]: PostHog's rules of December 2022; events are applied in the order of the log, one at
//!   a time.
//! * [`EventTime`]: the order of arrival does not matter.
//! * It is a pure state machine. No clock, no randomness, no I/O: a rebuild from the logs gives the
//!   same persons with the same uuids.
//! * Every change of a person, of an id's owner or of a group comes out as a row with a higher
//!   `version`; the newest row of a key is its current state, so the store only ever appends.
//!
//! # What it does not do
//!
//! It does not hold events, and does not forget: the state is one entry per person, distinct id and
//! group. A million persons are meant to fit a laptop beside everything else, which is why their
//! properties are kept packed ([`properties`]) and their ids in one arena ([`people`]).

mod arrival;
mod event;
mod event_time;
mod groups;
mod merge;
mod people;
mod properties;
mod rows;

pub use arrival::Arrival;
pub use event::{IdentityEvent, Outcome, PersonMode};
pub use event_time::{Arrived, EventTime};
pub use merge::is_illegal;
pub use people::{KnownId, KnownPerson, Restoring};
pub use rows::{Changes, DistinctIdRow, GroupRow, GroupSnapshot, GroupTypeRow, PersonRow};
