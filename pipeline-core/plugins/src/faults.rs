//! What is made to go wrong in plugins on purpose.
//!
//! # What it guarantees
//!
//! A fault strikes one plugin of the chain, between two of its events. What follows is what follows by itself: an
//! instance that is said to have trapped is thrown away like any other, with its `global`, and the event that was in
//! hand has the fate that the plugin's setting gives to failed ones. While nothing is to go wrong a batch costs one
//! relaxed load.
//!
//! # What it does not do
//!
//! It does not touch plugins' code, and nothing outside the chain of events: exports, schedules, tests and comparisons
//! are as they are.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::host::PluginHost;
use crate::instance::Loss;
use crate::limits::Limits;
use crate::slot::{Slot, lock};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginFault {
    /// Each event waits.
    Slow,
    /// An event ends in a trap.
    Trap,
    /// An event computes until its time is up.
    Loop,
}

/// What one fault does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFaultPlan {
    pub plugin_id: String,
    /// Of each event, when it is slow.
    pub delay: Duration,
    /// One event in so many traps or loops; 1 at least.
    pub every: u64,
}

#[derive(Debug, Default)]
pub struct PluginFaults {
    is_any: AtomicBool,
    plans: Mutex<[Option<Plan>; 3]>,
    changed: Condvar,
    strikes: [AtomicU64; 3],
}

#[derive(Debug)]
struct Plan {
    plan: PluginFaultPlan,
    met: u64,
}

impl PluginHost {
    /// What can be made to go wrong in plugins of the chain.
    pub fn faults(&self) -> Arc<PluginFaults> {
        Arc::clone(&self.shared.faults)
    }

    /// Ids of the plugins that events pass now, in chain order.
    pub fn processors(&self) -> Vec<String> {
        let slots = lock(&self.shared.slots).clone();
        let passes =
            |slot: &&Arc<Slot>| slot.is_enabled() && slot.version().is_some_and(|version| version.processes_events());
        slots.iter().filter(passes).map(|slot| slot.id.clone()).collect()
    }
}

/// What an event of a plugin is to meet.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// The instance is lost on it, and this much CPU is spent before.
    pub loss: Option<(Loss, Duration)>,
    /// It waited.
    pub delay: Duration,
}

impl PluginFaults {
    /// Starts a fault, or stops it; whoever waits for it goes on.
    pub fn set(&self, fault: PluginFault, plan: Option<PluginFaultPlan>) {
        let mut plans = self.plans();
        plans[fault as usize] = plan.map(|plan| Plan { plan, met: 0 });
        self.is_any.store(plans.iter().any(Option::is_some), Ordering::Release);
        self.changed.notify_all();
    }

    pub fn strikes(&self, fault: PluginFault) -> u64 {
        self.strikes[fault as usize].load(Ordering::Relaxed)
    }

    /// Whether events of a plugin have to be met one by one.
    pub(crate) fn concern(&self, plugin_id: &str) -> bool {
        // Nothing is read on the strength of it that the lock does not guard.
        self.is_any.load(Ordering::Relaxed)
            && self.plans().iter().flatten().any(|fault| fault.plan.plugin_id == plugin_id)
    }

    /// What the next event of a plugin meets. A slow one waits here, a looping one computes here.
    pub(crate) fn meet(&self, plugin_id: &str, limits: &Limits) -> Met {
        let mut met = Met::default();
        if let Some(delay) = self.due(PluginFault::Slow, plugin_id) {
            met.delay = self.wait(delay);
        }
        if self.due(PluginFault::Trap, plugin_id).is_some() {
            let message = "unreachable: processEvent was stopped (fault plugin_trap)".to_owned();
            met.loss = Some((Loss { kind: "trap", message }, Duration::ZERO));
        } else if self.due(PluginFault::Loop, plugin_id).is_some() {
            let budget = limits.cpu_per_event;
            let spent = self.compute(budget);
            let message = format!(
                "time limit: processEvent ran longer than {} ms of CPU (fault plugin_loop)",
                budget.as_millis()
            );
            met.loss = Some((Loss { kind: "timeout", message }, spent));
        }
        met
    }

    /// Counts an event; with the delay when the fault strikes it.
    fn due(&self, fault: PluginFault, plugin_id: &str) -> Option<Duration> {
        let mut plans = self.plans();
        let planned = plans[fault as usize].as_mut().filter(|planned| planned.plan.plugin_id == plugin_id)?;
        planned.met += 1;
        if !planned.met.is_multiple_of(planned.plan.every) {
            return None;
        }
        self.strikes[fault as usize].fetch_add(1, Ordering::Relaxed);
        Some(planned.plan.delay)
    }

    /// Ends early when the fault does.
    fn wait(&self, delay: Duration) -> Duration {
        let begun = Instant::now();
        let slow = |plans: &mut [Option<Plan>; 3]| plans[PluginFault::Slow as usize].is_some();
        let waited = self.changed.wait_timeout_while(self.plans(), delay, slow);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        begun.elapsed()
    }

    /// What a loop does until it is stopped; ends early when the fault does.
    fn compute(&self, budget: Duration) -> Duration {
        let begun = Instant::now();
        while begun.elapsed() < budget && self.is_any.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        begun.elapsed()
    }

    fn plans(&self) -> MutexGuard<'_, [Option<Plan>; 3]> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
