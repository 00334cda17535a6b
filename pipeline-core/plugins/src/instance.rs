//! One running copy of one plugin version.
//!
//! An instance is used by one thread at a time and is thrown away the moment it does not return as it
//! should: after a trap its memory may be anything. Everything it did up to then is in its [`Effects`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::{Store, Trap, UpdateDeadline};

use crate::bindings;
use crate::bindings::weir::plugin::types::{Description, Failure, FailureKind};
use crate::engine::JsEngine;
use crate::state::{Effects, Ended, EventInHand, InstanceState, Surroundings};
use crate::version::Version;

static INSTANCES: AtomicU64 = AtomicU64::new(0);

/// Why an instance is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// `timeout`, `memory` or `trap`.
    pub kind: &'static str,
    pub message: String,
}

/// Why a plugin function did not return.
#[derive(Debug)]
pub enum CallError {
    /// It threw; the instance is as good as before.
    Threw(Failure),
    Lost(Loss),
}

pub struct Instance {
    store: Store<InstanceState>,
    functions: bindings::Engine,
    pub version: Arc<Version>,
}

impl Instance {
    /// Instantiates the engine and loads the source; `setupPlugin` is a step of its own.
    pub fn load(engine: &JsEngine, around: &Arc<Surroundings>, version: &Arc<Version>) -> Result<Self, CallError> {
        let number = INSTANCES.fetch_add(1, Ordering::Relaxed);
        let state = InstanceState::new(Arc::clone(&version.identity), Arc::clone(around), number);
        let mut store = Store::new(&engine.engine, state);
        store.limiter(|state| &mut state.memory);
        store.epoch_deadline_callback(|store| {
            if store.data().is_over_budget() {
                return Err(Ended::Time.into());
            }
            Ok(UpdateDeadline::Continue(1))
        });
        store.data_mut().start_budget(around.limits.cpu_setup);
        store.set_epoch_deadline(1);
        let running = engine.run_guard();
        let lost = |error: &wasmtime::Error| CallError::Lost(loss(error, "loading", around.limits.cpu_setup, ""));
        let functions = engine.pre.instantiate(&mut store).map_err(|error| lost(&error))?;
        let loaded = functions.call_load(&mut store, &version.program).map_err(|error| lost(&error))?;
        drop(running);
        loaded.map_err(|failure| thrown(failure, "loading"))?;
        Ok(Self { store, functions, version: Arc::clone(version) })
    }

    pub fn describe(&mut self, engine: &JsEngine) -> Result<Description, CallError> {
        let _running = engine.run_guard();
        self.prepare(Duration::from_secs(1));
        let result = self.functions.call_describe(&mut self.store);
        result.map_err(|error| self.lost(&error, "describe", Duration::from_secs(1)))
    }

    pub fn setup(&mut self, engine: &JsEngine) -> Result<(), CallError> {
        let budget = self.store.data().around.limits.cpu_setup;
        self.outside_batches(engine, "setupPlugin", budget, |functions, store| functions.call_setup(store))
    }

    pub fn teardown(&mut self, engine: &JsEngine) -> Result<(), CallError> {
        let budget = self.store.data().around.limits.cpu_setup;
        self.outside_batches(engine, "teardownPlugin", budget, |functions, store| functions.call_teardown(store))
    }

    pub fn on_event(&mut self, engine: &JsEngine, event: &str) -> Result<(), CallError> {
        let budget = self.store.data().around.limits.cpu_per_event;
        self.outside_batches(engine, "onEvent", budget, |functions, store| functions.call_on_event(store, event))
    }

    /// The events share the budget that each has in `processEvent`.
    pub fn export_events(&mut self, engine: &JsEngine, events: &[String]) -> Result<(), CallError> {
        let budget = self.store.data().around.limits.cpu_per_event * events.len().max(1) as u32;
        self.outside_batches(engine, "exportEvents", budget, |functions, store| {
            functions.call_export_events(store, events)
        })
    }

