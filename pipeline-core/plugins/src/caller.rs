//! A plugin's functions besides `processEvent`, called from a thread of their own.
//!
//! The instance is not one of a lane's: like PostHog's servers for ingestion, exports and tasks, each has
//! set the plugin up for itself and has a `global` of its own; storage and cache are shared. A new
//! version is taken over between calls. What a call logs, stores and asks for is journalled as what
//! happens outside batches is; the events it makes are handed to the caller. When to call again after a
//! `RetryError` is the caller's to know.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use weir_event::journal::{LogLevel, LogSource};

use crate::bindings::weir::plugin::types::{Call, Job};
use crate::host::Shared;
use crate::instance::{CallError, Instance};
use crate::metrics;
use crate::slot::{Slot, lock};
use crate::version::Version;
use crate::webhook;

/// How long to leave a plugin alone whose `setupPlugin` failed here.
const SETUP_PAUSE: Duration = Duration::from_secs(1);

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// With what it returned, as JSON.
    Done(Option<String>),
    /// The plugin threw a `RetryError`.
    Again(String),
    /// It threw something else, or its instance was lost. Its log has the line.
    Failed(String),
    /// There is no live version with this function.
    Absent,
}

/// A function that runs by the clock or on request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// `runEveryMinute`, `runEveryHour` or `runEveryDay`.
    Schedule(String),
    /// The payload is JSON.
    Job { name: String, payload: String },
}

impl Task {
    pub fn name(&self) -> &str {
        match self {
            Self::Schedule(name) | Self::Job { name, .. } => name,
        }
    }
}

pub struct Caller {
    shared: Arc<Shared>,
    plugin_id: String,
    instance: Option<Instance>,
    config: Value,
    /// What `getSettings` of this instance returned, once it was asked.
    settings: Option<Value>,
    not_before: Option<Instant>,
    emitted: Vec<String>,
}

impl Caller {
    pub(crate) fn new(shared: Arc<Shared>, plugin_id: String) -> Self {
        Self {
            shared,
            plugin_id,
            instance: None,
            config: Value::Null,
            settings: None,
            not_before: None,
            emitted: Vec::new(),
        }
    }

    /// What the plugin is configured with, as of the last call.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// What `getSettings` returned when it was asked; null without it.
    pub(crate) fn settings(&self) -> &Value {
        self.settings.as_ref().unwrap_or(&Value::Null)
    }

    /// Asks a new instance for its settings. One that throws has said so in its log, and has none.
    pub(crate) fn ask_settings(&mut self) {
        let Some(instance) = self.instance.as_ref().filter(|_| self.settings.is_none()) else { return };
        let has_some = instance.version.has_method("getSettings");
        self.settings = Some(match has_some.then(|| self.call(&Call::Settings)) {
            Some(Called::Done(Some(json))) => serde_json::from_str(&json).unwrap_or_default(),
            _ => Value::Null,
        });
    }

