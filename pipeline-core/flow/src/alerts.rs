//! Alerts: numbers that cross a threshold for long enough.
//!
//! # What it guarantees
//!
//! A rule fires once it has been above its threshold for its time, and is resolved once it has been at or below a
//! lower one for another; what moves about a threshold neither fires nor flickers. Each rule has one alert at most. A
//! setting is durable, as a control record of the journal, before it is in force.
//!
//! # How
//!
//! The thread that makes frames measures five times a second what it shows anyway and hands it over as [`Facts`].
//! `window` turns totals into what is new within a minute, `rules` says what is too much, and `book` decides, pure and
//! by the clock it is given.
//!
//! # What it does not do
//!
//! It sends nothing to other machines: the studio, `weir alerts --follow`, `/metrics` and, with `--notify`, the desktop
//! tell of it. The history is of this run of the server.

mod book;
mod rules;
mod window;

use std::sync::{Mutex, MutexGuard, PoisonError};

use weir_api::alert::{Alert, AlertChange, AlertList, AlertSet, AlertStep};
use weir_event::journal::ControlRecord;

use crate::error::FlowError;
use crate::flow::Flow;
use book::Book;
use rules::Settings;
use window::Window;
pub use window::{Facts, SinkFacts};

/// Name of the control record.
pub const SETTING_ALERTS: &str = "alerts";

#[derive(Debug, Default)]
pub struct Alerts(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    book: Book,
    settings: Settings,
    window: Window,
}

impl Alerts {
    /// Settings as the journal has them.
    pub fn restore(&self, journalled: Option<&str>) {
        if let Some(text) = journalled {
            self.inner().settings = Settings::from_json(text);
        }
    }

    /// Looks at what was measured just now.
    pub fn observe(&self, facts: &Facts) {
        let mut inner = self.inner();
        let readings = inner.window.readings(facts);
        let Inner { book, settings, .. } = &mut *inner;
        for change in book.observe(facts.now_ms, &readings, settings) {
            let summary = change.alert.summary();
            match change.step {
                AlertStep::Fired => tracing::warn!(alert = change.alert.name, "{summary}"),
                AlertStep::Resolved => tracing::info!(alert = change.alert.name, "resolved: {summary}"),
            }
        }
    }

    /// What is firing, the newest first.
    pub fn active(&self) -> Vec<Alert> {
        self.inner().book.active()
    }

    pub fn list(&self) -> AlertList {
        let inner = self.inner();
        AlertList {
            active: inner.book.active(),
            history: inner.book.history(),
            rules: inner.book.rules(&inner.settings),
        }
    }

    /// What fired and was resolved after this one.
    pub fn changes_after(&self, sequence: u64) -> Vec<AlertChange> {
        self.inner().book.changes_after(sequence)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flow {
    /// Blocks until the setting is durable.
    pub fn alert_set(&self, request: &AlertSet) -> Result<AlertList, FlowError> {
        let _one_at_a_time = self.configuring();
        let mut settings = self.alerts.inner().settings.clone();
        settings.change(request).map_err(FlowError::AlertSetting)?;
        self.journalled(ControlRecord::Setting { name: SETTING_ALERTS.into(), value: settings.to_json() })?;
        self.alerts.inner().settings = settings;
        Ok(self.alerts.list())
    }
}
