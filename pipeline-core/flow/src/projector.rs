//! The projection's thread: keeps the store level with the journal, and rebuilds it when it must.
//!
//! It owns the only writing connection. Live, it takes batches from the plugin stage's hand and commits
//! several times a second. When the store is behind, gone, damaged or of another schema, it reads the
//! logs instead; capture and plugins go on meanwhile. Either way each batch is applied once: the cursor
//! says which is next.

use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use weir_event::Clock;
use weir_event::journal::{BatchRecord, JournalRecord, RedriveRecord};
use weir_event::queue::{Receiver, RecvTimeoutError};
use weir_event::sabotage::{Bug, strikes};
use weir_log::{Log, LogReader};
use weir_store::{RowBatch, SinkRow, StoreConfig, StoreError, StoreWriter};

use crate::codec;
use crate::error::FlowError;
use crate::faults::{Fault, Faults};
use crate::handoff::{Handoff, HandoffBatch};
use crate::ledger::{Ledger, shift};
use crate::live::LiveFeed;
use crate::plugin_states::PluginStates;
use crate::projection::{Projection, Settings};
use crate::redrive;
use crate::sabotage;
use crate::stage_times::{Stage, StageTimes};
use crate::store_handle::{StoreHandle, StoreState};
use std::sync::atomic::Ordering;

/// Rows wait at most this long for their commit.
const COMMIT_INTERVAL: Duration = Duration::from_millis(100);
/// Or until there are this many.
const COMMIT_ROWS: usize = 8_000;
/// A catch-up commits larger pieces: nobody waits for single rows.
const CATCH_UP_ROWS: usize = 40_000;
const QUERY_CONNECTIONS: usize = 4;
/// A store that is gone is noticed within this time even when nothing is written.
const PRESENCE_INTERVAL: Duration = Duration::from_millis(500);

/// Opens the store in a child process and says whether that went well.
pub type StoreProbe = Arc<dyn Fn(&Path) -> Result<(), String> + Send + Sync>;

pub struct Projector {
    pub config: StoreConfig,
    pub intake: Log,
    pub journal: Log,
    pub ledger: Arc<Ledger>,
    pub handle: Arc<StoreHandle>,
    pub live: Arc<LiveFeed>,
    pub times: Arc<StageTimes>,
    pub clock: Arc<dyn Clock>,
    pub recovery: Arc<Mutex<Vec<String>>>,
    pub faults: Arc<Faults>,
    /// Set after an unclean stop.
    pub probe: Option<StoreProbe>,
}

/// What the plugin stage starts from, sent when the projection has caught up for the first time.
#[derive(Debug)]
pub struct CaughtUp {
    pub projects: std::collections::HashMap<String, u32>,
    pub plugin_storage: Vec<(String, String, String)>,
    /// What the journal says last of each.
    pub settings: Settings,
    pub sinks: Vec<SinkRow>,
    pub plugins: PluginStates,
}

struct Open {
    writer: StoreWriter,
    projection: Projection,
    pending: RowBatch,
    pending_events: u64,
    pending_since: Option<Instant>,
    plugin_storage: Vec<(String, String, String)>,
}

impl Projector {
    /// Runs until the plugin stage is gone, then commits and closes the store.
    pub fn run(self, handoffs: &Receiver<Handoff>, caught_up: &SyncSender<CaughtUp>) -> Result<(), FlowError> {
        let mut open = self.open()?;
        loop {
            match self.catch_up(&mut open, handoffs) {
                Ok(()) => break,
                Err(FlowError::Store(error)) => open = self.rebuild(&error)?,
                Err(other) => return Err(other),
            }
        }
        let start = CaughtUp {
            projects: open.projection.projects().clone(),
            plugin_storage: std::mem::take(&mut open.plugin_storage),
            settings: open.projection.settings.clone(),
            sinks: open.projection.sinks.rows(),
            plugins: open.projection.plugins.clone(),
        };
        caught_up.send(start).ok();
        let mut presence_checked = Instant::now();
        loop {
            let wait =
                open.pending_since.map_or(PRESENCE_INTERVAL, |since| COMMIT_INTERVAL.saturating_sub(since.elapsed()));
            let step = match handoffs.recv_timeout(wait) {
                Ok(handoff) => self.take(&mut open, handoff, handoffs),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => {
                    let result = self.commit(&mut open);
                    if let Err(FlowError::Store(error)) = &result {
                        tracing::warn!(%error, "the store was not closed cleanly; it is repaired at the next start");
                    }
                    open.writer.checkpoint().ok();
                    return Ok(());
                }
            };
            let due = open.pending.row_count() >= COMMIT_ROWS
                || open.pending_since.is_some_and(|since| since.elapsed() >= COMMIT_INTERVAL);
            let mut step = if due { step.and_then(|()| self.commit(&mut open)) } else { step };
            if presence_checked.elapsed() >= PRESENCE_INTERVAL {
                presence_checked = Instant::now();
                step = step.and_then(|()| Ok(open.writer.check_present()?));
            }
            while let Err(FlowError::Store(error)) = step {
                open = self.rebuild(&error)?;
                step = self.catch_up(&mut open, handoffs);
                self.faults.end(Fault::StoreCorruption);
            }
            step?;
        }
    }

