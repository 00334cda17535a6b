//! Runs plugins away from the stream: tests against fixtures, and what an edit would do to events that were.
//!
//! ```text
//! fixture ─► run ─► compare ─► verdict ─► report
//! ```

mod input;
mod replay;
mod trial;

pub use input::{DEFAULT_IP, Input, PROJECT, Request, SITE_URL, capture, inputs_of};
pub use replay::{RecordedBatch, differences};
pub use trial::{Made, NotStarted, Outcome, Start, Trial, Tried};
pub use weir_plugins::{Answers, Part, Workshop};
