//! A fixture: what a plugin is given, and what is expected of it.
//!
//! `fixtures/**/*.json` in a plugin's folder; a file holds one fixture, a list of them, or
//! `{"fixtures": [...]}`. `docs/testing.md` describes every field. A fixture that cannot be understood is an
//! error with line and column, never a test that passes.

mod duration;
mod error;
mod expect;
mod folder;
mod limits;
mod read;
#[cfg(test)]
mod schema_test;
mod source;
mod write;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use weir_api::plugin::PluginLimits;
use weir_event::clock::UnixMillis;
use weir_event::journal::PluginAttachment;
use weir_generator::Scenario;
use weir_plugins::{Mocks, OnError};

pub use duration::milliseconds as duration_ms;
pub use error::FixtureError;
pub use expect::{Bounds, Budget, Expect};
pub use folder::{FixtureFile, files};
pub use read::{Parsed, read_file};
pub use write::{Edit, rewritten};

/// Where the clock of a fixture stands that does not say: the first moment of 2026.
pub const DEFAULT_NOW_MS: UnixMillis = 1_767_225_600_000;
pub const DEFAULT_SEED: u64 = 1;

#[derive(Debug)]
pub struct Fixture {
    /// Relative to the plugin's folder.
    pub file: PathBuf,
    /// Of its `{`, from 1.
    pub line: usize,
    pub name: String,
    pub now_ms: UnixMillis,
    pub seed: u64,
    pub ip: String,
    pub site_url: String,
    pub config: BTreeMap<String, Option<String>>,
    pub attachments: Vec<PluginAttachment>,
    pub storage: Map<String, Value>,
    pub cache: Map<String, Value>,
    pub mocks: Option<Arc<Mocks>>,
    pub limits: PluginLimits,
    pub on_error: OnError,
    pub steps: Vec<Step>,
}

#[derive(Debug)]
pub struct Step {
    pub action: Action,
    pub expect: Option<Expect>,
    /// Bytes of the object in the file that has, or gets, the field `expect`.
    pub holder: Range<usize>,
    pub line: usize,
}

#[derive(Debug)]
pub enum Action {
    /// As clients send them, to `processEvent`.
    Events(Vec<Box<RawValue>>),
    /// Lets time pass; what falls due runs.
    Advance {
        ms: i64,
    },
    Schedule(String),
    Job {
        name: String,
        payload: String,
    },
    /// As clients send them, to the functions for stored events.
    Export(Vec<Box<RawValue>>),
    Stream {
        scenario: Arc<Scenario>,
        seed: u64,
        events: usize,
        per_second: u32,
    },
}

impl Action {
    /// As results call it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Events(_) => "events",
            Self::Advance { .. } => "advance",
            Self::Schedule(_) => "schedule",
            Self::Job { .. } => "job",
            Self::Export(_) => "export",
            Self::Stream { .. } => "stream",
        }
    }
}
