//! From the file's form to one in which every name is looked up. What does not fit is told with its place.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned;
use weir_event::iso8601;
use weir_event::suggestion::nearest;

use super::error::Fault;
use super::source::{
    DeliverySource, Item, JourneySource, Properties, ScenarioSource, SeasonalitySource, StateSource, Ways,
};
use super::{GroupType, Persona, Scenario, State};
use crate::catalogue::{Catalogue, Field};
use crate::faker::Locale;
use crate::random::Weights;
use crate::season::Season;
use crate::template::{Names, Property, Source, Template, quoted};

type Found<T> = Result<T, Fault>;

/// The way out of a journey.
const LEAVE: &str = "leave";
const DEFAULT_PLACES: [(&str, &str); 2] = [("locale", "en"), ("network", "192.0.2")];
const LONGEST_TOKEN: usize = 64;

pub fn compiled(source: ScenarioSource) -> Found<Scenario> {
    let span = source.start.span();
    let start_ms = iso8601::parse(source.start.get_ref())
        .ok_or_else(|| Fault::new(span, "start is no moment", "write one like \"2026-01-05T08:00:00Z\""))?;
    let rate = *source.events_per_second.get_ref();
    if !(0.001..=1_000_000.0).contains(&rate) {
        let hint = "it is the mean of the stream's own time, from 0.001 to 1000000";
        return Err(Fault::new(source.events_per_second.span(), "events_per_second is out of range", hint));
    }
    let token = source.token.get_ref();
    if token.is_empty() || token.len() > LONGEST_TOKEN || !token.is_ascii() || token.starts_with("phx_") {
        let hint = "up to 64 ASCII characters; phx_ is for personal keys";
        return Err(Fault::new(source.token.span(), "token cannot be a project token", hint));
    }
    let places = places(&source.places)?;
    let locales = (0..places.items.len()).map(|at| locale(&places, at, &source.places)).collect::<Found<_>>()?;
    let zone = |item: &Vec<Field>| {
        item.iter().find(|field| field.name == "zone_hours").and_then(|field| field.value.as_i64()).unwrap_or(0)
    };
    let zones = places.items.iter().map(zone).collect();
    let devices = catalogue("devices", &source.devices, &[])?;
    let mut catalogues = Vec::new();
    for (name, items) in &source.catalogues {
        if items.get_ref().is_empty() {
            return Err(Fault::new(items.span(), format!("the catalogue {name} is empty"), "give it an item"));
        }
        if ["person", "place", "device", "session", "event", "group"].contains(&name.as_str()) {
            let hint = "placeholders that begin so mean something else";
            return Err(Fault::new(items.span(), format!("a catalogue cannot be called {name}"), hint));
        }
        catalogues.push(catalogue(name, items.get_ref(), &[])?);
    }
    let group_names: Vec<(String, Vec<String>)> =
        source.groups.iter().map(|(name, group)| (name.clone(), group.properties.keys().cloned().collect())).collect();
    let per_session_names: Vec<String> = source.per_session.keys().cloned().collect();
    let per_event_names: Vec<String> = source.per_event.keys().cloned().collect();
    // Values are made in the order of their scope, so a template knows what is made before it.
    let of_groups =
        Names { places: &places, devices: &devices, catalogues: &[], groups: &[], per_session: &[], per_event: &[] };
    let of_session = Names { catalogues: &catalogues, groups: &group_names, ..of_groups };
    let of_event = Names { per_session: &per_session_names, ..of_session };
    let names = Names { per_event: &per_event_names, ..of_event };

    let mut groups = Vec::new();
    for (name, group) in &source.groups {
        if *group.count.get_ref() == 0 {
            return Err(Fault::new(group.count.span(), format!("there are no groups of type {name}"), "count from 1"));
        }
        let properties = all(&group.properties, &of_groups)?;
        let mut key = String::new();
        quoted(name, &mut key);
        key.push(':');
        groups.push(GroupType { name: name.clone(), key, count: u64::from(*group.count.get_ref()), properties });
    }
    let per_session = all(&source.per_session, &of_session)?;
    let per_event = all(&source.per_event, &of_event)?;
    let person_properties = all(&source.person_properties, &names)?;
    let events: BTreeMap<&str, &Properties> =
        source.events.iter().map(|(name, event)| (name.get_ref().as_str(), &event.properties)).collect();

    let mut personas = Vec::new();
    let mut humans = Vec::new();
    let mut bots = Vec::new();
    let mut sent: Vec<&str> = Vec::new();
    for persona in source.personas.get_ref().values() {
        let known = source.journeys.keys().map(String::as_str);
        let journey = source
            .journeys
            .get(persona.journey.get_ref())
            .ok_or_else(|| unknown(&persona.journey, "journey", known))?;
        sent.extend(journey.states.values().filter_map(StateSource::event_name));
        let outer = [&source.properties, &persona.properties];
        let states = States { names: &names, events: &events, outer, catalogues: &catalogues, journey };
        let (start, start_states) = states.start()?;
        personas.push(Persona {
            is_bot: persona.is_bot,
            regulars: u64::from(persona.regulars),
            regular_sessions: persona.regular_sessions,
            signed_in: persona.signed_in,
            start,
            start_states,
            states: states.all()?,
        });
        humans.push(if persona.is_bot { 0.0 } else { persona.weight });
        bots.push(if persona.is_bot { persona.weight } else { 0.0 });
    }
    let humans = Weights::new(humans);
    if humans.is_empty() {
        let hint = "give a persona that is no bot a weight";
        return Err(Fault::new(source.personas.span(), "nobody comes: there is no persona with a weight", hint));
    }
    // Properties of an event that no state sends are most likely meant for one that is spelt otherwise.
    if let Some(stray) = source.events.keys().find(|name| !sent.contains(&name.get_ref().as_str())) {
        return Err(unknown(stray, "event that a state sends", sent.into_iter()));
    }
    let delivery = delivery(&source.delivery)?;
    Ok(Scenario {
        title: source.title,
        description: source.description,
        token: source.token.into_inner(),
        start_ms,
        events_per_1000_s: ((rate * 1_000.0).round() as u64).max(1),
        mess: source.mess,
        user_prefix: source.user_prefix,
        season: season(&source.seasonality)?,
        batch: delivery.0,
        gzip: source.delivery.gzip,
        late_up_to_ms: delivery.1,
        places,
        locales,
        zones,
        devices,
        catalogues,
        groups,
        per_session,
        per_event,
        person_properties,
        personas,
        humans,
        bots: Weights::new(bots),
    })
}

