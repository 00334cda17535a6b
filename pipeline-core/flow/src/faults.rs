//! The fault palette: what is made to go wrong on purpose, so that one can see what happens then.
//!
//! # What it guarantees
//!
//! * **It is the real thing from the place on where it strikes.** A full disk is what the file system says, a corrupt
//!   store is a file that was overwritten, a failing destination speaks HTTP, a kill is a SIGKILL. What follows is
//!   done by the code that does it in earnest.
//! * **It is taken back.** A fault ends when it is stopped, when its time is over, or with the process, and then
//!   everything catches up: nothing that was acked is lost.
//! * **It is in sight.** Frames and metrics have every active fault, and each strike is counted.
//! * **It costs nothing.** Where a batch or a request passes, a fault that is off is one relaxed load.
//!
//! # How
//!
//! Places ask [`Faults::is_on`]. What is more than a yes is read under the lock, by those few who were told yes. Those in
//! plugins are kept by the plugin host, because they strike between two events. The thread `faults` ends those whose
//! time is over, by a monotonic clock: the other one may be what is wrong.
//!
//! # What it does not do
//!
//! It strikes at no more than what the catalogue has, and keeps nothing: a restart begins without faults.
//!
//! The folder: `catalogue` names them, `settings` checks what they are told, `around` is the clock and the file system,
//! `destination` and `sink` are for sinks, `command` is what people ask for.

mod around;
mod catalogue;
mod command;
mod destination;
mod error;
mod settings;
mod sink;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use weir_api::fault::ActiveFault;
use weir_plugins::{PluginFault, PluginFaultPlan, PluginFaults};

pub use around::{FaultClock, FaultFilesystem};
pub use catalogue::Fault;
pub use error::FaultError;
use settings::Settings;
pub use sink::FaultSink;

#[derive(Debug)]
pub struct Faults {
    /// One bit for each fault.
    on: AtomicU32,
    strikes: [AtomicU64; Fault::COUNT],
    clock_offset_ms: AtomicI64,
    /// Requests that came while some were to be taken in twice.
    requests: AtomicU64,
    active: Mutex<BTreeMap<Fault, Active>>,
    changed: Condvar,
    is_stopped: AtomicBool,
    plugins: OnceLock<Arc<PluginFaults>>,
    /// How often the process was started again; `None` when nobody would.
    restarts: Option<u64>,
}

#[derive(Debug)]
struct Active {
    since: Instant,
    until: Option<Instant>,
    settings: Settings,
}

impl Faults {
    pub fn new(restarts: Option<u64>) -> Self {
        for fault in Fault::ALL {
            metrics::gauge!("weir_fault_active", "fault" => fault.name()).set(0.0);
        }
        Self {
            on: AtomicU32::new(0),
            strikes: Default::default(),
            clock_offset_ms: AtomicI64::new(0),
            requests: AtomicU64::new(0),
            active: Mutex::default(),
            changed: Condvar::new(),
            is_stopped: AtomicBool::new(false),
            plugins: OnceLock::new(),
            restarts,
        }
    }

    /// Where faults of plugins strike; once, at the start.
    pub fn reach_plugins(&self, plugins: Arc<PluginFaults>) {
        // A second host would be another pipeline.
        self.plugins.set(plugins).ok();
    }

    /// Nothing is read on the strength of it that the lock does not guard.
    pub fn is_on(&self, fault: Fault) -> bool {
        self.on.load(Ordering::Relaxed) & bit(fault) != 0
    }

    pub fn struck(&self, fault: Fault) {
        self.strikes[fault as usize].fetch_add(1, Ordering::Relaxed);
        metrics::counter!("weir_fault_strikes_total", "fault" => fault.name()).increment(1);
    }

    pub fn clock_offset_ms(&self) -> i64 {
        self.clock_offset_ms.load(Ordering::Relaxed)
    }

    /// Whether this request is one of those that are taken in twice.
    pub fn doubles_request(&self) -> bool {
        if !self.is_on(Fault::DuplicateDelivery) {
            return false;
        }
        let every = self.active().get(&Fault::DuplicateDelivery).map_or(1, |active| active.settings.every);
        self.requests.fetch_add(1, Ordering::Relaxed).is_multiple_of(every)
    }

