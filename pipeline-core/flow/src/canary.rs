//! How far behind the store is, by asking it.
//!
//! Twice a second the next acked event becomes a canary: an actual query runs until it returns the
//! event's commit. The time from the event's acceptance to that answer is the headline "queryable".
//!
//! Asking must not add to the lag, and a query costs a thousand times what a look at a counter does: no query
//! runs before the projection says that it has committed the event. That it says so counts for nothing; only
//! the query's answer does.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::intake::LogIntake;
use crate::ledger::Ledger;
use crate::store_handle::StoreHandle;

const INTERVAL: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(5);
/// A canary that is not seen by then is reported as its age, and asked for on.
const REPORT_LATE: Duration = Duration::from_millis(500);
const KEPT: usize = 20_000;

/// Results of canaries.
#[derive(Debug, Default)]
pub struct Queryable {
    newest_ms: Mutex<Option<f64>>,
    all_ms: Mutex<VecDeque<f64>>,
}

impl Queryable {
    pub fn newest_ms(&self) -> Option<f64> {
        *self.newest_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, ms: f64) {
        *self.newest_ms.lock().unwrap_or_else(PoisonError::into_inner) = Some(ms);
    }

    fn finish(&self, ms: f64) {
        self.set(ms);
        metrics::histogram!("weir_queryable_seconds").record(ms / 1_000.0);
        let mut all = self.all_ms.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_back(ms);
        if all.len() > KEPT {
            all.pop_front();
        }
    }
}

/// Runs until told to stop.
pub fn run(intake: &LogIntake, ledger: &Ledger, store: &StoreHandle, queryable: &Queryable, stopping: &AtomicBool) {
    while !stopping.load(Ordering::Acquire) {
        let Some(canary) = intake.next_ack(INTERVAL) else { continue };
        while !(ledger.committed_through() > canary.offset && is_queryable(store, canary.offset)) {
            if stopping.load(Ordering::Acquire) {
                return;
            }
            let age = canary.accepted_at.elapsed();
            if age > REPORT_LATE {
                queryable.set(ms(age));
            }
            // A store that is far behind is asked less often.
            thread::sleep(POLL.max(age / 20));
        }
        queryable.finish(ms(canary.accepted_at.elapsed()));
        thread::sleep(INTERVAL);
    }
}

fn is_queryable(store: &StoreHandle, offset: u64) -> bool {
    store.pool().is_ok_and(|pool| {
        pool.with(|connection| {
            connection
                .query_row("SELECT intake_offset > ? FROM weir_state", [offset], |row| row.get::<_, bool>(0))
                .unwrap_or(false)
        })
    })
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
