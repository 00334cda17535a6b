//! The one place where a plugin's engine waits.
//!
//! Whoever runs an engine owns a [`CompletionQueue`], starts calls and timers on it and takes what has
//! completed. Answers that are due later (a slow mock, a timer) need no thread: they lie in a heap and are
//! handed out when their moment has come, in the order of their moments and then of their starts.
//! Dropping the queue gives all its calls up.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::request::{HttpFailure, HttpResponse};
use crate::pace::Pace;

/// Unique within one queue; counts from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Http(Result<HttpResponse, HttpFailure>),
    /// A timer has run out.
    Elapsed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    pub id: CallId,
    pub outcome: Outcome,
    /// From the start of the call to its completion.
    pub took: Duration,
}

#[derive(Debug, Default)]
pub struct CompletionQueue(Arc<Shared>);

#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    news: Condvar,
    pace: Pace,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    open: HashMap<CallId, Open>,
    /// Moments at which an answer that is known already is due.
    due: BinaryHeap<Reverse<(Instant, CallId)>>,
    ready: VecDeque<Completion>,
}

#[derive(Debug)]
struct Open {
    started: Instant,
    cancelled: Arc<AtomicBool>,
    /// Of an answer that is due later.
    outcome: Option<Outcome>,
}

impl CompletionQueue {
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits at a pace that is not the world's.
    pub(crate) fn paced(pace: Pace) -> Self {
        Self(Arc::new(Shared { pace, ..Shared::default() }))
    }

    pub(crate) fn pace(&self) -> &Pace {
        &self.0.pace
    }

    /// Completes after this time.
    pub fn sleep(&self, duration: Duration) -> CallId {
        self.0.complete_after(duration, Outcome::Elapsed)
    }

