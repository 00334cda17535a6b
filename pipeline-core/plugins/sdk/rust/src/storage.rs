//! Durable values of this plugin, shared by all of its instances. What is written for an event counts once
//! the event has been handed back without a panic.
//!
//! ```no_run
//! # use weir_plugin::{PluginError, storage};
//! # fn f() -> Result<(), PluginError> {
//! let visits: u64 = storage::get("visits")?.unwrap_or(0);
//! storage::set("visits", &(visits + 1))?;
//! # Ok(()) }
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::PluginError;
use crate::bindings::weir::plugin::storage as host;

#[track_caller]
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, PluginError> {
    host::get(key).map(|text| serde_json::from_str(&text)).transpose().map_err(PluginError::from)
}

#[track_caller]
pub fn set(key: &str, value: &impl Serialize) -> Result<(), PluginError> {
    host::set(key, &serde_json::to_string(value)?);
    Ok(())
}

pub fn delete(key: &str) {
    host::delete(key);
}

/// Adds to a number (absent counts as 0) and returns the sum; instances that count at once lose nothing.
pub fn add(key: &str, by: f64) -> f64 {
    host::add(key, by)
}
