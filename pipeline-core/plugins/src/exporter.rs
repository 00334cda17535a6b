//! A plugin's `onEvent` or `exportEvents`, called with stored events from a thread of its own.
//!
//! The instance is not one of a lane's: like PostHog's servers for ingestion and for exports, each has
//! set the plugin up for itself and has a `global` of its own; storage and cache are shared. A new
//! version is taken over between calls. The limits are those of `processEvent`. What a call logs and
//! stores is journalled as what happens outside batches is. When to call again after a `RetryError` is
//! the caller's to know.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use weir_event::journal::{LogLevel, LogSource};

use crate::bindings::weir::plugin::types::Call;
use crate::host::Shared;
use crate::instance::{CallError, Instance};
use crate::metrics;
use crate::slot::{Slot, lock};
use crate::version::Version;

/// How long to leave a plugin alone whose `setupPlugin` failed here.
const SETUP_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportMethod {
    OnEvent,
    ExportEvents,
}

impl ExportMethod {
    pub const ALL: [Self; 2] = [Self::OnEvent, Self::ExportEvents];

    /// As plugins export it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnEvent => "onEvent",
            Self::ExportEvents => "exportEvents",
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportCall {
    Done,
    /// The plugin threw a `RetryError`.
    Again(String),
    /// It threw something else, or its instance was lost. Its log has the line.
    Failed(String),
    /// There is no live version with this method.
    Absent,
}

pub struct Exporter {
    shared: Arc<Shared>,
    plugin_id: String,
    method: ExportMethod,
    instance: Option<Instance>,
    config: Value,
    not_before: Option<Instant>,
}

impl Exporter {
    pub(crate) fn new(shared: Arc<Shared>, plugin_id: String, method: ExportMethod) -> Self {
        Self { shared, plugin_id, method, instance: None, config: Value::Null, not_before: None }
    }

    /// What the plugin is configured with, as of the last [`Self::is_ready`].
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// Takes over a new version; false while there is none with this method that can be set up.
    pub fn is_ready(&mut self) -> bool {
        let slot = lock(&self.shared.slots).iter().find(|slot| slot.id == self.plugin_id).cloned();
        let version = slot.as_deref().and_then(Slot::version);
        let Some(version) = version.filter(|version| version.has_method(self.method.as_str())) else {
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
        let engine = &self.shared.engine;
        let made = Instance::load(engine, &self.shared.around, version).and_then(|mut instance| {
            let outcome = instance.setup(engine);
            self.keep(&mut instance);
            outcome.map(|()| instance)
        });
        match made {
            Ok(instance) => {
                self.instance = Some(instance);
                self.not_before = None;
            }
            Err(error) => {
                let (short, _, _) = describe(version, error);
                let message = format!("setupPlugin failed for {}: {short}. Stored events wait.", self.method.as_str());
                self.log(version, LogSource::System, message);
                self.not_before = Some(Instant::now() + SETUP_PAUSE);
            }
        }
    }

    /// Each event is JSON text. `onEvent` takes one.
    pub fn call(&mut self, events: &[String]) -> ExportCall {
        if !self.is_ready() {
            return ExportCall::Absent;
        }
        let Some(mut instance) = self.instance.take() else { return ExportCall::Absent };
        let engine = &self.shared.engine;
        let outcome = match (self.method, events) {
            (ExportMethod::OnEvent, [event]) => instance.call(engine, &Call::Event(event.clone())),
            (ExportMethod::OnEvent, _) => return ExportCall::Failed("onEvent takes one event".into()),
            (ExportMethod::ExportEvents, events) => {
                instance.call(engine, &Call::Events(format!("[{}]", events.join(","))))
            }
        };
        self.keep(&mut instance);
        let version = Arc::clone(&instance.version);
        let error = match outcome {
            Ok(_) => {
                self.instance = Some(instance);
                return ExportCall::Done;
            }
            Err(error) => error,
        };
        if let CallError::Lost(loss) = &error {
            metrics::instance_lost(&self.plugin_id, loss.kind);
            let message = format!("Instance lost, and with it meta.global: {}. A new one goes on.", loss.message);
            self.log(&version, LogSource::System, message);
        } else {
            self.instance = Some(instance);
        }
        let (short, long, retry) = describe(&version, error);
        if retry {
            return ExportCall::Again(short);
        }
        if let Some(long) = long {
            self.log(&version, LogSource::Plugin, long);
        }
        ExportCall::Failed(short)
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

    fn keep(&self, instance: &mut Instance) {
        let effects = instance.take_effects();
        let mut control = lock(&self.shared.control);
        control.logs.extend(effects.logs);
        control.storage.extend(effects.storage);
    }
}

impl Drop for Exporter {
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
