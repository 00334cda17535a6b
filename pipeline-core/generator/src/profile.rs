//! A scenario made of real events, and nothing that was in them.
//!
//! What is kept: names of events and of properties, how often they come, the types, shapes and spread of values, what
//! people do after what and how long they take, the hours and days on which they come. What is replaced: every value.
//! Texts become pseudonyms, fakes or patterns, numbers are drawn between points of a fixed grid, ids and moments are
//! made anew. Names of events and properties are taken to be the schema and are kept as they are.
//!
//! Memory is bounded, whatever comes: rarer events, properties and values beyond the limits below are not followed.

mod grid;
mod journey;
mod row;
mod shape;
mod values;
mod write;

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;
use thiserror::Error;

use self::journey::Journeys;
use self::row::Row;
use self::values::Objects;
use crate::scenario::{Scenario, ScenarioError};

/// Names of events that are followed, and of properties of each.
const MOST_EVENTS: usize = 200;
/// Uuids that are remembered to see repetitions.
const MOST_UUIDS: usize = 2_000_000;

#[derive(Debug, Error)]
pub enum ProfileError {
    #[error("an event needs its name: {{\"event\": \"purchase\", \"properties\": {{…}}}}")]
    NoName,
    #[error("the properties of {event:?} are no object")]
    Properties { event: String },
    #[error("there are no events to make a scenario of")]
    NoEvents,
    /// The scenario that was made cannot be read: a defect of this module.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

impl ProfileError {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoName => "profile_no_name",
            Self::Properties { .. } => "profile_no_properties",
            Self::NoEvents => "profile_empty",
            Self::Scenario(error) => error.code(),
        }
    }

    pub fn hint(&self) -> &str {
        match self {
            Self::NoName => "each row needs `event` or `event_name`",
            Self::Properties { .. } => "export them as JSON, or as columns properties.NAME",
            Self::NoEvents => "look at what the export was made of",
            Self::Scenario(error) => &error.hint,
        }
    }
}

/// What is known of the events so far.
#[derive(Debug, Default)]
pub struct Profile {
    rows: u64,
    repeated: u64,
    uuids: HashSet<u64>,
    events: BTreeMap<String, Objects>,
    journeys: Journeys,
}

impl Profile {
    /// A row of an export: as clients send events, as `weir query --json` prints them, as PostHog exports them.
    pub fn add(&mut self, row: &Value) -> Result<(), ProfileError> {
        let row = Row::read(row)?;
        if let Some(uuid) = row.uuid {
            let hash = hashed(uuid);
            if self.uuids.len() < MOST_UUIDS && !self.uuids.insert(hash) {
                self.repeated += 1;
                return Ok(());
            }
        }
        self.rows += 1;
        if self.events.len() >= MOST_EVENTS && !self.events.contains_key(row.event) {
            return Ok(());
        }
        self.events.entry(row.event.to_owned()).or_default().add(&row.properties);
        self.journeys.add(row.event, &row.distinct_id, row.at_ms);
        Ok(())
    }

    /// Events that were taken in.
    pub const fn events(&self) -> u64 {
        self.rows
    }

    pub fn event_names(&self) -> usize {
        self.events.len()
    }

    /// The text of a scenario's file.
    pub fn scenario(&self) -> Result<String, ProfileError> {
        if self.rows == 0 {
            return Err(ProfileError::NoEvents);
        }
        let text = write::scenario(self);
        Scenario::read(&text, "the profile")?;
        Ok(text)
    }

    /// Of all that came.
    fn repeated_share(&self) -> f64 {
        self.repeated as f64 / (self.rows + self.repeated) as f64
    }
}

fn hashed(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
