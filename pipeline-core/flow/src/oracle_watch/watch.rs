//! One run of the model, from its first event to its last.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use uuid::Uuid;
use weir_api::oracle::OracleState;
use weir_event::journal::{ChainMember, StepLabel};
use weir_event::outcome::OutcomeCounts;
use weir_event::{Outcome, ProjectId, StoredEvent};
use weir_oracle::{Judged, Logged, Oracle, Plugins};
use weir_store::{Cursor, QueryPool};

use super::compare::{self, Due};
use super::feed::{Fed, LogFeed};
use super::people::{self, People};
use super::prediction::Prediction;
use super::rounds::{self, Rounds};
use super::tally::{Place, Tally};
use super::truth::Truths;
use super::{Acked, AckedEvent, Begin, MOST_EVENTS, OracleDeps};
use crate::error::FlowError;
use crate::projection::META_CHAIN;

/// Events that are compared at a time.
const WINDOW_EVENTS: usize = 2_000;
const WINDOW_BYTES: usize = 16 << 20;
const COUNT_PEOPLE_EVERY: Duration = Duration::from_secs(1);

/// One run of the model.
pub struct Watch {
    oracle: Oracle,
    feed: LogFeed,
    pub tally: Tally,
    /// Tokens of projects that were there before.
    foreign: HashSet<String>,
    /// Projects of which events were judged.
    watched: HashSet<u32>,
    chains: HashMap<String, Vec<ChainMember>>,
    prediction: Prediction,
    /// Newest time that was seen of each (project, distinct id).
    newest_ms: HashMap<(u32, String), i64>,
    through: u64,
    /// Acked events that may still come.
    awaited: Vec<Acked>,
    pub judged: u64,
    outcomes: OutcomeCounts,
    /// What the store had counted before.
    outcomes_before: OutcomeCounts,
    /// Outcomes cannot be counted any more: some moved, or were of other projects.
    has_uncounted: bool,
    /// By event time.
    rounds: Option<Rounds>,
    truths: Truths,
    people_counted: Option<Instant>,
}

impl Watch {
    /// `None` while the store cannot be asked.
    pub fn begin(deps: &OracleDeps, begun: Begin, ordering: weir_event::Ordering) -> Result<Option<Self>, FlowError> {
        let pool = deps.store.pool()?;
        let (cursor, foreign) = match begun {
            Begin::Start => (Cursor::default(), HashSet::new()),
            Begin::Now => pool.with(|one| {
                let tokens = weir_store::project_tokens(one)?.into_iter().collect();
                Ok::<_, weir_store::StoreError>((weir_store::committed(one)?, tokens))
            })?,
        };
        let keeps = pool.with(|one| weir_store::meta_value(one, "setting:recordings"))?;
        let (ordering, rounds) = match ordering {
            weir_event::Ordering::Arrival => (weir_oracle::Ordering::Arrival, None),
            weir_event::Ordering::EventTime => (weir_oracle::Ordering::EventTime, Some(Rounds::default())),
        };
        let mut tally = Tally::default();
        tally.state.from_offset = cursor.intake_offset;
        tally.state.through_offset = cursor.intake_offset;
        Ok(Some(Self {
            oracle: Oracle::new(ordering).with_recordings(keeps.as_deref() == Some("on")),
            feed: LogFeed::at(&deps.intake, &deps.journal, cursor.journal_sequence, cursor.intake_offset),
            tally,
            foreign,
            watched: HashSet::new(),
            chains: HashMap::new(),
            prediction: Prediction::default(),
            newest_ms: HashMap::new(),
            through: cursor.intake_offset,
            awaited: Vec::new(),
            judged: 0,
            outcomes: OutcomeCounts::default(),
            outcomes_before: cursor.outcomes,
            has_uncounted: false,
            rounds,
            truths: Truths::default(),
            people_counted: None,
        }))
    }

    /// Looks at a window of what has been committed; `false` when there is nothing new.
    pub fn step(&mut self, deps: &OracleDeps) -> Result<bool, FlowError> {
        let Ok(pool) = deps.store.pool() else { return Ok(false) };
        let Ok(committed) = pool.with(weir_store::committed) else { return Ok(false) };
        // A store that is being rebuilt comes here again later.
        if committed.journal_sequence <= self.feed.next_sequence() {
            self.tally.state.behind_events = 0;
            return self.round(deps, &pool);
        }
        let from = self.through;
        let due = self.take(deps, committed.journal_sequence, WINDOW_EVENTS)?;
        if self.rounds.is_some() {
            self.round(deps, &pool)?;
        } else {
            self.compare(deps, &pool, from, due)?;
        }
        self.tally.state.through_offset = self.through;
        self.tally.state.behind_events = committed.intake_offset.saturating_sub(self.through);
        if self.feed.next_sequence() == committed.journal_sequence {
            self.count(deps, &committed);
        }
        metrics::gauge!("weir_oracle_behind_events").set(self.tally.state.behind_events as f64);
        Ok(true)
    }

    /// Events that it can look at.
    pub fn most_events(&self) -> u64 {
        if self.rounds.is_some() { rounds::MOST_EVENTS } else { MOST_EVENTS }
    }

