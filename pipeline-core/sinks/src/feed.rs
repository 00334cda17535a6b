//! One sink and its cursor: the loop that a sink's thread runs.
//!
//! # What it guarantees
//!
//! * **In order, at least once.** Stored events are delivered in the order of their offsets; the next
//!   batch is not begun before the cursor behind the last one is durable. Only a crash between a
//!   delivery and its cursor repeats a batch.
//! * **A repetition is recognisable.** The end of a batch is durable before the batch is delivered, so a
//!   batch that is sent again has the same events and the same idempotency key.
//! * **Nothing is sent that is not stored**, and a rebuild of the store sends nothing: the cursor comes
//!   from the journal, and a store that is behind it has nothing to read.
//! * **A sink waits for itself only.** It reads at its own pace, and what it cannot deliver stays in the
//!   store.
//!
//! # What it does not do
//!
//! It does not look inside events and does not keep those that are given up: a failure names offsets and
//! a reason, the events are in the store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_api::sink::SinkState;
use weir_event::Clock;
use weir_event::journal::{SinkCursor, SinkFailure, SinkRecord};

use crate::backoff::Backoff;
use crate::batch::{Batch, Delivery, Rejected, Sink};
use crate::gather::{Buffer, Source};
use crate::progress::Progress;
use crate::stop::Stop;

/// How often a sink with nothing to do looks for something.
const POLL: Duration = Duration::from_millis(20);

/// The journal has ended: the process is stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalGone;

/// Where cursors are made durable.
pub trait CursorLog: Send {
    fn record(&mut self, cursor: &SinkCursor) -> Result<(), JournalGone>;
}

pub struct Feed {
    pub record: SinkRecord,
    pub cursor: SinkCursor,
    pub sink: Box<dyn Sink>,
    pub source: Box<dyn Source>,
    pub log: Box<dyn CursorLog>,
    pub clock: Arc<dyn Clock>,
    pub backoff: Backoff,
    pub progress: Arc<Progress>,
    pub stop: Stop,
}

/// Why the loop ends.
struct Ended;

impl From<JournalGone> for Ended {
    fn from(_: JournalGone) -> Self {
        Self
    }
}

impl Feed {
    /// Runs until told to stop; then what has been gathered is delivered if that works at once.
    pub fn run(mut self) {
        let mut buffer = Buffer::at(self.cursor.offset);
        while self.step(&mut buffer).is_ok() {}
    }

    fn step(&mut self, buffer: &mut Buffer) -> Result<(), Ended> {
        let stopping = self.stop.is_said();
        // Before anything is gathered, because a sink that gets ready may change how.
        if !self.sink.is_ready() {
            return self.rest(SinkState::Waiting, stopping);
        }
        self.gather(buffer);
        let due = self.is_due(buffer) || (stopping && !buffer.events.is_empty());
        if !due {
            return self.rest(SinkState::Idle, stopping);
        }
        if self.cursor.until == self.cursor.offset {
            self.cursor.until = buffer.next;
            self.log.record(&self.cursor)?;
        }
        let batch = Batch {
            key: format!("{}:{}-{}", self.record.id, self.cursor.offset, self.cursor.until),
            first_offset: self.cursor.offset,
            until_offset: self.cursor.until,
            events: buffer.take(),
        };
        let failures = if batch.events.is_empty() { Vec::new() } else { self.deliver(&batch)? };
        self.cursor.offset = batch.until_offset;
        // When the next batch is known already, one record is both the cursor and its announcement.
        self.cursor.until = self.cursor.offset;
        self.gather(buffer);
        if self.is_due(buffer) {
            self.cursor.until = buffer.next;
        }
        let failed: u64 = failures.iter().map(|failure| failure.events).sum();
        self.cursor.failed += failed;
        self.cursor.delivered += batch.events.len() as u64 - failed;
        self.cursor.failures = failures;
        self.log.record(&self.cursor)?;
        self.count(batch.events.len() as u64 - failed, failed);
        self.cursor.failures.clear();
        self.progress.moved(&self.cursor);
        self.progress.set(SinkState::Idle);
        Ok(())
    }