    /// Whether a sink gets its batches twice.
    fn doubles_batches_of(&self, sink: &str) -> bool {
        self.is_on(Fault::DuplicateDelivery)
            && self
                .active()
                .get(&Fault::DuplicateDelivery)
                .is_some_and(|active| active.settings.sink.as_deref() == Some(sink))
    }

    /// What a sink's batches meet in place of their destination. One that gives up after some attempts is struck only
    /// by name: what it gives up is not sent again by itself.
    fn of_sink(&self, sink: &str, tries_for_ever: bool) -> Option<(Fault, Settings)> {
        let faults = [Fault::Sink429, Fault::Sink5xx, Fault::SinkTimeout];
        if !faults.into_iter().any(|fault| self.is_on(fault)) {
            return None;
        }
        let active = self.active();
        let of = |fault: &Fault| Some((*fault, active.get(fault)?.settings.clone()));
        faults.iter().filter_map(of).find(|(_, settings)| match &settings.sink {
            Some(name) => name == sink,
            None => tries_for_ever,
        })
    }

    /// Waits while a fault is active, no longer than `time`.
    pub fn wait_while(&self, fault: Fault, time: Duration) {
        let is_active = |active: &mut BTreeMap<Fault, Active>| active.contains_key(&fault);
        drop(self.changed.wait_timeout_while(self.active(), time, is_active).unwrap_or_else(PoisonError::into_inner));
    }

