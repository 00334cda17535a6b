//! One place in the chain: a folder, the version of it that serves, and what is known about both.
//!
//! The loader puts a version in together with an instance on which `setupPlugin` has returned; the first
//! lane to notice takes that instance, further lanes make their own. Neither waits for the other: the
//! locks here are held for a few assignments.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use weir_api::plugin::{Diagnostic, InstructionFigures, PluginState, PluginView, RuntimeFailure, WorstEvent};
use weir_event::journal::StepLabel;

use crate::blueprint::Blueprint;
use crate::instance::Instance;
use crate::version::Version;

/// Samples behind the percentiles of a view.
const SAMPLES: usize = 1024;

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
    blueprint: Option<Blueprint>,
    prepared: Option<Instance>,
    reload: Option<ReloadClock>,
}

/// A version that is built and waits to be promoted. Nothing of it has run.
pub struct Waiting {
    pub version: Arc<Version>,
    pub blueprint: Blueprint,
}

#[derive(Default)]
struct Figures {
    view: PluginView,
    cpu_us: VecDeque<u32>,
    wait_us: VecDeque<u32>,
    instructions: VecDeque<u64>,
}

pub struct Slot {
    pub id: String,
    pub dir: PathBuf,
    is_enabled: AtomicBool,
    serving: Mutex<Serving>,
    waiting: Mutex<Option<Waiting>>,
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
    pub wait_us: Vec<u32>,
    /// Empty when they are not counted.
    pub instructions: Vec<u64>,
    pub worst: Option<WorstEvent>,
    /// By instructions.
    pub longest: Option<WorstEvent>,
    pub instances_lost: u64,
    pub last_error: Option<RuntimeFailure>,
    pub memory_bytes: u64,
}

impl BatchFigures {
    pub fn count(&mut self, label: StepLabel) {
        self.labels[label as usize] += 1;
    }

    /// What an event took.
    pub fn spent(&mut self, offset: u64, cpu_us: u32, wait_us: u32, instructions: Option<u64>) {
        self.cpu_us.push(cpu_us);
        self.wait_us.push(wait_us);
        self.instructions.extend(instructions);
        let event = WorstEvent { offset, cpu_us, wait_us, instructions };
        if instructions.is_some() {
            keep_greatest(&mut self.longest, Some(event.clone()), |event| event.instructions);
        }
        keep_greatest(&mut self.worst, Some(event), |event| event.cpu_us);
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
        let figures = Figures { view, ..Figures::default() };
        Self {
            id,
            dir,
            is_enabled: AtomicBool::new(true),
            serving: Mutex::default(),
            waiting: Mutex::default(),
            figures: Mutex::new(figures),
        }
    }

    /// Whether this is its folder, as it is called or as it really is.
    pub fn is_in(&self, dir: &Path, real: &Path) -> bool {
        self.dir == dir || self.dir.canonicalize().is_ok_and(|other| other == real)
    }

    pub fn is_enabled(&self) -> bool {
        self.is_enabled.load(Ordering::Acquire)
    }

    pub fn set_enabled(&self, is_enabled: bool) {
        self.is_enabled.store(is_enabled, Ordering::Release);
    }

    pub fn version(&self) -> Option<Arc<Version>> {
        lock(&self.serving).version.clone()
    }

    /// How to make the version that serves, with its name.
    pub fn blueprint(&self) -> Option<(String, Blueprint)> {
        let serving = lock(&self.serving);
        Some((serving.version.as_ref()?.identity.version.clone(), serving.blueprint.clone()?))
    }

    /// The same of the version that waits.
    pub fn waiting(&self) -> Option<(String, Blueprint)> {
        lock(&self.waiting)
            .as_ref()
            .map(|waiting| (waiting.version.identity.version.clone(), waiting.blueprint.clone()))
    }

    pub fn hold(&self, waiting: Waiting) {
        *lock(&self.waiting) = Some(waiting);
        let mut figures = lock(&self.figures);
        figures.view.state = PluginState::Waiting;
        figures.view.load_error = None;
    }

    pub fn take_waiting(&self) -> Option<Waiting> {
        lock(&self.waiting).take()
    }

