//! Bounded queues that say how many wait in them, and for how long.
//!
//! # What it guarantees
//!
//! * What is in a queue, or waits for a place in it, counts in its depth until it is taken or thrown away:
//!   the count hangs on the thing itself, so no way out of the queue can forget it.
//! * How long each waited is recorded when it leaves.
//!
//! # Why this way
//!
//! A depth above the capacity means that senders are held up, which is what a bounded queue is for, and what
//! whoever looks at it wants to see. Queues of one name (one for each plugin) count together.
//!
//! # What it does not do
//!
//! Replies, of which there is one for each request, are no queue and are not counted.

use std::fmt;
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use metrics::{Gauge, Histogram};

/// The numbers of one queue, of whatever kind it is.
#[derive(Clone)]
pub struct QueueNumbers {
    depth: Gauge,
    wait: Histogram,
}

/// A place in a queue: held by what waits, dropped when it has been taken.
#[must_use = "what is dropped does not wait"]
pub struct Place {
    numbers: QueueNumbers,
    since: Instant,
}

impl QueueNumbers {
    /// `capacity` in what the queue holds: records, batches, requests.
    pub fn new(name: impl Into<String>, capacity: usize) -> Self {
        let name = name.into();
        metrics::gauge!("weir_queue_capacity", "queue" => name.clone()).set(capacity as f64);
        Self::unlimited(name)
    }

    /// Of one in which only those wait who are limited otherwise: connections wait for their share.
    pub fn unlimited(name: impl Into<String>) -> Self {
        let name = name.into();
        let depth = metrics::gauge!("weir_queue_depth", "queue" => name.clone());
        // An empty queue is there too.
        depth.increment(0.0);
        Self { depth, wait: metrics::histogram!("weir_queue_wait_seconds", "queue" => name) }
    }

    pub fn enter(&self) -> Place {
        self.depth.increment(1.0);
        Place { numbers: self.clone(), since: Instant::now() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.numbers.depth.decrement(1.0);
        self.numbers.wait.record(self.since.elapsed());
    }
}

impl fmt::Debug for QueueNumbers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("QueueNumbers")
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Place").field("since", &self.since).finish_non_exhaustive()
    }
}

struct Waiting<T> {
    item: T,
    _place: Place,
}

/// The end of threads that put something in; clones share the queue.
pub struct Sender<T> {
    queue: mpsc::SyncSender<Waiting<T>>,
    numbers: QueueNumbers,
}

/// The end of the thread that takes.
pub struct Receiver<T>(mpsc::Receiver<Waiting<T>>);

/// A queue between threads for at most `capacity` things.
pub fn bounded<T>(name: impl Into<String>, capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (queue, taken) = mpsc::sync_channel(capacity);
    (Sender { queue, numbers: QueueNumbers::new(name, capacity) }, Receiver(taken))
}

/// What waits is not shown, so it need not be `Debug`.
impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Receiver")
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), numbers: self.numbers.clone() }
    }
}

impl<T> Sender<T> {
    /// Waits for a place. Gives the item back when nobody will ever take it.
    pub fn send(&self, item: T) -> Result<(), SendError<T>> {
        let waiting = Waiting { item, _place: self.numbers.enter() };
        self.queue.send(waiting).map_err(|SendError(waiting)| SendError(waiting.item))
    }

    /// The same without waiting.
    pub fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        let waiting = Waiting { item, _place: self.numbers.enter() };
        self.queue.try_send(waiting).map_err(|error| match error {
            TrySendError::Full(waiting) => TrySendError::Full(waiting.item),
            TrySendError::Disconnected(waiting) => TrySendError::Disconnected(waiting.item),
        })
    }
}

impl<T> Receiver<T> {
    pub fn recv(&self) -> Result<T, RecvError> {
        self.0.recv().map(|waiting| waiting.item)
    }

    pub fn recv_timeout(&self, patience: Duration) -> Result<T, RecvTimeoutError> {
        self.0.recv_timeout(patience).map(|waiting| waiting.item)
    }

    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.0.try_recv().map(|waiting| waiting.item)
    }

    /// Ends when the last sender is gone.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        self.0.iter().map(|waiting| waiting.item)
    }
}

#[cfg(test)]
mod tests;
