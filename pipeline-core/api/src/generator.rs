//! Synthetic streams: what can be sent, and what is being sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScenariosRequest {}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScenarioList {
    pub scenarios: Vec<ScenarioView>,
    /// What can be turned up and down, in the order of the documentation.
    pub knobs: Vec<KnobView>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScenarioView {
    pub name: String,
    pub title: String,
    pub description: String,
    /// Of the story's own time, over a week.
    pub events_per_second: f64,
    /// The file's own rates, by knob.
    pub mess: BTreeMap<String, f64>,
}

/// A kind of mess.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KnobView {
    pub name: String,
    /// What its rate is a share of: `event`, `session`, `request` or `block`.
    pub of: String,
    pub summary: String,
}

/// Starts, stops or changes the stream; what is left out stays. Another scenario, seed or mess begins a new story.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorRequest {
    #[serde(default)]
    pub running: Option<bool>,
    /// One that is built in.
    #[serde(default)]
    pub scenario: Option<String>,
    #[serde(default)]
    pub seed: Option<u64>,
    /// 1 to 20,000.
    #[serde(default)]
    pub events_per_second: Option<u32>,
    /// Rates from 0 to 1 by knob; the rest is as in the scenario's file.
    #[serde(default)]
    pub mess: Option<BTreeMap<String, f64>>,
}

/// Counts are of this story: since the scenario, the seed or the mess was changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorState {
    pub running: bool,
    /// The capture port that it sends to: the server's own.
    pub to: String,
    pub scenario: String,
    pub seed: u64,
    /// What is asked for.
    pub events_per_second: u32,
    /// What was sent in the last second.
    pub rate: f64,
    /// Rates as they are, by knob.
    pub mess: BTreeMap<String, f64>,
    /// Events.
    pub sent: u64,
    pub requests: u64,
    /// Requests without an answer, or with one that asks to come again.
    pub failed: u64,
    /// Requests that were answered otherwise than they had to be.
    pub unexpected: u64,
    /// The first of them.
    #[serde(default)]
    pub unexpected_example: Option<String>,
    /// Requests that were sent later than they were due.
    pub late: u64,
    /// From when a request was due to its answer, milliseconds.
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    /// What must have become of them without plugins.
    pub expected: ExpectedOutcomes,
    /// Events by what was done to them or to their request.
    pub by_mess: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedOutcomes {
    pub received: u64,
    pub stored: u64,
    pub rejected: u64,
    pub deduplicated: u64,
    /// Of the deduplicated: same uuid, another payload.
    pub conflicting: u64,
}
