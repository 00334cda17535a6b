//! Scenarios: read from a file, checked with line and column, and everything in them looked up.

mod built_in;
mod compile;
mod error;
#[cfg(test)]
mod schema_test;
mod source;

use std::sync::Arc;

use weir_event::clock::UnixMillis;
use weir_event::suggestion::explained;

pub use built_in::{BUILT_IN, BuiltIn, NAMES, built_in};
pub use error::ScenarioError;

use crate::catalogue::Catalogue;
use crate::faker::Locale;
use crate::knobs::MessRates;
use crate::random::Weights;
use crate::rate::Rate;
use crate::season::Season;
use crate::template::Property;

/// A story, ready to be told.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub title: String,
    pub description: String,
    /// The project that its events are for.
    pub token: String,
    pub start_ms: UnixMillis,
    /// Of the stream's own time, over a week.
    pub events_per_1000_s: u64,
    pub mess: MessRates,
    pub(crate) user_prefix: String,
    pub(crate) season: Season,
    pub(crate) batch: (u64, u64),
    pub(crate) gzip: Rate,
    pub(crate) late_up_to_ms: u64,
    pub(crate) places: Catalogue,
    pub(crate) locales: Vec<Locale>,
    /// Hours by which a place's clocks are ahead of UTC.
    pub(crate) zones: Vec<i64>,
    pub(crate) devices: Catalogue,
    pub(crate) catalogues: Vec<Catalogue>,
    pub(crate) groups: Vec<GroupType>,
    pub(crate) per_session: Vec<Property>,
    pub(crate) per_event: Vec<Property>,
    pub(crate) person_properties: Vec<Property>,
    pub(crate) personas: Vec<Persona>,
    pub(crate) humans: Weights,
    pub(crate) bots: Weights,
}

#[derive(Debug, Clone)]
pub(crate) struct GroupType {
    pub name: String,
    /// The name, quoted and with its colon.
    pub key: String,
    pub count: u64,
    pub properties: Vec<Property>,
}

#[derive(Debug, Clone)]
pub(crate) struct Persona {
    pub is_bot: bool,
    pub regulars: u64,
    pub regular_sessions: Rate,
    pub signed_in: Rate,
    pub start: Weights,
    pub start_states: Vec<usize>,
    pub states: Vec<State>,
}

#[derive(Debug, Clone)]
pub(crate) struct State {
    pub event: Option<Arc<str>>,
    /// Everything that the event has: of the scenario, the event, the persona and the state; the nearest counts.
    pub properties: Vec<Property>,
    pub identify: bool,
    pub reset: bool,
    pub pick: Vec<usize>,
    pub keep: Vec<usize>,
    pub clear: Vec<usize>,
    pub pause_ms: (u64, u64),
    pub next: Weights,
    /// Beside the weights; `None` leaves.
    pub next_states: Vec<Option<usize>>,
}

/// What a run changes of a scenario.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    pub start_ms: Option<UnixMillis>,
    pub events_per_second: Option<f64>,
    pub mess: Vec<(crate::Mess, Rate)>,
}

impl Scenario {
    /// Reads a scenario; `file` is what an error calls it.
    pub fn read(text: &str, file: &str) -> Result<Self, ScenarioError> {
        let source: source::ScenarioSource = toml::from_str(text).map_err(|error| {
            let (reason, hint) = explained(error.message());
            ScenarioError::at(file, text, error.span(), reason, hint)
        })?;
        compile::compiled(source).map_err(|fault| ScenarioError::at(file, text, fault.span, fault.reason, fault.hint))
    }

    #[must_use]
    pub fn with(mut self, overrides: &Overrides) -> Self {
        if let Some(start_ms) = overrides.start_ms {
            self.start_ms = start_ms;
        }
        if let Some(events_per_second) = overrides.events_per_second {
            self.events_per_1000_s = ((events_per_second * 1_000.0).round() as u64).max(1);
        }
        for (mess, rate) in &overrides.mess {
            self.mess.set(*mess, *rate);
        }
        self
    }
}

#[cfg(test)]
mod tests;
