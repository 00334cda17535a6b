//! News of versions, for whoever archives and compares them.
//!
//! The loader never waits for it: the queue is bounded and the oldest news goes first. Each carries the
//! blueprint of its version, because the folder may hold the next one already.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::blueprint::Blueprint;

/// Saves that come faster than they are archived.
const MOST: usize = 64;

/// A version that went live, or waits to.
pub struct Reload {
    pub plugin_id: String,
    pub version: String,
    pub language: &'static str,
    pub name: String,
    pub blueprint: Blueprint,
    /// False while it waits to be promoted.
    pub is_live: bool,
    /// A version served before it.
    pub replaces: Option<String>,
}

#[derive(Default)]
pub struct Reloads {
    queue: Mutex<VecDeque<Reload>>,
    arrived: Condvar,
}

impl Reloads {
    pub(crate) fn tell(&self, reload: Reload) {
        let mut queue = self.lock();
        queue.push_back(reload);
        if queue.len() > MOST {
            queue.pop_front();
        }
        drop(queue);
        self.arrived.notify_one();
    }

    /// The oldest that nobody has taken, within a time.
    pub fn next(&self, within: Duration) -> Option<Reload> {
        let queue = self.lock();
        let (mut queue, _) = self
            .arrived
            .wait_timeout_while(queue, within, |queue| queue.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        queue.pop_front()
    }

    /// Whether newer news of a plugin waits, which makes work on older ones idle.
    pub fn has_newer(&self, plugin_id: &str) -> bool {
        self.lock().iter().any(|reload| reload.plugin_id == plugin_id)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Reload>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
