//! A bounded amount of something (bytes in hand, appends that wait) that many projects draw on, so that
//! a noisy one is slowed down and the others are not.
//!
//! # What it guarantees
//!
//! * Never more than `capacity` is out, except that a first grant of a holder is cut to what exists.
//! * While others wait, a holder gets nothing that would put it above half. So whatever one project
//!   does, a request of another waits at most for one of the noisy project's requests to end.
//! * Requests of one holder are served in order, and a large one is not overtaken for ever: whoever is
//!   first in the queue and may be served next holds up those behind.
//!
//! # Why this way
//!
//! Half and first-come is the simplest rule under which one holder cannot starve another; weights and
//! rates would need numbers that nobody knows. Alone, a project may use everything, because idle
//! capacity helps nobody. A holder is a project token, or a client address as long as the token is
//! unknown (it is inside the packed body).
//!
//! # What it does not do
//!
//! It takes nothing back: what was granted while nobody waited is kept until its request ends, which the
//! deadlines of reading and appending bound. And it does not tell apart projects that invent a token per
//! request; the global capacity bounds those.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use weir_event::queue::{Place, QueueNumbers};

/// Nothing was free in time, or the holder has its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much is in hand")]
pub struct Crowded;

/// Names of holders are hashed: two that collide share one half, which harms neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Holder(u64);

#[derive(Debug)]
pub struct FairShare {
    name: &'static str,
    capacity: usize,
    hasher: RandomState,
    numbers: QueueNumbers,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    held: HashMap<Holder, usize>,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    holder: Holder,
    amount: usize,
    granted: oneshot::Sender<Grant>,
    _place: Place,
}

/// An amount that is out; returned when dropped.
#[derive(Debug)]
pub struct Grant {
    share: Arc<FairShare>,
    holder: Holder,
    amount: usize,
}

impl FairShare {
    pub fn new(name: &'static str, capacity: usize) -> Arc<Self> {
        let state = State { free: capacity, held: HashMap::new(), waiting: VecDeque::new() };
        let numbers = QueueNumbers::unlimited(format!("capture_{name}"));
        Arc::new(Self { name, capacity, hasher: RandomState::new(), numbers, state: Mutex::new(state) })
    }

    pub fn holder(&self, name: &str) -> Holder {
        Holder(self.hasher.hash_one(name))
    }

    /// Waits for its turn, `patience` at most.
    pub async fn acquire(
        self: &Arc<Self>,
        holder: Holder,
        amount: usize,
        patience: Duration,
    ) -> Result<Grant, Crowded> {
        let amount = amount.min(self.capacity);
        let turn = {
            let mut state = self.lock();
            if state.waiting.is_empty() && state.may_take(self.capacity, holder, amount) == Verdict::Now {
                state.take(holder, amount);
                return Ok(Grant { share: Arc::clone(self), holder, amount });
            }
            let (granted, turn) = oneshot::channel();
            state.waiting.push_back(Waiting { holder, amount, granted, _place: self.numbers.enter() });
            turn
        };
        metrics::counter!("weir_capture_share_waits_total", "share" => self.name).increment(1);
        self.serve();
        if let Ok(Ok(grant)) = tokio::time::timeout(patience, turn).await {
            return Ok(grant);
        }
        metrics::counter!("weir_capture_share_refusals_total", "share" => self.name).increment(1);
        // Whoever stood behind this one may be next.
        self.serve();
        Err(Crowded)
    }

    /// How many wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.lock().waiting.iter().filter(|waiting| !waiting.granted.is_closed()).count()
    }

    #[cfg(test)]
    pub fn free(&self) -> usize {
        self.lock().free
    }

    fn release(self: &Arc<Self>, holder: Holder, amount: usize) {
        self.lock().give_back(holder, amount);
        self.serve();
    }

    /// Grants to all who may have it now.
    fn serve(self: &Arc<Self>) {
        let mut unwanted = Vec::new();
        let mut state = self.lock();
        let mut index = 0;
        while let Some(next) = state.waiting.get(index) {
            if next.granted.is_closed() {
                state.waiting.remove(index);
                continue;
            }
            let (holder, amount) = (next.holder, next.amount);
            match state.may_take(self.capacity, holder, amount) {
                Verdict::Now => {
                    let Some(next) = state.waiting.remove(index) else { break };
                    state.take(holder, amount);
                    let grant = Grant { share: Arc::clone(self), holder, amount };
                    if let Err(grant) = next.granted.send(grant) {
                        unwanted.push(grant);
                    }
                }
                Verdict::HasItsShare => index += 1,
                Verdict::Later => break,
            }
        }
        drop(state);
        // Dropped here, because returning takes the lock.
        drop(unwanted);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Now,
    /// Nothing is free, but it is this one's turn.
    Later,
    /// Others come first.
    HasItsShare,
}

impl State {
    fn may_take(&self, capacity: usize, holder: Holder, amount: usize) -> Verdict {
        let held = self.held.get(&holder).copied().unwrap_or_default();
        let over = held > 0 && held + amount > capacity / 2;
        if over && self.waiting.iter().any(|other| other.holder != holder && !other.granted.is_closed()) {
            Verdict::HasItsShare
        } else if amount <= self.free {
            Verdict::Now
        } else {
            Verdict::Later
        }
    }

    fn take(&mut self, holder: Holder, amount: usize) {
        self.free -= amount;
        *self.held.entry(holder).or_default() += amount;
    }

    fn give_back(&mut self, holder: Holder, amount: usize) {
        self.free += amount;
        if let Some(held) = self.held.get_mut(&holder) {
            *held -= amount;
            if *held == 0 {
                self.held.remove(&holder);
            }
        }
    }
}

impl Grant {
    pub const fn amount(&self) -> usize {
        self.amount
    }

    /// More for the same holder; what it has stays whatever happens.
    pub async fn grow(&mut self, amount: usize, patience: Duration) -> Result<(), Crowded> {
        let mut more = self.share.acquire(self.holder, amount, patience).await?;
        self.amount += std::mem::take(&mut more.amount);
        Ok(())
    }

    /// Changes hands, to an amount that is already in memory: so without waiting, which would hold it
    /// unaccounted.
    pub fn hand_over(mut self, holder: Holder, amount: usize) -> Result<Self, Crowded> {
        let share = Arc::clone(&self.share);
        let amount = amount.min(share.capacity);
        {
            let mut state = share.lock();
            state.give_back(self.holder, self.amount);
            self.amount = 0;
            if state.may_take(share.capacity, holder, amount) == Verdict::Now {
                state.take(holder, amount);
                self.holder = holder;
                self.amount = amount;
            }
        }
        share.serve();
        if self.amount == amount { Ok(self) } else { Err(Crowded) }
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if self.amount > 0 {
            self.share.release(self.holder, self.amount);
        }
    }
}

#[cfg(test)]
mod tests;
