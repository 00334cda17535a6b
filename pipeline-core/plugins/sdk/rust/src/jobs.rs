//! Work for later, done by [`crate::Plugin::job`]. Kept across restarts.

use std::time::Duration;

use serde::Serialize;

use crate::bindings::weir::plugin::jobs as host;
use crate::{PluginError, now_ms};

#[track_caller]
pub fn run_now(name: &str, payload: &impl Serialize) -> Result<(), PluginError> {
    run_at(name, payload, now_ms())
}

#[track_caller]
pub fn run_in(name: &str, payload: &impl Serialize, time: Duration) -> Result<(), PluginError> {
    run_at(name, payload, now_ms().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}

/// `at_ms` is in milliseconds since 1970.
#[track_caller]
pub fn run_at(name: &str, payload: &impl Serialize, at_ms: u64) -> Result<(), PluginError> {
    host::enqueue(name, &serde_json::to_string(payload)?, at_ms as f64);
    Ok(())
}
