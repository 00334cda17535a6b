//! The fault palette: what can be made to go wrong on purpose, and taken back.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultsRequest {}

/// Starts or stops a fault. Settings that a fault does not have are refused; those that are absent have the value that
/// the list shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultRequest {
    /// Without a name and with `running: false` every fault is stopped.
    #[serde(default)]
    pub name: Option<String>,
    pub running: bool,
    /// Seconds after which it stops by itself, up to a day; with the process it stops in any case.
    #[serde(default)]
    pub for_s: Option<f64>,
    /// Id of the plugin that it strikes; the first of the chain when absent.
    #[serde(default)]
    pub plugin: Option<String>,
    /// Name of the sink that it strikes.
    #[serde(default)]
    pub sink: Option<String>,
    /// It strikes one event or request in so many.
    #[serde(default)]
    pub every: Option<u64>,
    /// Milliseconds.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// Seconds that the clock jumps by; negative is back.
    #[serde(default)]
    pub offset_s: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultList {
    pub faults: Vec<FaultView>,
    /// Whether the server is started again when its process ends.
    pub supervised: bool,
    /// How often that was done.
    pub restarts: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultView {
    pub name: String,
    pub title: String,
    /// Where it strikes: `capture`, `plugins`, `store`, `sinks` or `process`.
    pub place: String,
    /// What is done.
    pub summary: String,
    /// What one will see.
    pub effect: String,
    pub settings: Vec<FaultSetting>,
    pub active: bool,
    /// Seconds.
    pub active_for_s: Option<f64>,
    /// Seconds until it stops by itself; absent when it does not.
    pub remaining_s: Option<f64>,
    /// Times that it struck since the server started.
    pub strikes: u64,
    /// Why it cannot be started now, and what to do about it.
    pub unavailable: Option<String>,
}

/// One setting of a fault, under the name that it has in the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultSetting {
    pub name: String,
    pub summary: String,
    /// What is in force, or would be.
    pub value: String,
}

/// An active fault, as frames tell of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveFault {
    pub name: String,
    pub title: String,
}