    fn outside_batches(
        &mut self,
        engine: &JsEngine,
        name: &str,
        budget: Duration,
        call: impl FnOnce(&bindings::Engine, &mut Store<InstanceState>) -> wasmtime::Result<Result<(), Failure>>,
    ) -> Result<(), CallError> {
        let _running = engine.run_guard();
        self.prepare(budget);
        let result = call(&self.functions, &mut self.store);
        let result = result.map_err(|error| self.lost(&error, name, budget))?;
        let state = self.store.data_mut();
        state.commit();
        if !std::mem::take(&mut state.in_hand.emitted).is_empty() {
            let message = format!("posthog.capture works in processEvent only; {name} made events that are discarded");
            state.log(weir_event::journal::LogSource::System, weir_event::journal::LogLevel::Warn, message);
        }
        result.map_err(|failure| thrown(failure, name))
    }

    /// Runs events until the last or until the instance is lost; `Effects::reports` tells how far it came.
    pub fn process(&mut self, engine: &JsEngine, events: &[String]) -> Result<(), Loss> {
        let _running = engine.run_guard();
        let budget = self.store.data().around.limits.cpu_per_event;
        self.prepare(budget);
        match self.functions.call_process_batch(&mut self.store, events) {
            Ok(()) => Ok(()),
            Err(error) => match self.lost(&error, "processEvent", budget) {
                CallError::Lost(loss) => Err(loss),
                CallError::Threw(failure) => Err(Loss { kind: "trap", message: failure.message }),
            },
        }
    }

    pub fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.store.data_mut().effects)
    }

    /// CPU of the event that was in hand when the last call ended.
    pub fn cpu_in_hand(&self) -> Duration {
        self.store.data().cpu_since_report()
    }

    pub fn memory_bytes(&self) -> u64 {
        self.store.data().memory.used as u64
    }

    fn prepare(&mut self, budget: Duration) {
        let state = self.store.data_mut();
        state.in_hand = EventInHand::default();
        state.start_budget(budget);
        self.store.set_epoch_deadline(1);
    }

    fn lost(&self, error: &wasmtime::Error, what: &str, budget: Duration) -> CallError {
        let state = self.store.data();
        if state.memory.exceeded {
            return CallError::Lost(memory_loss(what, state.around.limits.memory_bytes, &self.version.entry()));
        }
        CallError::Lost(loss(error, what, budget, &self.version.entry()))
    }
}

fn thrown(failure: Failure, what: &str) -> CallError {
    if failure.kind == FailureKind::Memory {
        return CallError::Lost(Loss {
            kind: "memory",
            message: format!("memory limit: {what} needs more than it may use"),
        });
    }
    CallError::Threw(failure)
}

fn memory_loss(what: &str, limit: usize, entry: &str) -> Loss {
    let message = format!("memory limit: {what} needed more than {} MiB ({entry} {what})", limit >> 20);
    Loss { kind: "memory", message }
}

fn loss(error: &wasmtime::Error, what: &str, budget: Duration, entry: &str) -> Loss {
    let place = if entry.is_empty() { String::new() } else { format!(" ({entry} {what})") };
    match (error.downcast_ref::<Ended>(), error.downcast_ref::<Trap>()) {
        (Some(Ended::Time), _) => Loss {
            kind: "timeout",
            message: format!("time limit: {what} ran longer than {} ms of CPU{place}", budget.as_millis()),
        },
        (Some(Ended::Memory), _) => {
            Loss { kind: "memory", message: format!("memory limit: {what} needed more than it may use{place}") }
        }
        (_, Some(Trap::StackOverflow)) => {
            Loss { kind: "trap", message: format!("stack overflow: {what} calls itself too deeply{place}") }
        }
        (_, Some(trap)) => Loss { kind: "trap", message: format!("{trap}: {what} was stopped{place}") },
        (Some(Ended::Protocol) | None, None) => {
            Loss { kind: "trap", message: format!("{error:#}: {what} was stopped{place}") }
        }
    }
}
