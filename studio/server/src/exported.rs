//! `/metrics`: what the pipeline and the generator count, in Prometheus's text format.

use std::sync::{Mutex, PoisonError};

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use pipeline_core::api::metric::{METRICS, MetricKind};
use pipeline_core::flow::Flow;

use crate::generator::Generator;

pub struct Exported {
    handle: PrometheusHandle,
    /// Whoever asks sees numbers that were set together.
    asked: Mutex<()>,
}

impl Exported {
    /// Records what this process counts from here on.
    pub fn install() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // Only the first server of a process installs it; a test may start several.
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::debug!("metrics of this server are recorded by an earlier one");
        }
        for metric in METRICS {
            match metric.kind {
                MetricKind::Counter => describe_counter!(metric.name, metric.help.trim()),
                MetricKind::Gauge => describe_gauge!(metric.name, metric.help.trim()),
                MetricKind::Summary => describe_histogram!(metric.name, metric.help.trim()),
            }
        }
        Self { handle, asked: Mutex::default() }
    }

    /// Sums up what was recorded, which waits in memory until then; for about once a second.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// Asks the pipeline, so it may block for a moment.
    pub fn render(&self, flow: &Flow, generator: &Generator) -> String {
        let _asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        flow.publish_numbers();
        let state = generator.generator_state();
        gauge!("weir_generator_running").set(f64::from(u8::from(state.running)));
        gauge!("weir_generator_events").set(state.sent as f64);
        let requests = [
            ("sent", state.requests),
            ("failed", state.failed),
            ("unexpected", state.unexpected),
            ("late", state.late),
        ];
        for (what, requests) in requests {
            gauge!("weir_generator_requests", "what" => what).set(requests as f64);
        }
        self.handle.render()
    }
}
