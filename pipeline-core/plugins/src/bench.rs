//! Plugins away from the stream: for tests, for trying an edit on events that were, for repeating a journal.
//!
//! A [`Workshop`] has the engine; it opens a folder once, builds what takes long once, and sets up as many
//! benches as are wanted. A [`Bench`] is a host without loader, watches and network: the same lanes and
//! callers as live, over storage, cache, clock and seed of its own. What it does concerns nobody else.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use thiserror::Error;
use weir_api::plugin::{Diagnostic, PluginCall};
use weir_event::journal::StorageMutation;
use weir_event::queue::{Receiver, bounded};
use weir_event::{Clock as _, ManualClock};

use crate::batch::ControlEffects;
use crate::blueprint::{Blueprint, Sources};
use crate::caller::Caller;
use crate::error::PluginError;
use crate::exporter::{ExportMethod, Exporter};
use crate::geoip::GeoIp;
use crate::host::{self, Making, Message, PluginHost, Shared};
use crate::http::{Calls, CallsConfig, Mocks, Recorded, SystemResolver};
use crate::lane::Lane;
use crate::language::{Cancel, Language, Order};
use crate::limits::Limits;
use crate::own_metrics::OwnMetrics;
use crate::pace::Pace;
use crate::recent_calls::RecentCalls;
use crate::settings::Settings;
use crate::slot::{self, Slot, lock};
use crate::sources;
use crate::state::Surroundings;
use crate::storage::{Cache, CacheEntry, Storage, StorageSnapshot};
use crate::version::Version;

/// Instances that may wait to be torn down: one for a lane and one for each caller, for each plugin.
const RETIRED: usize = 1_024;

/// Why a plugin cannot be tried.
#[derive(Debug, Error)]
pub enum BenchError {
    #[error(transparent)]
    Host(#[from] PluginError),
    /// It does not build, load or set up.
    #[error("{}", .0.message)]
    Plugin(Box<Diagnostic>),
}

impl BenchError {
    /// Stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Host(error) => error.code(),
            Self::Plugin(_) => "plugin_load",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Host(error) => error.hint(),
            Self::Plugin(problem) => problem.hint.as_deref().unwrap_or_default(),
        }
    }
}

impl From<Box<Diagnostic>> for BenchError {
    fn from(problem: Box<Diagnostic>) -> Self {
        Self::Plugin(problem)
    }
}

pub struct Workshop {
    making: Making,
    geoip: Arc<GeoIp>,
    /// For building, which needs no place to run.
    shared: Arc<Shared>,
}

/// One plugin of a bench.
pub struct Part<'a> {
    pub blueprint: &'a Blueprint,
    pub settings: Settings,
    pub answers: Answers,
}

/// What requests are answered with.
#[derive(Debug, Clone, Default)]
pub enum Answers {
    /// The mocks of the plugin's folder.
    #[default]
    Own,
    /// These, and then the plugin's own.
    Before(Arc<Mocks>),
    /// What they were answered with when they were live.
    Recorded(Arc<Recorded>),
}

/// What is there before the first event.
#[derive(Debug, Clone)]
pub struct BenchConfig {
    pub clock: Arc<ManualClock>,
    pub seed: u64,
    /// What live plugins kept at a moment.
    pub snapshot: StorageSnapshot,
    /// Applied to it in order.
    pub storage: Vec<StorageMutation>,
    /// By plugin id.
    pub cache: Vec<(String, CacheEntry)>,
}

pub struct Bench {
    shared: Arc<Shared>,
    retired: Receiver<Message>,
}

impl Workshop {
    pub fn start(compile_cache_dir: &Path, geoip_database: Option<&Path>) -> Result<Self, PluginError> {
        let making = Making::start(compile_cache_dir, Arc::new(SystemResolver))?;
        Ok(Self::over(making, Arc::new(GeoIp::open(geoip_database)?)))
    }

    /// Over the engine and the places of a host that runs, which notices nothing of it.
    pub fn beside(host: &PluginHost) -> Self {
        let (making, geoip) = host.making();
        Self::over(making, geoip)
    }

