//! How long events spend in each stage, over the last seconds.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// A window is at most this old; reading looks at the current and the one before it.
const WINDOW: Duration = Duration::from_secs(5);
const LONGEST_US: u64 = 600_000_000;

/// The stages in the order an event meets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// From the ack to the plugin stage.
    Intake,
    Plugins,
    Journal,
    /// From the journal to the end of the projection.
    Identity,
    /// From the projection to the end of the commit.
    Store,
}

impl Stage {
    pub const ALL: [Self; 5] = [Self::Intake, Self::Plugins, Self::Journal, Self::Identity, Self::Store];

    pub const fn id(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Plugins => "plugins",
            Self::Journal => "journal",
            Self::Identity => "identity",
            Self::Store => "store",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Intake => "Intake log",
            Self::Plugins => "Plugins",
            Self::Journal => "Journal",
            Self::Identity => "Identity",
            Self::Store => "Store",
        }
    }
}

#[derive(Debug)]
struct Window {
    started: Instant,
    current: Histogram<u64>,
    previous: Histogram<u64>,
    events: u64,
}

#[derive(Debug)]
pub struct StageTimes {
    windows: [Mutex<Window>; 5],
}

impl Default for StageTimes {
    fn default() -> Self {
        let window = || {
            let histogram = Histogram::new_with_bounds(1, LONGEST_US, 2).expect("invariant: the bounds are valid");
            Mutex::new(Window { started: Instant::now(), previous: histogram.clone(), current: histogram, events: 0 })
        };
        Self { windows: [window(), window(), window(), window(), window()] }
    }
}

impl StageTimes {
    /// Notes that `events` events each spent `time` in a stage.
    pub fn record(&self, stage: Stage, time: Duration, events: u64) {
        metrics::histogram!("weir_stage_seconds", "stage" => stage.id()).record(time);
        let mut window = self.windows[stage as usize].lock().unwrap_or_else(PoisonError::into_inner);
        window.turn();
        let micros = (time.as_micros() as u64).clamp(1, LONGEST_US);
        window.current.saturating_record_n(micros, events.max(1));
        window.events += events;
    }

    /// p50 and p99 in milliseconds over the last five to ten seconds, and events since start.
    pub fn read(&self, stage: Stage) -> (f64, f64, u64) {
        let mut window = self.windows[stage as usize].lock().unwrap_or_else(PoisonError::into_inner);
        window.turn();
        let mut both = window.current.clone();
        both.add(&window.previous).ok();
        let ms = |quantile| both.value_at_quantile(quantile) as f64 / 1_000.0;
        if both.is_empty() { (0.0, 0.0, window.events) } else { (ms(0.5), ms(0.99), window.events) }
    }
}

impl Window {
    fn turn(&mut self) {
        let age = self.started.elapsed();
        if age < WINDOW {
            return;
        }
        std::mem::swap(&mut self.current, &mut self.previous);
        self.current.reset();
        if age >= WINDOW * 2 {
            self.previous.reset();
        }
        self.started = Instant::now();
    }
}
