//! From the file's form to one in which every name is looked up. What does not fit is told with its place.

mod items;
mod states;

use std::collections::BTreeMap;

use toml::Spanned;
use weir_event::iso8601;
use weir_event::suggestion::nearest;

use self::items::{catalogue, locale, places, zone_hours};
use self::states::States;
use super::error::Fault;
use super::source::{DeliverySource, Properties, ScenarioSource, SeasonalitySource, StateSource};
use super::{GroupType, Persona, Scenario};
use crate::random::Weights;
use crate::season::Season;
use crate::template::{Names, Property, Source, Template, quoted};

type Found<T> = Result<T, Fault>;

const LONGEST_TOKEN: usize = 64;
/// A stream keeps those that it has made.
const MOST_GROUPS: u32 = 100_000;

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
    let zones = (0..places.items.len()).map(|at| zone_hours(&places, at, &source.places)).collect::<Found<_>>()?;
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
        if !(1..=MOST_GROUPS).contains(group.count.get_ref()) {
            let reason = format!("the count of groups of type {name} is out of range");
            return Err(Fault::new(group.count.span(), reason, format!("1 to {MOST_GROUPS}")));
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
