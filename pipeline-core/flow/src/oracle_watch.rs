//! The oracle beside a running pipeline.
//!
//! # What it does
//!
//! A thread follows the store's cursor. What has been committed it reads again from the two logs, gives it to the
//! model (`weir_oracle`) event by event, and compares: each row that the model says must be there with the row of the
//! store, by offset and uuid, each person and distinct id that changed with the newest row of it, and at the cursor
//! the totals of all outcomes. Ingestion is not asked to wait, and nothing is compared before it is committed, so a
//! difference is a difference and not a matter of when one looked.
//!
//! # What it believes
//!
//! The intake log: which events were accepted, and when. Of plugins whose twin it has nothing; of others the journal,
//! because what code does that nobody modelled cannot be predicted. Everything after that is computed anew.
//!
//! # What was acked
//!
//! Who sends a stream here says which events were acked, with the end of the intake log at that moment. When the
//! watch has come to that place without having met the event, it was acked and lost.
//!
//! # What it does not do
//!
//! It keeps every uuid it has seen and every person, so it ends after [`MOST_EVENTS`]; by event time, where it keeps
//! every event and compares in rounds (`rounds`), sooner. Begun later than the first event it leaves projects alone that were
//! there before, whose persons it does not know.
//!
//! The folder: `watch` is one run of the model, `feed` reads the logs, `compare` and `people` hold what must be against
//! what is, `rounds` does so by event time, `tally` keeps what was found, `truth` says how near the
//! store comes to what the generator knows.

mod compare;
mod feed;
mod people;
mod prediction;
mod rounds;
mod tally;
mod truth;
mod watch;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;
use weir_api::oracle::{OracleRequest, OracleState};
use weir_event::Clock;
use weir_log::Log;
use weir_plugins::PluginHost;

use crate::error::FlowError;
use crate::store_handle::StoreHandle;
pub use truth::TrueEvent;
use watch::Watch;

/// Events that one watch can look at; their uuids are what its memory goes to.
pub const MOST_EVENTS: u64 = 2_000_000;
const PAUSE: Duration = Duration::from_millis(100);
/// Acked events that wait to be met; beyond it nobody takes note.
const MOST_ACKED: usize = 200_000;
const OFF: &str = "off";
const WATCHING: &str = "watching";
const ENDED: &str = "ended";

/// What commands and the thread share.
pub struct OracleWatch {
    ordering: weir_event::Ordering,
    wanted: Mutex<Wanted>,
    changed: Condvar,
    view: Mutex<OracleState>,
    acked: Mutex<Vec<Acked>>,
}

/// An event that its sender was told to be accepted.
#[derive(Debug, Clone)]
pub struct Acked {
    pub token: String,
    pub event: AckedEvent,
    /// Of the intake log, when that was known.
    until_offset: u64,
}

/// The same, as its sender knows it.
#[derive(Debug, Clone)]
pub struct AckedEvent {
    pub uuid: Uuid,
    pub distinct_id: String,
    /// Of what must be stored under this uuid.
    pub truth: Option<TrueEvent>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wanted {
    begun: Option<Begin>,
    /// Moves on with each start and stop.
    generation: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    Start,
    Now,
}

/// What it reads.
pub struct OracleDeps {
    pub intake: Log,
    pub journal: Log,
    pub store: Arc<StoreHandle>,
    pub clock: Arc<dyn Clock>,
    pub host: Arc<PluginHost>,
    pub stopping: Arc<AtomicBool>,
}

impl OracleWatch {
    pub fn new(ordering: weir_event::Ordering) -> Self {
        let view = OracleState { state: OFF.into(), ..OracleState::default() };
        Self {
            ordering,
            wanted: Mutex::default(),
            changed: Condvar::new(),
            view: Mutex::new(view),
            acked: Mutex::default(),
        }
    }

    /// Starts or stops it, if that is asked for, and says how things stand.
    pub fn command(&self, request: &OracleRequest) -> OracleState {
        match request.running {
            None => {}
            Some(true) => self.want(Some(if request.from_start { Begin::Start } else { Begin::Now })),
            Some(false) => self.want(None),
        }
        self.view()
    }

