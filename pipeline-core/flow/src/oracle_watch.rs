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
//! # What it does not do
//!
//! It judges by order of arrival only; by event time no row is final. It keeps every uuid it has seen and every
//! person, so it ends after [`MOST_EVENTS`]. Begun later than the first event it leaves projects alone that were
//! there before, whose persons it does not know.
//!
//! The folder: `feed` reads the logs, `compare` and `people` hold what must be against what is, `tally` keeps what
//! was found.

mod compare;
mod feed;
mod people;
mod prediction;
mod tally;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use weir_api::oracle::{OracleRequest, OracleState};
use weir_event::journal::{ChainMember, StepLabel};
use weir_event::outcome::OutcomeCounts;
use weir_event::{Clock, Outcome, ProjectId};
use weir_log::Log;
use weir_oracle::{Judged, Logged, Oracle, Plugins};
use weir_plugins::PluginHost;
use weir_store::Cursor;

use crate::error::FlowError;
use crate::projection::META_CHAIN;
use crate::store_handle::StoreHandle;
use compare::Due;
use feed::{Fed, LogFeed};
use people::People;
use prediction::Prediction;
use tally::{Place, Tally};

/// Events that one watch can look at; their uuids are what its memory goes to.
pub const MOST_EVENTS: u64 = 2_000_000;
/// Events that are compared at a time.
const WINDOW_EVENTS: usize = 2_000;
const WINDOW_BYTES: usize = 16 << 20;
const PAUSE: Duration = Duration::from_millis(100);
const OFF: &str = "off";
const WATCHING: &str = "watching";
const ENDED: &str = "ended";

