//! What the host knows about one instance while plugin code runs in it.
//!
//! Results arrive here one by one (`report`), so that a later fault cannot take back an earlier event.
//! Several events may be in hand at once, one of them at a time in the foreground: what the plugin
//! stores, emits and spends is that event's. Storage writes and emitted events wait in [`OpenEvent`] until
//! their event is reported, and are forgotten if it never is. CPU time and waiting are metered apart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;
use weir_event::Clock;
use weir_event::journal::{HostCall, LogLevel, LogSource, PluginLog, StorageMutation};

use crate::bindings::weir::plugin::config::Attachment;
use crate::bindings::weir::plugin::report::Outcome;
use crate::bindings::weir::plugin::types::FailureKind;
use crate::bindings::weir::plugin::waiting::Wake;
use crate::cpu;
use crate::geoip::GeoIp;
use crate::http::{Calls, CompletionQueue, PluginHttp};
use crate::http_calls::{SentCalls, wake};
use crate::instructions::Meter;
use crate::limits::Limits;
use crate::own_metrics::OwnMetrics;
use crate::pace::Pace;
use crate::random::Random;
use crate::recent_calls::RecentCalls;
use crate::settings::OnError;
use crate::storage::{Cache, PendingWrites, Storage};
use crate::wasi::{LastWords, Output, Pollables};

/// The index of work that belongs to no event of the batch.
pub const NOBODY: u32 = u32::MAX;

/// What all instances of all plugins share.
#[derive(Debug)]
pub struct Surroundings {
    pub clock: Arc<dyn Clock>,
    pub pace: Pace,
    pub storage: Storage,
    pub cache: Cache,
    pub own_metrics: OwnMetrics,
    pub geoip: Arc<GeoIp>,
    pub calls: Calls,
    pub recent_calls: RecentCalls,
    /// Those of plugins for which nothing is set.
    pub limits: Limits,
    pub seed: u64,
    /// Made so far: each draws random numbers of its own.
    pub instances: AtomicU64,
}

/// Whose instance it is.
#[derive(Debug)]
pub struct Identity {
    pub plugin_id: String,
    pub name: String,
    pub version: String,
    pub config_json: String,
    /// Required config fields without a value.
    pub missing: Vec<String>,
    pub attachments: Vec<Attachment>,
    pub limits: Limits,
    /// Name of the preset behind them, if any.
    pub preset: Option<String>,
    pub on_error: OnError,
    /// Console lines below it are not kept.
    pub log_level: LogLevel,
    pub http: Arc<PluginHttp>,
}

/// Why the host ended an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    #[error("time limit")]
    Time,
    #[error("memory limit")]
    Memory,
    #[error("more than {0} timers and requests at once")]
    Calls(usize),
    #[error("the engine reported an event that is not open")]
    Protocol,
    #[error("waited too long")]
    Waiting,
    #[error("exit was called")]
    Exit,
}

#[derive(Debug)]
pub struct Report {
    pub outcome: Outcome,
    pub spent: Spent,
}

/// What an event took in a plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    pub cpu: Duration,
    pub waited: Duration,
    /// When they are counted.
    pub instructions: Option<u64>,
}

/// An event (or another call) that has begun and not ended.
#[derive(Debug, Default)]
pub struct OpenEvent {
    pub writes: PendingWrites,
    pub emitted: Vec<String>,
    pub jobs: Vec<JobRequest>,
    pub http_calls: u32,
    pub instructions: u64,
    cpu: Duration,
    waited: Duration,
}

/// A job that a plugin asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRequest {
    pub plugin_id: String,
    pub name: String,
    /// JSON.
    pub payload: String,
    pub at_ms: f64,
}

/// What a call left behind, taken by the caller after it.
#[derive(Debug, Default)]
pub struct Effects {
    /// By the position of the event in the batch, in order of reporting.
    pub reports: Vec<(u32, Report)>,
    pub storage: Vec<StorageMutation>,
    pub logs: Vec<PluginLog>,
    /// With the position in the batch of the event that made it.
    pub emitted: Vec<(u32, String)>,
    pub jobs: Vec<JobRequest>,
    /// With the position in the batch of the event they were made for.
    pub calls: Vec<(u32, HostCall)>,
    pub first_report_at: Option<Instant>,
}

pub struct InstanceState {
    pub identity: Arc<Identity>,
    pub around: Arc<Surroundings>,
    pub memory: MemoryGauge,
    pub meter: Meter,
    pub random: Random,
    /// The event in the foreground, with its index.
    pub in_hand: (u32, OpenEvent),
    /// Events that wait in the background.
    waiting: BTreeMap<u32, OpenEvent>,
    pub queue: CompletionQueue,
    pub sent: SentCalls,
    pub pollables: Pollables,
    outputs: [Output; 2],
    pub last_words: LastWords,
    pub effects: Effects,
    reported: Vec<bool>,
    budget: Duration,
    /// CPU time of the thread when the event in hand came to the foreground.
    started: Duration,
    log_window: (i64, u32),
}

