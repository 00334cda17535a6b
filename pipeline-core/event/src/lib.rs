//! The vocabulary of the pipeline: types that cross a stage boundary and the pure rules on them.
//!
//! Nothing here does I/O, starts a thread or knows another crate of Weir. What is written to one of
//! the two logs is defined here ([`intake`], [`journal`]), so the on-disk contract is in one place.

mod calendar;
pub mod clock;
pub mod element_chain;
pub mod elements;
pub mod ids;
pub mod intake;
pub mod iso8601;
pub mod journal;
pub mod js;
pub mod js_date;
mod js_date_fields;
mod js_date_tokens;
pub mod normalize;
pub mod ordering;
pub mod outcome;
pub mod place;
pub mod prepare;
pub mod queue;
pub mod random;
pub mod sabotage;
pub mod schedule;
pub mod stored;
pub mod suggestion;
pub mod time;

pub use clock::{Clock, ManualClock, SystemClock};
pub use ids::ProjectId;
pub use ordering::Ordering;
pub use outcome::Outcome;
pub use random::{Random, SeededRandom};
pub use stored::StoredEvent;
