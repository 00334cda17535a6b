//! A scenario as its file has it. Field by field this is what `docs/scenario.schema.json` describes.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::knobs::MessRates;
use crate::rate::Rate;
use crate::template;

/// Names to templates.
pub type Properties = BTreeMap<String, Spanned<template::Source>>;
/// A thing with fields; the key `weight` says how often it is picked.
pub type Item = BTreeMap<String, toml::Value>;
/// What comes next, with weights.
pub type Ways = BTreeMap<Spanned<String>, f64>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioSource {
    pub title: String,
    pub description: String,
    pub token: Spanned<String>,
    pub start: Spanned<String>,
    pub events_per_second: Spanned<f64>,
    #[serde(default = "user_prefix")]
    pub user_prefix: String,
    #[serde(default)]
    pub seasonality: SeasonalitySource,
    #[serde(default)]
    pub delivery: DeliverySource,
    #[serde(default)]
    pub mess: MessRates,
    pub places: Spanned<Vec<Spanned<Item>>>,
    #[serde(default)]
    pub devices: Vec<Spanned<Item>>,
    #[serde(default)]
    pub catalogues: BTreeMap<String, Spanned<Vec<Spanned<Item>>>>,
    #[serde(default)]
    pub groups: BTreeMap<String, GroupSource>,
    #[serde(default)]
    pub per_session: Properties,
    #[serde(default)]
    pub per_event: Properties,
    #[serde(default)]
    pub properties: Properties,
    #[serde(default)]
    pub person_properties: Properties,
    #[serde(default)]
    pub events: BTreeMap<Spanned<String>, EventSource>,
    pub personas: Spanned<BTreeMap<String, PersonaSource>>,
    pub journeys: BTreeMap<String, JourneySource>,
}

fn user_prefix() -> String {
    "user_".to_owned()
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SeasonalitySource {
    pub hours: Option<Spanned<Vec<u32>>>,
    pub weekdays: Option<Spanned<Vec<u32>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeliverySource {
    /// Fewest and most events of a request.
    pub batch: Spanned<[u32; 2]>,
    pub gzip: Rate,
    pub late_up_to_days: Spanned<u32>,
}

impl Default for DeliverySource {
    fn default() -> Self {
        Self { batch: Spanned::new(0..0, [1, 20]), gzip: Rate::NEVER, late_up_to_days: Spanned::new(0..0, 30) }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSource {
    /// How many there are.
    pub count: Spanned<u32>,
    #[serde(default)]
    pub properties: Properties,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSource {
    #[serde(default)]
    pub properties: Properties,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonaSource {
    #[serde(default = "one")]
    pub weight: f64,
    pub journey: Spanned<String>,
    #[serde(default)]
    pub is_bot: bool,
    /// How many people there are who come again and again; everybody else is new.
    #[serde(default)]
    pub regulars: u32,
    /// The share of sessions that are theirs.
    #[serde(default)]
    pub regular_sessions: Rate,
    /// Of the sessions of regulars, those that begin signed in.
    #[serde(default)]
    pub signed_in: Rate,
    #[serde(default)]
    pub properties: Properties,
}

const fn one() -> f64 {
    1.0
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JourneySource {
    pub start: Spanned<Ways>,
    pub states: BTreeMap<String, StateSource>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateSource {
    /// Sent on arrival; a state without one is passed through.
    pub event: Option<String>,
    #[serde(default)]
    pub properties: Properties,
    /// The person signs in: the event links the device to the person.
    #[serde(default)]
    pub identify: bool,
    /// The person signs out after the event; the device forgets who it was.
    #[serde(default)]
    pub reset: bool,
    /// Catalogues of which another item is taken up.
    #[serde(default)]
    pub pick: Vec<Spanned<String>>,
    /// Catalogues whose item at hand is put with those that are kept.
    #[serde(default)]
    pub keep: Vec<Spanned<String>>,
    /// Catalogues whose kept items are put back after the event.
    #[serde(default)]
    pub clear: Vec<Spanned<String>>,
    /// Seconds until what comes next.
    #[serde(default = "pause")]
    pub pause_s: Spanned<[u32; 2]>,
    #[serde(default)]
    pub next: Ways,
}

impl StateSource {
    /// Who signs in says so.
    pub fn event_name(&self) -> Option<&str> {
        self.event.as_deref().or_else(|| self.identify.then_some("$identify"))
    }
}

fn pause() -> Spanned<[u32; 2]> {
    Spanned::new(0..0, [2, 40])
}