    fn open(&self) -> Result<Open, FlowError> {
        if let Some(probe) = &self.probe
            && self.config.path.exists()
            && let Err(problem) = probe(&self.config.path)
        {
            self.quarantine(&format!("a child process could not open it: {problem}"));
        }
        match self.try_open() {
            Ok(open) => Ok(open),
            Err(FlowError::Store(error)) => self.rebuild(&error),
            Err(other) => Err(other),
        }
    }

    fn try_open(&self) -> Result<Open, FlowError> {
        let writer = StoreWriter::open(self.config.clone())?;
        let mut restored = writer.restore()?;
        let plugin_storage = std::mem::take(&mut restored.plugin_storage);
        let projection = Projection::restore(&writer, &restored)?;
        let end = self.journal.end();
        if projection.cursor.journal_sequence > end.sequence || projection.cursor.intake_offset > end.offset {
            return Err(StoreError::Open {
                path: self.config.path.clone(),
                message: "it is ahead of the journal: the logs were replaced".into(),
            }
            .into());
        }
        self.ledger.recount();
        self.ledger.settle(projection.cursor.outcomes, |positions| {
            positions.projection_read.store(projection.cursor.intake_offset, Ordering::Release);
            positions.projection_in_hand.store(0, Ordering::Release);
        });
        let pool = Arc::new(writer.query_pool(QUERY_CONNECTIONS)?);
        self.handle.set(StoreState::CatchingUp, Some(pool));
        Ok(Open {
            writer,
            projection,
            pending: RowBatch::default(),
            pending_events: 0,
            pending_since: None,
            plugin_storage,
        })
    }

    /// Puts the file aside and starts from an empty one.
    fn rebuild(&self, error: &StoreError) -> Result<Open, FlowError> {
        self.handle.set(StoreState::Rebuilding, None);
        metrics::counter!("weir_store_rebuilds_total").increment(1);
        self.quarantine(&error.to_string());
        let open = self.try_open()?;
        self.handle.set_state(StoreState::Rebuilding);
        Ok(open)
    }

