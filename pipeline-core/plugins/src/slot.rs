//! One place in the chain: a folder, the version of it that serves, and what is known about both.
//!
//! The loader puts a version in together with an instance on which `setupPlugin` has returned; the first
//! lane to notice takes that instance, further lanes make their own. Neither waits for the other: the
//! locks here are held for a few assignments.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use weir_api::plugin::{Diagnostic, PluginState, PluginView, RuntimeFailure};
use weir_event::journal::StepLabel;

use crate::instance::Instance;
use crate::version::Version;

/// CPU samples behind the percentiles of a view.
const CPU_SAMPLES: usize = 1024;

/// When a reload began and was ready, for `reload_ms`.
#[derive(Debug, Clone, Copy)]
pub struct ReloadClock {
    pub last_write: Instant,
    pub ready_at: Instant,
    pub setup: Duration,
}

#[derive(Default)]
struct Serving {
    version: Option<Arc<Version>>,
    prepared: Option<Instance>,
    reload: Option<ReloadClock>,
}

#[derive(Default)]
struct Figures {
    view: PluginView,
    cpu_us: VecDeque<u32>,
}

pub struct Slot {
    pub id: String,
    pub dir: PathBuf,
    serving: Mutex<Serving>,
    figures: Mutex<Figures>,
}

/// What a lane gets when it picks a version up.
pub struct PickedUp {
    pub version: Arc<Version>,
    pub prepared: Option<Instance>,
    pub reload: Option<ReloadClock>,
}

/// What one batch did to the figures.
#[derive(Debug, Default)]
pub struct BatchFigures {
    pub labels: [u64; 5],
    pub cpu_us: Vec<u32>,
    pub instances_lost: u64,
    pub last_error: Option<RuntimeFailure>,
    pub memory_bytes: u64,
}

impl BatchFigures {
    pub fn count(&mut self, label: StepLabel) {
        self.labels[label as usize] += 1;
    }

    pub fn of(&self, label: StepLabel) -> u64 {
        self.labels[label as usize]
    }
}

impl Slot {
    pub fn new(id: String, dir: PathBuf) -> Self {
        let view = PluginView {
            id: id.clone(),
            name: id.clone(),
            dir: dir.to_string_lossy().into_owned(),
            ..PluginView::default()
        };
        Self { id, dir, serving: Mutex::default(), figures: Mutex::new(Figures { view, cpu_us: VecDeque::new() }) }
    }

    pub fn version(&self) -> Option<Arc<Version>> {
        lock(&self.serving).version.clone()
    }

    /// Makes a version live; returns an instance nobody picked up.
    pub fn serve(
        &self,
        version: Arc<Version>,
        prepared: Instance,
        setup: Duration,
        reload: Option<ReloadClock>,
    ) -> Option<Instance> {
        {
            let mut figures = lock(&self.figures);
            let view = &mut figures.view;
            view.name.clone_from(&version.identity.name);
            view.version.clone_from(&version.identity.version);
            view.generation += 1;
            view.setup_ms = Some(setup.as_secs_f64() * 1000.0);
            view.state = PluginState::Live;
            view.load_error = None;
        }
        let mut serving = lock(&self.serving);
        serving.version = Some(version);
        serving.reload = reload;
        serving.prepared.replace(prepared)
    }

    pub fn pick_up(&self) -> Option<PickedUp> {
        let mut serving = lock(&self.serving);
        let version = serving.version.clone()?;
        Some(PickedUp { version, prepared: serving.prepared.take(), reload: serving.reload.take() })
    }

    pub fn take_prepared(&self) -> Option<Instance> {
        lock(&self.serving).prepared.take()
    }

    pub fn set_state(&self, state: PluginState) {
        lock(&self.figures).view.state = state;
    }

    pub fn fail(&self, problem: Diagnostic) {
        let mut figures = lock(&self.figures);
        figures.view.state = PluginState::Failed;
        figures.view.load_error = Some(problem);
    }

    /// Ends a load that changed nothing.
    pub fn settle(&self, is_current: bool) {
        let mut figures = lock(&self.figures);
        if is_current {
            figures.view.load_error = None;
        }
        figures.view.state = match (&figures.view.load_error, figures.view.version.is_empty()) {
            (Some(_), _) => PluginState::Failed,
            (None, false) => PluginState::Live,
            (None, true) => PluginState::Watching,
        };
    }

    pub fn reloaded(&self, milliseconds: f64) {
        lock(&self.figures).view.reload_ms = Some(milliseconds);
    }

    pub fn record(&self, batch: BatchFigures) {
        let mut figures = lock(&self.figures);
        let view = &mut figures.view;
        view.modified += batch.of(StepLabel::Modified);
        view.dropped += batch.of(StepLabel::Dropped);
        view.errors += batch.of(StepLabel::Error);
        view.processed += batch.labels.iter().sum::<u64>() - batch.of(StepLabel::Skipped);
        view.instances_lost += batch.instances_lost;
        if batch.last_error.is_some() {
            view.last_error = batch.last_error;
        }
        if batch.memory_bytes > 0 {
            view.memory_bytes = batch.memory_bytes;
        }
        figures.cpu_us.extend(batch.cpu_us);
        let excess = figures.cpu_us.len().saturating_sub(CPU_SAMPLES);
        figures.cpu_us.drain(..excess);
    }

    pub fn view(&self) -> PluginView {
        let figures = lock(&self.figures);
        let mut view = figures.view.clone();
        let mut samples: Vec<u32> = figures.cpu_us.iter().copied().collect();
        drop(figures);
        samples.sort_unstable();
        let percentile = |share: f64| {
            let at = (samples.len() as f64 * share) as usize;
            samples.get(at.min(samples.len().saturating_sub(1))).map_or(0.0, |sample| f64::from(*sample))
        };
        view.cpu_us_p50 = percentile(0.50);
        view.cpu_us_p99 = percentile(0.99);
        view
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
