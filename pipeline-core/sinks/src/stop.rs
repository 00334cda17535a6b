//! The word that a sink has to end, and the place where its thread waits for it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    since: Mutex<Option<Instant>>,
    said: Condvar,
}

impl Stop {
    pub fn stop(&self) {
        self.0.since.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        self.0.said.notify_all();
    }

    /// How long ago it was said.
    pub fn said(&self) -> Option<Duration> {
        self.0.since.lock().unwrap_or_else(PoisonError::into_inner).map(|since| since.elapsed())
    }

    pub fn is_said(&self) -> bool {
        self.said().is_some()
    }

    /// Waits for the word, no longer than `time`; returns whether it was said.
    pub fn wait(&self, time: Duration) -> bool {
        let since = self.0.since.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.said.wait_timeout_while(since, time, |since| since.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }
}