    fn quarantine(&self, reason: &str) {
        let path = &self.config.path;
        let with_suffix = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
        let mut note = format!("the store was rebuilt from the logs: {reason}");
        if path.exists() {
            let aside = with_suffix(&format!(".quarantined-{}", self.clock.now_ms()));
            match std::fs::rename(path, &aside) {
                Ok(()) => note = format!("{note} (the old file is kept as {})", aside.display()),
                Err(error) => {
                    tracing::error!(%error, "cannot put the damaged store aside; it is deleted");
                    std::fs::remove_file(path).ok();
                }
            }
        }
        // A write-ahead log without its file would be replayed into the new one.
        std::fs::remove_file(with_suffix(".wal")).ok();
        tracing::warn!("{note}");
        self.recovery.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    /// Applies what the journal holds beyond the cursor. Batches that arrive by hand meanwhile are in
    /// the journal too, so they are let go.
    fn catch_up(&self, open: &mut Open, handoffs: &Receiver<Handoff>) -> Result<(), FlowError> {
        if strikes(Bug::DoubleOnRestart) {
            sabotage::step_back(&self.journal, &mut open.projection.cursor)?;
        }
        let mut journal = self.journal.read_from_sequence(open.projection.cursor.journal_sequence);
        let mut intake = self.intake.read_from_offset(open.projection.cursor.intake_offset);
        let started = Instant::now();
        let first = open.projection.cursor.intake_offset;
        loop {
            while handoffs.try_recv().is_ok() {}
            let records = journal.read(4_096, 4 << 20)?;
            if records.is_empty() {
                break;
            }
            for record in records {
                match codec::decode_journal(&record.payload)? {
                    JournalRecord::Control(control) => {
                        remember_storage(open, &control);
                        let rows = open.projection.apply_control(record.sequence, &control);
                        self.add(open, rows, 0);
                    }
                    JournalRecord::Redrive(redrive) => {
                        for mutation in &redrive.storage {
                            remember(&mut open.plugin_storage, mutation);
                        }
                        self.take_redrive(open, record.sequence, &redrive)?;
                    }
                    JournalRecord::Batch(batch) => {
                        for mutation in &batch.storage {
                            remember(&mut open.plugin_storage, mutation);
                        }
                        let intake = read_batch(&mut intake, &batch)?;
                        let (rows, _) = open.projection.apply_batch(record.sequence, &batch, &intake, None)?;
                        self.add(open, rows, u64::from(batch.event_count));
                    }
                }
                if open.pending.row_count() >= CATCH_UP_ROWS {
                    self.commit(open)?;
                }
            }
        }
        self.commit(open)?;
        self.ledger.count_new();
        self.handle.set_state(StoreState::Ready);
        let events = open.projection.cursor.intake_offset - first;
        if events > 0 {
            let note = format!(
                "applied {events} events from the logs to the store in {:.2} s",
                started.elapsed().as_secs_f64()
            );
            tracing::info!("{note}");
            self.recovery.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        }
        Ok(())
    }

    /// Takes what the plugin stage handed over, if it is the next record; reads the journal if not.
    fn take(&self, open: &mut Open, handoff: Handoff, handoffs: &Receiver<Handoff>) -> Result<(), FlowError> {
        let sequence = match &handoff {
            Handoff::Control { sequence, .. } | Handoff::Redrive { sequence, .. } => *sequence,
            Handoff::Batch(batch) => batch.sequence,
        };
        let next = open.projection.cursor.journal_sequence;
        if sequence < next {
            return Ok(());
        }
        if sequence > next {
            return self.catch_up(open, handoffs);
        }
        match handoff {
            Handoff::Control { sequence, record } => {
                let rows = open.projection.apply_control(sequence, &record);
                self.add(open, rows, 0);
            }
            Handoff::Redrive { sequence, record } => self.take_redrive(open, sequence, &record)?,
            Handoff::Batch(batch) => self.take_batch(open, *batch)?,
        }
        Ok(())
    }

    fn take_redrive(&self, open: &mut Open, sequence: u64, record: &RedriveRecord) -> Result<(), FlowError> {
        let offsets = record.entries.iter().map(|entry| entry.offset).collect();
        let found = redrive::find(&self.intake, &offsets)?;
        let rows = open.projection.apply_redrive(sequence, record, &found)?;
        self.live.forget(&offsets);
        self.add(open, rows, 0);
        Ok(())
    }

    fn take_batch(&self, open: &mut Open, batch: HandoffBatch) -> Result<(), FlowError> {
        let HandoffBatch { sequence, record, intake, parsed, traces, journalled_at } = batch;
        let events = u64::from(record.event_count);
        let (rows, projected) = open.projection.apply_batch(sequence, &record, &intake, Some(parsed))?;
        self.live.observe(&record, &intake, &traces, &projected, &rows, open.projection.chain(&record.chain_hash));
        self.add(open, rows, events);
        self.times.record(Stage::Identity, journalled_at.elapsed(), events);
        Ok(())
    }

    fn add(&self, open: &mut Open, rows: RowBatch, events: u64) {
        self.ledger.step(|positions| {
            shift(&positions.projection_read, events as i64);
            shift(&positions.projection_in_hand, events as i64);
        });
        open.pending.append(rows);
        open.pending_events += events;
        open.pending_since.get_or_insert_with(Instant::now);
    }

    fn commit(&self, open: &mut Open) -> Result<(), FlowError> {
        let Some(since) = open.pending_since.take() else { return Ok(()) };
        let cursor = open.projection.cursor;
        let rows = std::mem::take(&mut open.pending);
        let events = std::mem::take(&mut open.pending_events);
        let started = Instant::now();
        open.writer.commit(&rows, &cursor)?;
        metrics::histogram!("weir_store_commit_seconds").record(started.elapsed());
        metrics::histogram!("weir_store_commit_rows").record(rows.row_count() as f64);
        self.ledger.settle(cursor.outcomes, |positions| {
            shift(&positions.projection_in_hand, -(events as i64));
        });
        self.times.record(Stage::Store, since.elapsed(), events);
        Ok(())
    }
}

fn remember_storage(open: &mut Open, control: &weir_event::journal::ControlRecord) {
    if let weir_event::journal::ControlRecord::Storage { mutations } = control {
        for mutation in mutations {
            remember(&mut open.plugin_storage, mutation);
        }
    }
}

fn remember(storage: &mut Vec<(String, String, String)>, mutation: &weir_event::journal::StorageMutation) {
    // An absent value is remembered as null, which restores to nothing.
    let value = mutation.value.clone().unwrap_or_default();
    storage.push((mutation.plugin_id.clone(), mutation.key.clone(), value));
}

/// The intake records that a journal batch covers. Batches never split a record.
pub fn read_batch(
    intake: &mut LogReader,
    batch: &BatchRecord,
) -> Result<Vec<weir_event::intake::IntakeRecord>, FlowError> {
    let mut records = Vec::new();
    let mut events = 0;
    while events < batch.event_count {
        let Some(record) = intake.read(1, 1)?.into_iter().next() else {
            return Err(FlowError::Disagreement(format!(
                "the journal covers intake offsets from {}, which the intake log does not hold",
                batch.first_offset
            )));
        };
        if records.is_empty() && record.offset != batch.first_offset {
            return Err(FlowError::Disagreement(format!(
                "the journal's batch starts at {}, the intake record at {}",
                batch.first_offset, record.offset
            )));
        }
        events += record.events;
        records.push(codec::decode_intake(&record.payload)?);
    }
    Ok(records)
}
