//! Plugins as the studio shows them.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginsRequest {}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginList {
    pub plugins: Vec<PluginView>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginAdd {
    /// Absolute path of a folder with `plugin.json` and `index.ts` or `index.js`.
    pub dir: String,
}

/// Where a plugin is in its reload cycle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginState {
    #[default]
    Watching,
    Building,
    Validating,
    Live,
    /// The newest save does not work; the last good version (if any) still serves.
    Failed,
}

impl PluginState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watching => "watching",
            Self::Building => "building",
            Self::Validating => "validating",
            Self::Live => "live",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginView {
    /// Stable id: the folder's name, made unique.
    pub id: String,
    pub name: String,
    pub dir: String,
    pub state: PluginState,
    /// Version that serves now (12 hex digits); empty when none ever loaded.
    pub version: String,
    /// How many versions have been live since start.
    pub generation: u64,
    /// Last write to first event on the new code, milliseconds; `None` before the first reload.
    pub reload_ms: Option<f64>,
    /// The new version's `setupPlugin`, milliseconds; not part of `reload_ms`.
    pub setup_ms: Option<f64>,
    /// Why the newest save is not live.
    pub load_error: Option<Diagnostic>,
    /// The newest failure while processing an event.
    pub last_error: Option<RuntimeFailure>,
    pub processed: u64,
    pub modified: u64,
    pub dropped: u64,
    pub errors: u64,
    /// Instances thrown away after a trap, time-out or memory kill.
    pub instances_lost: u64,
    /// CPU per event over the newest batches, microseconds.
    pub cpu_us_p50: f64,
    pub cpu_us_p99: f64,
    pub memory_bytes: u64,
}

/// A problem in source text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub message: String,
    pub file: String,
    /// 1-based; 0 when unknown.
    pub line: u32,
    /// 1-based; 0 when unknown.
    pub column: u32,
    /// The source line, when known.
    #[serde(default)]
    pub excerpt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RuntimeFailure {
    pub at_ms: i64,
    pub version: String,
    /// `exception`, `timeout`, `memory` or `trap`.
    pub kind: String,
    pub message: String,
    /// uuid of the event in hand.
    pub event_uuid: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginLogsRequest {
    pub id: String,
    /// Newest lines to return; 200 when absent.
    #[serde(default)]
    pub limit: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginLogs {
    /// Oldest first.
    pub lines: Vec<PluginLogLine>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginLogLine {
    pub at_ms: i64,
    pub version: String,
    /// `SYSTEM`, `PLUGIN` or `CONSOLE`.
    pub source: String,
    /// `DEBUG`, `LOG`, `INFO`, `WARN` or `ERROR`.
    pub level: String,
    pub message: String,
}
