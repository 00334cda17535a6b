//! What the plugin stage hands to the projection besides the journal: the same batch, still in memory.
//!
//! The journal is the queue; this is its cache. A projection that finds nothing here, or is behind,
//! reads the logs and gets the same result.

use std::sync::Arc;
use std::time::Instant;

use weir_event::intake::IntakeRecord;
use weir_event::journal::{BatchRecord, ControlRecord, RedriveRecord};
use weir_event::normalize::PluginEvent;

/// Batches that may wait in memory; then the plugin stage waits too.
pub const HANDOFF_BATCHES: usize = 16;

#[derive(Debug)]
pub enum Handoff {
    Control { sequence: u64, record: ControlRecord },
    Redrive { sequence: u64, record: RedriveRecord },
    Batch(Box<HandoffBatch>),
}

#[derive(Debug)]
pub struct HandoffBatch {
    pub sequence: u64,
    pub record: BatchRecord,
    pub intake: Vec<IntakeRecord>,
    /// The event after the last plugin, where it goes on to the store.
    pub parsed: Vec<Option<PluginEvent>>,
    /// A sample of events with their form at each step.
    pub traces: Vec<Trace>,
    pub journalled_at: Instant,
}

/// An event's way through the plugins, for the live view.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Index in the batch.
    pub index: usize,
    /// JSON before the first plugin.
    pub captured: String,
    /// JSON after each step, where the plugin changed it.
    pub after: Vec<Option<Arc<str>>>,
}
