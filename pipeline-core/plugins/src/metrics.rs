//! The numbers this crate publishes. All names start with `weir_plugins_`.

use std::time::Duration;

use metrics::{counter, histogram};
use weir_event::journal::StepLabel;

/// Results of one plugin on one batch.
pub fn events(plugin: &str, label: StepLabel, count: u64) {
    if count > 0 {
        counter!("weir_plugins_events_total", "plugin" => plugin.to_owned(), "label" => label.as_str())
            .increment(count);
    }
}

/// CPU of one plugin on one batch, as the mean of its events.
pub fn cpu_per_event(plugin: &str, mean: Duration) {
    histogram!("weir_plugins_cpu_seconds", "plugin" => plugin.to_owned()).record(mean.as_secs_f64());
}

pub fn instance_lost(plugin: &str, kind: &'static str) {
    counter!("weir_plugins_instances_lost_total", "plugin" => plugin.to_owned(), "kind" => kind).increment(1);
}

pub fn reload(plugin: &str, milliseconds: f64) {
    histogram!("weir_plugins_reload_seconds", "plugin" => plugin.to_owned()).record(milliseconds / 1000.0);
}

pub fn load_failed(plugin: &str) {
    counter!("weir_plugins_load_failures_total", "plugin" => plugin.to_owned()).increment(1);
}
