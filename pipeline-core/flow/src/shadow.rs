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
mod run;
mod versions;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use weir_api::diff::{DiffSummary, PluginDiff, PluginDiffLatest, PluginDiffRequest, VersionRef};
use weir_api::plugin::PluginView;
use weir_event::Clock;
use weir_log::Log;
use weir_plugins::{PluginHost, Reload, Workshop};

use crate::error::FlowError;
use crate::task_emission::TaskEmission;
use archive::Archive;
pub use error::ShadowError;
pub use recent::SetupCalls;
use run::{Reach, aside, give_way};
use versions::Chosen;

const DEFAULT_EVENTS: u64 = 1_000;
const MOST_EVENTS: u64 = 20_000;
/// A version that takes its whole limit for each event is not waited for: what was seen by then is the result.
const AUTOMATIC_TIME: Duration = Duration::from_mins(1);
const ASKED_TIME: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Plugin code recurses deeply.
const STACK_BYTES: usize = 4 << 20;

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
        // What served before a start was edited while nobody looked.
        let served_last = || {
            let kept = self.archive.versions(&reload.plugin_id).unwrap_or_default();
            kept.into_iter().next().map(|kept| kept.version).filter(|version| *version != reload.version)
        };
        let before = reload.replaces.clone().or_else(served_last);
        if reload.is_live
            && let Err(error) = self.archive.keep(reload, self.clock.now_ms())
        {
            tracing::warn!(plugin = reload.plugin_id, %error, hint = error.hint(), "a version is not archived");
        }
        let Some(before) = before else { return };
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
        self.compare(&reload.plugin_id, from, to, Reach { events: DEFAULT_EVENTS, time: AUTOMATIC_TIME }, goes_on)
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
            self.compare(id, from, to, Reach { events: last, time: ASKED_TIME }, &|| {
                !self.stopping.load(Ordering::Acquire)
            })
        })?
    }

    pub fn newest(&self, id: &str) -> Result<PluginDiffLatest, FlowError> {
        self.folder(id)?;
        let known = self.latest().get(id).cloned();
        Ok(known.map_or_else(PluginDiffLatest::default, |latest| PluginDiffLatest {
            summary: Some(latest.summary),
            diff: latest.diff.map(|diff| (*diff).clone()),
        }))
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
