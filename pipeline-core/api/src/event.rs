//! One event, as the list and the side panel show it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A row of the live list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EventSummary {
    /// Intake offset: the event's address, for [`JourneyRequest`].
    pub offset: u64,
    pub uuid: String,
    pub event: String,
    pub distinct_id: String,
    pub project: u32,
    pub received_at_ms: i64,
    /// `stored`, `dropped`, `rejected`, `dead_lettered` or `deduplicated`.
    pub outcome: String,
    /// What the plugins together did: `modified`, `unmodified`, `dropped`, `skipped` or `error`.
    pub label: String,
    /// Plugin CPU, microseconds.
    pub plugin_us: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JourneyRequest {
    pub offset: u64,
}

/// An event's way through the pipeline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Journey {
    pub summary: EventSummary,
    /// As captured, before the first plugin.
    pub captured: Value,
    pub steps: Vec<JourneyStep>,
    /// As stored: `None` unless the outcome is `stored`.
    pub stored: Option<Value>,
    /// Why, in one sentence: the rule, the plugin or the error.
    pub reason: String,
    pub person: Option<PersonView>,
}

/// What one plugin did to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JourneyStep {
    pub plugin_id: String,
    pub name: String,
    pub version: String,
    /// `modified`, `unmodified`, `dropped`, `skipped` or `error`.
    pub label: String,
    pub cpu_us: u32,
    /// Timers and HTTP, microseconds.
    #[serde(default)]
    pub wait_us: u32,
    pub error: Option<String>,
    /// The event after this plugin; `None` when it was dropped here, or `is_after_lost`.
    pub after: Option<Value>,
    /// An older event whose form between two plugins that changed it is no longer kept.
    #[serde(default)]
    pub is_after_lost: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PersonView {
    pub uuid: String,
    pub is_identified: bool,
    pub properties: Value,
}
