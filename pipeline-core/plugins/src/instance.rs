//! One running copy of one plugin version.
//!
//! An instance is used by one thread at a time and is thrown away the moment it does not return as it
//! should: after a trap its memory may be anything. Everything it did up to then is in its [`Effects`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{Store, Trap, UpdateDeadline};

use crate::bindings;
use crate::bindings::weir::plugin::http::Request;
use crate::bindings::weir::plugin::types::{Call, Description, Event, Failure, FailureKind};
use crate::bindings::weir::plugin::waiting::Wake;
use crate::engine::JsEngine;
use crate::http_calls;
use crate::instructions;
use crate::limits::Limits;
use crate::state::{Effects, Ended, InstanceState, Surroundings};
use crate::version::{Program, Version};

/// Why an instance is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// `timeout`, `instructions`, `waiting`, `memory`, `calls` or `trap`.
    pub kind: &'static str,
    pub message: String,
}

impl Loss {
    /// As the plugin's log tells it.
    pub fn line(&self) -> String {
        format!("Instance lost, and with it meta.global: {}. A new one goes on.", self.message)
    }
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
    functions: Functions,
    pub version: Arc<Version>,
}

/// The same functions in two worlds.
enum Functions {
    Engine(bindings::Engine),
    Component(bindings::component::Plugin),
}

impl Functions {
    fn describe(&self, store: &mut Store<InstanceState>) -> wasmtime::Result<Description> {
        match self {
            Self::Engine(engine) => engine.call_describe(store),
            Self::Component(plugin) => plugin.call_describe(store),
        }
    }

    fn process_batch(&self, store: &mut Store<InstanceState>, events: &[Event]) -> wasmtime::Result<()> {
        match self {
            Self::Engine(engine) => engine.call_process_batch(store, events),
            Self::Component(plugin) => plugin.call_process_batch(store, events),
        }
    }

    fn call(&self, store: &mut Store<InstanceState>, call: &Call) -> wasmtime::Result<Result<Option<String>, Failure>> {
        match self {
            Self::Engine(engine) => engine.call_call(store, call),
            Self::Component(plugin) => plugin.call_call(store, call),
        }
    }
}

impl Instance {
    /// Instantiates what the version runs on, and loads its source into an engine; `setupPlugin` is a step
    /// of its own.
    pub fn load(engine: &JsEngine, around: &Arc<Surroundings>, version: &Arc<Version>) -> Result<Self, CallError> {
        let limits = &version.identity.limits;
        let tier = engine.tier(limits.is_metered()).map_err(|error| {
            CallError::Lost(Loss { kind: "trap", message: format!("the engine that counts instructions: {error}") })
        })?;
        let state = InstanceState::new(Arc::clone(&version.identity), Arc::clone(around), version.engine_bytes());
        let mut store = Store::new(&tier.engine, state);
        store.limiter(|state| &mut state.memory);
        store.epoch_deadline_callback(|store| {
            if store.data().is_over_budget() {
                return Err(Ended::Time.into());
            }
            Ok(UpdateDeadline::Continue(1))
        });
        store.data_mut().begin(limits.cpu_setup, 0);
        instructions::begin(&mut store, instructions::UNLIMITED);
        store.set_epoch_deadline(1);
        let running = engine.run_guard();
        let lost = |error: &wasmtime::Error| CallError::Lost(loss(error, "loading", limits.cpu_setup, ""));
        let (pre, program) = match &version.program {
            Program::Script(program) => (&tier.pre, program),
            Program::Python(pre, program) => (&**pre, program),
            Program::Component(pre) => {
                let functions = pre.instantiate(&mut store).map_err(|error| lost(&error))?;
                store.data_mut().flush_outputs();
                return Ok(Self { store, functions: Functions::Component(functions), version: Arc::clone(version) });
            }
        };
        let functions = pre.instantiate(&mut store).map_err(|error| lost(&error))?;
        let loaded = functions.call_load(&mut store, program).map_err(|error| lost(&error))?;
        drop(running);
        store.data_mut().flush_outputs();
        let instance = Self { store, functions: Functions::Engine(functions), version: Arc::clone(version) };
        loaded.map_err(|failure| instance.thrown(failure, "loading"))?;
        Ok(instance)
    }

    pub fn describe(&mut self, engine: &JsEngine) -> Result<Description, CallError> {
        let _running = engine.run_guard();
        self.prepare(Duration::from_secs(1), instructions::UNLIMITED, 0);
        let result = self.functions.describe(&mut self.store);
        result.map_err(|error| self.lost(&error, "describe", Duration::from_secs(1)))
    }

    pub fn setup(&mut self, engine: &JsEngine) -> Result<(), CallError> {
        self.call(engine, &Call::Setup).map(drop)
    }

    pub fn teardown(&mut self, engine: &JsEngine) -> Result<(), CallError> {
        self.call(engine, &Call::Teardown).map(drop)
    }

