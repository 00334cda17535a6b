//! Five times a second, everything that moves, as one JSON message for all viewers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use weir_api::ledger::Ledger as LedgerView;
use weir_api::live::{DemoState, LiveFrame, Rates, StageView};
use weir_event::Clock;

use crate::alerts::{Alerts, Facts, SinkFacts};
use crate::checks::Checks;
use crate::faults::Faults;
use crate::flow::Shared;
use crate::intake::LogIntake;
use crate::ledger::InFlight;
use crate::oracle_watch::OracleWatch;
use crate::shadow::Shadow;
use crate::sinks::Sinks;
use crate::stage_times::Stage;

const INTERVAL: Duration = Duration::from_millis(200);
/// Rates are over this time.
const RATE_WINDOW: Duration = Duration::from_secs(1);

/// The demo stream, as the frames show it.
pub trait DemoControl: Send + Sync {
    fn state(&self) -> DemoState;
}

pub(crate) struct Frames {
    pub shared: Arc<Shared>,
    pub shadow: Arc<Shadow>,
    pub sinks: Arc<Sinks>,
    pub intake: Arc<LogIntake>,
    pub clock: Arc<dyn Clock>,
    pub demo: Option<Arc<dyn DemoControl>>,
    pub oracle: Arc<OracleWatch>,
    pub faults: Arc<Faults>,
    pub checks: Arc<Checks>,
    pub alerts: Arc<Alerts>,
    pub ordering: weir_event::Ordering,
    pub stopping: Arc<AtomicBool>,
}

/// Totals at one moment, from which rates come.
#[derive(Debug, Clone)]
struct Sample {
    at: Instant,
    ledger: LedgerView,
    errors: u64,
    stage_events: [u64; 5],
}

impl Frames {
    pub fn run(self) {
        let mut samples: VecDeque<Sample> = VecDeque::new();
        let mut sequence = 0;
        while !self.stopping.load(Ordering::Acquire) {
            thread::sleep(INTERVAL);
            let (frame, sample) = self.frame(sequence, &samples);
            while samples.front().is_some_and(|oldest| oldest.at.elapsed() > RATE_WINDOW) && samples.len() > 1 {
                samples.pop_front();
            }
            samples.push_back(sample);
            sequence += 1;
            if self.shared.frames.receiver_count() == 0 {
                continue;
            }
            match serde_json::to_string(&frame) {
                // Nobody listens any more: that is fine.
                Ok(text) => drop(self.shared.frames.send(text.into())),
                Err(error) => tracing::error!(%error, "a frame cannot be written as JSON"),
            }
        }
    }

    fn frame(&self, sequence: u64, samples: &VecDeque<Sample>) -> (LiveFrame, Sample) {
        let counted_from = self.shared.ledger.counted_from();
        let (ledger, in_flight, _) = self.shared.ledger.read();
        let plugins = self.shadow.views();
        let (events, events_skipped) =
            if self.shared.frames.receiver_count() > 0 { self.shared.live.take_fresh() } else { Default::default() };
        let stage_times = Stage::ALL.map(|stage| self.shared.times.read(stage));
        let sample = Sample {
            at: Instant::now(),
            ledger,
            errors: plugins.iter().map(|plugin| plugin.errors).sum(),
            stage_events: stage_times.map(|(_, _, events)| events),
        };
        let before = samples.front().cloned();
        let per_second = |now: u64, then: fn(&Sample) -> u64| -> f64 {
            before.as_ref().map_or(0.0, |before| {
                now.saturating_sub(then(before)) as f64 / sample.at.duration_since(before.at).as_secs_f64().max(0.001)
            })
        };
        let rates = Rates {
            received: per_second(ledger.received, |sample| sample.ledger.received),
            stored: per_second(ledger.stored, |sample| sample.ledger.stored),
            dropped: per_second(ledger.dropped, |sample| sample.ledger.dropped),
            rejected: per_second(ledger.rejected, |sample| sample.ledger.rejected),
            dead_lettered: per_second(ledger.dead_lettered, |sample| sample.ledger.dead_lettered),
            deduplicated: per_second(ledger.deduplicated, |sample| sample.ledger.deduplicated),
            errors: per_second(sample.errors, |sample| sample.errors),
        };
        let mut stages = vec![StageView {
            id: "capture".into(),
            label: "Capture".into(),
            per_second: rates.received,
            ..StageView::default()
        }];
        for (stage, (p50_ms, p99_ms, _)) in Stage::ALL.into_iter().zip(stage_times) {
            let rate = before.as_ref().map_or(0.0, |before| {
                let events = sample.stage_events[stage as usize].saturating_sub(before.stage_events[stage as usize]);
                events as f64 / sample.at.duration_since(before.at).as_secs_f64().max(0.001)
            });
            stages.push(StageView {
                id: stage.id().into(),
                label: stage.label().into(),
                in_flight: held(stage, in_flight),
                per_second: rate,
                p50_ms,
                p99_ms,
            });
        }
        let refusal = self.intake.refusal().map(|refusal| refusal.to_string());
        let problem = refusal
            .clone()
            .or_else(|| self.shared.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone());
        let (at_ms, queryable_lag_ms) = (self.clock.now_ms(), self.shared.queryable.newest_ms());
        let oracle_mismatches = self.oracle.mismatch_count();
        let failing = self.checks.failing();
        let checks_failing = failing.ids.len() as u64;
        let sinks = self.sinks.newest_views();
        self.alerts.observe(&Facts {
            now_ms: at_ms,
            counted_from,
            ledger,
            queryable_lag_ms,
            sinks: sinks
                .iter()
                .map(|sink| SinkFacts { name: sink.name.clone(), is_stuck: sink.state.is_stuck(), failed: sink.failed })
                .collect(),
            oracle_mismatches,
            checks: failing,
            problem: problem.clone(),
            failed_plugins: plugins
                .iter()
                .filter(|plugin| plugin.enabled && plugin.load_error.is_some())
                .map(|plugin| plugin.id.clone())
                .collect(),
        });
        let frame = LiveFrame {
            sequence,
            at_ms,
            ledger,
            rates,
            queryable_lag_ms,
            stages,
            plugins,
            sinks,
            demo: self.demo.as_ref().map(|demo| demo.state()).unwrap_or_default(),
            oracle_mismatches,
            faults: self.faults.newest(),
            alerts: self.alerts.active(),
            checks_failing,
            events,
            events_skipped,
            ordering: self.ordering.as_str().into(),
            store_state: self.shared.store.state().as_str().into(),
            accepting: refusal.is_none(),
            capture_problem: problem,
            disk_free_bytes: self.intake.free_bytes(),
            resident_bytes: resident_bytes(),
        };
        (frame, sample)
    }
}

pub(crate) const fn held(stage: Stage, in_flight: InFlight) -> u64 {
    match stage {
        Stage::Intake => in_flight.intake_queue,
        Stage::Plugins => in_flight.plugins,
        Stage::Journal => in_flight.journal_queue,
        Stage::Identity => 0,
        Stage::Store => in_flight.projection,
    }
}

/// Resident memory of this process; 0 where the system does not say.
pub fn resident_bytes() -> u64 {
    const PAGE_BYTES: u64 = 4_096;
    std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok())
        .map_or(0, |pages| pages * PAGE_BYTES)
}
