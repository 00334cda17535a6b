//! A plugin's functions for stored events.

use std::time::Duration;

use serde_json::Value;
use weir_event::normalize::RECORDING;

use crate::bindings::weir::plugin::types::Call;
use crate::caller::{Called, Caller};

/// Seconds between attempts, as on PostHog's servers.
const ON_EVENT_PAUSES: [u64; 4] = [5, 10, 20, 40];
const EXPORT_PAUSES: [u64; 3] = [6, 12, 24];
const EXPORT_BATCH: usize = 500;
const LARGE_EXPORT_BATCH: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportMethod {
    OnEvent,
    /// For `$snapshot` events.
    OnSnapshot,
    ExportEvents,
    ComposeWebhook,
}

impl ExportMethod {
    pub const ALL: [Self; 4] = [Self::OnEvent, Self::OnSnapshot, Self::ExportEvents, Self::ComposeWebhook];

    /// As plugins export it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnEvent => "onEvent",
            Self::OnSnapshot => "onSnapshot",
            Self::ExportEvents => "exportEvents",
            Self::ComposeWebhook => "composeWebhook",
        }
    }

    /// How long to wait before the next attempt when this many have ended in a `RetryError`; `None` when it is
    /// given up.
    pub fn pause_after(self, attempts: u32) -> Option<Duration> {
        let pauses: &[u64] = if self == Self::ExportEvents { &EXPORT_PAUSES } else { &ON_EVENT_PAUSES };
        let place = usize::try_from(attempts).ok()?.checked_sub(1)?;
        pauses.get(place).map(|seconds| Duration::from_secs(*seconds))
    }
}

/// Calls one method, from one thread with at least 2 MiB of stack. The limits are those of the plugin.
pub struct Exporter {
    caller: Caller,
    method: ExportMethod,
}

impl Exporter {
    pub(crate) fn new(caller: Caller, method: ExportMethod) -> Self {
        Self { caller, method }
    }

    /// What the plugin is configured with, as of the last [`Self::is_ready`].
    pub fn config(&self) -> &Value {
        self.caller.config()
    }

    /// Events that one call is given at most: `getSettings` can say that `exportEvents` takes more.
    pub fn most_events(&self) -> usize {
        let large = self.caller.settings().get("handlesLargeBatches").and_then(Value::as_bool).unwrap_or(false);
        match (self.method, large) {
            (ExportMethod::ExportEvents, true) => LARGE_EXPORT_BATCH,
            (ExportMethod::ExportEvents, false) => EXPORT_BATCH,
            _ => 1,
        }
    }

    /// Takes over a new version; false while there is none with this method that can be set up.
    pub fn is_ready(&mut self) -> bool {
        let method = self.method;
        let is_ready = self.caller.is_ready(|version| version.has_method(method.as_str()));
        if is_ready {
            // Nothing else that is called depends on them.
            if method == ExportMethod::ExportEvents {
                self.caller.ask_settings();
            }
            self.caller.wake();
        }
        is_ready
    }

    /// Whether events of this name are for it. Recordings go to `onSnapshot`, and only there; `exportEvents` can
    /// be configured to leave names out.
    pub fn wants(&self, event: &str) -> bool {
        if self.method == ExportMethod::ExportEvents {
            let ignored = self.config().get("exportEventsToIgnore").and_then(Value::as_str).unwrap_or_default();
            return ignored.split(',').all(|name| name.trim() != event);
        }
        (event == RECORDING) == (self.method == ExportMethod::OnSnapshot)
    }

    /// Each event is JSON text. All methods but `exportEvents` take one.
    pub fn call(&mut self, events: &[String]) -> Called {
        if !self.is_ready() {
            return Called::Absent;
        }
        let call = match (self.method, events) {
            (ExportMethod::ExportEvents, events) => Call::Events(format!("[{}]", events.join(","))),
            (ExportMethod::OnEvent, [event]) => Call::Event(event.clone()),
            (ExportMethod::OnSnapshot, [event]) => Call::Snapshot(event.clone()),
            (ExportMethod::ComposeWebhook, [event]) => Call::Webhook(event.clone()),
            (method, _) => return Called::Failed(format!("{} takes one event", method.as_str())),
        };
        self.caller.call(&call)
    }

    /// Sends what `composeWebhook` returned, under the plugin's rules for HTTP. An answer of 429 or 5xx asks
    /// for another attempt.
    pub fn send_webhook(&mut self, request: &str) -> Called {
        self.caller.send_webhook(request)
    }

    /// Events that calls have made since this was last asked, as JSON.
    pub fn take_emitted(&mut self) -> Vec<String> {
        self.caller.take_emitted()
    }

    /// For a caller that calls no more although the plugin asks for it.
    pub fn given_up(&self, message: String) {
        self.caller.given_up(message);
    }
}