    /// Events that calls have made since this was last asked, as JSON.
    pub fn take_emitted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.emitted)
    }

    /// Runs a task to its end.
    pub fn run(&mut self, task: &Task) -> Called {
        let call = match task {
            Task::Schedule(name) => Call::Schedule(name.clone()),
            Task::Job { name, payload } => Call::Job(Job { name: name.clone(), payload: payload.clone() }),
        };
        // A job of an unknown name is called all the same: the plugin's log then says that it is missing.
        let has_it = |version: &Version| match task {
            Task::Schedule(name) => version.schedules().contains(name),
            Task::Job { .. } => true,
        };
        if self.is_ready(has_it) { self.call(&call) } else { Called::Absent }
    }

    /// Takes over a new version; false while there is none that is wanted and can be set up.
    pub(crate) fn is_ready(&mut self, is_wanted: impl Fn(&Version) -> bool) -> bool {
        let slot = lock(&self.shared.slots).iter().find(|slot| slot.id == self.plugin_id).cloned();
        let version = slot.as_deref().filter(|slot| slot.is_enabled()).and_then(Slot::version);
        let Some(version) = version.filter(|version| is_wanted(version)) else {
            self.shared.retire(self.instance.take());
            return false;
        };
        if self.instance.as_ref().is_some_and(|instance| Arc::ptr_eq(&instance.version, &version)) {
            return true;
        }
        self.shared.retire(self.instance.take());
        self.config = serde_json::from_str(&version.identity.config_json).unwrap_or_default();
        if self.not_before.is_some_and(|moment| Instant::now() < moment) {
            return false;
        }
        self.set_up(&version);
        self.instance.is_some()
    }

    fn set_up(&mut self, version: &Arc<Version>) {
        let shared = Arc::clone(&self.shared);
        let made = Instance::load(&shared.engine, &shared.around, version).and_then(|mut instance| {
            let outcome = instance.setup(&shared.engine);
            self.keep(&mut instance);
            outcome.map(|()| instance)
        });
        match made {
            Ok(instance) => {
                self.instance = Some(instance);
                self.not_before = None;
                self.settings = None;
            }
            Err(error) => {
                let (short, _, _) = describe(version, error);
                let message = format!("setupPlugin failed in a new instance: {short}. Its calls wait.");
                self.log(version, LogSource::System, message);
                self.not_before = Some(Instant::now() + SETUP_PAUSE);
            }
        }
    }

    pub(crate) fn call(&mut self, call: &Call) -> Called {
        let Some(mut instance) = self.instance.take() else { return Called::Absent };
        let outcome = instance.call(&self.shared.engine, call);
        self.keep(&mut instance);
        let version = Arc::clone(&instance.version);
        let error = match outcome {
            Ok(returned) => {
                self.instance = Some(instance);
                return Called::Done(returned);
            }
            Err(error) => error,
        };
        if let CallError::Lost(loss) = &error {
            metrics::instance_lost(&self.plugin_id, loss.kind);
            let message = loss.line();
            self.log(&version, LogSource::System, message);
        } else {
            self.instance = Some(instance);
        }
        let (short, long, retry) = describe(&version, error);
        if retry {
            return Called::Again(short);
        }
        if let Some(long) = long {
            self.log(&version, LogSource::Plugin, long);
        }
        Called::Failed(short)
    }

    /// Lets timers run and delivers answers that calls did not wait for.
    pub fn wake(&mut self) {
        if self.instance.as_ref().is_some_and(Instance::has_news) {
            // What fails here is in the plugin's log.
            self.call(&Call::Wake);
        }
    }

    /// When the next timer is due.
    pub fn next_timer(&self) -> Option<Instant> {
        self.instance.as_ref().and_then(Instance::next_timer)
    }

    pub(crate) fn send_webhook(&mut self, request: &str) -> Called {
        let Some(instance) = self.instance.as_mut() else { return Called::Absent };
        let request = match webhook::parse(request) {
            Ok(request) => request,
            Err(problem) => return Called::Failed(problem),
        };
        let outcome = webhook::send(instance, request);
        let mut instance = self.instance.take();
        if let Some(instance) = &mut instance {
            self.keep(instance);
        }
        self.instance = instance;
        outcome
    }

    /// For a caller that calls no more although the plugin asks for it.
    pub fn given_up(&self, message: String) {
        if let Some(instance) = &self.instance {
            self.log(&instance.version, LogSource::Plugin, message);
        }
    }

    fn log(&self, version: &Version, source: LogSource, message: String) {
        let at_ms = self.shared.around.clock.now_ms();
        let line = version.identity.log_line(at_ms, source, LogLevel::Error, message);
        lock(&self.shared.control).logs.push(line);
    }

    fn keep(&mut self, instance: &mut Instance) {
        let mut effects = instance.take_effects();
        self.emitted.extend(effects.emitted.drain(..).map(|(_, event)| event));
        self.shared.keep(effects);
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.shared.retire(self.instance.take());
    }
}

/// In one line, with its stack if plugin code threw it, and whether it is a `RetryError`.
fn describe(version: &Version, error: CallError) -> (String, Option<String>, bool) {
    match error {
        CallError::Threw(failure) => {
            let (short, long) = version.positions.describe(&failure.message, &failure.stack);
            (short, Some(long), failure.retry)
        }
        CallError::Lost(loss) => (loss.message, None, false),
    }
}
