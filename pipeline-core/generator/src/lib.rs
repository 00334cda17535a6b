//! Synthetic event streams whose truth is known.
//!
//! A **scenario** ([`Scenario`], a TOML file) tells a story: who comes, what they do, how untidy the way to the
//! pipeline is. A **stream** ([`Stream`]) makes of a scenario and a seed the requests that clients would send,
//! and beside each request its **truth** ([`truth`]): which events are in it, whose they are, when they really
//! happened, what was done to them, and what a correct pipeline answers and stores.
//!
//! # What it guarantees
//!
//! The same scenario and seed give the same bytes on any machine. Chance comes from ChaCha8 and is spent in
//! integers; what fractions a file has are turned into integers when it is read. The stream is dealt in blocks of
//! [`BLOCK_EVENTS`] events, and a block is a function of (scenario, seed, number of the block) alone: any offset
//! is reached by making the one block it lies in, and blocks can be made on any threads in any order.
//!
//! # How
//!
//! For a block, people are drawn and walk through their journeys ([`story`]); what they did is put on the time line,
//! delayed, repeated, damaged and packed into requests ([`delivery`]). People who belong to a fixed population
//! (regulars) are a function of the seed and their number, so they come again in any block and are the same.
//!
//! # What it does not do
//!
//! It sends nothing and reads no clock: who sends decides the pace, and each request says when it is due. A
//! newcomer lives in one block. An event is repeated within its block, never days later. What the truth says of
//! stored events holds for a pipeline without plugins that orders by arrival and gets the requests one by one.

mod catalogue;
mod delivery;
mod faker;
mod knobs;
mod people;
mod poison;
mod profile;
mod random;
mod rate;
mod request;
mod scenario;
mod season;
mod story;
mod stream;
mod telling;
mod template;
pub mod truth;

pub use knobs::{KNOBS, Knob, Mess, MessRates, MessSet, UnknownKnob};
pub use profile::{Profile, ProfileError};
pub use rate::Rate;
pub use request::{Header, Request, SentEvent};
pub use scenario::{BUILT_IN, BuiltIn, NAMES, Overrides, Scenario, ScenarioError, built_in};
pub use stream::{BLOCK_EVENTS, Stream};
pub use telling::Telling;
