//! Events of a running pipeline, one at a time.
//!
//! A history is given as requests and asked for its end. Beside a pipeline that runs there is no end: each event of its
//! intake log is judged as it comes, and the row that must be in the store is handed over and forgotten. What the model
//! keeps is what the next events need: uuids that were seen, persons, groups. What the log holds is taken as said for
//! which events were accepted and when; everything the pipeline makes of them is computed anew.
//!
//! By event time no row is final before the last event has come: events are judged without rows, and the whole is asked
//! for where the log is known to end.

use serde_json::{Map, Value};
use uuid::Uuid;
use weir_event::{Outcome, ProjectId};

use crate::expected::{ExpectedDistinctId, ExpectedEvent, ExpectedPerson};
use crate::oracle::Twin;

/// An event as the intake log has it.
#[derive(Debug, Clone, Copy)]
pub struct Logged<'a> {
    pub token: &'a str,
    pub received_at_ms: i64,
    /// As sent.
    pub sent_at: Option<&'a str>,
    pub ip: &'a str,
    pub site_url: &'a str,
    /// The client's, or the one that capture drew.
    pub uuid: Uuid,
    /// The event object.
    pub text: &'a str,
    pub plugins: Plugins<'a>,
    /// It was a dead letter, and goes through the plugins once more.
    pub is_again: bool,
}

/// Where the model has it from what plugins do to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugins<'a> {
    /// The model's own twins.
    Predicted,
    /// The pipeline says so, because no twin is known.
    Said(Said<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    Unchanged,
    /// The event as JSON.
    Changed(&'a str),
    Dropped,
    DeadLettered,
}

/// What must become of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub project: ProjectId,
    pub outcome: Outcome,
    /// Its uuid was seen with other content.
    pub is_conflicting: bool,
    /// By order of arrival there is one exactly if it is stored.
    pub row: Option<ExpectedEvent>,
}

impl Judged {
    /// What capture cannot have accepted.
    pub(crate) fn unreadable() -> Self {
        Self { project: ProjectId(0), outcome: Outcome::Rejected, is_conflicting: false, row: None }
    }
}

/// Persons and distinct ids as they must be now, those that changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PersonChanges {
    /// None for one that was merged into another. Without distinct ids.
    pub persons: Vec<(Uuid, Option<ExpectedPerson>)>,
    pub distinct_ids: Vec<ExpectedDistinctId>,
}

/// Gives what the pipeline says that its plugins gave.
pub(crate) struct SaidTwin {
    goes_on: bool,
    changed: Option<String>,
}

impl SaidTwin {
    pub fn of(said: Said<'_>) -> Self {
        let changed = if let Said::Changed(text) = said { Some(text.to_owned()) } else { None };
        Self { goes_on: changed.is_some() || said == Said::Unchanged, changed }
    }
}

impl Twin for SaidTwin {
    fn process(&mut self, event: Map<String, Value>) -> Option<Map<String, Value>> {
        match &self.changed {
            Some(text) => serde_json::from_str(text).ok(),
            None => self.goes_on.then_some(event),
        }
    }
}