/// What commands and the thread share.
pub struct OracleWatch {
    ordering: weir_event::Ordering,
    wanted: Mutex<Wanted>,
    changed: Condvar,
    view: Mutex<OracleState>,
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
        Self { ordering, wanted: Mutex::default(), changed: Condvar::new(), view: Mutex::new(view) }
    }

    /// Starts or stops it, if that is asked for, and says how things stand.
    pub fn command(&self, request: &OracleRequest) -> Result<OracleState, FlowError> {
        match request.running {
            None => {}
            Some(true) if self.ordering == weir_event::Ordering::EventTime => {
                return Err(FlowError::OracleRefused(
                    "by event time no row is final before the last event has come, so that there is nothing to compare \
                     while events flow"
                        .into(),
                ));
            }
            Some(true) => self.want(Some(if request.from_start { Begin::Start } else { Begin::Now })),
            Some(false) => self.want(None),
        }
        Ok(self.view())
    }

    fn want(&self, begun: Option<Begin>) {
        let mut wanted = lock(&self.wanted);
        *wanted = Wanted { begun, generation: wanted.generation + 1 };
        let state = if begun.is_some() { WATCHING } else { OFF };
        let mut view = lock(&self.view);
        if begun.is_some() {
            *view = OracleState::default();
        }
        state.clone_into(&mut view.state);
        self.changed.notify_all();
    }

    pub fn view(&self) -> OracleState {
        lock(&self.view).clone()
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
                None => Watch::begin(deps, begun).map(|begun| {
                    watch = begun;
                    watch.is_some()
                }),
                Some(watch) => watch.step(deps),
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
            let Some(watch) = &watch else { continue };
            let spent = watch.judged >= MOST_EVENTS;
            let reason = ended.or_else(|| {
                spent.then(|| {
                    format!("it has looked at {MOST_EVENTS} events, which is what it remembers; start it anew")
                })
            });
            let mut view = watch.tally.view();
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

/// One run of the model.
struct Watch {
    oracle: Oracle,
    feed: LogFeed,
    tally: Tally,
    /// Tokens of projects that were there before.
    foreign: HashSet<String>,
    numbers: HashMap<u32, ProjectId>,
    chains: HashMap<String, Vec<ChainMember>>,
    prediction: Prediction,
    /// Newest time that was seen of each (project, distinct id).
    newest_ms: HashMap<(u32, String), i64>,
    through: u64,
    judged: u64,
    outcomes: OutcomeCounts,
    /// What the store had counted before.
    outcomes_before: OutcomeCounts,
    /// Outcomes cannot be counted any more: some moved, or were of other projects.
    has_uncounted: bool,
}

impl Watch {
    /// `None` while the store cannot be asked.
    fn begin(deps: &OracleDeps, begun: Begin) -> Result<Option<Self>, FlowError> {
        let pool = deps.store.pool()?;
        let (cursor, foreign) = match begun {
            Begin::Start => (Cursor::default(), HashSet::new()),
            Begin::Now => pool.with(|one| {
                let tokens = weir_store::project_tokens(one)?.into_iter().collect();
                Ok::<_, weir_store::StoreError>((weir_store::committed(one)?, tokens))
            })?,
        };
        let keeps = pool.with(|one| weir_store::meta_value(one, "setting:recordings"))?;
        let mut tally = Tally::default();
        tally.state.from_offset = cursor.intake_offset;
        tally.state.through_offset = cursor.intake_offset;
        Ok(Some(Self {
            oracle: Oracle::new(weir_oracle::Ordering::Arrival).with_recordings(keeps.as_deref() == Some("on")),
            feed: LogFeed::at(&deps.intake, &deps.journal, cursor.journal_sequence, cursor.intake_offset),
            tally,
            foreign,
            numbers: HashMap::new(),
            chains: HashMap::new(),
            prediction: Prediction::default(),
            newest_ms: HashMap::new(),
            through: cursor.intake_offset,
            judged: 0,
            outcomes: OutcomeCounts::default(),
            outcomes_before: cursor.outcomes,
            has_uncounted: false,
        }))
    }

    /// Looks at a window of what has been committed; `false` when there is nothing new.
    fn step(&mut self, deps: &OracleDeps) -> Result<bool, FlowError> {
        let Ok(pool) = deps.store.pool() else { return Ok(false) };
        let Ok(committed) = pool.with(weir_store::committed) else { return Ok(false) };
        // A store that is being rebuilt comes here again later.
        if committed.journal_sequence <= self.feed.next_sequence() {
            self.tally.state.behind_events = 0;
            return Ok(false);
        }
        let from = self.through;
        let mut due = Vec::new();
        let mut events = 0;
        while self.feed.next_sequence() < committed.journal_sequence && events < WINDOW_EVENTS {
            let Some(portion) = self.feed.next()? else { break };
            events += portion.events.len();
            if let Some((token, number)) = portion.project {
                self.oracle.know_project(&token, ProjectId(number));
            }
            if let Some(keeps) = portion.recordings {
                self.oracle.set_recordings(keeps);
            }
            self.outcomes.rejected += (portion.until_offset - self.through)
                .saturating_sub(portion.events.iter().filter(|fed| fed.is_captured && !fed.is_again).count() as u64);
            self.through = portion.until_offset;
            let is_moved = portion.events.iter().any(|fed| fed.is_again);
            for fed in portion.events {
                self.judge(deps, &fed, &mut due)?;
            }
            if is_moved {
                // Their rows have offsets that were looked at already.
                self.has_uncounted = true;
                for project in self.oracle.projects() {
                    self.oracle.take_changes(project);
                }
            }
        }
        self.compare(deps, &pool, from, due)?;
        self.tally.state.through_offset = self.through;
        self.tally.state.behind_events = committed.intake_offset.saturating_sub(self.through);
        if self.feed.next_sequence() == committed.journal_sequence {
            self.count(deps, &committed);
        }
        metrics::gauge!("weir_oracle_behind_events").set(self.tally.state.behind_events as f64);
        Ok(true)
    }

    fn judge(&mut self, deps: &OracleDeps, fed: &Fed, due: &mut Vec<Due>) -> Result<(), FlowError> {
        if self.foreign.contains(&fed.record.token) {
            self.tally.state.skipped += 1;
            self.has_uncounted = true;
            return Ok(());
        }
        self.judged += 1;
        self.learn_chain(deps, fed)?;
        let chain = &self.chains[&fed.chain_hash];
        let is_followed = self.prediction.follows(&mut self.oracle, &deps.host, &fed.chain_hash, chain);
        let is_predicted = is_followed && fed.is_predictable();
        let plugins = if is_predicted { Plugins::Predicted } else { Plugins::Said(fed.said()) };
        let state = &mut self.tally.state;
        *(if is_predicted { &mut state.predicted } else { &mut state.taken_as_said }) += 1;
        let Judged { project, outcome, is_conflicting, row, .. } = self.oracle.judge(&Logged {
            token: &fed.record.token,
            received_at_ms: fed.record.received_at_ms,
            sent_at: fed.record.sent_at.as_deref(),
            ip: &fed.record.ip,
            site_url: &fed.record.site_url,
            uuid: fed.captured.uuid,
            text: &fed.captured.data,
            plugins,
            is_again: fed.is_again,
        });
        self.numbers.insert(project.0, project);
        let state = &mut self.tally.state;
        match outcome {
            Outcome::Deduplicated => state.duplicates_removed += 1,
            Outcome::Dropped => state.dropped += 1,
            _ => {}
        }
        state.conflicting_duplicates += u64::from(is_conflicting);
        if fed.is_again {
            return Ok(());
        }
        self.outcomes.add(outcome, 1);
        self.outcomes.emitted += u64::from(!fed.is_captured);
        self.outcomes.conflicting_duplicates += u64::from(is_conflicting);
        let Some(row) = row else { return Ok(()) };
        let newest = self.newest_ms.entry((project.0, row.distinct_id.clone())).or_insert(row.timestamp_ms);
        if row.timestamp_ms < *newest {
            self.tally.state.out_of_order_repaired += 1;
        }
        *newest = row.timestamp_ms.max(*newest);
        let plugins = if fed.effect.steps.is_empty() { Vec::new() } else { self.named(fed) };
        let uuid = row.uuid.unwrap_or(fed.captured.uuid).to_string();
        due.push(Due { offset: fed.offset, project: project.0, uuid, row, plugins });
        Ok(())
    }

    fn learn_chain(&mut self, deps: &OracleDeps, fed: &Fed) -> Result<(), FlowError> {
        if !self.chains.contains_key(&fed.chain_hash) {
            let chain = if let Some(chain) = self.feed.chain(&fed.chain_hash) {
                chain.to_vec()
            } else {
                let key = format!("{META_CHAIN}{}", fed.chain_hash);
                let text = deps.store.pool()?.with(|one| weir_store::meta_value(one, &key))?;
                text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
            };
            self.chains.insert(fed.chain_hash.clone(), chain);
        }
        Ok(())
    }

    /// The lists that are written on an event that plugins saw.
    fn named(&self, fed: &Fed) -> Vec<(&'static str, Vec<String>)> {
        let chain = &self.chains[&fed.chain_hash];
        let name = |member: &ChainMember| format!("{} ({})", member.name, member.plugin_id);
        let of = |is_wanted: fn(StepLabel) -> bool| {
            let steps = fed.effect.steps.iter().filter(|step| is_wanted(step.label));
            steps.filter_map(|step| chain.get(usize::from(step.plugin))).map(name).collect::<Vec<_>>()
        };
        vec![
            ("$plugins_succeeded", of(|label| !matches!(label, StepLabel::Error | StepLabel::Skipped))),
            ("$plugins_failed", of(|label| label == StepLabel::Error)),
            ("$plugins_deferred", chain.iter().filter(|member| member.is_deferred).map(name).collect()),
        ]
    }

    fn compare(
        &mut self,
        deps: &OracleDeps,
        pool: &weir_store::QueryPool,
        from: u64,
        due: Vec<Due>,
    ) -> Result<(), FlowError> {
        let at_ms = deps.clock.now_ms();
        let mut stored = Vec::new();
        let mut next = from;
        while next < self.through {
            let window =
                pool.with(|one| weir_store::export(one, next, Some(self.through), WINDOW_EVENTS, WINDOW_BYTES))?;
            next = window.next.max(next + 1);
            stored.extend(window.events);
        }
        let watched: HashSet<i64> = self.numbers.keys().map(|number| i64::from(*number)).collect();
        stored.retain(|event| watched.contains(&event.team_id) || self.foreign.is_empty());
        compare::rows(&mut self.tally, at_ms, due, stored);

        let (persons, ids) = pool.with(|one| weir_store::people_changes(one, from, self.through))?;
        let mut rows = People {
            persons: persons.into_iter().map(|row| ((row.team_id, row.id), row)).collect(),
            distinct_ids: ids.into_iter().map(|row| ((row.team_id, row.distinct_id.clone()), row)).collect(),
            until_offset: self.through,
        };
        for project in self.oracle.projects() {
            let changes = self.oracle.take_changes(project);
            people::persons(&mut self.tally, at_ms, project.0, changes, &mut rows);
        }
        let foreign = !self.foreign.is_empty();
        people::unexpected(&mut self.tally, at_ms, rows, |project| !foreign || watched.contains(&i64::from(project)));
        Ok(())
    }

    /// The totals of outcomes, when model and store are at the same place.
    fn count(&mut self, deps: &OracleDeps, committed: &Cursor) {
        if self.has_uncounted {
            return;
        }
        let at_ms = deps.clock.now_ms();
        let mut off = 0;
        for outcome in Outcome::ALL {
            let found = committed.outcomes.of(outcome) - self.outcomes_before.of(outcome);
            let expected = self.outcomes.of(outcome);
            off += expected.abs_diff(found) as i64;
            if expected != found && off != self.tally.state.outcomes_off {
                let place = Place { offset: self.through.saturating_sub(1), ..Place::default() };
                let words = (expected.to_string(), found.to_string());
                self.tally.differs(at_ms, "outcome", outcome.as_str(), place, words);
            }
        }
        self.tally.state.outcomes_off = off;
    }
}
