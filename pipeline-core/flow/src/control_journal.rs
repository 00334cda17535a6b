//! The way of control records into the journal: of sinks, of tasks, and of what users set.
//!
//! The plugin stage is the journal's only writer, so whoever has a record hands it over through a bounded
//! queue and waits until it is durable. The stage drains it between batches; when it waits for events
//! it is woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use weir_event::journal::{ControlRecord, SinkCursor};
use weir_log::Log;
use weir_sinks::{CursorLog, JournalGone};

/// Whoever hands one over waits for it, so there are never more than sinks, plugins and commands.
const QUEUE: usize = 64;

/// A record, and what follows when it is durable.
pub struct Request {
    pub record: ControlRecord,
    done: SyncSender<()>,
}

impl Request {
    pub fn answer(self) {
        // Whoever ended meanwhile has nothing to be told.
        self.done.send(()).ok();
    }
}

/// The end of those who wait.
#[derive(Debug, Clone)]
pub struct ControlJournal {
    queue: SyncSender<Request>,
    depth: Arc<AtomicU64>,
    /// What the plugin stage waits on.
    intake: Log,
}

/// The plugin stage's end.
#[derive(Debug)]
pub struct ControlRequests {
    queue: Receiver<Request>,
    depth: Arc<AtomicU64>,
}

pub fn channel(intake: Log) -> (ControlJournal, ControlRequests) {
    let (sender, receiver) = sync_channel(QUEUE);
    let depth = Arc::new(AtomicU64::new(0));
    (ControlJournal { queue: sender, depth: Arc::clone(&depth), intake }, ControlRequests { queue: receiver, depth })
}

impl ControlJournal {
    /// Returns when the record is durable.
    pub fn append(&self, record: ControlRecord) -> Result<(), JournalGone> {
        let (done, durable) = sync_channel(1);
        self.depth.fetch_add(1, Ordering::AcqRel);
        self.queue.send(Request { record, done }).map_err(|_| JournalGone)?;
        self.intake.wake_readers();
        durable.recv().map_err(|_| JournalGone)
    }
}

impl CursorLog for ControlJournal {
    fn record(&mut self, cursor: &SinkCursor) -> Result<(), JournalGone> {
        self.append(ControlRecord::SinkCursor(cursor.clone()))
    }
}

impl ControlRequests {
    pub fn next(&self) -> Option<Request> {
        match self.queue.try_recv() {
            Ok(request) => {
                let left = self.depth.fetch_sub(1, Ordering::AcqRel) - 1;
                metrics::gauge!("weir_sink_journal_queue").set(left as f64);
                Some(request)
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }
}
