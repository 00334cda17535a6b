//! The one writer of a log: collects what waits, writes it once, syncs once, answers everyone.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tokio::sync::{Semaphore, mpsc, oneshot};
use weir_event::queue::{Place, QueueNumbers};

use crate::error::LogError;
use crate::format::{MAX_PAYLOAD_BYTES, RecordHeader};
use crate::segments::{LogEnd, Segment, Shared};

/// A group larger than this waits for the next sync; bounds the memory of one write.
const GROUP_BYTES: usize = 8 << 20;
/// Requests that may wait. Their bytes are bounded apart, by `LogConfig::queue_bytes`.
const QUEUE_RECORDS: usize = 8_192;
const PERMIT_BYTES: usize = 1_024;

/// Where an append ended up, now that it is on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durable {
    /// Offset of its first event.
    pub offset: u64,
    pub sequence: u64,
}

/// Appends to a log from any number of tasks; clones share the writer.
#[derive(Debug, Clone)]
pub struct LogAppender {
    name: &'static str,
    queue: mpsc::Sender<(Place, Request)>,
    numbers: QueueNumbers,
    budget: Arc<Semaphore>,
    budget_permits: usize,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Request {
    payload: Vec<u8>,
    events: u32,
    reply: oneshot::Sender<Result<Durable, LogError>>,
    _permit: tokio::sync::OwnedSemaphorePermit,
}

impl LogAppender {
    /// Appends one record of `events` events and completes when it is durable.
    pub async fn append(&self, payload: Vec<u8>, events: u32) -> Result<Durable, LogError> {
        self.refuse(&payload)?;
        let permits = self.permits(&payload);
        let place = self.numbers.enter();
        let permit = Arc::clone(&self.budget).acquire_many_owned(permits).await.map_err(|_| self.closed())?;
        let (reply, answer) = oneshot::channel();
        let request = Request { payload, events, reply, _permit: permit };
        self.queue.send((place, request)).await.map_err(|_| self.closed())?;
        answer.await.map_err(|_| self.closed())?
    }

    /// The same for a thread that is not part of an async runtime.
    pub fn append_blocking(&self, payload: Vec<u8>, events: u32) -> Result<Durable, LogError> {
        self.refuse(&payload)?;
        let permits = self.permits(&payload);
        // Spinning would be wrong and a runtime is not at hand: the journal has one writer and one
        // record in hand, so the budget is free unless records are larger than the whole of it.
        let permit = Arc::clone(&self.budget).try_acquire_many_owned(permits).map_err(|_| {
            LogError::RecordTooLarge { bytes: payload.len(), limit: self.budget_permits * PERMIT_BYTES }
        })?;
        let (reply, answer) = oneshot::channel();
        let request = Request { payload, events, reply, _permit: permit };
        self.queue.blocking_send((self.numbers.enter(), request)).map_err(|_| self.closed())?;
        answer.blocking_recv().map_err(|_| self.closed())?
    }

    fn permits(&self, payload: &[u8]) -> u32 {
        payload.len().div_ceil(PERMIT_BYTES).clamp(1, self.budget_permits) as u32
    }

    fn refuse(&self, payload: &[u8]) -> Result<(), LogError> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(LogError::RecordTooLarge { bytes: payload.len(), limit: MAX_PAYLOAD_BYTES });
        }
        self.shared.lock().failure.clone().map_or(Ok(()), Err)
    }

    fn closed(&self) -> LogError {
        LogError::Closed { name: self.name.to_owned() }
    }
}

pub(crate) fn start(shared: Arc<Shared>) -> Result<LogAppender, LogError> {
    let name = shared.config.name;
    let (queue, requests) = mpsc::channel(QUEUE_RECORDS);
    let numbers = QueueNumbers::new(format!("{name}_log"), QUEUE_RECORDS);
    let budget_permits = (shared.config.queue_bytes / PERMIT_BYTES).max(1);
    let budget = Arc::new(Semaphore::new(budget_permits));
    let writer = Writer { shared: Arc::clone(&shared), buffer: Vec::new() };
    thread::Builder::new()
        .name(format!("{name}-log"))
        .spawn(move || writer.run(requests))
        .map_err(|error| LogError::io("start the writer of", &shared.config.dir, &error))?;
    Ok(LogAppender { name, queue, numbers, budget, budget_permits, shared })
}

struct Writer {
    shared: Arc<Shared>,
    buffer: Vec<u8>,
}

impl Writer {
    /// Ends when the last appender is gone.
    fn run(mut self, mut requests: mpsc::Receiver<(Place, Request)>) {
        while let Some((_, first)) = requests.blocking_recv() {
            let mut bytes = first.payload.len();
            let mut group = vec![first];
            while bytes < GROUP_BYTES
                && let Ok((_, next)) = requests.try_recv()
            {
                bytes += next.payload.len();
                group.push(next);
            }
            self.commit(group);
        }
    }

    fn commit(&mut self, group: Vec<Request>) {
        let name = self.shared.config.name;
        metrics::histogram!("weir_log_group_records", "log" => name).record(group.len() as f64);
        match self.write(&group) {
            Ok(first) => {
                let mut at = first;
                for request in group {
                    let durable = Durable { offset: at.offset, sequence: at.sequence };
                    at = LogEnd { offset: at.offset + u64::from(request.events), sequence: at.sequence + 1 };
                    // A client that hung up does not need its answer; its events are in the log.
                    request.reply.send(Ok(durable)).ok();
                }
            }
            Err(error) => {
                tracing::error!(log = name, %error, hint = error.hint(), "the log stopped accepting");
                self.shared.lock().failure.get_or_insert_with(|| error.clone());
                self.shared.notify();
                for request in group {
                    request.reply.send(Err(error.clone())).ok();
                }
            }
        }
    }

    /// Writes and syncs a group; returns the end before it.
    fn write(&mut self, group: &[Request]) -> Result<LogEnd, LogError> {
        let (first, mut segment) = {
            let state = self.shared.lock();
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            // Recovery always leaves at least one segment.
            let newest = state.segments.last().expect("invariant: an open log has a segment").clone();
            (state.end, newest)
        };
        let rolled = segment.bytes >= self.shared.config.segment_bytes;
        if rolled {
            segment = Segment::create(&self.shared.config, first)?;
        }
        self.buffer.clear();
        let mut end = first;
        for request in group {
            segment.note(end.sequence, end.offset, segment.bytes + self.buffer.len() as u64);
            RecordHeader::write(&mut self.buffer, end.offset, end.sequence, request.events, &request.payload);
            end = LogEnd { offset: end.offset + u64::from(request.events), sequence: end.sequence + 1 };
        }
        let name = self.shared.config.name;
        let poisoned = |action, error: &std::io::Error| LogError::Poisoned {
            name: name.to_owned(),
            action,
            message: error.to_string(),
        };
        segment.file.write_all_at(&self.buffer, segment.bytes).map_err(|error| poisoned("write", &error))?;
        let sync_started = Instant::now();
        segment.file.sync_data().map_err(|error| poisoned("fdatasync", &error))?;
        metrics::histogram!("weir_log_sync_seconds", "log" => name).record(sync_started.elapsed());
        segment.bytes += self.buffer.len() as u64;

        let mut state = self.shared.lock();
        if rolled {
            state.segments.push(segment);
        } else if let Some(newest) = state.segments.last_mut() {
            *newest = segment;
        }
        state.end = end;
        drop(state);
        self.shared.notify();
        if self.buffer.capacity() > GROUP_BYTES {
            self.buffer = Vec::new();
        }
        Ok(first)
    }
}
