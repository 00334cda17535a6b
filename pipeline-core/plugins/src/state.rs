//! What the host knows about one instance while plugin code runs in it.
//!
//! Results arrive here one by one (`report`), so that a later fault cannot take back an earlier event.
//! Storage writes and emitted events wait in [`EventInHand`] until their event is reported, and are
//! forgotten if it never is. Time is metered per event: each report starts the next event's budget.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;
use weir_event::Clock;
use weir_event::journal::{LogLevel, LogSource, PluginLog, StorageMutation};

use crate::bindings::weir::plugin::report::Outcome;
use crate::cpu;
use crate::limits::Limits;
use crate::random::Random;
use crate::storage::{Cache, PendingWrites, Storage};

/// What all instances of all plugins share.
#[derive(Debug)]
pub struct Surroundings {
    pub clock: Arc<dyn Clock>,
    pub storage: Storage,
    pub cache: Cache,
    pub limits: Limits,
    pub seed: u64,
}

/// Whose instance it is.
#[derive(Debug)]
pub struct Identity {
    pub plugin_id: String,
    pub name: String,
    pub version: String,
    pub config_json: String,
}

/// Why the host ended an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    #[error("time limit")]
    Time,
    #[error("memory limit")]
    Memory,
    #[error("the engine reported results out of order")]
    Protocol,
}

#[derive(Debug)]
pub struct Report {
    pub outcome: Outcome,
    pub cpu: Duration,
}

#[derive(Debug, Default)]
pub struct EventInHand {
    pub writes: PendingWrites,
    pub emitted: Vec<String>,
}

/// What a call left behind, taken by the caller after it.
#[derive(Debug, Default)]
pub struct Effects {
    pub reports: Vec<Report>,
    pub storage: Vec<StorageMutation>,
    pub logs: Vec<PluginLog>,
    /// With the position in the batch of the event that made it.
    pub emitted: Vec<(u32, String)>,
    pub first_report_at: Option<Instant>,
}

pub struct InstanceState {
    pub identity: Arc<Identity>,
    pub around: Arc<Surroundings>,
    pub memory: MemoryGauge,
    pub random: Random,
    pub in_hand: EventInHand,
    pub effects: Effects,
    budget: Duration,
    started: Duration,
    log_window: (i64, u32),
}

impl InstanceState {
    pub fn new(identity: Arc<Identity>, around: Arc<Surroundings>, instance: u64) -> Self {
        let random = Random::new(around.seed, &identity.plugin_id, instance);
        // Beyond what plugin code may use: the engine, its stack, and the batch on its way in and out.
        let memory = MemoryGauge { limit: around.limits.memory_bytes + (16 << 20), used: 0, exceeded: false };
        Self {
            identity,
            around,
            memory,
            random,
            in_hand: EventInHand::default(),
            effects: Effects::default(),
            budget: Duration::ZERO,
            started: Duration::ZERO,
            log_window: (0, 0),
        }
    }

    pub fn start_budget(&mut self, budget: Duration) {
        self.budget = budget;
        self.started = cpu::thread_time();
    }

    pub fn cpu_since_report(&self) -> Duration {
        cpu::thread_time().saturating_sub(self.started)
    }

    pub fn is_over_budget(&self) -> bool {
        self.cpu_since_report() > self.budget
    }

    /// Applies the writes made so far; called when the work they belong to is done.
    pub fn commit(&mut self) {
        let writes = std::mem::take(&mut self.in_hand.writes);
        self.effects.storage.extend(self.around.storage.commit(&self.identity.plugin_id, writes));
    }

    pub fn finish(&mut self, index: u32, outcome: Outcome) -> wasmtime::Result<()> {
        if index as usize != self.effects.reports.len() {
            return Err(Ended::Protocol.into());
        }
        if let Outcome::Failed((failure, _)) = &outcome
            && failure.kind == crate::bindings::weir::plugin::types::FailureKind::Memory
        {
            return Err(Ended::Memory.into());
        }
        let now = cpu::thread_time();
        let cpu = now.saturating_sub(self.started);
        self.commit();
        let emitted = std::mem::take(&mut self.in_hand.emitted);
        self.effects.emitted.extend(emitted.into_iter().map(|event| (index, event)));
        self.effects.first_report_at.get_or_insert_with(Instant::now);
        self.effects.reports.push(Report { outcome, cpu });
        self.started = now;
        Ok(())
    }

    pub fn log(&mut self, source: LogSource, level: LogLevel, message: String) {
        let at_ms = self.around.clock.now_ms();
        let second = at_ms.div_euclid(1000);
        if self.log_window.0 != second {
            self.log_window = (second, 0);
        }
        self.log_window.1 += 1;
        let allowed = self.around.limits.log_lines_per_second;
        let (source, level, message) = match self.log_window.1.cmp(&(allowed + 1)) {
            std::cmp::Ordering::Less => (source, level, message),
            std::cmp::Ordering::Equal => {
                let message = format!("more than {allowed} lines a second: the rest of this second is discarded");
                (LogSource::System, LogLevel::Warn, message)
            }
            std::cmp::Ordering::Greater => return,
        };
        self.effects.logs.push(self.identity.log_line(at_ms, source, level, message));
    }
}

impl Identity {
    pub fn log_line(&self, at_ms: i64, source: LogSource, level: LogLevel, message: String) -> PluginLog {
        PluginLog { plugin_id: self.plugin_id.clone(), version: self.version.clone(), at_ms, source, level, message }
    }
}

/// Linear memory of the instance.
#[derive(Debug)]
pub struct MemoryGauge {
    limit: usize,
    pub used: usize,
    pub exceeded: bool,
}

impl ResourceLimiter for MemoryGauge {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.limit {
            self.exceeded = true;
            return Err(Ended::Memory.into());
        }
        self.used = desired;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= 100_000)
    }
}
