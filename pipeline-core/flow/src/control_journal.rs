//! The way of control records into the journal: of sinks, of tasks, and of what users set.
//!
//! The plugin stage is the journal's only writer, so whoever has a record hands it over through a bounded
//! queue and waits until it is durable. The stage drains it between batches; when it waits for events
//! it is woken.

use std::sync::mpsc::{SyncSender, sync_channel};

use weir_event::journal::{ControlRecord, SinkCursor};
use weir_event::queue::{Receiver, Sender, bounded};
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
    queue: Sender<Request>,
    /// What the plugin stage waits on.
    intake: Log,
}

/// The plugin stage's end.
#[derive(Debug)]
pub struct ControlRequests(Receiver<Request>);

pub fn channel(intake: Log) -> (ControlJournal, ControlRequests) {
    let (queue, requests) = bounded("control", QUEUE);
    (ControlJournal { queue, intake }, ControlRequests(requests))
}

impl ControlJournal {
    /// Returns when the record is durable.
    pub fn append(&self, record: ControlRecord) -> Result<(), JournalGone> {
        let (done, durable) = sync_channel(1);
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
        self.0.try_recv().ok()
    }
}
