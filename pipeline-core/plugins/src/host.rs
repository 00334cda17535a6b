//! The plugin host: what the pipeline holds.
//!
//! It owns the engine, the chain of plugins in order of adding, one thread that loads and watches, and
//! the store behind `meta.storage` and `meta.cache`. Lanes are handed out and belong to their threads;
//! drop them before [`PluginHost::shutdown`], so that `teardownPlugin` runs in their instances too.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use weir_api::plugin::{Diagnostic, PluginCall, PluginView};
use weir_event::journal::StorageMutation;
use weir_event::queue::{Sender, bounded};
use weir_event::{Clock, SystemClock};

use crate::batch::ControlEffects;
use crate::blueprint::Blueprint;
use crate::burst::Stage;
use crate::caller::Caller;
use crate::engine::JsEngine;
use crate::error::PluginError;
use crate::exporter::{ExportMethod, Exporter};
use crate::faults::PluginFaults;
use crate::geoip::GeoIp;
use crate::http::{Calls, CallsConfig, HttpMode, Resolve, SystemResolver};
use crate::instance::Instance;
use crate::lane::Lane;
use crate::language::{Built, PythonEngine};
use crate::limits::Limits;
use crate::loader::Loader;
use crate::manifest::{MANIFEST, Manifest};
use crate::own_metrics::OwnMetrics;
use crate::pace::Pace;
use crate::packages::Packages;
use crate::recent_calls::RecentCalls;
use crate::reloads::Reloads;
use crate::settings::Settings;
use crate::slot::{Slot, lock, unique_id};
use crate::state::{Effects, Surroundings};
use crate::storage::{Cache, CacheEntry, Storage};
use crate::version::Version;
use crate::watch::Watching;

/// A folder with one of these may be a plugin.
const ENTRIES: [&str; 6] = [MANIFEST, "index.js", "index.ts", "Cargo.toml", "plugin.py", "main.py"];
/// Reload times kept for `reload_samples`.
const RELOAD_SAMPLES: usize = 10_000;
/// Messages that may wait for the loader; a save sends a few.
const LOADER_QUEUE: usize = 1_024;

#[derive(Debug, Clone)]
pub struct HostConfig {
    /// Private to this user; created if absent.
    pub compile_cache_dir: PathBuf,
    pub limits: Limits,
    pub clock: Arc<dyn Clock>,
    /// For `Math.random`.
    pub seed: u64,
    /// A MaxMind City database; the embedded one of a few demo networks when absent.
    pub geoip_database: Option<PathBuf>,
    /// How host names of live requests become addresses.
    pub resolver: Arc<dyn Resolve>,
    pub watching: Watching,
    /// Before `setupPlugin` is called again after a `RetryError`.
    pub setup_pauses: [Duration; 4],
}

impl HostConfig {
    /// With the machine's clock and resolver and the embedded places.
    pub fn new(compile_cache_dir: PathBuf, limits: Limits) -> Self {
        Self {
            compile_cache_dir,
            limits,
            clock: Arc::new(SystemClock),
            seed: 1,
            geoip_database: None,
            resolver: Arc::new(SystemResolver),
            watching: Watching::default(),
            setup_pauses: [5, 10, 20, 40].map(Duration::from_secs),
        }
    }
}

pub(crate) enum Message {
    /// Something happened to these paths.
    Touched(Vec<PathBuf>, Stage, Instant),
    /// Events may have been lost.
    LookAgain,
    Load(Arc<Slot>, SyncSender<()>),
    /// Its settings have changed.
    Configure(String, SyncSender<()>),
    /// The version that waits goes live.
    Promote(String, SyncSender<()>),
    /// The build of this number has ended.
    Built(String, u64, Box<Result<Built, Box<Diagnostic>>>),
    Forget(String),
    Retire(Box<Instance>),
    Stop,
}

/// What versions are made with, whoever runs them.
#[derive(Clone)]
pub(crate) struct Making {
    pub engine: Arc<JsEngine>,
    pub python: Arc<PythonEngine>,
    pub packages: Arc<Packages>,
    pub resolver: Arc<dyn Resolve>,
}

impl Making {
    pub fn start(compile_cache_dir: &Path, resolver: Arc<dyn Resolve>) -> Result<Self, PluginError> {
        let engine = Arc::new(JsEngine::start(compile_cache_dir)?);
        Ok(Self { engine, python: Arc::default(), packages: Arc::default(), resolver })
    }
}

