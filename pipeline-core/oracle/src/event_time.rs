//! Event-time mode (SPEC 10): persons, groups and events as a function of the set of events, not of their order.
//!
//! Nothing is kept up to date here. All events are put in their total order and folded once, from nothing; that is
//! slow, and cannot depend on how they came.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::ids::person_uuid;

use crate::arrival::PERSONLESS_CREATED_AT_MS;
use crate::expected::{
    ExpectedDistinctId, ExpectedEvent, ExpectedGroup, ExpectedGroupColumn, ExpectedPerson, ExpectedProject,
};
use crate::groups::{GroupTypes, columns, group_identify, key_too_long, mentioned};
use crate::prepare::Prepared;

/// The total order of events.
pub(crate) type OrderKey = (i64, Uuid, [u8; 32]);

fn order_key(event: &Prepared) -> OrderKey {
    (event.timestamp_ms, event.uuid, event.payload_hash)
}

/// Fills in everything that depends on the set of events.
pub(crate) fn fold(project: &mut ExpectedProject, arrived: &[Prepared]) {
    let events = canonical(arrived);
    let persons = Persons::fold(project.number, &events);
    let groups = Groups::fold(&events);
    project.events = events.iter().map(|event| row(project.number, event, &persons, &groups)).collect();
    project.distinct_ids = persons.expected_ids();
    project.persons = persons.persons;
    project.groups = groups.groups;
}

/// Of several events with one uuid the smallest, and all of them in order.
fn canonical(arrived: &[Prepared]) -> Vec<Prepared> {
    let mut smallest: BTreeMap<Uuid, &Prepared> = BTreeMap::new();
    for event in arrived {
        let chosen = smallest.entry(event.uuid).or_insert(event);
        if order_key(event) < order_key(chosen) {
            *chosen = event;
        }
    }
    let mut events: Vec<Prepared> = smallest.into_values().cloned().collect();
    events.sort_by_key(order_key);
    events
}

/// An event using a distinct id. The event's own id comes before the one it merges.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    key: OrderKey,
    merged: bool,
    /// Place of the event in the total order.
    event: usize,
}

struct Persons {
    persons: Vec<ExpectedPerson>,
    /// Index into `persons`.
    owner: BTreeMap<String, usize>,
}

impl Persons {
    fn fold(project: ProjectId, events: &[Prepared]) -> Self {
        let full: Vec<(usize, &Prepared)> = events.iter().enumerate().filter(|(_, event)| !event.personless).collect();
        let mut first_use: BTreeMap<String, Use> = BTreeMap::new();
        for (index, event) in &full {
            let own = Use { key: order_key(event), merged: false, event: *index };
            first_use.entry(event.distinct_id.clone()).or_insert(own);
            if let Some(merge) = &event.merge {
                first_use.entry(merge.other.clone()).or_insert(Use { merged: true, ..own });
            }
        }
        let registers = Registers::fold(&full);
        let mut persons = Vec::new();
        let mut owner = BTreeMap::new();
        for part in partition(&full) {
            for id in &part.ids {
                owner.insert(id.clone(), persons.len());
            }
            persons.push(person(project, part, &first_use, &registers, events));
        }
        Self { persons, owner }
    }

    fn of(&self, distinct_id: &str) -> Option<&ExpectedPerson> {
        self.owner.get(distinct_id).map(|index| &self.persons[*index])
    }

    fn expected_ids(&self) -> Vec<ExpectedDistinctId> {
        let ids = self.owner.iter().map(|(distinct_id, index)| ExpectedDistinctId {
            distinct_id: distinct_id.clone(),
            person: self.persons[*index].uuid,
            version: 0,
        });
        ids.collect()
    }
}

/// Distinct ids that are one person.
#[derive(Default)]
struct Part {
    ids: Vec<String>,
    is_identified: bool,
}

/// Goes through the events in order with the refusal rules of SPEC 5.6. Components of merges do not touch each other,
/// so that folding all of them in one pass is folding each by itself.
fn partition(full: &[(usize, &Prepared)]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    // An id that is in here exists.
    let mut part_of: BTreeMap<String, usize> = BTreeMap::new();
    let begin = |parts: &mut Vec<Part>, part_of: &mut BTreeMap<String, usize>, id: &str| {
        parts.push(Part { ids: vec![id.to_owned()], is_identified: false });
        part_of.insert(id.to_owned(), parts.len() - 1);
    };
    for (_, event) in full {
        let target = event.distinct_id.as_str();
        if let Some(merge) = &event.merge {
            let other = merge.other.as_str();
            match (part_of.get(other).copied(), part_of.get(target).copied()) {
                (None, None) => {
                    begin(&mut parts, &mut part_of, target);
                    join(&mut parts, &mut part_of, other, target);
                }
                (Some(_), None) => join(&mut parts, &mut part_of, target, other),
                (None, Some(_)) => join(&mut parts, &mut part_of, other, target),
                (Some(other_part), Some(target_part)) => {
                    let refused = parts[other_part].is_identified && !merge.forced;
                    if other_part != target_part && !refused {
                        for id in std::mem::take(&mut parts[other_part].ids) {
                            join(&mut parts, &mut part_of, &id, target);
                        }
                    }
                }
            }
            // Refused or not, the target is identified now.
            parts[part_of[target]].is_identified = true;
        } else if !part_of.contains_key(target) {
            begin(&mut parts, &mut part_of, target);
        }
    }
    parts.retain(|part| !part.ids.is_empty());
    parts
}

/// Puts `id` into the part of `member`.
fn join(parts: &mut [Part], part_of: &mut BTreeMap<String, usize>, id: &str, member: &str) {
    let part = part_of[member];
    parts[part].ids.push(id.to_owned());
    part_of.insert(id.to_owned(), part);
}