impl InstanceState {
    /// `engine_bytes` is the memory that the instance may use beyond what plugin code may.
    pub fn new(identity: Arc<Identity>, around: Arc<Surroundings>, engine_bytes: usize) -> Self {
        let instance = around.instances.fetch_add(1, Ordering::Relaxed);
        let random = Random::new(around.seed, &identity.plugin_id, instance);
        let queue = CompletionQueue::paced(around.pace.clone());
        let memory = MemoryGauge::new(identity.limits.memory_bytes + engine_bytes);
        Self {
            identity,
            around,
            memory,
            meter: Meter::default(),
            random,
            in_hand: (NOBODY, OpenEvent::default()),
            waiting: BTreeMap::new(),
            queue,
            sent: SentCalls::default(),
            pollables: Pollables::default(),
            outputs: Default::default(),
            last_words: LastWords::default(),
            effects: Effects::default(),
            reported: Vec::new(),
            budget: Duration::ZERO,
            started: Duration::ZERO,
            log_window: (0, 0),
        }
    }

    /// Forgets what was in hand. `events` is how many there are to report.
    pub fn begin(&mut self, budget: Duration, events: usize) {
        self.in_hand = (NOBODY, OpenEvent::default());
        self.waiting.clear();
        self.reported.clear();
        self.reported.resize(events, false);
        self.last_words = LastWords::default();
        self.budget = budget;
        self.started = cpu::thread_time();
    }

    /// CPU of the event in hand.
    pub fn cpu_in_hand(&self) -> Duration {
        self.in_hand.1.cpu + cpu::thread_time().saturating_sub(self.started)
    }

    /// CPU time since something came to the foreground or this was last asked.
    fn charge(&mut self) -> Duration {
        let now = cpu::thread_time();
        let spent = now.saturating_sub(self.started);
        self.started = now;
        spent
    }

    pub fn is_over_budget(&self) -> bool {
        self.cpu_in_hand() > self.budget
    }

    /// Puts an event into the foreground.
    pub fn take_in_hand(&mut self, index: u32) {
        if index == self.in_hand.0 {
            return;
        }
        let (before, mut open) = std::mem::replace(&mut self.in_hand, (NOBODY, OpenEvent::default()));
        if self.is_open(before) {
            open.cpu += self.charge();
            open.instructions += self.meter.charge();
            self.waiting.insert(before, open);
        } else {
            // Work that goes on after its event was reported has nothing left to wait for.
            self.settle(before, open);
        }
        self.in_hand = (index, self.waiting.remove(&index).unwrap_or_default());
        self.meter.refill(self.in_hand.1.instructions);
    }

    fn is_open(&self, index: u32) -> bool {
        self.reported.get(index as usize) == Some(&false)
    }

    fn settle(&mut self, index: u32, open: OpenEvent) {
        self.effects.storage.extend(self.around.storage.commit(&self.identity.plugin_id, open.writes));
        self.effects.emitted.extend(open.emitted.into_iter().map(|event| (index, event)));
        self.effects.jobs.extend(open.jobs);
    }

    /// Refuses a call beyond what may be under way at once.
    pub fn check_calls(&self) -> wasmtime::Result<()> {
        let limit = self.identity.limits.calls_under_way;
        if self.queue.open() < limit { Ok(()) } else { Err(Ended::Calls(limit).into()) }
    }

    /// Applies what was done; called when a call has returned.
    pub fn commit(&mut self) {
        let (index, open) = std::mem::replace(&mut self.in_hand, (NOBODY, OpenEvent::default()));
        self.settle(index, open);
        for (index, open) in std::mem::take(&mut self.waiting) {
            self.settle(index, open);
        }
    }

    pub fn finish(&mut self, index: u32, outcome: Outcome) -> wasmtime::Result<()> {
        if !self.is_open(index) {
            return Err(Ended::Protocol.into());
        }
        if let Outcome::Failed((failure, _)) = &outcome
            && failure.kind == FailureKind::Memory
        {
            return Err(Ended::Memory.into());
        }
        let open = if self.in_hand.0 == index {
            let mut open = std::mem::take(&mut self.in_hand.1);
            open.cpu += self.charge();
            open.instructions += self.meter.charge();
            self.meter.refill(0);
            open
        } else {
            self.waiting.remove(&index).unwrap_or_default()
        };
        let instructions = self.meter.counted(open.instructions);
        let spent = Spent { cpu: open.cpu, waited: open.waited, instructions };
        self.settle(index, open);
        self.reported[index as usize] = true;
        self.effects.first_report_at.get_or_insert_with(Instant::now);
        self.effects.reports.push((index, Report { outcome, spent }));
        Ok(())
    }

