//! One outcome for every event, and a count of those that have none yet.
//!
//! # What it guarantees
//!
//! `received + emitted = outcomes + in flight + unexplained`, with every term read at one moment.
//! Nothing here is worked out from another term: `received` is the intake log's own count, outcomes are
//! what the store committed, and `in flight` is what the queues and the hands of the stages hold.
//! A stage that loses an event lowers its own count without raising an outcome, and the difference
//! shows as `unexplained`.
//!
//! # How
//!
//! Both logs are queues: their depth is the distance from the reader's position to the end. A stage
//! takes events in hand and lets go of them inside [`Ledger::step`], so that a reader, which takes the
//! lock for itself alone, never sees an event in two places or in none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use weir_api::ledger::Ledger as LedgerView;
use weir_event::outcome::OutcomeCounts;
use weir_log::Log;

#[derive(Debug)]
pub struct Ledger {
    intake: Log,
    /// Held shared by whoever moves events, exclusively by whoever counts them.
    barrier: RwLock<()>,
    positions: Positions,
    committed: Mutex<OutcomeCounts>,
    /// What was committed when the store had caught up; `None` before, and while it is made anew.
    counted_from: Mutex<Option<OutcomeCounts>>,
}

/// Where each stage is. All change only inside [`Ledger::step`].
#[derive(Debug, Default)]
pub struct Positions {
    /// Intake offset that the plugin stage reads next.
    pub plugins_read: AtomicU64,
    /// Events the plugin stage holds.
    pub plugins_in_hand: AtomicU64,
    /// Events in the journal.
    pub journalled: AtomicU64,
    /// Journalled events that the projection has taken.
    pub projection_read: AtomicU64,
    /// Events the projection holds: applied to persons, not yet committed to the store.
    pub projection_in_hand: AtomicU64,
}

/// In-flight events, by place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InFlight {
    pub intake_queue: u64,
    pub plugins: u64,
    pub journal_queue: u64,
    pub projection: u64,
}

impl InFlight {
    pub fn total(&self) -> u64 {
        self.intake_queue + self.plugins + self.journal_queue + self.projection
    }
}

impl Ledger {
    pub fn new(intake: Log) -> Self {
        Self {
            intake,
            barrier: RwLock::new(()),
            positions: Positions::default(),
            committed: Mutex::default(),
            counted_from: Mutex::default(),
        }
    }

    /// Moves events from one place to the next; nobody counts meanwhile.
    pub fn step<T>(&self, moving: impl FnOnce(&Positions) -> T) -> T {
        let _moving = self.barrier.read().unwrap_or_else(PoisonError::into_inner);
        moving(&self.positions)
    }

    /// The same where the committed outcomes change too.
    pub fn settle<T>(&self, outcomes: OutcomeCounts, moving: impl FnOnce(&Positions) -> T) -> T {
        let _moving = self.barrier.read().unwrap_or_else(PoisonError::into_inner);
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = outcomes;
        moving(&self.positions)
    }

    /// The store begins to count what was counted already: before, or as is in the logs.
    pub fn recount(&self) {
        *self.counted_from.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What is committed from here on is new.
    pub fn count_new(&self) {
        let committed = *self.committed.lock().unwrap_or_else(PoisonError::into_inner);
        self.counted_from.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(committed);
    }

    /// Outcomes of which those that came since are new; `None` while the store counts anew.
    pub fn counted_from(&self) -> Option<OutcomeCounts> {
        *self.counted_from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events before this offset are committed, or about to be said so. For who looks often and counts nothing: it
    /// takes no lock.
    pub fn committed_through(&self) -> u64 {
        let in_hand = self.positions.projection_in_hand.load(Ordering::Acquire);
        self.positions.projection_read.load(Ordering::Acquire).saturating_sub(in_hand)
    }

    /// Events that the store has committed.
    pub fn stored(&self) -> u64 {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).stored
    }

    /// Every term at one moment.
    pub fn read(&self) -> (LedgerView, InFlight, OutcomeCounts) {
        let _alone = self.barrier.write().unwrap_or_else(PoisonError::into_inner);
        let at = |position: &AtomicU64| position.load(Ordering::Acquire);
        let received = self.intake.end().offset;
        let in_flight = InFlight {
            intake_queue: received.saturating_sub(at(&self.positions.plugins_read)),
            plugins: at(&self.positions.plugins_in_hand),
            journal_queue: at(&self.positions.journalled).saturating_sub(at(&self.positions.projection_read)),
            projection: at(&self.positions.projection_in_hand),
        };
        let counts = *self.committed.lock().unwrap_or_else(PoisonError::into_inner);
        let view = LedgerView {
            received,
            emitted: counts.emitted,
            stored: counts.stored,
            dropped: counts.dropped,
            rejected: counts.rejected,
            dead_lettered: counts.dead_lettered,
            deduplicated: counts.deduplicated,
            in_flight: in_flight.total(),
            unexplained: (received + counts.emitted) as i64 - (counts.total() + in_flight.total()) as i64,
        };
        (view, in_flight, counts)
    }
}

/// Adds to or takes from a count of events; for use inside [`Ledger::step`].
pub fn shift(position: &AtomicU64, by: i64) {
    if by >= 0 {
        position.fetch_add(by.unsigned_abs(), Ordering::AcqRel);
    } else {
        position.fetch_sub(by.unsigned_abs(), Ordering::AcqRel);
    }
}
