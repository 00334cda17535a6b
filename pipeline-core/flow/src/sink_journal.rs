//! The way of a sink's records into the journal.
//!
//! The plugin stage is the journal's only writer, so sinks hand their records to it through a bounded
//! queue and wait until they are durable. The stage drains it between batches; when it waits for events
//! it is woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use weir_event::journal::{ControlRecord, SinkCursor};
use weir_log::Log;
use weir_sinks::{CursorLog, JournalGone};

/// Each sink waits for its record, so there are never more than sinks and a command.
const QUEUE: usize = 64;

/// A record, and what follows when it is durable.
pub struct Request {
    pub record: ControlRecord,
    done: SyncSender<()>,
}

impl Request {
    pub fn answer(self) {
        // A sink that ended meanwhile has nothing to be told.
        self.done.send(()).ok();
    }
}

/// The sinks' end.
#[derive(Debug, Clone)]
pub struct SinkJournal {
    queue: SyncSender<Request>,
    depth: Arc<AtomicU64>,
    /// What the plugin stage waits on.
    intake: Log,
}

/// The plugin stage's end.
#[derive(Debug)]
pub struct SinkRequests {
    queue: Receiver<Request>,
    depth: Arc<AtomicU64>,
}

pub fn channel(intake: Log) -> (SinkJournal, SinkRequests) {
    let (sender, receiver) = sync_channel(QUEUE);
    let depth = Arc::new(AtomicU64::new(0));
    (SinkJournal { queue: sender, depth: Arc::clone(&depth), intake }, SinkRequests { queue: receiver, depth })
}

impl SinkJournal {
    /// Returns when the record is durable.
    pub fn append(&self, record: ControlRecord) -> Result<(), JournalGone> {
        let (done, durable) = sync_channel(1);
        self.depth.fetch_add(1, Ordering::AcqRel);
        self.queue.send(Request { record, done }).map_err(|_| JournalGone)?;
        self.intake.wake_readers();
        durable.recv().map_err(|_| JournalGone)
    }
}

impl CursorLog for SinkJournal {
    fn record(&mut self, cursor: &SinkCursor) -> Result<(), JournalGone> {
        self.append(ControlRecord::SinkCursor(cursor.clone()))
    }
}

impl SinkRequests {
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
