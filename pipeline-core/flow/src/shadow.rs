//! What an edit would do: two versions of a plugin over the newest events, beside the pipeline.
//!
//! # What it guarantees
//!
//! * Every version that went live is archived, and after each reload it is compared with the one before it;
//!   a version that waits to be promoted is compared with the one that serves.
//! * Both versions begin with one snapshot of storage and cache and get the answers that the journal has.
//!   What they do besides is thrown away: it is in no ledger, no budget and no metric.
//! * The pipeline comes first. One comparison runs at a time, on a thread of the lowest priority, in slices;
//!   between slices it stops for a newer version of its plugin or the server's end. A stage never waits for
//!   it: a snapshot shares storage with the live one and copies nothing.
//!
//! # What it does not do
//!
//! It holds the newest events of a comparison in memory, 64 MiB of them at most, and the cache is copied.
//! Results are kept while the server runs, the newest of each plugin.

mod archive;
mod error;
mod recent;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use weir_api::diff::{
    DiffSummary, PluginDiff, PluginDiffLatest, PluginDiffRequest, PluginVersion, PluginVersions, VersionRef,
};
use weir_api::plugin::PluginView;
use weir_event::Clock;
use weir_event::journal::HostCall;
use weir_log::Log;
use weir_plugins::{Answers, Blueprint, Part, PluginError, PluginHost, Recorded, Reload, Settings, Workshop};
use weir_trial::{Comparison, NotComparable, Start};

use crate::error::FlowError;
use crate::task_emission::TaskEmission;
use archive::{Archive, Kept, MOST_VERSIONS};
pub use error::ShadowError;
use recent::Recent;
pub use recent::SetupCalls;

const DEFAULT_EVENTS: u64 = 1_000;
const MOST_EVENTS: u64 = 20_000;
/// Events between two looks at whether it goes on.
const SLICE_EVENTS: usize = 128;
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Plugin code recurses deeply.
const STACK_BYTES: usize = 4 << 20;
/// The seed of the live host, so that what draws numbers draws the same kind of them.
const SEED: u64 = 1;

pub struct Shadow {
    host: Arc<PluginHost>,
    workshop: Workshop,
    archive: Archive,
    intake: Log,
    journal: Log,
    projects: TaskEmission,
    clock: Arc<dyn Clock>,
    setup_calls: Arc<SetupCalls>,
    latest: Mutex<HashMap<String, Latest>>,
    one_at_a_time: Mutex<()>,
    stopping: Arc<AtomicBool>,
}

/// The newest automatic comparison of a plugin.
#[derive(Clone)]
struct Latest {
    summary: DiffSummary,
    diff: Option<Arc<PluginDiff>>,
}

/// A version to compare.
struct Chosen {
    reference: VersionRef,
    blueprint: Blueprint,
    settings: Settings,
    notes: Vec<String>,
}

impl Shadow {
    pub fn new(
        host: Arc<PluginHost>,
        versions_dir: PathBuf,
        (intake, journal): (Log, Log),
        projects: TaskEmission,
        clock: Arc<dyn Clock>,
        stopping: Arc<AtomicBool>,
    ) -> Self {
        Self {
            workshop: Workshop::beside(&host),
            host,
            archive: Archive::new(versions_dir),
            intake,
            journal,
            projects,
            clock,
            setup_calls: Arc::default(),
            latest: Mutex::default(),
            one_at_a_time: Mutex::default(),
            stopping,
        }
    }

    pub fn setup_calls(&self) -> Arc<SetupCalls> {
        Arc::clone(&self.setup_calls)
    }

    pub const fn workshop(&self) -> &Workshop {
        &self.workshop
    }

    /// Archives what goes live and compares it, until the server stops.
    pub fn start(self: &Arc<Self>) -> Result<thread::JoinHandle<()>, FlowError> {
        let shadow = Arc::clone(self);
        let run = move || {
            give_way();
            while !shadow.stopping.load(Ordering::Acquire) {
                if let Some(reload) = shadow.host.reloads().next(LOOK_EVERY) {
                    shadow.reloaded(&reload);
                }
            }
        };
        let builder = thread::Builder::new().name("shadow".into()).stack_size(STACK_BYTES);
        builder.spawn(run).map_err(|error| FlowError::Thread { name: "shadow", message: error.to_string() })
    }

