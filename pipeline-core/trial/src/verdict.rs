//! How fixtures ended, in the form that all reports are made from and that `--json` prints.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;
use weir_api::plugin::Diagnostic;
use weir_store::EventRow;

use crate::compare::Difference;
use crate::fixture::{Edit, FixtureError};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    /// It ran, and something is not as expected.
    Mismatch,
    /// The plugin could not be tried.
    Error,
    /// The fixture cannot be understood, or expects nothing.
    Invalid,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Mismatch => "mismatch",
            Self::Error => "error",
            Self::Invalid => "invalid",
        }
    }
}

/// Something that is wrong with a plugin or a fixture, at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub code: String,
    pub message: String,
    pub file: String,
    /// From 1; 0 when unknown.
    pub line: u32,
    pub column: u32,
    /// The line, when known.
    pub excerpt: String,
    pub hint: String,
}

impl From<FixtureError> for Problem {
    fn from(error: FixtureError) -> Self {
        Self {
            code: error.code().to_owned(),
            message: error.reason,
            file: error.file.to_string_lossy().into_owned(),
            line: error.line as u32,
            column: error.column as u32,
            excerpt: error.excerpt,
            hint: error.hint,
        }
    }
}

impl Problem {
    pub fn of_plugin(problem: Diagnostic) -> Self {
        Self {
            code: "plugin_load".to_owned(),
            message: problem.message,
            file: problem.file,
            line: problem.line,
            column: problem.column,
            excerpt: problem.excerpt,
            hint: problem.hint.unwrap_or_default(),
        }
    }
}

/// What the dearest event or call of a fixture used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spent {
    pub cpu_us: u64,
    pub cpu_us_p99: u64,
    /// By the fixture's clock.
    pub wait_us: u64,
    /// When they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
    pub memory_bytes: u64,
    pub requests: u64,
    pub log_lines: u64,
    pub output_bytes: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct EventLine {
    pub event: String,
    pub uuid: String,
    /// `passed`, `dropped` or `dead_lettered`.
    pub fate: &'static str,
    /// `modified`, `unmodified`, `dropped`, `skipped` or `error`.
    pub label: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub cpu_us: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
    pub consequence: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct FixtureResult {
    /// Id of the plugin.
    pub plugin: String,
    /// Relative to the plugin's folder.
    pub file: PathBuf,
    pub line: usize,
    pub name: String,
    pub verdict: Verdict,
    /// What production would do with the first event that is not as expected, or with the first event.
    pub consequence: String,
    pub differences: Vec<Difference>,
    /// What is wrong with plugin or fixture, with its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// The first events; of a stream those that failed.
    pub events: Vec<EventLine>,
    /// What the plugin logged, as `LEVEL message`; the first hundred lines.
    pub logs: Vec<String>,
    pub spent: Spent,
    pub duration_ms: f64,
    /// Whether the file was rewritten to expect what was.
    pub updated: bool,
    /// What `--update` would write.
    #[serde(skip)]
    pub edits: Vec<Edit>,
    /// Events that go on to the store, when checks are run over them.
    #[serde(skip)]
    pub stored: Vec<EventRow>,
}

impl FixtureResult {
    /// Of a fixture that has not run.
    pub fn blank(plugin_id: &str, name: &str, verdict: Verdict, problem: Option<Problem>) -> Self {
        Self {
            plugin: plugin_id.to_owned(),
            file: PathBuf::new(),
            line: 0,
            name: name.to_owned(),
            verdict,
            consequence: String::new(),
            differences: Vec::new(),
            problem,
            events: Vec::new(),
            logs: Vec::new(),
            spent: Spent::default(),
            duration_ms: 0.0,
            updated: false,
            edits: Vec::new(),
            stored: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct PluginResult {
    pub id: String,
    pub name: String,
    pub dir: PathBuf,
    /// Version with the plugin's own defaults; empty when it does not load.
    pub version: String,
    pub language: String,
    pub fixtures: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub passed: usize,
    pub mismatched: usize,
    pub errors: usize,
    pub invalid: usize,
}

/// A run of any number of plugins.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of this form; another number would mean something else.
    pub format: u32,
    pub plugins: Vec<PluginResult>,
    pub results: Vec<FixtureResult>,
    pub totals: Totals,
    pub duration_ms: f64,
    pub exit_code: u8,
}

pub const FORMAT: u32 = 1;
/// Code of the problem of a fixture whose plugin threw, or was stopped, unexpectedly.
pub const PLUGIN_ERROR: &str = "plugin_error";
/// Code of the problem of a fixture that would pass whatever happens.
pub const EXPECTS_NOTHING: &str = "fixture_expects_nothing";
pub const EXIT_MISMATCH: u8 = 1;
pub const EXIT_ERROR: u8 = 2;
pub const EXIT_INVALID: u8 = 3;
pub const EXIT_NONE: u8 = 4;

impl Report {
    pub fn new(plugins: Vec<PluginResult>, results: Vec<FixtureResult>, duration_ms: f64) -> Self {
        let count = |verdict| results.iter().filter(|result| result.verdict == verdict).count();
        let totals = Totals {
            passed: count(Verdict::Pass),
            mismatched: count(Verdict::Mismatch),
            errors: count(Verdict::Error),
            invalid: count(Verdict::Invalid),
        };
        let has_broken_plugin = plugins.iter().any(|plugin| plugin.problem.is_some());
        // What keeps a plugin from being tried comes before what a trial has found.
        let exit_code = if totals.errors > 0 || has_broken_plugin {
            EXIT_ERROR
        } else if totals.invalid > 0 {
            EXIT_INVALID
        } else if totals.mismatched > 0 {
            EXIT_MISMATCH
        } else if totals.passed == 0 {
            EXIT_NONE
        } else {
            0
        };
        Self { format: FORMAT, plugins, results, totals, duration_ms, exit_code }
    }
}

/// Values of a result that a reader is shown are no longer than this.
pub fn shortened(value: &Value, most: usize) -> String {
    let text = value.to_string();
    if text.len() <= most { text } else { format!("{}…", &text[..text.floor_char_boundary(most)]) }
}