    /// Compares everything, by event time and when it is time for it; `false` otherwise.
    fn round(&mut self, deps: &OracleDeps, pool: &QueryPool) -> Result<bool, FlowError> {
        let sequence = self.feed.next_sequence();
        let Some(mut rounds) = self.rounds.take_if(|rounds| rounds.is_due(sequence)) else { return Ok(false) };
        let current = pool.with(weir_store::current)?;
        // A store that is being rebuilt comes here again later.
        if current.cursor.journal_sequence >= sequence {
            self.rounds = Some(rounds);
            self.take(deps, current.cursor.journal_sequence, usize::MAX)?;
            rounds = self.rounds.take().unwrap_or_default();
            self.times_of(&current.events);
            let owners: HashMap<_, _> = current
                .distinct_ids
                .iter()
                .map(|row| ((row.team_id, row.distinct_id.as_str()), row.person_id))
                .collect();
            self.truths.count_people(|project, distinct_id| owners.get(&(project, distinct_id)).copied());
            let (watched, watches_all) = (&self.watched, self.foreign.is_empty());
            let is_watched = |project| watches_all || watched.contains(&project);
            rounds.compare(&mut self.tally, deps.clock.now_ms(), &self.oracle, current, is_watched);
        }
        self.rounds = Some(rounds);
        Ok(true)
    }

    /// Lets the model take what the journal has before `until`, but about `most` events; gives the rows that must be there.
    fn take(&mut self, deps: &OracleDeps, until: u64, most: usize) -> Result<Vec<Due>, FlowError> {
        let mut due = Vec::new();
        let mut events = 0;
        while self.feed.next_sequence() < until && events < most {
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
        Ok(due)
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
        let Judged { project, outcome, is_conflicting, row } = self.oracle.judge(&Logged {
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
        self.watched.insert(project.0);
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
        let plugins = if fed.effect.steps.is_empty() { Vec::new() } else { self.named(fed) };
        if let Some(rounds) = &mut self.rounds {
            rounds.saw(project.0, fed.captured.uuid, fed.offset, plugins);
            return Ok(());
        }
        let Some(row) = row else { return Ok(()) };
        let newest = self.newest_ms.entry((project.0, row.distinct_id.clone())).or_insert(row.timestamp_ms);
        if row.timestamp_ms < *newest {
            self.tally.state.out_of_order_repaired += 1;
        }
        *newest = row.timestamp_ms.max(*newest);
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

    fn compare(&mut self, deps: &OracleDeps, pool: &QueryPool, from: u64, due: Vec<Due>) -> Result<(), FlowError> {
        let at_ms = deps.clock.now_ms();
        let mut stored = Vec::new();
        let mut next = from;
        while next < self.through {
            let window =
                pool.with(|one| weir_store::export(one, next, Some(self.through), WINDOW_EVENTS, WINDOW_BYTES))?;
            next = window.next.max(next + 1);
            stored.extend(window.events);
        }
        stored.retain(|event| self.watches(event.team_id as u32));
        self.times_of(&stored);
        compare::rows(&mut self.tally, at_ms, due, stored, true);

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
        let (watched, watches_all) = (&self.watched, self.foreign.is_empty());
        people::unexpected(&mut self.tally, at_ms, rows, |project| watches_all || watched.contains(&project));
        Ok(())
    }

    fn times_of(&mut self, stored: &[StoredEvent]) {
        for event in stored {
            // What is none is a mismatch already.
            if let Ok(uuid) = Uuid::parse_str(&event.uuid) {
                self.truths.stored(uuid, event.timestamp_ms);
            }
        }
    }

    /// What was found, and how near it comes to the truth.
    pub fn view(&mut self) -> OracleState {
        if self.rounds.is_none() && self.people_counted.is_none_or(|counted| counted.elapsed() >= COUNT_PEOPLE_EVERY) {
            let oracle = &self.oracle;
            self.truths.count_people(|project, distinct_id| oracle.person_of(ProjectId(project), distinct_id));
            self.people_counted = Some(Instant::now());
        }
        OracleState { truth: self.truths.view(), ..self.tally.view() }
    }

    fn watches(&self, project: u32) -> bool {
        self.foreign.is_empty() || self.watched.contains(&project)
    }

    /// Holds acked events against those that were met.
    pub fn look_for(&mut self, acked: Vec<Acked>, deps: &OracleDeps) {
        self.awaited.extend(acked);
        let (through, mut lost) = (self.through, Vec::new());
        let (oracle, foreign, truths) = (&self.oracle, &self.foreign, &mut self.truths);
        self.awaited.retain_mut(|event| {
            if event.until_offset > through {
                return true;
            }
            let AckedEvent { uuid, distinct_id, truth } = &mut event.event;
            if foreign.contains(&event.token) {
                return false;
            }
            if !oracle.has_met(&event.token, *uuid) {
                lost.push(event.clone());
            } else if let Some((truth, project)) = truth.take().zip(oracle.number_of(&event.token)) {
                truths.told(project.0, *uuid, distinct_id, truth);
            }
            false
        });
        for Acked { event, until_offset, .. } in lost {
            self.tally.state.missing += 1;
            let uuid = event.uuid.to_string();
            let place = Place {
                offset: until_offset.saturating_sub(1),
                project: 0,
                uuid: &uuid,
                distinct_id: &event.distinct_id,
            };
            let words = ("in the intake log, because it was acked".to_owned(), "nothing".to_owned());
            self.tally.differs(deps.clock.now_ms(), "lost", "", place, words);
        }
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
