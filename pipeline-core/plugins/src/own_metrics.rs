//! The numbers plugins keep about themselves (`meta.metrics`).
//!
//! In memory, from the start of the process; at most [`METRICS`] names for each plugin, later ones are
//! not kept. Shown beside the plugin; also published as `weir_plugins_own`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// Names one plugin may use.
const METRICS: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricOperation {
    Sum,
    Minimum,
    Maximum,
}

#[derive(Debug, Default)]
pub struct OwnMetrics(Mutex<HashMap<String, BTreeMap<String, f64>>>);

impl OwnMetrics {
    pub fn record(&self, plugin: &str, name: &str, operation: MetricOperation, value: f64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(plugin.to_owned()).or_default();
        if own.len() >= METRICS && !own.contains_key(name) {
            return;
        }
        let merged = match (own.get(name), operation) {
            (None, _) => value,
            (Some(known), MetricOperation::Sum) => known + value,
            (Some(known), MetricOperation::Minimum) => known.min(value),
            (Some(known), MetricOperation::Maximum) => known.max(value),
        };
        own.insert(name.to_owned(), merged);
        metrics::gauge!("weir_plugins_own", "plugin" => plugin.to_owned(), "name" => name.to_owned()).set(merged);
    }

    pub fn of(&self, plugin: &str) -> BTreeMap<String, f64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(plugin).cloned().unwrap_or_default()
    }
}