pub(crate) struct Shared {
    pub engine: Arc<JsEngine>,
    pub python: Arc<PythonEngine>,
    pub around: Arc<Surroundings>,
    /// The chain, in order.
    pub slots: Mutex<Vec<Arc<Slot>>>,
    /// Moves on whenever a lane has something to take over.
    pub generation: AtomicU64,
    pub control: Mutex<ControlEffects>,
    pub to_loader: Sender<Message>,
    pub resolver: Arc<dyn Resolve>,
    pub packages: Arc<Packages>,
    pub reloads: Reloads,
    pub faults: Arc<PluginFaults>,
    settings: Mutex<HashMap<String, Settings>>,
    /// What is to serve first, by plugin id.
    pinned: Mutex<HashMap<String, Blueprint>>,
    reload_samples: Mutex<Vec<f64>>,
}

impl Shared {
    pub fn new(making: Making, around: Surroundings, to_loader: Sender<Message>) -> Self {
        Self {
            engine: making.engine,
            python: making.python,
            around: Arc::new(around),
            slots: Mutex::default(),
            generation: AtomicU64::new(0),
            control: Mutex::default(),
            to_loader,
            resolver: making.resolver,
            packages: making.packages,
            reloads: Reloads::default(),
            faults: Arc::default(),
            settings: Mutex::default(),
            pinned: Mutex::default(),
            reload_samples: Mutex::default(),
        }
    }

    pub fn settings(&self, plugin_id: &str) -> Settings {
        lock(&self.settings).get(plugin_id).cloned().unwrap_or_default()
    }

    pub fn pin(&self, plugin_id: &str, blueprint: Blueprint) {
        lock(&self.pinned).insert(plugin_id.to_owned(), blueprint);
    }

    pub fn take_pinned(&self, plugin_id: &str) -> Option<Blueprint> {
        lock(&self.pinned).remove(plugin_id)
    }

    pub fn record_reload(&self, milliseconds: f64) {
        let mut samples = lock(&self.reload_samples);
        if samples.len() < RELOAD_SAMPLES {
            samples.push(milliseconds);
        }
    }

    /// Keeps what happened outside batches until it is journalled.
    pub fn keep(&self, effects: Effects) {
        let mut control = lock(&self.control);
        control.logs.extend(effects.logs);
        control.storage.extend(effects.storage);
        control.jobs.extend(effects.jobs);
        control.calls.extend(effects.calls.into_iter().map(|(_, call)| call));
    }

    pub fn drain_control(&self) -> ControlEffects {
        std::mem::take(&mut *lock(&self.control))
    }

    pub fn announce(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }
}

pub struct PluginHost {
    pub(crate) shared: Arc<Shared>,
    loader: Mutex<Option<JoinHandle<()>>>,
}

impl PluginHost {
    pub fn start(config: HostConfig) -> Result<Self, PluginError> {
        let making = Making::start(&config.compile_cache_dir, config.resolver)?;
        let around = Surroundings {
            clock: config.clock,
            pace: Pace::Real,
            storage: Storage::default(),
            cache: Cache::default(),
            own_metrics: OwnMetrics::default(),
            geoip: Arc::new(GeoIp::open(config.geoip_database.as_deref())?),
            calls: Calls::new(CallsConfig::default()),
            recent_calls: RecentCalls::default(),
            limits: config.limits,
            seed: config.seed,
            instances: AtomicU64::new(0),
        };
        let (to_loader, messages) = bounded("plugin_loader", LOADER_QUEUE);
        let shared = Arc::new(Shared::new(making, around, to_loader));
        let loader = Loader::spawn(Arc::clone(&shared), messages, config.watching, config.setup_pauses)?;
        Ok(Self { shared, loader: Mutex::new(Some(loader)) })
    }

    /// Adds a folder to the end of the chain, watches it from now on and waits until its first load has
    /// ended. What is wrong with the plugin itself is in the view; a folder that is already in the chain
    /// stays where it is.
    pub fn add(&self, dir: &Path) -> Result<PluginView, PluginError> {
        let (dir, real) = folder(dir)?;
        let slot = {
            let mut slots = lock(&self.shared.slots);
            if let Some(known) = slots.iter().find(|slot| slot.is_in(&dir, &real)) {
                return Ok(known.view());
            }
            let slot = Arc::new(Slot::new(unique_id(&dir, &slots), dir));
            slot.set_enabled(!self.shared.settings(&slot.id).is_disabled);
            slots.push(Arc::clone(&slot));
            slot
        };
        let (done, wait) = sync_channel(1);
        self.send(Message::Load(Arc::clone(&slot), done))?;
        wait.recv().map_err(|_| PluginError::Stopped)?;
        Ok(slot.view())
    }

    /// Takes a plugin out of the chain.
    pub fn remove(&self, id: &str) -> Result<(), PluginError> {
        {
            let mut slots = lock(&self.shared.slots);
            let at = slots.iter().position(|slot| slot.id == id);
            slots.remove(at.ok_or_else(|| PluginError::UnknownPlugin(id.to_owned()))?);
        }
        self.shared.announce();
        self.send(Message::Forget(id.to_owned()))
    }

