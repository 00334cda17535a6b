//! SQL checks beside a running pipeline.
//!
//! # What it does
//!
//! A thread reads `checks/*.sql` in the folders of the plugins in the chain, and the folders that were given to the
//! server, again at each look: a file that was edited runs next. Each check is one statement that must return no
//! rows, run like a user's query, on a connection of theirs and in a read-only transaction.
//!
//! # What it costs
//!
//! One check runs at a time, for two seconds at most. None runs when the store has nothing new since its last run,
//! unless that one failed: a window that moves on can heal it. Between two runs of a check lie what its file says and
//! twenty times what the last run took, so that all of them together cost a small part of a core.
//!
//! # What it does not do
//!
//! It holds nothing up and keeps no history: the state of a check is that of its newest run.
//!
//! `state` is what is known of each check, and pure.

mod state;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use weir_api::check::{CheckList, CheckState, Severity};
use weir_event::Clock;
use weir_plugins::{CHECKS_DIR, PluginHost};
use weir_store::{QueryLimits, committed};
use weir_trial::{Check, CheckError, checks_in};

use crate::store_handle::StoreHandle;
use state::{Known, MOST_ROWS};

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A command that wants all of them run waits this long for its turn to end.
const RUN_TIMEOUT: Duration = Duration::from_mins(2);
const LIMITS: QueryLimits = QueryLimits { max_rows: MOST_ROWS, timeout_ms: 2_000 };

/// What commands and the thread share.
pub struct Checks {
    /// Of `--checks`.
    dirs: Vec<PathBuf>,
    host: Arc<PluginHost>,
    store: Arc<StoreHandle>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// In the order that they are shown in.
    known: Vec<Known>,
    /// Runs of all checks that were asked for, and those that have ended.
    asked: u64,
    answered: u64,
    is_stopped: bool,
}

/// Checks that return rows or cannot run, as an alert tells of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failing {
    pub ids: Vec<String>,
    pub severity: Severity,
}

/// What is found in a folder, with the id of its plugin.
type Found = (Option<String>, Result<Check, CheckError>);

impl Checks {
    pub fn new(dirs: Vec<PathBuf>, host: Arc<PluginHost>, store: Arc<StoreHandle>, clock: Arc<dyn Clock>) -> Self {
        Self { dirs, host, store, clock, state: Mutex::default(), changed: Condvar::new() }
    }

    pub fn list(&self) -> CheckList {
        CheckList { checks: self.state().known.iter().map(|known| known.view.clone()).collect() }
    }

    pub fn failing(&self) -> Failing {
        let state = self.state();
        let bad = || state.known.iter().map(|known| &known.view).filter(|view| view.state.is_bad());
        Failing {
            ids: bad().map(|view| view.id.clone()).collect(),
            severity: bad().map(|view| view.severity).max().unwrap_or_default(),
        }
    }

    /// Runs all of them and returns when that has ended. Blocks its thread.
    pub fn run_all(&self) -> CheckList {
        let mut state = self.state();
        state.asked += 1;
        let turn = state.asked;
        self.changed.notify_all();
        let waits = |state: &mut State| state.answered < turn && !state.is_stopped;
        drop(self.changed.wait_timeout_while(state, RUN_TIMEOUT, waits).unwrap_or_else(PoisonError::into_inner));
        self.list()
    }

    /// Runs until told to stop.
    pub fn watch(&self, stopping: &AtomicBool) {
        while !stopping.load(Ordering::Acquire) {
            let asked = self.state().asked;
            let is_asked = asked > self.state().answered;
            self.look(is_asked, stopping);
            let mut state = self.state();
            state.answered = asked;
            self.changed.notify_all();
            let rests = |state: &mut State| state.asked == asked;
            drop(self.changed.wait_timeout_while(state, LOOK_EVERY, rests).unwrap_or_else(PoisonError::into_inner));
        }
        self.state().is_stopped = true;
        self.changed.notify_all();
    }

    fn look(&self, runs_all: bool, stopping: &AtomicBool) {
        self.take_note(self.found());
        // Without a store there is nothing to ask; the files are known all the same.
        let Ok(pool) = self.store.pool() else { return };
        let Ok(cursor) = pool.with(committed) else { return };
        for at in 0.. {
            let due = {
                let state = self.state();
                let Some(known) = state.known.get(at) else { break };
                let is_due = runs_all || known.is_due(cursor.journal_sequence, Instant::now());
                known.check.clone().filter(|_| is_due)
            };
            if stopping.load(Ordering::Acquire) {
                return;
            }
            let Some(check) = due else { continue };
            let started = Instant::now();
            let ran = check.run(&pool, LIMITS);
            let took = started.elapsed();
            metrics::counter!("weir_check_runs_total").increment(1);
            metrics::histogram!("weir_check_seconds").record(took);
            if let Some(known) = self.state().known.get_mut(at) {
                known.ran(ran, (cursor.journal_sequence, started, took), self.clock.now_ms());
            }
        }
        self.publish();
    }

    fn found(&self) -> Vec<Found> {
        let of_plugins = self.host.views().into_iter().filter(|plugin| plugin.enabled).flat_map(|plugin| {
            let found = checks_in(&PathBuf::from(&plugin.dir).join(CHECKS_DIR));
            found.into_iter().map(move |check| (Some(plugin.id.clone()), check))
        });
        let given = self.dirs.iter().flat_map(|dir| checks_in(dir)).map(|check| (None, check));
        of_plugins.chain(given).collect()
    }

    /// Only this thread changes the list, so places in it hold during a look.
    fn take_note(&self, found: Vec<Found>) {
        let now_ms = self.clock.now_ms();
        let mut before = std::mem::take(&mut self.state().known);
        let mut known: Vec<Known> = Vec::with_capacity(found.len());
        for (plugin, check) in found {
            let fresh = Known::new(plugin, check, now_ms);
            if known.iter().any(|other| other.view.file == fresh.view.file) {
                continue;
            }
            let same = before.iter().position(|old| old.view.file == fresh.view.file && old.is_of(&fresh));
            known.push(same.map_or(fresh, |at| before.swap_remove(at)));
        }
        self.state().known = known;
    }

    fn publish(&self) {
        let state = self.state();
        for wanted in [CheckState::Never, CheckState::Passing, CheckState::Failing, CheckState::Error] {
            let count = state.known.iter().filter(|known| known.view.state == wanted).count();
            metrics::gauge!("weir_checks", "state" => wanted.as_str()).set(count as f64);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