fn unknown<'n>(name: &Spanned<String>, what: &str, known: impl Iterator<Item = &'n str> + Clone) -> Fault {
    let hint = match nearest(name.get_ref(), known.clone()) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!("Possible here: {}.", known.collect::<Vec<_>>().join(", ")),
    };
    Fault::new(name.span(), format!("there is no {what} `{}`", name.get_ref()), hint)
}

fn all(properties: &Properties, names: &Names<'_>) -> Found<Vec<Property>> {
    properties.iter().map(|(name, source)| one(name, source, names)).collect()
}

fn one(name: &str, source: &Spanned<Source>, names: &Names<'_>) -> Found<Property> {
    let template = Template::new(source.get_ref(), names)
        .map_err(|(reason, hint)| Fault::new(source.span(), format!("{name}: {reason}"), hint))?;
    Ok(Property::new(name.to_owned(), template))
}

fn places(source: &Spanned<Vec<Spanned<Item>>>) -> Found<Catalogue> {
    if source.get_ref().is_empty() {
        return Err(Fault::new(source.span(), "there are no places", "give one a city and a country"));
    }
    catalogue("places", source.get_ref(), &DEFAULT_PLACES)
}

fn locale(places: &Catalogue, at: usize, source: &Spanned<Vec<Spanned<Item>>>) -> Found<Locale> {
    let field = places.items[at].iter().find(|field| field.name == "locale");
    let name = field.and_then(|field| field.value.as_str()).unwrap_or("en");
    Locale::from_name(name).ok_or_else(|| {
        let span = source.get_ref()[at].span();
        Fault::new(
            span,
            format!("there are no values in the locale {name:?}"),
            format!("possible: {}", Locale::NAMES.join(", ")),
        )
    })
}

