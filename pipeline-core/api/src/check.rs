//! SQL checks: statements over the store that must return no rows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecksRequest {
    /// Runs every check now, whether it is due or not, and waits for the results.
    #[serde(default)]
    pub run: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckList {
    /// Of the plugins in chain order, then of the folders of `--checks`; by name within each.
    pub checks: Vec<CheckView>,
}

impl CheckList {
    /// Checks that return rows or cannot run.
    pub fn failing(&self) -> usize {
        self.checks.iter().filter(|check| check.state.is_bad()).count()
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// It has not run yet.
    #[default]
    Never,
    /// The newest run returned no row.
    Passing,
    /// The newest run returned rows.
    Failing,
    /// It could not run; `problem` says why.
    Error,
}

impl CheckState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Passing => "passing",
            Self::Failing => "failing",
            Self::Error => "error",
        }
    }

    pub const fn is_bad(self) -> bool {
        matches!(self, Self::Failing | Self::Error)
    }
}

/// How much a check that fails matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Warning,
    #[default]
    Error,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckView {
    /// `PLUGIN/NAME`, or `NAME` for a file of `--checks`.
    pub id: String,
    /// Id of the plugin whose folder it is in.
    pub plugin: Option<String>,
    /// Absolute path.
    pub file: String,
    /// The comment that the file begins with.
    pub description: String,
    pub severity: Severity,
    /// Runs are at least this far apart, milliseconds.
    pub every_ms: u64,
    pub state: CheckState,
    /// When it came into this state, milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// Rows of the newest run; at least so many when `truncated`.
    pub rows: u64,
    pub truncated: bool,
    pub columns: Vec<String>,
    /// The first ten rows; long texts are cut.
    pub first_rows: Vec<Vec<Value>>,
    pub problem: Option<CheckProblem>,
    /// End of the newest run, milliseconds since the Unix epoch; 0 before the first.
    pub ran_at_ms: i64,
    pub duration_ms: f64,
    pub runs: u64,
}

impl CheckView {
    /// Intake offset or uuid by which the journey of a row's event is found.
    pub fn event_of(&self, row: &[Value]) -> Option<EventRef> {
        let cell = |name: &str| self.columns.iter().position(|column| column == name).and_then(|at| row.get(at));
        if let Some(offset) = cell("_offset").and_then(Value::as_u64) {
            return Some(EventRef::Offset(offset));
        }
        let uuid = cell("uuid")?.as_str()?;
        let is_uuid = uuid.len() == 36 && uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        is_uuid.then(|| EventRef::Uuid(uuid.to_owned()))
    }
}

/// What leads from a row to an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventRef {
    Offset(u64),
    Uuid(String),
}

/// Why a check cannot run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckProblem {
    pub code: String,
    pub message: String,
    /// Of the file, from 1; 0 when unknown.
    pub line: u32,
    pub hint: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_leads_to_its_event_by_offset_or_uuid() {
        let view = |columns: &[&str]| CheckView {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            ..CheckView::default()
        };
        let uuid = "00000000-0000-4000-8000-000000000001";
        let both = view(&["uuid", "_offset"]);
        assert_eq!(both.event_of(&[json!(uuid), json!(7)]), Some(EventRef::Offset(7)));
        assert_eq!(both.event_of(&[json!(uuid), json!(null)]), Some(EventRef::Uuid(uuid.into())));
        assert_eq!(view(&["uuid"]).event_of(&[json!("'; DROP")]), None);
        assert_eq!(view(&["n"]).event_of(&[json!(7)]), None);
    }
}