    /// Events that were acked just now; `end` is the end of the intake log.
    pub fn acked(&self, end: u64, token: &str, events: impl Iterator<Item = AckedEvent>) {
        if lock(&self.wanted).begun.is_none() {
            return;
        }
        let mut acked = lock(&self.acked);
        let room = MOST_ACKED.saturating_sub(acked.len());
        acked.extend(events.take(room).map(|event| Acked { token: token.to_owned(), event, until_offset: end }));
    }

    fn want(&self, begun: Option<Begin>) {
        let mut wanted = lock(&self.wanted);
        *wanted = Wanted { begun, generation: wanted.generation + 1 };
        let state = if begun.is_some() { WATCHING } else { OFF };
        let mut view = lock(&self.view);
        if begun.is_some() {
            *view = OracleState::default();
        }
        lock(&self.acked).clear();
        state.clone_into(&mut view.state);
        self.changed.notify_all();
    }

    pub fn view(&self) -> OracleState {
        lock(&self.view).clone()
    }

    /// Whether it watches, and how many events it expected.
    pub fn progress(&self) -> (bool, u64) {
        let view = lock(&self.view);
        (view.state == WATCHING, view.expected)
    }

    /// The same for who asks often: mismatches are not copied.
    pub fn mismatch_count(&self) -> u64 {
        lock(&self.view).mismatch_count()
    }

    fn show(&self, generation: u64, state: OracleState) {
        // A command that came meanwhile has its own.
        if lock(&self.wanted).generation == generation {
            *lock(&self.view) = state;
        }
    }

    /// Runs until told to stop.
    pub fn run(&self, deps: &OracleDeps) {
        while !deps.stopping.load(Ordering::Acquire) {
            let wanted = {
                let wanted = lock(&self.wanted);
                let (wanted, _) = self
                    .changed
                    .wait_timeout_while(wanted, PAUSE, |wanted| wanted.begun.is_none())
                    .unwrap_or_else(PoisonError::into_inner);
                *wanted
            };
            let Some(begun) = wanted.begun else { continue };
            self.watch(deps, begun, wanted.generation);
        }
    }

    /// One watch, from its start until another is wanted.
    fn watch(&self, deps: &OracleDeps, begun: Begin, generation: u64) {
        let mut watch = None;
        while !deps.stopping.load(Ordering::Acquire) && lock(&self.wanted).generation == generation {
            let moved = match &mut watch {
                None => Watch::begin(deps, begun, self.ordering).map(|begun| {
                    watch = begun;
                    watch.is_some()
                }),
                Some(watch) => {
                    watch.step(deps).inspect(|_| watch.look_for(std::mem::take(&mut *lock(&self.acked)), deps))
                }
            };
            let ended = match moved {
                Ok(true) => None,
                Ok(false) => {
                    self.wait(generation);
                    None
                }
                Err(FlowError::Store(error)) if watch.is_none() => {
                    // The store is being opened or rebuilt.
                    tracing::debug!(%error, "the oracle waits for the store");
                    self.wait(generation);
                    None
                }
                Err(error) => Some(error.to_string()),
            };
            let Some(watch) = &mut watch else { continue };
            let most = watch.most_events();
            let spent = watch.judged >= most;
            let reason = ended.or_else(|| {
                spent.then(|| format!("it has looked at {most} events, which is what it remembers; start it anew"))
            });
            let mut view = watch.view();
            view.state = if reason.is_some() { ENDED.into() } else { WATCHING.into() };
            view.reason.clone_from(&reason);
            self.show(generation, view);
            if reason.is_some() {
                let mut wanted = lock(&self.wanted);
                if wanted.generation == generation {
                    wanted.begun = None;
                }
                return;
            }
        }
    }

    fn wait(&self, generation: u64) {
        let wanted = lock(&self.wanted);
        let same = |wanted: &mut Wanted| wanted.generation == generation;
        drop(self.changed.wait_timeout_while(wanted, PAUSE, same).unwrap_or_else(PoisonError::into_inner));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