/// Items with a weight, all with the same fields.
fn catalogue(name: &str, source: &[Spanned<Item>], defaults: &[(&str, &str)]) -> Found<Catalogue> {
    let mut items: Vec<Vec<Field>> = Vec::new();
    let mut weights = Vec::new();
    for spanned in source {
        let mut item = spanned.get_ref().clone();
        let weight = match item.remove("weight") {
            None => Some(1.0),
            Some(toml::Value::Integer(weight)) => Some(weight as f64),
            Some(toml::Value::Float(weight)) => Some(weight),
            Some(_) => None,
        };
        weights.push(
            weight
                .filter(|weight| *weight >= 0.0)
                .ok_or_else(|| Fault::new(spanned.span(), "a weight is a number from 0", "leave it out for 1"))?,
        );
        for (key, value) in defaults {
            item.entry((*key).to_owned()).or_insert_with(|| toml::Value::String((*value).to_owned()));
        }
        let fields: Vec<Field> =
            item.into_iter().map(|(key, value)| field(key, value, &spanned.span())).collect::<Found<_>>()?;
        if let Some(first) = items.first() {
            let of = |fields: &[Field]| fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
            let (own, others) = (of(&fields), of(first));
            if own != others {
                let hint = format!("the first one has: {}", others.join(", "));
                return Err(Fault::new(spanned.span(), format!("items of {name} need the same fields"), hint));
            }
        }
        items.push(fields);
    }
    if items.is_empty() {
        // Of devices there need not be any; then everybody has the one that has no fields.
        items.push(Vec::new());
        weights.push(1.0);
    }
    Ok(Catalogue { name: name.to_owned(), items, weights: Weights::new(weights) })
}

fn field(name: String, value: toml::Value, span: &Range<usize>) -> Found<Field> {
    let value = match value {
        toml::Value::String(text) => Value::from(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::from(flag),
        _ => {
            let hint = "fields are texts, numbers and true or false";
            return Err(Fault::new(span.clone(), format!("{name} cannot be the field of an item"), hint));
        }
    };
    Ok(Field::new(name, value))
}

fn season(source: &SeasonalitySource) -> Found<Season> {
    let list = |given: &Option<Spanned<Vec<u32>>>, count: usize, what: &str| -> Found<Vec<u32>> {
        let Some(given) = given else { return Ok(vec![1; count]) };
        let fits = given.get_ref().len() == count && given.get_ref().iter().all(|weight| (1..=10_000).contains(weight));
        fits.then(|| given.get_ref().clone()).ok_or_else(|| {
            Fault::new(
                given.span(),
                format!("{what} needs {count} weights from 1 to 10000"),
                "they count relative to each other",
            )
        })
    };
    let (hours, weekdays) = (list(&source.hours, 24, "hours")?, list(&source.weekdays, 7, "weekdays")?);
    let mut season = ([1; 24], [1; 7]);
    season.0.copy_from_slice(&hours);
    season.1.copy_from_slice(&weekdays);
    Ok(Season::new(&season.0, &season.1))
}

/// Events of a batch, and the latest that is still sent.
fn delivery(source: &DeliverySource) -> Found<((u64, u64), u64)> {
    let [least, most] = *source.batch.get_ref();
    if least == 0 || least > most || most > 500 {
        let hint = "the fewest and the most events of a request, 1 to 500";
        return Err(Fault::new(source.batch.span(), "batch is out of range", hint));
    }
    let days = *source.late_up_to_days.get_ref();
    if !(1..=365).contains(&days) {
        return Err(Fault::new(source.late_up_to_days.span(), "late_up_to_days is out of range", "1 to 365"));
    }
    Ok(((u64::from(least), u64::from(most)), u64::from(days) * 86_400_000))
}

/// The states of a journey, as one persona walks them.
struct States<'a> {
    names: &'a Names<'a>,
    events: &'a BTreeMap<&'a str, &'a Properties>,
    /// Of the scenario and of the persona.
    outer: [&'a Properties; 2],
    catalogues: &'a [Catalogue],
    journey: &'a JourneySource,
}

impl States<'_> {
    fn start(&self) -> Found<(Weights, Vec<usize>)> {
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

    fn all(&self) -> Found<Vec<State>> {
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
