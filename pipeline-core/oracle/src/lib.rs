//! A second opinion: what the store must hold after a list of capture requests.
//!
//! The pipeline is fast, durable and spread over stages; each of those is a place where a rule can go wrong unseen,
//! because its tests were written by whoever read the rule the same way. This crate reads the specification again and
//! computes the answer the plain way: one request after the other, everything in maps, cloned where that is clearer.
//! A harness sends the same bytes to both and compares. Where they differ, one of them has misread the specification,
//! or the specification is silent.
//!
//! So that the two cannot err together, this crate shares no rule with the pipeline. From `weir-event` it takes types
//! and the format of derived ids, and nothing of how requests are decoded, events normalised or times computed.
//!
//! The files follow a request: [`request`] and `decode` find the JSON, `json_text` repairs it, `event` (with `token`) takes it
//! apart and checks it, `prepare` does what concerns one event alone (with `normal`, `time`, `merge`, `elements`), and then
//! either `arrival` and `groups` or `event_time` decide who is who. `cases/` holds the specification's tables as data
//! that the tests of both sides run.
//!
//! What it does not do: it stores nothing and answers no `/decide`; it has no plugins but the [`Twin`]s it is given; it
//! keeps no tombstones, dead letters or journal; it knows neither rate limits nor failures. Uuids that capture draws
//! cannot be known, so that they are absent here, and in event-time mode histories to be compared should bring their own.

mod arrival;
mod decode;
mod elements;
mod event;
mod event_time;
pub mod expected;
mod groups;
mod iso;
mod javascript;
mod js_date;
mod js_tokens;
mod json_text;
mod logged;
mod merge;
mod normal;
mod nul;
mod oracle;
mod prepare;
mod refusal;
pub mod request;
mod same;
mod time;
mod token;
pub mod twins;

pub use expected::{
    Expected, ExpectedDistinctId, ExpectedEvent, ExpectedGroup, ExpectedGroupColumn, ExpectedPerson, ExpectedProject,
    ExpectedWarning,
};
pub use logged::{Judged, Logged, PersonChanges, Plugins, Said};
pub use oracle::{Oracle, Ordering, Twin};
pub use request::{Answer, RawRequest};
pub use same::{canonical_json, same_json, same_map};