    fn reloaded(&self, reload: &Reload) {
        if reload.is_live
            && let Err(error) = self.archive.keep(reload, self.clock.now_ms())
        {
            tracing::warn!(plugin = reload.plugin_id, %error, hint = error.hint(), "a version is not archived");
        }
        let Some(before) = reload.replaces.clone() else { return };
        let known = self.latest().get(&reload.plugin_id).cloned();
        // It was compared while it waited.
        let is_known =
            |known: &Latest| known.diff.is_some() && known.summary.from == before && known.summary.to == reload.version;
        if known.as_ref().is_some_and(is_known) {
            return;
        }
        let running = DiffSummary {
            from: before.clone(),
            to: reload.version.clone(),
            state: "running".to_owned(),
            text: "comparing with the version before".to_owned(),
            is_empty: false,
        };
        self.latest().insert(reload.plugin_id.clone(), Latest { summary: running.clone(), diff: None });
        let goes_on = || !self.stopping.load(Ordering::Acquire) && !self.host.reloads().has_newer(&reload.plugin_id);
        let latest = match self.compare_reload(reload, &before, &goes_on) {
            Ok(diff) => {
                let text = weir_trial::summary(&diff);
                let summary = DiffSummary { state: "done".to_owned(), text, is_empty: diff.is_empty(), ..running };
                Latest { summary, diff: Some(Arc::new(diff)) }
            }
            Err(error) => {
                let text = error.to_string();
                Latest { summary: DiffSummary { state: "failed".to_owned(), text, ..running }, diff: None }
            }
        };
        self.latest().insert(reload.plugin_id.clone(), latest);
    }

