//! How far a sink is, as people see it. Changes only after the journal has it.

use std::sync::{Mutex, PoisonError};

use weir_api::sink::{SinkState, SinkView};
use weir_event::clock::UnixMillis;
use weir_event::journal::{SinkCursor, SinkRecord};

#[derive(Debug)]
pub struct Progress(Mutex<SinkView>);

impl Progress {
    pub fn new(record: &SinkRecord, cursor: &SinkCursor) -> Self {
        let view = SinkView {
            name: record.name.clone(),
            kind: record.kind.clone(),
            target: record.target.clone(),
            start: record.start,
            ..SinkView::default()
        };
        let progress = Self(Mutex::new(view));
        progress.moved(cursor);
        progress
    }

    /// With `pending` as it was last counted.
    pub fn view(&self) -> SinkView {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the store says is before the sink; `None` when it cannot be asked.
    pub fn counted(&self, pending: Option<u64>) {
        self.change(|view| view.pending = pending);
    }

    pub(crate) fn moved(&self, cursor: &SinkCursor) {
        self.change(|view| {
            view.offset = cursor.offset;
            view.delivered = cursor.delivered;
            view.failed = cursor.failed;
            view.retried = cursor.retried;
            view.attempts = 0;
            view.retry_at_ms = None;
        });
    }

    pub fn set(&self, state: SinkState) {
        self.change(|view| view.state = state);
    }

    /// For a sink that ends before anybody asked it to.
    pub fn stopped(&self, reason: &str) {
        self.change(|view| {
            view.state = SinkState::Stopped;
            view.last_error = Some(reason.to_owned());
        });
    }

    pub(crate) fn retrying(&self, attempts: u32, retried: u64, due_ms: UnixMillis, reason: &str) {
        self.change(|view| {
            view.state = SinkState::Retrying;
            view.attempts = attempts;
            view.retried = retried;
            view.retry_at_ms = Some(due_ms);
            view.last_error = Some(reason.to_owned());
        });
    }

    pub(crate) fn failed(&self, reason: &str) {
        self.change(|view| view.last_error = Some(reason.to_owned()));
    }

    fn change(&self, change: impl FnOnce(&mut SinkView)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