    /// Completes at once.
    pub fn answer(&self, answer: Result<HttpResponse, HttpFailure>) -> CallId {
        self.0.complete_after(Duration::ZERO, Outcome::Http(answer))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    /// Calls and timers that have not been taken yet.
    pub fn open(&self) -> usize {
        let state = self.0.lock();
        state.open.len() + state.ready.len()
    }

    /// What has completed, at once if anything has, otherwise as soon as it does. Empty when the deadline
    /// passes first, or when nothing is open that could complete.
    pub fn wait(&self, deadline: Instant) -> Vec<Completion> {
        let mut state = self.0.lock();
        loop {
            let now = self.0.pace.now();
            state.take_due(now);
            if !state.ready.is_empty() {
                return state.ready.drain(..).collect();
            }
            if state.open.is_empty() || now >= deadline {
                return Vec::new();
            }
            let next = state.due.peek().map_or(deadline, |Reverse((at, _))| deadline.min(*at));
            if self.0.pace.skip_to(next) {
                continue;
            }
            let left = next.saturating_duration_since(now);
            state = self.0.news.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What has completed by now.
    pub fn take(&self) -> Vec<Completion> {
        let mut state = self.0.lock();
        state.take_due(self.0.pace.now());
        state.ready.drain(..).collect()
    }

    /// Whether [`Self::take`] would give something.
    pub fn has_news(&self) -> bool {
        let state = self.0.lock();
        !state.ready.is_empty() || state.next_due().is_some_and(|due| due <= self.0.pace.now())
    }

    /// When the next answer that is known already is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.0.lock().next_due()
    }

    /// Gives one call or timer up: it will not complete. False if it has been taken already.
    pub fn cancel(&self, id: CallId) -> bool {
        let mut state = self.0.lock();
        if let Some(open) = state.open.remove(&id) {
            open.cancelled.store(true, Ordering::Relaxed);
            return true;
        }
        let before = state.ready.len();
        state.ready.retain(|completion| completion.id != id);
        state.ready.len() != before
    }

    pub fn cancel_all(&self) {
        self.0.lock().give_up();
    }
}

impl Drop for CompletionQueue {
    fn drop(&mut self) {
        self.cancel_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new call, and the sign by which it learns that it was given up.
    pub fn open(&self) -> (CallId, Arc<AtomicBool>) {
        let mut state = self.lock();
        let cancelled = Arc::new(AtomicBool::new(false));
        let id = state.open(Open { started: self.pace.now(), cancelled: cancelled.clone(), outcome: None });
        (id, cancelled)
    }

    pub fn complete_after(&self, after: Duration, outcome: Outcome) -> CallId {
        let mut state = self.lock();
        let started = self.pace.now();
        let id = state.open(Open { started, cancelled: Arc::default(), outcome: Some(outcome) });
        state.forget_given_up();
        // A duration beyond what the clock can hold is never due.
        if let Some(at) = started.checked_add(after) {
            state.due.push(Reverse((at, id)));
        }
        drop(state);
        // Who waits may have to wait less long now.
        self.news.notify_all();
        id
    }

    /// The answer of a call, if anyone still wants it.
    pub fn push(&self, id: CallId, outcome: Outcome) {
        let mut state = self.lock();
        if let Some(open) = state.open.remove(&id) {
            let took = self.pace.now().saturating_duration_since(open.started);
            state.ready.push_back(Completion { id, outcome, took });
            drop(state);
            self.news.notify_all();
        }
    }
}

impl State {
    fn open(&mut self, open: Open) -> CallId {
        self.last_id += 1;
        let id = CallId(self.last_id);
        self.open.insert(id, open);
        id
    }

    fn next_due(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    fn take_due(&mut self, now: Instant) {
        while let Some(Reverse((at, id))) = self.due.peek().copied()
            && at <= now
        {
            self.due.pop();
            if let Some(Open { started, outcome: Some(outcome), .. }) = self.open.remove(&id) {
                self.ready.push_back(Completion { id, outcome, took: now.saturating_duration_since(started) });
            }
        }
    }

    /// A timer that is set and cleared in turn would otherwise leave its moments behind.
    fn forget_given_up(&mut self) {
        if self.due.len() > 2 * self.open.len() + 64 {
            self.due.retain(|Reverse((_, id))| self.open.contains_key(id));
        }
    }

    fn give_up(&mut self) {
        for (_, open) in self.open.drain() {
            open.cancelled.store(true, Ordering::Relaxed);
        }
        self.due.clear();
        self.ready.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[test]
    fn timers_complete_in_the_order_of_their_moments() {
        let queue = CompletionQueue::new();
        let slow = queue.sleep(SOON * 2);
        let fast = queue.sleep(SOON);
        let at_once = queue.sleep(Duration::ZERO);
        let mut order = Vec::new();
        while queue.open() > 0 {
            order.extend(queue.wait(later()).into_iter().map(|done| done.id));
        }
        assert_eq!(order, [at_once, fast, slow]);
    }

    #[test]
    fn waiting_ends_at_the_deadline_and_at_once_when_nothing_is_open() {
        let queue = CompletionQueue::new();
        let begun = Instant::now();
        assert!(queue.wait(later()).is_empty());
        assert!(begun.elapsed() < Duration::from_secs(10), "nothing was open");
        queue.sleep(Duration::MAX);
        let deadline = Instant::now() + SOON;
        assert!(queue.wait(deadline).is_empty());
        assert!(Instant::now() >= deadline);
    }

    #[test]
    fn a_push_from_another_thread_wakes_the_waiting_one() {
        let queue = CompletionQueue::new();
        let (id, _) = queue.shared().open();
        let shared = queue.shared().clone();
        let pusher = std::thread::Builder::new()
            .spawn(move || {
                std::thread::sleep(SOON);
                shared.push(id, Outcome::Elapsed);
            })
            .unwrap();
        let done = queue.wait(later());
        assert_eq!(done.len(), 1);
        assert_eq!(done[0].id, id);
        assert!(done[0].took >= SOON / 2, "{:?}", done[0].took);
        pusher.join().unwrap();
    }

    #[test]
    fn cleared_timers_leave_nothing_behind() {
        let queue = CompletionQueue::new();
        for _ in 0..1000 {
            let id = queue.sleep(Duration::from_hours(1));
            queue.cancel(id);
        }
        assert!(queue.shared().lock().due.len() <= 66);
    }

    #[test]
    fn what_is_given_up_never_completes() {
        let queue = CompletionQueue::new();
        let timer = queue.sleep(Duration::ZERO);
        let (call, cancelled) = queue.shared().open();
        assert!(queue.cancel(timer) && queue.cancel(call));
        assert!(!queue.cancel(timer));
        assert!(cancelled.load(Ordering::Relaxed));
        queue.shared().push(call, Outcome::Elapsed);
        assert!(queue.take().is_empty());
        assert_eq!(queue.open(), 0);

        let (_, cancelled) = queue.shared().open();
        drop(queue);
        assert!(cancelled.load(Ordering::Relaxed), "dropping gives up");
    }
}
