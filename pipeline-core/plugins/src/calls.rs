//! The host calls of one instance that take time: their numbers, timers, and answers.
//!
//! Guarantees that each call that was begun and not cancelled is answered once, in order of arrival, to
//! the thread that runs the instance. Answers of other threads come in through an [`Inbox`], which may
//! outlive the instance; what arrives then is dropped. Nothing here runs by itself: timers are looked at
//! by `wait` and `poll`. The number of calls under way is bounded by the limits of the plugin.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::bindings::weir::plugin::waiting::{Answer, Completion};

/// Where other threads put answers.
#[derive(Debug, Default)]
pub struct Inbox {
    ready: Mutex<VecDeque<Completion>>,
    arrived: Condvar,
}

impl Inbox {
    pub fn put(&self, call: u32, answer: Answer) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.push_back(Completion { call, answer });
        self.arrived.notify_all();
    }
}

#[derive(Debug, Default)]
pub struct Calls {
    last: u32,
    /// Calls whose answers come through the inbox.
    remote: HashSet<u32>,
    timers: BTreeSet<(Instant, u32)>,
    inbox: Arc<Inbox>,
}

impl Calls {
    pub fn under_way(&self) -> usize {
        self.remote.len() + self.timers.len()
    }

    pub fn sleep(&mut self, time: Duration) -> u32 {
        let number = self.next();
        // A time beyond the clock's reach is as good as never, but has to be a time.
        let now = Instant::now();
        let due = now.checked_add(time).unwrap_or(now + Duration::from_secs(86_400 * 365));
        self.timers.insert((due, number));
        number
    }

    /// A number and the place for its answer.
    pub fn begin(&mut self) -> (u32, Arc<Inbox>) {
        let number = self.next();
        self.remote.insert(number);
        (number, Arc::clone(&self.inbox))
    }

    pub fn cancel(&mut self, number: u32) {
        self.remote.remove(&number);
        self.timers.retain(|(_, timer)| *timer != number);
    }

    /// What has come so far.
    pub fn poll(&mut self) -> Vec<Completion> {
        let mut done = Vec::new();
        let arrived = std::mem::take(&mut *self.inbox.ready.lock().unwrap_or_else(PoisonError::into_inner));
        done.extend(arrived.into_iter().filter(|completion| self.remote.remove(&completion.call)));
        let now = Instant::now();
        while let Some(timer) = self.timers.first().copied().filter(|(due, _)| *due <= now) {
            self.timers.remove(&timer);
            done.push(Completion { call: timer.1, answer: Answer::Elapsed });
        }
        done
    }

    /// Sleeps until something may have come, at the latest until `deadline`.
    pub fn wait_until(&self, deadline: Instant) {
        let until = self.next_timer().map_or(deadline, |due| due.min(deadline));
        let ready = self.inbox.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = until.saturating_duration_since(Instant::now());
        let outcome = self.inbox.arrived.wait_timeout_while(ready, wait, |ready| ready.is_empty());
        drop(outcome.unwrap_or_else(PoisonError::into_inner));
    }

    /// When the next timer is due.
    pub fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// Whether `poll` would find something.
    pub fn has_news(&self) -> bool {
        self.next_timer().is_some_and(|due| due <= Instant::now())
            || !self.inbox.ready.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn next(&mut self) -> u32 {
        // After four billion calls the first numbers are free again.
        self.last = self.last.wrapping_add(1);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_and_answers_come_once_and_cancelled_ones_never() {
        let mut calls = Calls::default();
        let soon = calls.sleep(Duration::ZERO);
        let cancelled = calls.sleep(Duration::ZERO);
        let (answered, inbox) = calls.begin();
        calls.cancel(cancelled);
        let sender = std::thread::spawn(move || {
            inbox.put(answered, Answer::Elapsed);
            inbox.put(answered, Answer::Elapsed);
        });
        let mut seen = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        while seen.len() < 2 && Instant::now() < deadline {
            calls.wait_until(deadline);
            seen.extend(calls.poll().into_iter().map(|completion| completion.call));
        }
        sender.join().expect("sends");
        seen.extend(calls.poll().into_iter().map(|completion| completion.call));
        seen.sort_unstable();
        assert_eq!(seen, [soon, answered]);
        assert_eq!(calls.under_way(), 0);
    }
}
