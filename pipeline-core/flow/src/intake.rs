//! The intake log as capture sees it: durable append, guarded by the disk reserve.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use weir_capture::{Intake, IntakeFuture, IntakeRefusal};
use weir_event::intake::{IntakeBody, IntakeRecord};
use weir_event::sabotage::{Bug, strikes};
use weir_log::{Filesystem, Log, LogAppender, LogError};

use crate::codec;
use crate::faults::{Fault, Faults};

/// Kept free whatever the disk's size.
const RESERVE_FLOOR_BYTES: u64 = 512 << 20;
/// And this part of the whole.
const RESERVE_DIVISOR: u64 = 20;

/// Newest acked offset with the moment of its ack: what a canary is sent with.
#[derive(Debug, Clone, Copy)]
pub struct Acked {
    pub offset: u64,
    /// When its request was accepted for writing.
    pub accepted_at: Instant,
}

#[derive(Debug)]
pub struct LogIntake {
    log: Log,
    appender: LogAppender,
    filesystem: Arc<dyn Filesystem>,
    dir: PathBuf,
    faults: Arc<Faults>,
    free_bytes: AtomicU64,
    reserve_bytes: AtomicU64,
    /// `None` while a canary waits for the next ack.
    newest_ack: Mutex<Option<Acked>>,
    acked: Condvar,
}

impl LogIntake {
    pub fn new(
        log: Log,
        appender: LogAppender,
        filesystem: Arc<dyn Filesystem>,
        dir: PathBuf,
        faults: Arc<Faults>,
    ) -> Self {
        let intake = Self {
            log,
            appender,
            filesystem,
            dir,
            faults,
            free_bytes: AtomicU64::new(u64::MAX),
            reserve_bytes: AtomicU64::new(0),
            newest_ack: Mutex::new(None),
            acked: Condvar::new(),
        };
        intake.measure_disk();
        intake
    }

    /// Reads how much space is left; called about once a second, so that a request does not pay for it.
    pub fn measure_disk(&self) {
        match self.filesystem.space(&self.dir) {
            Ok((free, total)) => {
                self.free_bytes.store(free, Ordering::Relaxed);
                let reserve = RESERVE_FLOOR_BYTES.max(total / RESERVE_DIVISOR);
                self.reserve_bytes.store(reserve, Ordering::Relaxed);
                metrics::gauge!("weir_disk_free_bytes").set(free as f64);
            }
            Err(error) => tracing::warn!(%error, "cannot read the free space of the data directory"),
        }
    }

    pub fn free_bytes(&self) -> u64 {
        self.free_bytes.load(Ordering::Relaxed)
    }

    /// Waits for the next request to be acked: a canary must be fresh, or its age would count as lag.
    pub fn next_ack(&self, timeout: Duration) -> Option<Acked> {
        let mut newest = self.newest_ack.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = None;
        let waited = self.acked.wait_timeout_while(newest, timeout, |newest| newest.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    async fn append_durably(&self, record: IntakeRecord) -> Result<(), IntakeRefusal> {
        let accepted_at = Instant::now();
        let events = record.event_count();
        if strikes(Bug::LoseAcked) {
            return Ok(());
        }
        let payload =
            codec::encode_intake(&record).map_err(|error| IntakeRefusal::Log { message: error.to_string() })?;
        let again = (self.faults.doubles_request() && is_recognised(&record)).then(|| payload.clone());
        let durable = self.appender.append(payload, events).await.map_err(|error| match error {
            LogError::RecordTooLarge { .. } => IntakeRefusal::TooLarge,
            other => IntakeRefusal::Log { message: other.to_string() },
        })?;
        self.note_ack(Acked { offset: durable.offset + u64::from(events) - 1, accepted_at });
        if let Some(payload) = again {
            // The first one is durable, so it is acked whatever becomes of the second.
            match self.appender.append(payload, events).await {
                Ok(_) => self.faults.struck(Fault::DuplicateDelivery),
                Err(error) => tracing::debug!(%error, "a request is not taken in twice"),
            }
        }
        Ok(())
    }

    fn note_ack(&self, acked: Acked) {
        let mut newest = self.newest_ack.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.replace(acked).is_none() {
            self.acked.notify_all();
        }
    }

    /// Why nothing is accepted now, if so.
    pub fn refusal(&self) -> Option<IntakeRefusal> {
        if let Some(failure) = self.log.failure() {
            return Some(IntakeRefusal::Log { message: failure.to_string() });
        }
        let (free_bytes, reserve_bytes) =
            (self.free_bytes.load(Ordering::Relaxed), self.reserve_bytes.load(Ordering::Relaxed));
        (free_bytes < reserve_bytes).then_some(IntakeRefusal::DiskReserve { free_bytes, reserve_bytes })
    }
}

/// Whether a repetition of this request is recognised: without a uuid of the client it would be another event.
fn is_recognised(record: &IntakeRecord) -> bool {
    matches!(&record.body, IntakeBody::Events(events) if events.iter().all(|event| event.client_uuid))
}

impl Intake for LogIntake {
    fn append(&self, record: IntakeRecord) -> IntakeFuture<'_> {
        Box::pin(self.append_durably(record))
    }

    fn check(&self) -> Result<(), IntakeRefusal> {
        let Some(refusal) = self.refusal() else { return Ok(()) };
        if self.faults.is_on(Fault::DiskFull) {
            self.faults.struck(Fault::DiskFull);
        }
        Err(refusal)
    }
}