    fn over(making: Making, geoip: Arc<GeoIp>) -> Self {
        let around = surroundings(&geoip, &BenchConfig::at(0, 0));
        // Nobody sends anything to a host that only builds.
        let (to_nobody, _) = bounded("plugin_bench", 0);
        let shared = Arc::new(Shared::new(making.clone(), around, to_nobody));
        Self { making, geoip, shared }
    }

    /// Reads the folder of a plugin, and builds it if it has to be built.
    pub fn open(&self, dir: &Path) -> Result<Blueprint, BenchError> {
        let (dir, _) = host::folder(dir)?;
        let (_, snapshot) = sources::read(&dir);
        let snapshot = snapshot.map_err(|error| {
            let message = format!("Cannot read the plugin's folder: {error}");
            Box::new(Diagnostic { message, ..Diagnostic::default() })
        })?;
        let language = Language::of(&snapshot)?;
        let plugin_id = slot::id_of(&dir);
        let order = Order { plugin_id, dir, snapshot: Arc::new(snapshot), settings: Settings::default(), language };
        let artifact = order.make(&self.shared, &Cancel::default())?;
        Ok(Blueprint::new(order, artifact)?)
    }

    /// A plugin out of an archive. Its packages and mocks are those that its folder has now.
    pub fn reopen(&self, plugin_id: &str, dir: &Path, sources: Sources) -> Result<Blueprint, BenchError> {
        let (snapshot, built) = sources.into_snapshot();
        let language = Language::of(&snapshot)?;
        let (plugin_id, dir) = (plugin_id.to_owned(), dir.to_owned());
        let order = Order { plugin_id, dir, snapshot, settings: Settings::default(), language };
        let artifact = match built {
            Some(built) => order.compile_built(&self.shared, built)?,
            None => order.make(&self.shared, &Cancel::default())?,
        };
        Ok(Blueprint::new(order, artifact)?)
    }

    /// The version that a blueprint makes with these settings, not loaded yet.
    fn assemble(&self, part: &Part<'_>) -> Result<Version, Box<Diagnostic>> {
        let order = Order { settings: part.settings.clone(), ..part.blueprint.order.clone() };
        let version = order.assemble(&self.shared, &part.blueprint.artifact)?;
        let http = &version.identity.http;
        match &part.answers {
            Answers::Own => http.close(None),
            Answers::Before(mocks) => {
                http.set_mocks(mocks.before(&http.mocks()));
                http.close(None);
            }
            Answers::Recorded(recorded) => http.close(Some(Arc::clone(recorded))),
        }
        Ok(version)
    }

    /// Name and language of the version that a blueprint makes with these settings.
    pub fn version_of(&self, blueprint: &Blueprint, settings: Settings) -> Result<(String, &'static str), BenchError> {
        let version = self.assemble(&Part { blueprint, settings, answers: Answers::Own })?;
        Ok((version.identity.version.clone(), version.language))
    }

    /// Sets the plugins up, in chain order. What `setupPlugin` did is in [`Bench::drain_control`], also when it
    /// failed: hence the place for it.
    pub fn bench(
        &self,
        parts: Vec<Part<'_>>,
        config: &BenchConfig,
        before_failure: &mut ControlEffects,
    ) -> Result<Bench, BenchError> {
        let (to_bench, retired) = bounded("plugin_bench", RETIRED);
        let shared = Arc::new(Shared::new(self.making.clone(), surroundings(&self.geoip, config), to_bench));
        let bench = Bench { shared, retired };
        for part in parts {
            let version = Arc::new(self.assemble(&part)?);
            let ready = bench.shared.make_ready(&version).map_err(|unready| {
                *before_failure = bench.drain_control();
                unready.problem
            })?;
            let order = &part.blueprint.order;
            let slot = Slot::new(order.plugin_id.clone(), order.dir.clone());
            slot.serve(Arc::clone(&version), part.blueprint.clone(), ready.instance, None);
            slot.show(&version, ready.setup);
            lock(&bench.shared.slots).push(Arc::new(slot));
        }
        Ok(bench)
    }
}

impl BenchConfig {
    /// Nothing kept, at a moment.
    pub fn at(now_ms: i64, seed: u64) -> Self {
        Self {
            clock: Arc::new(ManualClock::at(now_ms)),
            seed,
            snapshot: StorageSnapshot::default(),
            storage: Vec::new(),
            cache: Vec::new(),
        }
    }
}