    /// Makes a version live; returns an instance nobody picked up.
    pub fn serve(
        &self,
        version: Arc<Version>,
        blueprint: Blueprint,
        prepared: Instance,
        reload: Option<ReloadClock>,
    ) -> Option<Instance> {
        let mut serving = lock(&self.serving);
        serving.version = Some(version);
        serving.blueprint = Some(blueprint);
        serving.reload = reload;
        serving.prepared.replace(prepared)
    }

    /// Shows what serves. Only once lanes have been told: who sees a version here can count on it.
    pub fn show(&self, version: &Version, setup: Duration) {
        let mut figures = lock(&self.figures);
        let view = &mut figures.view;
        view.name.clone_from(&version.identity.name);
        view.version.clone_from(&version.identity.version);
        view.generation += 1;
        view.setup_ms = Some(setup.as_secs_f64() * 1000.0);
        view.state = PluginState::Live;
        view.load_error = None;
        view.worst = None;
        view.instructions = version.identity.limits.is_metered().then(InstructionFigures::default);
        version.language.clone_into(&mut view.language);
        view.methods = version.functions();
        view.missing.clone_from(&version.identity.missing);
        version.identity.http.mode().as_str().clone_into(&mut view.http_mode);
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
        keep_greatest(&mut view.worst, batch.worst, |event| event.cpu_us);
        if let Some(instructions) = &mut view.instructions {
            keep_greatest(&mut instructions.worst, batch.longest, |event| event.instructions);
        }
        let figures = &mut *figures;
        add(&mut figures.cpu_us, batch.cpu_us);
        add(&mut figures.wait_us, batch.wait_us);
        add(&mut figures.instructions, batch.instructions);
    }

    pub fn view(&self) -> PluginView {
        let figures = lock(&self.figures);
        let mut view = figures.view.clone();
        let cpu_us: Vec<u32> = figures.cpu_us.iter().copied().collect();
        let wait_us: Vec<u32> = figures.wait_us.iter().copied().collect();
        let executed: Vec<u64> = figures.instructions.iter().copied().collect();
        drop(figures);
        (view.cpu_us_p50, view.cpu_us_p99) = as_f64(percentiles(cpu_us));
        (view.wait_us_p50, view.wait_us_p99) = as_f64(percentiles(wait_us));
        if let Some(instructions) = &mut view.instructions {
            (instructions.p50, instructions.p99) = percentiles(executed);
        }
        view.enabled = self.is_enabled();
        view.waiting = lock(&self.waiting).as_ref().map(|waiting| waiting.version.identity.version.clone());
        view
    }
}

/// Adds samples and forgets the oldest.
fn add<T>(samples: &mut VecDeque<T>, newer: Vec<T>) {
    samples.extend(newer);
    let excess = samples.len().saturating_sub(SAMPLES);
    samples.drain(..excess);
}

fn keep_greatest<K: PartialOrd>(
    kept: &mut Option<WorstEvent>,
    newer: Option<WorstEvent>,
    by: impl Fn(&WorstEvent) -> K,
) {
    if let Some(newer) = newer
        && kept.as_ref().is_none_or(|known| by(&newer) > by(known))
    {
        *kept = Some(newer);
    }
}

/// The median and the 99th of 100.
fn percentiles<T: Ord + Copy + Default>(mut samples: Vec<T>) -> (T, T) {
    samples.sort_unstable();
    let at = |share: f64| {
        let place = (samples.len() as f64 * share) as usize;
        samples.get(place.min(samples.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    (at(0.50), at(0.99))
}

fn as_f64((p50, p99): (u32, u32)) -> (f64, f64) {
    (f64::from(p50), f64::from(p99))
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn unique_id(dir: &Path, slots: &[Arc<Slot>]) -> String {
    let name = id_of(dir);
    let is_free = |id: &String| slots.iter().all(|slot| slot.id != *id);
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name)
}

/// A plugin is called after its folder.
pub(crate) fn id_of(dir: &Path) -> String {
    dir.file_name().map_or_else(|| "plugin".to_owned(), |name| name.to_string_lossy().into_owned())
}