    /// What is set for a plugin; also for one that is not in the chain yet.
    pub fn settings(&self, id: &str) -> Settings {
        self.shared.settings(id)
    }

    /// For plugins that are added later; meant for the start.
    pub fn restore_settings(&self, id: &str, settings: Settings) {
        lock(&self.shared.settings).insert(id.to_owned(), settings);
    }

    /// Sets everything that can be set for a plugin, and reloads it when that makes another version.
    pub fn configure(&self, id: &str, settings: Settings) -> Result<PluginView, PluginError> {
        let slot = self.slot(id)?;
        slot.set_enabled(!settings.is_disabled);
        lock(&self.shared.settings).insert(id.to_owned(), settings);
        self.shared.announce();
        let (done, wait) = sync_channel(1);
        self.send(Message::Configure(id.to_owned(), done))?;
        wait.recv().map_err(|_| PluginError::Stopped)?;
        Ok(self.seen(&slot))
    }

    /// Puts plugins into this order; those that are not named follow in theirs.
    pub fn reorder(&self, ids: &[String]) {
        {
            let mut slots = lock(&self.shared.slots);
            let place = |slot: &Arc<Slot>| ids.iter().position(|id| *id == slot.id).unwrap_or(usize::MAX);
            slots.sort_by_key(place);
        }
        self.shared.announce();
    }

    /// The manifest of the version that serves, with the values that are in force (secrets included).
    pub fn configuration(&self, id: &str) -> Result<(Manifest, Map<String, Value>), PluginError> {
        let slot = self.slot(id)?;
        let Some(version) = slot.version() else {
            // A plugin that never loaded may still need its configuration to load.
            let text = std::fs::read_to_string(slot.dir.join(MANIFEST)).unwrap_or_default();
            let manifest = Manifest::parse(&text).unwrap_or_default();
            let values = manifest.default_values();
            return Ok((manifest, values));
        };
        let values = serde_json::from_str(&version.identity.config_json).unwrap_or_default();
        Ok((version.manifest.clone(), values))
    }

    /// Schedules and jobs of the version that serves.
    pub fn tasks(&self, id: &str) -> Result<(Vec<String>, Vec<String>), PluginError> {
        let version = self.slot(id)?.version();
        let lists = |version: Arc<Version>| (version.schedules().to_vec(), version.jobs().to_vec());
        Ok(version.map(lists).unwrap_or_default())
    }

    /// How many mocks the version that serves has, and where its requests go.
    pub fn http(&self, id: &str) -> Result<(HttpMode, usize), PluginError> {
        let version = self.slot(id)?.version();
        let about = |version: Arc<Version>| (version.identity.http.mode(), version.identity.http.mocks().len());
        Ok(version.map(about).unwrap_or_default())
    }

    /// Its newest calls to other machines, oldest first.
    pub fn recent_calls(&self, id: &str) -> Result<Vec<PluginCall>, PluginError> {
        self.slot(id)?;
        Ok(self.shared.around.recent_calls.of(id))
    }

    /// Limits in force.
    pub fn limits(&self, id: &str) -> Limits {
        self.shared.around.limits.with(&self.shared.settings(id).other.limits)
    }

    /// Keys and values of a plugin's storage, by key.
    pub fn storage(&self, id: &str) -> Vec<(String, String)> {
        self.shared.around.storage.entries(id)
    }

    /// Sets (or deletes) one key from outside; the caller journals what comes back.
    pub fn set_storage(&self, id: &str, key: &str, value: Option<String>) -> StorageMutation {
        let mutation = StorageMutation { plugin_id: id.to_owned(), key: key.to_owned(), value };
        self.shared.around.storage.apply(&mutation);
        mutation
    }

    pub fn cache(&self, id: &str) -> Vec<CacheEntry> {
        self.shared.around.cache.entries(id, self.shared.around.clock.now_ms())
    }

    pub fn set_cache(&self, id: &str, key: &str, value: Option<String>) {
        self.shared.around.cache.put(id, self.shared.around.clock.now_ms(), key, value);
    }

    pub(crate) fn slot(&self, id: &str) -> Result<Arc<Slot>, PluginError> {
        let found = lock(&self.shared.slots).iter().find(|slot| slot.id == id).cloned();
        found.ok_or_else(|| PluginError::UnknownPlugin(id.to_owned()))
    }

    pub(crate) fn seen(&self, slot: &Slot) -> PluginView {
        PluginView { metrics: self.shared.around.own_metrics.of(&slot.id), ..slot.view() }
    }

    /// What versions are made with, and where addresses are.
    pub(crate) fn making(&self) -> (Making, Arc<GeoIp>) {
        let shared = &self.shared;
        let making = Making {
            engine: Arc::clone(&shared.engine),
            python: Arc::clone(&shared.python),
            packages: Arc::clone(&shared.packages),
            resolver: Arc::clone(&shared.resolver),
        };
        (making, Arc::clone(&shared.around.geoip))
    }