    fn compare_reload(
        &self,
        reload: &Reload,
        before: &str,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<PluginDiff, FlowError> {
        let from = self.chosen(&reload.plugin_id, before, None)?;
        let place = if reload.is_live { "live" } else { "waiting" };
        let to = Chosen {
            reference: VersionRef { version: reload.version.clone(), place: place.to_owned() },
            settings: reload.blueprint.settings().clone(),
            blueprint: reload.blueprint.clone(),
            notes: Vec::new(),
        };
        self.compare(&reload.plugin_id, from, to, DEFAULT_EVENTS, goes_on)
    }

    /// The comparison that is asked for; blocks until it is done.
    pub fn diff(&self, request: &PluginDiffRequest) -> Result<PluginDiff, FlowError> {
        let PluginDiffRequest { id, from, to, dir, last } = request;
        let dir = dir.as_deref().map(Path::new);
        let last = last.unwrap_or(DEFAULT_EVENTS).clamp(1, MOST_EVENTS);
        aside(|| {
            let to = self.chosen(id, to.as_deref().unwrap_or("folder"), dir)?;
            let from = match from {
                Some(from) => self.chosen(id, from, dir)?,
                None => self.version_before(id, &to.reference.version)?,
            };
            self.compare(id, from, to, last, &|| !self.stopping.load(Ordering::Acquire))
        })?
    }

    /// What serves, if it is another; else what served last.
    fn version_before(&self, id: &str, version: &str) -> Result<Chosen, FlowError> {
        let live = self.chosen(id, "live", None)?;
        if live.reference.version != version {
            return Ok(live);
        }
        let versions = self.archive.versions(id)?;
        let other = versions.iter().find(|kept| kept.version != version);
        let other = other.ok_or_else(|| ShadowError::OneVersion(id.to_owned()))?;
        self.archived(id, other)
    }

    fn chosen(&self, id: &str, what: &str, dir: Option<&Path>) -> Result<Chosen, FlowError> {
        let at = |place: &str, (version, blueprint): (String, Blueprint)| Chosen {
            reference: VersionRef { version, place: place.to_owned() },
            settings: blueprint.settings().clone(),
            blueprint,
            notes: Vec::new(),
        };
        let live = self.host.live_blueprint(id)?;
        match what {
            "live" => Ok(at("live", live.ok_or_else(|| ShadowError::NothingServes(id.to_owned()))?)),
            "waiting" => {
                let waiting = self.host.waiting_blueprint(id)?;
                Ok(at("waiting", waiting.ok_or_else(|| PluginError::NothingWaits(id.to_owned()))?))
            }
            "folder" => {
                let own = self.folder(id)?;
                let dir = dir.unwrap_or(&own);
                let settings = self.host.settings(id);
                let not_loaded = |source| ShadowError::NotLoaded { version: dir.display().to_string(), source };
                let blueprint = self.workshop.open(dir).map_err(not_loaded)?.called(id);
                let version = self.workshop.version_of(&blueprint, settings.clone()).map_err(not_loaded)?.0;
                let reference = VersionRef { version, place: "folder".to_owned() };
                Ok(Chosen { reference, blueprint, settings, notes: Vec::new() })
            }
            version => match live {
                Some(live) if live.0.starts_with(version) => Ok(at("live", live)),
                _ => self.archived(id, &self.archive.find(id, version)?),
            },
        }
    }

    fn archived(&self, id: &str, kept: &Kept) -> Result<Chosen, FlowError> {
        let (blueprint, settings) = self.reopened(id, kept)?;
        let not_loaded = |source| ShadowError::NotLoaded { version: kept.version.clone(), source };
        let made = self.workshop.version_of(&blueprint, settings.clone()).map_err(not_loaded)?.0;
        let mut notes = Vec::new();
        if made != kept.version {
            notes.push(format!(
                "Version {} is made with the packages, mocks and secrets of now, and the engine of this Weir, which \
                 makes it {made}.",
                kept.version
            ));
        }
        let reference = VersionRef { version: kept.version.clone(), place: "archived".to_owned() };
        Ok(Chosen { reference, blueprint, settings, notes })
    }

    fn reopened(&self, id: &str, kept: &Kept) -> Result<(Blueprint, Settings), FlowError> {
        let (sources, settings) = self.archive.open(id, kept, &self.host.settings(id))?;
        let dir = self.folder(id).unwrap_or_default();
        let not_loaded = |source| ShadowError::NotLoaded { version: kept.version.clone(), source };
        Ok((self.workshop.reopen(id, &dir, sources).map_err(not_loaded)?, settings))
    }

    /// What served last of a plugin that asks before a new version goes live.
    pub fn served_last(&self, id: &str) -> Result<Option<Blueprint>, FlowError> {
        let Some(newest) = self.archive.versions(id)?.into_iter().next() else { return Ok(None) };
        let (blueprint, settings) = self.reopened(id, &newest)?;
        Ok(Some(blueprint.with_settings(settings)))
    }

    pub fn folder(&self, id: &str) -> Result<PathBuf, FlowError> {
        let view = self.host.views().into_iter().find(|view| view.id == id);
        Ok(view.map(|view| PathBuf::from(view.dir)).ok_or_else(|| PluginError::UnknownPlugin(id.to_owned()))?)
    }

    fn compare(
        &self,
        id: &str,
        from: Chosen,
        to: Chosen,
        last: u64,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<PluginDiff, FlowError> {
        let _one_at_a_time = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        let projects = self.projects.numbers();
        let project_of = |token: &str| projects.get(token).copied().unwrap_or_default();
        let recent = Recent::read(&self.intake, &self.journal, last, project_of)?;
        let others = self.chain(id)?;
        let answers = |plugin_id: &str| {
            let setup = self.setup_calls.of(plugin_id);
            let calls = setup.iter().chain(&recent.calls).filter(|call: &&HostCall| call.plugin_id == plugin_id);
            Answers::Recorded(Arc::new(Recorded::new(calls)))
        };
        let cache = |plugin_id: &str| {
            self.host.cache(plugin_id).into_iter().map(|entry| (plugin_id.to_owned(), entry)).collect::<Vec<_>>()
        };
        let start = Start {
            now_ms: recent.first_ms().unwrap_or_else(|| self.clock.now_ms()),
            seed: SEED,
            snapshot: self.host.storage_snapshot(),
            cache: others.iter().flat_map(|member| cache(member.plugin_id(id))).collect(),
            ..Start::default()
        };
        let not_started = |refused: NotComparable| {
            let of = if refused.side == "before" { &from } else { &to };
            ShadowError::NotStarted { version: of.reference.version.clone(), source: refused.failed.error }
        };
        let mut comparison = Comparison::start(
            &self.workshop,
            id,
            parts(&others, &from, &answers),
            parts(&others, &to, &answers),
            &start,
        )
        .map_err(not_started)?;
        for batch in &recent.batches {
            for slice in batch.inputs.chunks(SLICE_EVENTS) {
                if !goes_on() {
                    return Err(ShadowError::Superseded.into());
                }
                comparison.slice(batch.processed_at_ms, slice);
            }
        }
        let dir = if to.reference.place == "folder" { to.blueprint.dir().to_owned() } else { self.folder(id)? };
        let left_out =
            weir_trial::samples(&mut comparison, &self.workshop, &dir, &from.blueprint, &to.blueprint, goes_on);
        let mut diff = comparison.end();
        diff.offsets = recent.offsets();
        diff.at_ms = self.clock.now_ms();
        diff.notes = from.notes.into_iter().chain(to.notes).chain(left_out).collect();
        (diff.from, diff.to) = (from.reference, to.reference);
        diff.took_ms = started.elapsed().as_secs_f64() * 1000.0;
        Ok(diff)
    }

    /// The plugins that events meet, in order; the compared one also while it is switched off.
    fn chain(&self, id: &str) -> Result<Vec<Member>, FlowError> {
        let mut chain = Vec::new();
        for view in self.host.views() {
            if view.id == id {
                chain.push(Member::Own);
            } else if view.enabled
                && let Some((_, blueprint)) = self.host.live_blueprint(&view.id)?
            {
                chain.push(Member::Other(Box::new(blueprint)));
            }
        }
        Ok(chain)
    }

    pub fn newest(&self, id: &str) -> Result<PluginDiffLatest, FlowError> {
        self.folder(id)?;
        let known = self.latest().get(id).cloned();
        Ok(known.map_or_else(PluginDiffLatest::default, |latest| PluginDiffLatest {
            summary: Some(latest.summary),
            diff: latest.diff.map(|diff| (*diff).clone()),
        }))
    }

    pub fn versions(&self, id: &str) -> Result<PluginVersions, FlowError> {
        let live = self.host.live_blueprint(id)?.map(|(version, _)| version);
        let waiting = self.host.waiting_blueprint(id)?;
        let waits = waiting.into_iter().map(|(version, blueprint)| {
            let (files, bytes) = blueprint.size();
            PluginVersion { version, is_waiting: true, files: files as u64, bytes, ..PluginVersion::default() }
        });
        let kept = self.archive.versions(id)?.into_iter().map(|kept| PluginVersion {
            is_live: live.as_ref() == Some(&kept.version),
            live_at_ms: kept.live_at_ms,
            is_waiting: false,
            files: kept.files() as u64,
            bytes: kept.bytes(),
            language: kept.language,
            version: kept.version,
        });
        Ok(PluginVersions { versions: waits.chain(kept).collect(), kept: MOST_VERSIONS as u64 })
    }

    /// The views of the host, each with what its newest version changes.
    pub fn views(&self) -> Vec<PluginView> {
        let mut views = self.host.views();
        let latest = self.latest();
        for view in &mut views {
            view.diff = latest.get(&view.id).map(|latest| latest.summary.clone());
        }
        views
    }

    fn latest(&self) -> MutexGuard<'_, HashMap<String, Latest>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place of the chain.
enum Member {
    /// Of the plugin whose versions are compared.
    Own,
    Other(Box<Blueprint>),
}

impl Member {
    fn plugin_id<'m>(&'m self, own: &'m str) -> &'m str {
        match self {
            Self::Own => own,
            Self::Other(blueprint) => blueprint.plugin_id(),
        }
    }
}

/// The chain with one of the versions in its place.
fn parts<'c>(chain: &'c [Member], own: &'c Chosen, answers: &dyn Fn(&str) -> Answers) -> Vec<Part<'c>> {
    let part = |member: &'c Member| {
        let (blueprint, settings) = match member {
            Member::Own => (&own.blueprint, own.settings.clone()),
            Member::Other(blueprint) => (&**blueprint, blueprint.settings().clone()),
        };
        Part { blueprint, settings, answers: answers(blueprint.plugin_id()) }
    };
    chain.iter().map(part).collect()
}

/// The calling thread gets what the others leave. Elsewhere than on Linux the call would be about the whole
/// process, and slices have to do.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "a comparison runs at the priority of everything else");
    }
}

/// Runs work on a thread that the system gives what is left over, and waits for its end.
fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, FlowError> {
    const NAME: &str = "plugin-diff";
    let failed = |message: String| FlowError::Thread { name: NAME, message };
    thread::scope(|scope| {
        let builder = thread::Builder::new().name(NAME.into()).stack_size(STACK_BYTES);
        let running = builder.spawn_scoped(scope, || {
            give_way();
            work()
        });
        let running = running.map_err(|error| failed(error.to_string()))?;
        running.join().map_err(|_| failed("it panicked; see the message above".to_owned()))
    })
}
