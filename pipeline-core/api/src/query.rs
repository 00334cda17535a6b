//! SQL at the control port.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryRequest {
    /// One read-only statement.
    pub sql: String,
    /// Most rows to return; the server has a ceiling of its own.
    #[serde(default)]
    pub max_rows: Option<u64>,
    /// Longest run time, milliseconds; the server has a ceiling of its own.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryResult {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    /// More rows matched than were returned.
    pub truncated: bool,
    pub elapsed_ms: f64,
}