/// What one distinct id knows of one property.
#[derive(Default)]
struct Register {
    /// The last `$set` or `$unset`; none as value is an `$unset`.
    latest: Option<(OrderKey, Option<Value>)>,
    /// The first `$set_once`.
    once: Option<(OrderKey, Value)>,
}

/// By distinct id, then property.
struct Registers(BTreeMap<String, BTreeMap<String, Register>>);

impl Registers {
    fn fold(full: &[(usize, &Prepared)]) -> Self {
        let mut registers = Self(BTreeMap::new());
        for (_, event) in full {
            let key = order_key(event);
            let own = registers.0.entry(event.distinct_id.clone()).or_default();
            for (property, value) in &event.set_once {
                own.entry(property.clone()).or_default().once.get_or_insert_with(|| (key, value.clone()));
            }
            for (property, value) in &event.set {
                own.entry(property.clone()).or_default().latest = Some((key, Some(value.clone())));
            }
            // After `$set`: in one event `$unset` wins.
            for property in &event.unset {
                own.entry(property.clone()).or_default().latest = Some((key, None));
            }
        }
        registers
    }

    /// The properties of a person with these ids.
    fn properties(&self, ids: &[String]) -> Map<String, Value> {
        let mut merged: BTreeMap<&String, Register> = BTreeMap::new();
        for (property, register) in ids.iter().filter_map(|id| self.0.get(id)).flatten() {
            let into = merged.entry(property).or_default();
            if let Some((key, value)) = &register.latest
                && into.latest.as_ref().is_none_or(|(present, _)| present < key)
            {
                into.latest = Some((*key, value.clone()));
            }
            if let Some((key, value)) = &register.once
                && into.once.as_ref().is_none_or(|(present, _)| key < present)
            {
                into.once = Some((*key, value.clone()));
            }
        }
        let values = merged.into_iter().filter_map(|(property, register)| {
            let value = match (register.latest, register.once) {
                (Some((_, Some(set))), _) => set,
                (Some((unset, None)), Some((once, value))) if once > unset => value,
                (None, Some((_, value))) => value,
                _ => return None,
            };
            Some((property.clone(), value))
        });
        values.collect()
    }
}

fn person(
    project: ProjectId,
    mut part: Part,
    first_use: &BTreeMap<String, Use>,
    registers: &Registers,
    events: &[Prepared],
) -> ExpectedPerson {
    let (first, first_id) =
        part.ids.iter().map(|id| (first_use[id], id.clone())).min().expect("invariant: a part has an id");
    let creator = &events[first.event];
    let mut properties = registers.properties(&part.ids);
    properties.insert("$creator_event_uuid".to_owned(), creator.uuid_value());
    part.ids.sort();
    ExpectedPerson {
        uuid: person_uuid(project, &first_id),
        properties,
        is_identified: part.is_identified,
        created_at_ms: creator.timestamp_ms,
        version: 0,
        distinct_ids: part.ids,
    }
}

struct Groups {
    types: GroupTypes,
    groups: Vec<ExpectedGroup>,
}

impl Groups {
    fn fold(events: &[Prepared]) -> Self {
        let mut types = GroupTypes::default();
        let mut groups: BTreeMap<(usize, String), ExpectedGroup> = BTreeMap::new();
        for event in events.iter().filter(|event| !event.personless) {
            for (type_name, _) in mentioned(&event.properties) {
                types.slot(&type_name);
            }
            let Some(identify) = group_identify(event) else { continue };
            let Some(slot) = types.slot(&identify.type_name) else { continue };
            if key_too_long(event, &identify).is_some() {
                continue;
            }
            // The first is the earliest, and a later one overwrites what it sets.
            let group = groups.entry((slot, identify.key.clone())).or_insert_with(|| ExpectedGroup {
                type_index: slot as u8,
                type_name: identify.type_name,
                key: identify.key,
                properties: Map::new(),
                created_at_ms: event.timestamp_ms,
                version: 0,
            });
            group.properties.extend(identify.set);
        }
        Self { types, groups: groups.into_values().collect() }
    }

    fn of(&self, slot: usize, key: &str) -> Option<ExpectedGroupColumn> {
        let group = self.groups.iter().find(|group| usize::from(group.type_index) == slot && group.key == key)?;
        Some(ExpectedGroupColumn { properties: group.properties.clone(), created_at_ms: group.created_at_ms })
    }
}

/// An event as the view shows it, with the persons and groups of now.
fn row(project: ProjectId, event: &Prepared, persons: &Persons, groups: &Groups) -> ExpectedEvent {
    let mut properties = event.properties.clone();
    if !event.personless {
        for (type_name, key) in mentioned(&event.properties) {
            if let Some(slot) = groups.types.0.iter().position(|known| *known == type_name) {
                properties.insert(format!("$group_{slot}"), key);
            }
        }
    }
    let person = persons.of(&event.distinct_id);
    let shown = person.filter(|_| !event.personless);
    ExpectedEvent {
        uuid: (!event.drawn).then_some(event.uuid),
        event: event.name.clone(),
        distinct_id: event.distinct_id.clone(),
        timestamp_ms: event.timestamp_ms,
        elements_chain: event.elements_chain.clone(),
        person_id: person.map_or_else(|| person_uuid(project, &event.distinct_id), |person| person.uuid),
        person_created_at_ms: shown.map_or(PERSONLESS_CREATED_AT_MS, |person| person.created_at_ms),
        person_properties: shown.map(|person| person.properties.clone()).unwrap_or_default(),
        person_mode: if event.personless { "propertyless" } else { "full" },
        groups: columns(&properties, |slot, key| groups.of(slot, key)),
        properties,
    }
}
