//! What is asked of the pipeline when somebody collects its numbers: what it is, where others count what happens.

use std::sync::PoisonError;

use metrics::{counter, gauge};

use crate::flow::Flow;
use crate::frames::{held, resident_bytes};
use crate::stage_times::Stage;
use crate::store_handle::StoreState;

impl Flow {
    /// Sets the gauges that have a value only when they are asked.
    pub fn publish_numbers(&self) {
        self.publish_events();
        self.publish_plugins();
        let (is_watching, expected) = self.oracle.progress();
        gauge!("weir_oracle_watching").set(switch(is_watching));
        gauge!("weir_oracle_expected_events").set(expected as f64);
        gauge!("weir_store_ready").set(switch(self.shared.store.state() == StoreState::Ready));
        gauge!("weir_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        gauge!("weir_uptime_seconds").set(self.shared.started.elapsed().as_secs_f64());
        gauge!("weir_resident_bytes").set(resident_bytes() as f64);
        gauge!("weir_viewers").set(self.shared.frames.receiver_count() as f64);
    }

    fn publish_events(&self) {
        let (ledger, in_flight, counts) = self.shared.ledger.read();
        let terms = [
            ("received", ledger.received as f64),
            ("emitted", ledger.emitted as f64),
            ("stored", ledger.stored as f64),
            ("dropped", ledger.dropped as f64),
            ("rejected", ledger.rejected as f64),
            ("dead_lettered", ledger.dead_lettered as f64),
            ("deduplicated", ledger.deduplicated as f64),
            ("in_flight", ledger.in_flight as f64),
            ("unexplained", ledger.unexplained as f64),
        ];
        for (term, events) in terms {
            gauge!("weir_ledger_events", "term" => term).set(events);
        }
        gauge!("weir_ledger_conflicting_duplicates").set(counts.conflicting_duplicates as f64);
        for stage in Stage::ALL {
            let (_, _, events) = self.shared.times.read(stage);
            gauge!("weir_stage_in_flight_events", "stage" => stage.id()).set(held(stage, in_flight) as f64);
            counter!("weir_stage_events_total", "stage" => stage.id()).absolute(events);
        }
    }

    fn publish_plugins(&self) {
        let views = self.shadow.views();
        let mut published = self.published_plugins.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in published.iter().filter(|id| !views.iter().any(|view| view.id == **id)) {
            gauge!("weir_plugins_live", "plugin" => gone.clone()).set(0.0);
            gauge!("weir_plugins_memory_bytes", "plugin" => gone.clone()).set(0.0);
        }
        for view in &views {
            let serves = view.enabled && !view.version.is_empty();
            gauge!("weir_plugins_live", "plugin" => view.id.clone()).set(switch(serves));
            gauge!("weir_plugins_memory_bytes", "plugin" => view.id.clone()).set(view.memory_bytes as f64);
            counter!("weir_plugins_versions_total", "plugin" => view.id.clone()).absolute(view.generation);
        }
        *published = views.into_iter().map(|view| view.id).collect();
    }
}

fn switch(is_on: bool) -> f64 {
    f64::from(u8::from(is_on))
}