    /// How many plugins are in the chain, live or not.
    pub fn plugin_count(&self) -> usize {
        lock(&self.shared.slots).len()
    }

    /// In chain order.
    pub fn views(&self) -> Vec<PluginView> {
        let slots = lock(&self.shared.slots).clone();
        slots.iter().map(|slot| self.seen(slot)).collect()
    }

    /// A lane with its own instances of every live plugin, for one thread with at least 2 MiB of stack.
    pub fn lane(&self) -> Lane {
        Lane::new(Arc::clone(&self.shared))
    }

    /// Moves on whenever a plugin changes.
    pub fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// Live plugins that want stored events, in chain order: id and method.
    pub fn exports(&self) -> Vec<(String, ExportMethod)> {
        let slots = lock(&self.shared.slots).clone();
        let wanted = |slot: &Arc<Slot>| {
            let version = slot.version().filter(|_| slot.is_enabled());
            let has = |method: &ExportMethod| version.as_ref().is_some_and(|live| live.has_method(method.as_str()));
            ExportMethod::ALL.into_iter().filter(has).map(|method| (slot.id.clone(), method)).collect::<Vec<_>>()
        };
        slots.iter().flat_map(wanted).collect()
    }

    /// Calls one of them, from one thread with at least 2 MiB of stack.
    pub fn exporter(&self, plugin_id: &str, method: ExportMethod) -> Exporter {
        Exporter::new(self.caller(plugin_id), method)
    }

    /// Calls a plugin's schedules and jobs, from one thread with at least 2 MiB of stack.
    pub fn caller(&self, plugin_id: &str) -> Caller {
        Caller::new(Arc::clone(&self.shared), plugin_id.to_owned())
    }

    /// Live plugins with schedules: id and functions.
    pub fn schedules(&self) -> Vec<(String, Vec<String>)> {
        let slots = lock(&self.shared.slots).clone();
        let known = |slot: &Arc<Slot>| Some((slot.id.clone(), slot.version()?.schedules().to_vec()));
        slots
            .iter()
            .filter(|slot| slot.is_enabled())
            .filter_map(known)
            .filter(|(_, schedules)| !schedules.is_empty())
            .collect()
    }

    /// Whether a version of this plugin serves.
    pub fn is_live(&self, plugin_id: &str) -> bool {
        lock(&self.shared.slots)
            .iter()
            .any(|slot| slot.id == plugin_id && slot.is_enabled() && slot.version().is_some())
    }

    /// What was logged and stored outside batches since the last call.
    pub fn drain_control(&self) -> ControlEffects {
        self.shared.drain_control()
    }

    /// Plays one journalled write back; meant for the start, before plugins are added.
    pub fn restore_storage(&self, mutation: &StorageMutation) {
        self.shared.around.storage.apply(mutation);
    }

    /// Milliseconds from last write to first event, one entry per reload, oldest first.
    pub fn reload_samples(&self) -> Vec<f64> {
        lock(&self.shared.reload_samples).clone()
    }

    /// Runs `teardownPlugin` in every instance that has been given back and stops the threads.
    pub fn shutdown(&self) {
        let Some(loader) = lock(&self.loader).take() else { return };
        // The loader is gone already when this fails, and then there is nothing to stop.
        let _ = self.shared.to_loader.send(Message::Stop);
        if loader.join().is_err() {
            tracing::error!("the plugin loader had panicked");
        }
        self.shared.engine.stop();
    }

    pub(crate) fn send(&self, message: Message) -> Result<(), PluginError> {
        self.shared.to_loader.send(message).map_err(|_| PluginError::Stopped)
    }
}

impl Drop for PluginHost {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// The folder of a plugin as it is called, and where it really is.
pub(crate) fn folder(dir: &Path) -> Result<(PathBuf, PathBuf), PluginError> {
    let real = dir.canonicalize().map_err(|_| PluginError::NoFolder(dir.to_owned()))?;
    if !real.is_dir() {
        return Err(PluginError::NoFolder(real));
    }
    let dir = named(dir, &real);
    if !is_plugin(&dir) {
        return Err(PluginError::NotAPlugin(dir));
    }
    Ok((dir, real))
}

/// Whether a folder may be a plugin.
pub fn is_plugin(dir: &Path) -> bool {
    ENTRIES.iter().any(|name| dir.join(name).is_file())
}

/// The folder without links on the way to it. Its own name may be a link: whoever points it at another
/// folder means another version of the plugin.
fn named(dir: &Path, real: &Path) -> PathBuf {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| real.to_owned());
    let parts = absolute.parent().and_then(|parent| parent.canonicalize().ok()).zip(absolute.file_name());
    parts.map_or_else(|| real.to_owned(), |(parent, name)| parent.join(name))
}