    fn gather(&mut self, buffer: &mut Buffer) {
        let intended = Some(self.cursor.until).filter(|until| *until > self.cursor.offset);
        buffer.fill(&mut *self.source, self.sink.batching(), intended, self.clock.now_ms());
        metrics::gauge!("weir_sink_buffered_events", "sink" => self.record.name.clone())
            .set(buffer.events.len() as f64);
    }

    fn is_due(&self, buffer: &Buffer) -> bool {
        if self.cursor.until > self.cursor.offset {
            return buffer.next >= self.cursor.until;
        }
        buffer.is_due(self.sink.batching(), self.clock.now_ms())
    }

    fn rest(&self, state: SinkState, stopping: bool) -> Result<(), Ended> {
        self.progress.set(state);
        if stopping {
            return Err(Ended);
        }
        self.stop.wait(POLL);
        Ok(())
    }

    fn deliver(&mut self, batch: &Batch) -> Result<Vec<SinkFailure>, Ended> {
        let mut attempts = 0;
        loop {
            self.progress.set(SinkState::Delivering);
            let started = Instant::now();
            let delivery = self.sink.deliver(batch, &self.stop);
            metrics::histogram!("weir_sink_delivery_seconds", "sink" => self.record.name.clone())
                .record(started.elapsed());
            attempts += 1;
            let whole = |reason: String| Rejected {
                first_offset: batch.first_offset,
                until_offset: batch.until_offset,
                events: batch.events.len() as u64,
                attempts,
                reason,
            };
            let rejected = match delivery {
                Delivery::Delivered { rejected } => rejected,
                Delivery::Failed { reason } => vec![whole(reason)],
                Delivery::Retry { after, reason } => {
                    if self.stop.is_said() {
                        return Err(Ended);
                    }
                    if self.record.max_attempts.is_none_or(|most| attempts < most) {
                        self.wait_to_retry(attempts, after, &reason)?;
                        continue;
                    }
                    vec![whole(format!("given up after {attempts} attempts: {reason}"))]
                }
            };
            return Ok(rejected.into_iter().map(|rejected| self.give_up(rejected)).collect());
        }
    }

    fn wait_to_retry(&mut self, attempts: u32, after: Option<Duration>, reason: &str) -> Result<(), Ended> {
        let pause = after.unwrap_or_else(|| self.backoff.pause(attempts));
        let due_ms = self.clock.now_ms() + pause.as_millis() as i64;
        self.cursor.retried += 1;
        metrics::counter!("weir_sink_retried_total", "sink" => self.record.name.clone()).increment(1);
        tracing::warn!(sink = self.record.name, attempts, reason, "a delivery did not work and is tried again");
        self.progress.retrying(attempts, self.cursor.retried, due_ms, reason);
        let begun = Instant::now();
        // The clock may be set back meanwhile, which must not make the pause longer than it is.
        while self.clock.now_ms() < due_ms && begun.elapsed() < pause && !self.sink.is_worth_another_try() {
            let left = Duration::from_millis((due_ms - self.clock.now_ms()).max(1) as u64);
            if self.stop.wait(left.min(POLL)) {
                return Err(Ended);
            }
        }
        Ok(())
    }

    fn give_up(&self, rejected: Rejected) -> SinkFailure {
        let Rejected { first_offset, until_offset, events, attempts, reason } = rejected;
        tracing::error!(sink = self.record.name, first_offset, until_offset, events, reason, "events are given up");
        self.progress.failed(&reason);
        SinkFailure { at_ms: self.clock.now_ms(), first_offset, until_offset, events, attempts, reason }
    }

    fn count(&self, delivered: u64, failed: u64) {
        metrics::counter!("weir_sink_delivered_total", "sink" => self.record.name.clone()).increment(delivered);
        metrics::counter!("weir_sink_failed_total", "sink" => self.record.name.clone()).increment(failed);
    }
}