    /// Sleeps on behalf of the event in hand, within what it may wait.
    pub fn sleep_until(&mut self, due: Instant) -> wasmtime::Result<()> {
        let left = self.identity.limits.wait.saturating_sub(self.in_hand.1.waited);
        let pace = self.queue.pace();
        let began = pace.now();
        let wanted = due.saturating_duration_since(began);
        pace.sleep(wanted.min(left));
        let waited = pace.now().saturating_duration_since(began);
        self.in_hand.1.waited += waited;
        for open in self.waiting.values_mut() {
            open.waited += waited;
        }
        if wanted > left { Err(Ended::Waiting.into()) } else { Ok(()) }
    }

    /// Standard output or standard error of a component.
    pub fn write_output(&mut self, is_error: bool, bytes: &[u8]) {
        let lines = self.outputs[usize::from(is_error)].push(bytes);
        self.log_output(is_error, lines);
    }

    /// Tells lines that were begun and not ended.
    pub fn flush_outputs(&mut self) {
        for is_error in [false, true] {
            let rest = self.outputs[usize::from(is_error)].rest();
            self.log_output(is_error, rest);
        }
    }

    fn log_output(&mut self, is_error: bool, lines: impl IntoIterator<Item = String>) {
        let level = if is_error { LogLevel::Error } else { LogLevel::Info };
        for line in lines {
            if is_error {
                self.last_words.hear(&line);
            }
            // Rust puts an empty line before a panic.
            if !line.is_empty() {
                self.log(LogSource::Console, level, line);
            }
        }
    }

    /// Waits for the next answer. Empty when nothing is under way.
    pub fn wait(&mut self) -> Vec<Wake> {
        let limit = self.identity.limits.wait;
        // What is in the foreground waits like the others from now on.
        if self.is_open(self.in_hand.0) {
            self.take_in_hand(NOBODY);
        }
        loop {
            let longest = self.waiting.values().map(|open| open.waited).max().unwrap_or_default();
            let began = self.queue.pace().now();
            let done = self.queue.wait(began + limit.saturating_sub(longest));
            let waited = self.queue.pace().now().saturating_duration_since(began);
            for open in self.waiting.values_mut() {
                open.waited += waited;
            }
            if !done.is_empty() {
                return done.into_iter().map(|completion| wake(self, completion)).collect();
            }
            if self.queue.open() == 0 {
                return Vec::new();
            }
            let is_overdue = |open: &OpenEvent| open.waited >= limit;
            let overdue: Vec<u32> =
                self.waiting.iter().filter(|(_, open)| is_overdue(open)).map(|(index, _)| *index).collect();
            if !overdue.is_empty() {
                return overdue.into_iter().map(Wake::Overdue).collect();
            }
        }
    }

    /// What has come, without waiting.
    pub fn poll(&mut self) -> Vec<Wake> {
        let done = self.queue.take();
        done.into_iter().map(|completion| wake(self, completion)).collect()
    }

    pub fn log(&mut self, source: LogSource, level: LogLevel, message: String) {
        if source == LogSource::Console && level < self.identity.log_level {
            return;
        }
        let at_ms = self.around.clock.now_ms();
        let second = at_ms.div_euclid(1000);
        if self.log_window.0 != second {
            self.log_window = (second, 0);
        }
        self.log_window.1 += 1;
        let allowed = self.identity.limits.log_lines_per_second;
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
        // Whoever wrote it: a secret does not belong into a log.
        let message = match self.http.secrets().redact(&message) {
            std::borrow::Cow::Borrowed(_) => message,
            std::borrow::Cow::Owned(redacted) => redacted,
        };
        PluginLog { plugin_id: self.plugin_id.clone(), version: self.version.clone(), at_ms, source, level, message }
    }
}

/// What an instance may have of memories, tables and the code that uses them, all of its parts together:
/// one component may consist of many.
#[derive(Debug)]
pub struct MemoryGauge {
    pub limit: usize,
    pub used: usize,
    table_elements: usize,
    pub exceeded: bool,
}

const TABLE_ELEMENTS: usize = 100_000;
/// Core instances, memories and tables of one component; CPython needs some forty instances.
const PARTS: usize = 200;

impl MemoryGauge {
    fn new(limit: usize) -> Self {
        Self { limit, used: 0, table_elements: 0, exceeded: false }
    }
}

impl ResourceLimiter for MemoryGauge {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.used.saturating_add(desired.saturating_sub(current));
        if wanted > self.limit {
            self.exceeded = true;
            return Err(Ended::Memory.into());
        }
        self.used = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.table_elements.saturating_add(desired.saturating_sub(current));
        if wanted > TABLE_ELEMENTS {
            return Ok(false);
        }
        self.table_elements = wanted;
        Ok(true)
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }
}
