//! Which ids are one person: the edges of a component, gone through in order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::{Id, OrderKey, Text};

/// A merge that an event asks for.
#[derive(Debug)]
pub struct Edge {
    pub target: Text,
    pub other: Text,
    /// Also when the other's person is identified.
    pub forced: bool,
}

#[derive(Debug)]
pub struct Person {
    pub ids: Vec<Text>,
    pub is_identified: bool,
}

/// The ids that edges connect with one of them, itself included.
pub fn component_of(id: &Text, ids: &HashMap<Text, Id>, edges: &BTreeMap<OrderKey, Edge>) -> Vec<Text> {
    let mut found: BTreeSet<Text> = BTreeSet::from([Rc::clone(id)]);
    let mut waiting = vec![Rc::clone(id)];
    while let Some(id) = waiting.pop() {
        for edge in ids[&id].edges.iter().map(|key| &edges[key]) {
            for end in [&edge.target, &edge.other] {
                if found.insert(Rc::clone(end)) {
                    waiting.push(Rc::clone(end));
                }
            }
        }
    }
    found.into_iter().collect()
}

/// The persons of a component.
pub fn fold(component: &[Text], ids: &HashMap<Text, Id>, edges: &BTreeMap<OrderKey, Edge>) -> Vec<Person> {
    let keys: BTreeSet<OrderKey> = component.iter().flat_map(|id| &ids[id].edges).copied().collect();
    let mut persons: Vec<Option<Person>> = Vec::new();
    let mut owner: HashMap<&Text, usize> = HashMap::new();
    let alone = |id: &Text| Person { ids: vec![Rc::clone(id)], is_identified: false };
    for key in keys {
        let edge = &edges[&key];
        // An id exists once an event of its own came before, or an earlier edge named it.
        for end in [&edge.target, &edge.other] {
            let is_used = ids[end].uses.keys().next().is_some_and(|first| *first < key);
            if is_used && !owner.contains_key(end) {
                owner.insert(end, persons.len());
                persons.push(Some(alone(end)));
            }
        }
        let place = match (owner.get(&edge.target).copied(), owner.get(&edge.other).copied()) {
            (None, None) => {
                persons.push(Some(Person {
                    ids: vec![Rc::clone(&edge.target), Rc::clone(&edge.other)],
                    is_identified: true,
                }));
                let place = persons.len() - 1;
                owner.insert(&edge.target, place);
                owner.insert(&edge.other, place);
                place
            }
            (Some(place), None) => {
                owner.insert(&edge.other, place);
                join(&mut persons, place, alone(&edge.other));
                place
            }
            (None, Some(place)) => {
                owner.insert(&edge.target, place);
                join(&mut persons, place, alone(&edge.target));
                place
            }
            (Some(target), Some(other)) if target == other => target,
            (Some(target), Some(other)) => {
                let is_refused = persons[other].as_ref().is_some_and(|person| person.is_identified) && !edge.forced;
                if !is_refused && let Some(gone) = persons[other].take() {
                    for place in owner.values_mut().filter(|place| **place == other) {
                        *place = target;
                    }
                    join(&mut persons, target, gone);
                }
                target
            }
        };
        if let Some(person) = &mut persons[place] {
            person.is_identified = true;
        }
    }
    // Ids without an edge, or whose only edge was taken back.
    for id in component {
        if !owner.contains_key(id) {
            persons.push(Some(alone(id)));
        }
    }
    persons.into_iter().flatten().collect()
}

fn join(persons: &mut [Option<Person>], place: usize, gone: Person) {
    if let Some(person) = &mut persons[place] {
        person.ids.extend(gone.ids);
        person.is_identified |= gone.is_identified;
    }
}
