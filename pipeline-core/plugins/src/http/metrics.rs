//! The numbers of plugins' HTTP. All names start with `weir_plugins_http_`.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use super::HttpMode;
use super::request::{HttpFailure, HttpResponse};

/// One finished call; `took` is from its start, waiting included.
pub fn finished(plugin: &str, mode: HttpMode, answer: &Result<HttpResponse, HttpFailure>, took: Duration) {
    let outcome = match answer {
        Ok(response) => match response.status {
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        },
        Err(failure) => failure.kind.code(),
    };
    let plugin = plugin.to_owned();
    counter!("weir_plugins_http_requests_total", "plugin" => plugin.clone(), "mode" => mode.as_str(), "outcome" => outcome)
        .increment(1);
    if let Ok(response) = answer {
        counter!("weir_plugins_http_response_bytes_total", "plugin" => plugin.clone())
            .increment(response.body.len() as u64);
    }
    histogram!("weir_plugins_http_seconds", "plugin" => plugin, "mode" => mode.as_str()).record(took.as_secs_f64());
}

/// Calls that have a thread.
pub fn running(calls: usize) {
    gauge!("weir_plugins_http_running").set(calls as f64);
}

/// A call that found the queue full.
pub fn queue_full(plugin: &str) {
    counter!("weir_plugins_http_queue_full_total", "plugin" => plugin.to_owned()).increment(1);
}

pub fn recording_failed(plugin: &str) {
    counter!("weir_plugins_http_recording_failures_total", "plugin" => plugin.to_owned()).increment(1);
}