    /// The end of the process, if that is asked for: SIGKILL, which nothing can see to first.
    pub fn kill_mid_batch(&self) {
        if self.is_on(Fault::KillMidBatch) {
            self.struck(Fault::KillMidBatch);
            tracing::warn!("the fault kill_mid_batch ends this process");
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).ok();
        }
    }

    fn start(&self, fault: Fault, settings: Settings) -> Result<(), FaultError> {
        let mut active = self.active();
        if self.is_stopped.load(Ordering::Acquire) {
            return Err(FaultError::Stopping);
        }
        let now = Instant::now();
        self.strike_plugins(fault, Some(&settings));
        if fault == Fault::ClockJump {
            self.clock_offset_ms.store(settings.offset_ms, Ordering::Relaxed);
        }
        let until = settings.lasts.map(|lasts| now + lasts);
        // One that is started again goes on with other settings.
        let since = active.get(&fault).map_or(now, |before| before.since);
        active.insert(fault, Active { since, until, settings });
        self.on.fetch_or(bit(fault), Ordering::Release);
        self.changed.notify_all();
        drop(active);
        metrics::gauge!("weir_fault_active", "fault" => fault.name()).set(1.0);
        tracing::warn!(fault = fault.name(), "a fault was started on purpose");
        Ok(())
    }

    /// Ends a fault; nothing happens to one that is not active.
    pub fn end(&self, fault: Fault) {
        if self.active().remove(&fault).is_some() {
            self.ended(fault);
        }
    }

    fn ended(&self, fault: Fault) {
        self.on.fetch_and(!bit(fault), Ordering::Release);
        self.strike_plugins(fault, None);
        if fault == Fault::ClockJump {
            self.clock_offset_ms.store(0, Ordering::Relaxed);
        }
        self.changed.notify_all();
        metrics::gauge!("weir_fault_active", "fault" => fault.name()).set(0.0);
        tracing::info!(fault = fault.name(), "a fault has ended");
    }

    fn end_all(&self) {
        Fault::ALL.into_iter().for_each(|fault| self.end(fault));
    }

    fn strike_plugins(&self, fault: Fault, settings: Option<&Settings>) {
        let Some((plugins, kind)) = self.plugins.get().zip(in_plugins(fault)) else { return };
        let plan = settings.map(|settings| PluginFaultPlan {
            plugin_id: settings.plugin.clone().unwrap_or_default(),
            delay: settings.delay,
            every: settings.every,
        });
        plugins.set(kind, plan);
    }

    /// Ends faults whose time is over, until everything stops.
    pub fn run(&self) {
        let mut active = self.active();
        while !self.is_stopped.load(Ordering::Acquire) {
            let now = Instant::now();
            let is_over = |one: &Active| one.until.is_some_and(|until| until <= now);
            let over: Vec<Fault> = active.iter().filter(|(_, one)| is_over(one)).map(|(fault, _)| *fault).collect();
            for fault in over {
                active.remove(&fault);
                self.ended(fault);
            }
            self.publish_strikes();
            let next = active.values().filter_map(|one| one.until).min();
            let wait = next.map_or(PUBLISH, |until| until.saturating_duration_since(now)).min(PUBLISH);
            (active, _) = self.changed.wait_timeout(active, wait).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Strikes in plugins are counted there.
    fn publish_strikes(&self) {
        let Some(plugins) = self.plugins.get() else { return };
        for fault in Fault::ALL {
            if let Some(kind) = in_plugins(fault) {
                metrics::counter!("weir_fault_strikes_total", "fault" => fault.name()).absolute(plugins.strikes(kind));
            }
        }
    }

    /// Everything goes on as it is from now on, so that a stop does not wait for a fault.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        self.end_all();
        self.changed.notify_all();
    }

    pub fn newest(&self) -> Vec<ActiveFault> {
        if self.on.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let view = |fault: &Fault| ActiveFault { name: fault.name().into(), title: fault.about().title.into() };
        self.active().keys().map(view).collect()
    }

    fn strikes(&self, fault: Fault) -> u64 {
        let counted = self.strikes[fault as usize].load(Ordering::Relaxed);
        match (fault, in_plugins(fault), self.plugins.get()) {
            // What the process before this one was killed by.
            (Fault::KillMidBatch, ..) => self.restarts.unwrap_or_default(),
            (_, Some(kind), Some(plugins)) => plugins.strikes(kind),
            _ => counted,
        }
    }

    fn active(&self) -> MutexGuard<'_, BTreeMap<Fault, Active>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often the strikes in plugins are published.
const PUBLISH: Duration = Duration::from_secs(1);

const fn bit(fault: Fault) -> u32 {
    1 << fault as u32
}

const fn in_plugins(fault: Fault) -> Option<PluginFault> {
    match fault {
        Fault::SlowPlugin => Some(PluginFault::Slow),
        Fault::PluginTrap => Some(PluginFault::Trap),
        Fault::PluginLoop => Some(PluginFault::Loop),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use weir_event::{Clock as _, ManualClock};

    use super::*;

    fn settings(lasts: Option<Duration>) -> Settings {
        Settings { every: 1, offset_ms: 5_000, lasts, ..Settings::default() }
    }

    #[test]
    fn a_fault_ends_when_its_time_is_over_and_all_end_at_a_stop() {
        let faults = Arc::new(Faults::new(None));
        let clock = FaultClock { inner: Arc::new(ManualClock::at(1_000)), faults: Arc::clone(&faults) };
        let thread = {
            let faults = Arc::clone(&faults);
            std::thread::Builder::new().spawn(move || faults.run()).expect("a thread")
        };
        faults.start(Fault::ClockJump, settings(Some(Duration::from_millis(20)))).expect("it starts");
        faults.start(Fault::WorkerStall, settings(None)).expect("it starts");
        assert_eq!(faults.newest().len(), 2);
        faults.wait_while(Fault::ClockJump, Duration::from_mins(1));
        assert!(!faults.is_on(Fault::ClockJump) && faults.is_on(Fault::WorkerStall));
        assert_eq!(clock.now_ms(), 1_000, "it is back");
        faults.stop();
        assert!(!faults.is_on(Fault::WorkerStall));
        assert!(faults.start(Fault::DiskFull, settings(None)).is_err(), "it stops");
        thread.join().expect("no panic");
    }

    #[test]
    fn a_sink_that_gives_up_is_struck_only_by_name() {
        let faults = Faults::new(None);
        faults.start(Fault::Sink5xx, settings(None)).expect("it starts");
        assert!(faults.of_sink("a", true).is_some() && faults.of_sink("a", false).is_none());
        let named = Settings { sink: Some("a".into()), ..settings(None) };
        faults.start(Fault::Sink5xx, named).expect("it starts");
        assert!(faults.of_sink("a", false).is_some() && faults.of_sink("b", true).is_none());
    }
}
