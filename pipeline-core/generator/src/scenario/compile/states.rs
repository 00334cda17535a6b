//! The states of a journey, each with the ways that lead on and everything that its event has.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use toml::Spanned;

use super::{Found, one, unknown};
use crate::catalogue::Catalogue;
use crate::random::Weights;
use crate::scenario::State;
use crate::scenario::error::Fault;
use crate::scenario::source::{JourneySource, Properties, StateSource, Ways};
use crate::template::{Names, Property};

/// The way out of a journey.
const LEAVE: &str = "leave";

/// The states of a journey, as one persona walks them.
pub struct States<'a> {
    pub names: &'a Names<'a>,
    pub events: &'a BTreeMap<&'a str, &'a Properties>,
    /// Of the scenario and of the persona.
    pub outer: [&'a Properties; 2],
    pub catalogues: &'a [Catalogue],
    pub journey: &'a JourneySource,
}

impl States<'_> {
    pub fn start(&self) -> Found<(Weights, Vec<usize>)> {
        let (weights, states) = self.ways(self.journey.start.get_ref())?;
        let states: Option<Vec<usize>> = states.into_iter().collect();
        let states = states.filter(|states| !states.is_empty() && !weights.is_empty());
        let hint = "start = { landing = 1 }";
        let states =
            states.ok_or_else(|| Fault::new(self.journey.start.span(), "a journey starts at a state", hint))?;
        if !self.reaches_an_event() {
            let hint = "give a state an event, and a way to it a weight";
            return Err(Fault::new(
                self.journey.start.span(),
                "no state that this journey reaches sends an event",
                hint,
            ));
        }
        Ok((weights, states))
    }

    fn reaches_an_event(&self) -> bool {
        let taken = |ways: &Ways| {
            let taken = ways.iter().filter(|(_, weight)| **weight > 0.0);
            taken.map(|(name, _)| name.get_ref().clone()).collect::<Vec<_>>()
        };
        let mut open = taken(self.journey.start.get_ref());
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            match self.journey.states.get(&name) {
                Some(state) if state.event_name().is_some() => return true,
                Some(state) if seen.insert(name) => open.extend(taken(&state.next)),
                _ => {}
            }
        }
        false
    }

    pub fn all(&self) -> Found<Vec<State>> {
        self.journey.states.values().map(|state| self.state(state)).collect()
    }

    fn ways(&self, ways: &Ways) -> Found<(Weights, Vec<Option<usize>>)> {
        let mut states = Vec::new();
        for (name, weight) in ways {
            if !(0.0..=1_000_000.0).contains(weight) {
                return Err(Fault::new(
                    name.span(),
                    format!("the weight of {} is no number from 0", name.get_ref()),
                    "",
                ));
            }
            let known = || self.journey.states.keys().map(String::as_str);
            states.push(match known().position(|state| state == name.get_ref()) {
                None if name.get_ref() == LEAVE => None,
                None => return Err(unknown(name, "state", known().chain([LEAVE]))),
                some => some,
            });
        }
        Ok((Weights::new(ways.values().copied()), states))
    }

    fn state(&self, source: &StateSource) -> Found<State> {
        let (next, next_states) = self.ways(&source.next)?;
        let [least, most] = *source.pause_s.get_ref();
        if least > most || most > 86_400 {
            return Err(Fault::new(source.pause_s.span(), "pause_s is out of range", "[least, most] seconds of a day"));
        }
        let event = source.event_name();
        let of_event = event.and_then(|name| self.events.get(name).copied());
        let [of_scenario, of_persona] = self.outer;
        let mut properties: HashMap<&str, Property> = HashMap::new();
        for scope in [Some(of_scenario), of_event, Some(of_persona), Some(&source.properties)].into_iter().flatten() {
            for (name, template) in scope {
                properties.insert(name, one(name, template, self.names)?);
            }
        }
        let mut properties: Vec<Property> = properties.into_values().collect();
        properties.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(State {
            event: event.map(Arc::from),
            properties,
            identify: source.identify,
            reset: source.reset,
            pick: self.catalogues(&source.pick)?,
            keep: self.catalogues(&source.keep)?,
            clear: self.catalogues(&source.clear)?,
            pause_ms: (u64::from(least) * 1_000, u64::from(most) * 1_000),
            next,
            next_states,
        })
    }

    fn catalogues(&self, names: &[Spanned<String>]) -> Found<Vec<usize>> {
        let known = || self.catalogues.iter().map(|catalogue| catalogue.name.as_str());
        let find = |name: &Spanned<String>| {
            known().position(|known| known == name.get_ref()).ok_or_else(|| unknown(name, "catalogue", known()))
        };
        names.iter().map(find).collect()
    }
}