    /// Runs one of the functions that are not `processEvent` to its end; what it returned is JSON.
    pub fn call(&mut self, engine: &JsEngine, call: &Call) -> Result<Option<String>, CallError> {
        let limits = &self.store.data().identity.limits;
        let (name, budget) = match call {
            Call::Setup => ("setupPlugin", limits.cpu_setup),
            Call::Teardown => ("teardownPlugin", limits.cpu_setup),
            Call::Settings => ("getSettings", limits.cpu_setup),
            Call::Event(_) => ("onEvent", limits.cpu_per_event),
            Call::Snapshot(_) => ("onSnapshot", limits.cpu_per_event),
            Call::Webhook(_) => ("composeWebhook", limits.cpu_per_event),
            Call::Events(_) => ("exportEvents", limits.cpu_task),
            Call::Schedule(name) => (name.as_str(), limits.cpu_task),
            Call::Job(job) => (job.name.as_str(), limits.cpu_task),
            Call::Wake => ("a timer", limits.cpu_task),
        };
        let _running = engine.run_guard();
        let most = match call {
            Call::Event(_) | Call::Snapshot(_) | Call::Webhook(_) => limits.instructions_per_event,
            _ => None,
        };
        // One thing to report, so that it can wait and be overdue like an event.
        self.prepare(budget, most.unwrap_or(instructions::UNLIMITED), 1);
        let result = self.functions.call(&mut self.store, call);
        self.store.data_mut().flush_outputs();
        let result = result.map_err(|error| self.lost(&error, name, budget))?;
        self.store.data_mut().commit();
        result.map_err(|failure| self.thrown(failure, name))
    }

    /// Runs events until the last or until the instance is lost; `Effects::reports` tells how far it came.
    pub fn process(&mut self, engine: &JsEngine, events: &[Event]) -> Result<(), Loss> {
        let _running = engine.run_guard();
        let limits = &self.store.data().identity.limits;
        let (budget, most) = (limits.cpu_per_event, limits.instructions_per_event);
        self.prepare(budget, most.unwrap_or(instructions::UNLIMITED), events.len());
        let result = self.functions.process_batch(&mut self.store, events);
        self.store.data_mut().flush_outputs();
        match result {
            Ok(()) => {
                self.store.data_mut().commit();
                Ok(())
            }
            Err(error) => match self.lost(&error, "processEvent", budget) {
                CallError::Lost(loss) => Err(loss),
                CallError::Threw(failure) => Err(Loss { kind: "trap", message: failure.message }),
            },
        }
    }

    /// Whether work that was left running can go on.
    pub fn has_news(&self) -> bool {
        self.store.data().queue.has_news()
    }

    pub fn next_timer(&self) -> Option<Instant> {
        self.store.data().queue.next_due()
    }

    /// Begins a request on behalf of the plugin, outside its code.
    pub fn begin_request(&mut self, request: Request) -> u32 {
        self.store.data_mut().begin(Duration::MAX, 1);
        http_calls::start(self.store.data_mut(), request)
    }

    /// For [`Self::begin_request`]. What the plugin itself waits for is dropped.
    pub fn wait_for_answers(&mut self) -> Vec<Wake> {
        self.store.data_mut().wait()
    }

    pub fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.store.data_mut().effects)
    }

    /// The event that was in hand when the last call ended, its CPU time and its instructions.
    pub fn in_hand(&self) -> (u32, Duration, Option<u64>) {
        let state = self.store.data();
        (state.in_hand.0, state.cpu_in_hand(), instructions::in_hand(&self.store))
    }

    pub fn memory_bytes(&self) -> u64 {
        self.store.data().memory.used as u64
    }

    fn prepare(&mut self, budget: Duration, most: u64, events: usize) {
        self.store.data_mut().begin(budget, events);
        instructions::begin(&mut self.store, most);
        self.store.set_epoch_deadline(1);
    }

    fn thrown(&self, mut failure: Failure, what: &str) -> CallError {
        match failure.kind {
            FailureKind::Exception => {}
            FailureKind::Memory => {
                let message = format!("memory limit: {what} needs more than it may use");
                return CallError::Lost(Loss { kind: "memory", message });
            }
            FailureKind::Overdue => failure.message = overdue(&self.store.data().identity.limits, what),
        }
        CallError::Threw(failure)
    }

    fn lost(&mut self, error: &wasmtime::Error, what: &str, budget: Duration) -> CallError {
        let last_words = self.store.data_mut().last_words.take();
        let state = self.store.data();
        if state.memory.exceeded {
            return CallError::Lost(memory_loss(what, state.identity.limits.memory_bytes, &self.version.entry()));
        }
        let mut loss = loss(error, what, budget, &self.version.entry());
        if let Some(most) = state.identity.limits.instructions_per_event
            && error.downcast_ref::<Trap>() == Some(&Trap::OutOfFuel)
        {
            let place = self.version.entry();
            let message = format!("instruction limit: {what} executed more than {most} ({place} {what})");
            loss = Loss { kind: "instructions", message };
        }
        match (error.downcast_ref::<Ended>(), last_words) {
            (Some(Ended::Waiting), _) => loss.message = overdue(&state.identity.limits, what),
            (None, Some(words)) => loss.message = words,
            _ => {}
        }
        CallError::Lost(loss)
    }
}

/// What an event (or call) that waited too long has to say.
pub fn overdue(limits: &Limits, what: &str) -> String {
    let seconds = limits.wait.as_secs_f64();
    format!("Error: Script execution timed out after promise waited for {seconds} seconds (in {what})")
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
        (Some(Ended::Waiting), _) => Loss { kind: "waiting", message: format!("{what} waited too long{place}") },
        (Some(Ended::Exit), _) => Loss { kind: "trap", message: format!("exit was called: {what} was ended{place}") },
        (_, Some(trap)) => Loss { kind: "trap", message: format!("{trap}: {what} was stopped{place}") },
        (Some(Ended::Calls(most)), _) => Loss {
            kind: "calls",
            message: format!("limit of host calls: {what} had more than {most} timers and requests at once{place}"),
        },
        (Some(Ended::Protocol) | None, None) => {
            // The cause without the backtrace, which is in terms of the component's insides.
            Loss { kind: "trap", message: format!("{}: {what} was stopped{place}", error.root_cause()) }
        }
    }
}