impl Bench {
    /// With instances of all its plugins, for one thread with at least 2 MiB of stack.
    pub fn lane(&self) -> Lane {
        Lane::new(Arc::clone(&self.shared))
    }

    /// Calls a plugin's schedules and jobs.
    pub fn caller(&self, plugin_id: &str) -> Caller {
        Caller::new(Arc::clone(&self.shared), plugin_id.to_owned())
    }

    pub fn exporter(&self, plugin_id: &str, method: ExportMethod) -> Exporter {
        Exporter::new(self.caller(plugin_id), method)
    }

    /// Version and limits of each plugin, in chain order.
    pub fn plugins(&self) -> Vec<BenchPlugin> {
        let slots = lock(&self.shared.slots).clone();
        let versions = slots.iter().filter_map(|slot| slot.version());
        versions
            .map(|version| BenchPlugin {
                plugin_id: version.identity.plugin_id.clone(),
                name: version.identity.name.clone(),
                version: version.identity.version.clone(),
                language: version.language,
                functions: version.functions(),
                schedules: version.schedules().to_vec(),
                exports: ExportMethod::ALL.into_iter().filter(|method| version.has_method(method.as_str())).collect(),
                limits: version.identity.limits.clone(),
                preset: version.identity.preset.clone(),
            })
            .collect()
    }

    pub fn storage(&self, plugin_id: &str) -> Vec<(String, String)> {
        self.shared.around.storage.entries(plugin_id)
    }

    pub fn cache(&self, plugin_id: &str) -> Vec<CacheEntry> {
        self.shared.around.cache.entries(plugin_id, self.shared.around.clock.now_ms())
    }

    /// Its calls to other machines since this was last asked (the newest 200 of them), whole, oldest first.
    pub fn take_calls(&self, plugin_id: &str) -> Vec<PluginCall> {
        self.shared.around.recent_calls.take(plugin_id)
    }

    /// What was logged and stored outside batches since the last call.
    pub fn drain_control(&self) -> ControlEffects {
        self.shared.drain_control()
    }

    /// Memory of one plugin's instances.
    pub fn memory_of(&self, plugin_id: &str) -> u64 {
        let slots = lock(&self.shared.slots);
        slots.iter().filter(|slot| slot.id == plugin_id).map(|slot| slot.view().memory_bytes).sum()
    }

    /// Memory of the instances that lanes have, with their engines.
    pub fn memory_bytes(&self) -> u64 {
        lock(&self.shared.slots).iter().map(|slot| slot.view().memory_bytes).sum()
    }

    /// Runs `teardownPlugin` in every instance that lanes and callers have given back.
    pub fn tear_down(&self) {
        let prepared: Vec<_> = lock(&self.shared.slots).iter().filter_map(|slot| slot.take_prepared()).collect();
        for instance in prepared {
            self.shared.tear_down(instance);
        }
        while let Ok(Message::Retire(instance)) = self.retired.try_recv() {
            self.shared.tear_down(*instance);
        }
    }
}

/// A plugin on a bench, as it was loaded.
#[derive(Debug, Clone)]
pub struct BenchPlugin {
    pub plugin_id: String,
    pub name: String,
    pub version: String,
    pub language: &'static str,
    /// Everything it exports.
    pub functions: Vec<String>,
    pub schedules: Vec<String>,
    pub exports: Vec<ExportMethod>,
    pub limits: Limits,
    pub preset: Option<String>,
}

fn surroundings(geoip: &Arc<GeoIp>, config: &BenchConfig) -> Surroundings {
    let storage = Storage::over(config.snapshot.clone());
    for mutation in &config.storage {
        storage.apply(mutation);
    }
    let cache = Cache::default();
    let now_ms = config.clock.now_ms();
    for (plugin_id, entry) in &config.cache {
        cache.restore(plugin_id, now_ms, entry);
    }
    Surroundings {
        clock: config.clock.clone(),
        pace: Pace::of(Arc::clone(&config.clock)),
        storage,
        cache,
        own_metrics: OwnMetrics::default(),
        geoip: Arc::clone(geoip),
        calls: Calls::new(CallsConfig::default()),
        recent_calls: RecentCalls::default(),
        limits: Limits::default(),
        seed: config.seed,
        instances: AtomicU64::new(0),
    }
}
