//! Runs plugins away from the stream: tests against fixtures, and what an edit would do to events that were.
//!
//! ```text
//! fixture ─► run ─► judge (compare) ─► verdict ─► report
//! what fixtures leave for the store ─► checks ─► verdict ─► report
//! two versions ─► behaviour (compare) ─► what the newer one does otherwise
//! ```
//!
//! [`Trial`] is one run of plugins over events, from what they find to what they leave; everything else here
//! is built on it. [`Suite`] runs all fixtures of some plugins.

mod behaviour;
mod check;
mod checked;
mod compare;
mod consequence;
mod fixture;
mod input;
mod judge;
mod observed;
mod replay;
mod report;
mod run;
mod stream;
mod suite;
mod tasks;
mod trial;
mod verdict;

pub use behaviour::{Comparison, NotComparable, samples, summary};
pub use check::{Check, CheckError, CheckFile, checks_in};
pub use compare::Difference;
pub use fixture::{Fixture, FixtureError, duration_ms};
pub use input::{DEFAULT_IP, Input, PROJECT, Request, SITE_URL, capture, inputs_of};
pub use replay::{RecordedBatch, differences};
pub use report::{Style, html, junit, text};
pub use suite::{Selection, Suite, SuiteError, plugin_dirs};
pub use trial::{Made, NotStarted, Outcome, Start, Trial, Tried};
pub use verdict::{
    EXIT_ERROR, EXIT_INVALID, EXIT_MISMATCH, EXIT_NONE, FixtureResult, PluginResult, Problem, Report, Verdict,
};
pub use weir_plugins::{Answers, Part, Workshop};
