//! Identity that does not depend on the order of arrival: any permutation, repetition and batching of
//! the same events ends in the same persons and groups.
//!
//! # What it guarantees
//!
//! Events have a total order ([`OrderKey`]): time, uuid, content. What a person is like is a fold over
//! its events in that order, kept up to date as events arrive in any order. Of several events with one
//! uuid the smallest counts; a smaller one that arrives later takes the other's facts back.
//!
//! # How
//!
//! * **Registers** (`registers`): per distinct id and property the latest `$set` or `$unset` and the
//!   earliest `$set_once`. A person's properties are the fold over the registers of its ids.
//! * **Edges** (`components`): every merge that events ask for, refused ones included. Ids that edges
//!   connect are a component; which of its edges join persons is found by going through them in order
//!   with the refusal rules, again whenever an edge arrives or an id turns out to be older.
//! * **Slots** (`slots`): group types by first mention, and groups as registers.
//!
//! # What it does not do
//!
//! It is not small: the key of every event stays in memory, because a fact can be taken back. A
//! component is gone through as a whole for each of its edges, so a merge storm in one component costs
//! the square of its size.

mod components;
mod order;
mod registers;
mod slots;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::Value;
use uuid::Uuid;
use weir_event::prepare::Profile;
use weir_event::{ProjectId, ids};

pub use order::OrderKey;

use crate::arrival::{link_of, no_person};
use crate::event::{IdentityEvent, Outcome, PersonMode};
use crate::merge;
use crate::rows::{Changes, DistinctIdRow, PersonRow};
use components::{Edge, Person};
use registers::{Facts, Registers};
use slots::{GroupFacts, Slots};

/// What became of an event.
#[derive(Debug)]
pub enum Arrived {
    /// It counts. `replaces` is the place of a stored event of the same uuid that counts no longer.
    Counts { outcome: Box<Outcome>, replaces: Option<u64> },
    /// A smaller one with its uuid is known.
    Repeats,
}

#[derive(Debug, Default)]
pub struct EventTime {
    projects: HashMap<ProjectId, Project>,
}

type Text = Rc<str>;

#[derive(Debug, Default)]
struct Project {
    /// The event that counts of each uuid.
    canonical: HashMap<Uuid, Canonical>,
    ids: HashMap<Text, Id>,
    edges: BTreeMap<OrderKey, Edge>,
    /// The newest row of every person that there ever was.
    persons: HashMap<Uuid, PersonRow>,
    slots: Slots,
}

#[derive(Debug)]
struct Canonical {
    key: OrderKey,
    place: u64,
    /// `None` for an event without a person.
    id: Option<Text>,
    groups: GroupFacts,
}

/// A distinct id.
#[derive(Debug, Default)]
struct Id {
    /// What its own events say.
    uses: BTreeMap<OrderKey, Facts>,
    /// Edges of other ids' events that name it.
    named: BTreeSet<OrderKey>,
    /// All edges that it is an end of.
    edges: BTreeSet<OrderKey>,
    registers: Registers,
    owner: Uuid,
    /// 0 before the first owner.
    versions: u64,
}

impl Id {
    /// When it was first used, and whether only as the other end of an edge.
    fn first_use(&self) -> Option<(OrderKey, bool)> {
        let own = self.uses.keys().next().map(|key| (*key, false));
        let named = self.named.first().map(|key| (*key, true));
        own.into_iter().chain(named).min()
    }

    fn owner_row(&mut self, project: ProjectId, distinct_id: String, is_deleted: bool) -> DistinctIdRow {
        let row = DistinctIdRow { project, distinct_id, person: self.owner, is_deleted, version: self.versions };
        self.versions += 1;
        row
    }
}

impl EventTime {
    /// `payload` is the first half of the SHA-256 of the event as captured, `place` where its row is.
    pub fn apply(&mut self, event: &IdentityEvent<'_>, payload: u128, place: u64) -> Arrived {
        let key = OrderKey { timestamp_ms: event.timestamp_ms, uuid: event.uuid, payload };
        let project = self.projects.entry(event.project).or_default();
        if project.canonical.get(&event.uuid).is_some_and(|known| known.key <= key) {
            return Arrived::Repeats;
        }
        let mut changes = Changes::default();
        let mut touched = BTreeSet::new();
        let replaced = project.canonical.remove(&event.uuid);
        let replaces = replaced.as_ref().map(|known| known.place);
        if let Some(known) = replaced {
            project.take_back(known, &mut touched);
        }
        let groups = GroupFacts::of(event, &mut changes.warnings);
        project.slots.add(key, &groups);
        let id = (event.profile == Profile::Full).then(|| project.note_use(event, key, &mut touched, &mut changes));
        project.canonical.insert(event.uuid, Canonical { key, place, id: id.clone(), groups });
        project.refold(event.project, touched, &mut changes);
        project.slots.settle(event.project, &mut changes);
        let outcome = match id {
            Some(id) => project.outcome(&id, event),
            None => no_person(event.project, event.distinct_id),
        };
        Arrived::Counts { outcome: Box::new(Outcome { changes, ..outcome }), replaces }
    }

    /// Makes the rows that follow newer than what a store holds: call after its events were applied.
    pub fn continue_versions(&mut self, persons: Vec<(ProjectId, Uuid, u64)>, ids: Vec<(ProjectId, String, u64)>) {
        for (project, uuid, version) in persons {
            let project_id = project;
            let project = self.projects.entry(project).or_default();
            let row = project.persons.entry(uuid).or_insert_with(|| PersonRow {
                project: project_id,
                uuid,
                created_at_ms: 0,
                properties: "{}".into(),
                is_identified: false,
                is_deleted: true,
                version,
            });
            row.version = row.version.max(version);
        }
        for (project, id, version) in ids {
            let project = self.projects.entry(project).or_default();
            // One that nothing speaks of now may come back.
            let id = project.known_id(&id);
            let state = project.ids.get_mut(&id).expect("invariant: made just above");
            state.versions = state.versions.max(version + 1);
        }
    }

    /// The same for groups.
    pub fn continue_group_versions(&mut self, snapshot: &crate::rows::GroupSnapshot) {
        for row in &snapshot.group_types {
            self.projects.entry(row.project).or_default().slots.continue_version(row.version);
        }
        for row in &snapshot.groups {
            self.projects.entry(row.project).or_default().slots.continue_version(row.version);
        }
    }
}

impl Project {
    fn take_back(&mut self, known: Canonical, touched: &mut BTreeSet<Text>) {
        self.slots.remove(known.key, &known.groups);
        let Some(id) = known.id else { return };
        if let Some(edge) = self.edges.remove(&known.key) {
            let other = self.ids.get_mut(&edge.other).expect("invariant: an edge's ends are known");
            other.named.remove(&known.key);
            other.edges.remove(&known.key);
            touched.insert(Rc::clone(&edge.other));
        }
        let state = self.ids.get_mut(&id).expect("invariant: a counted event's id is known");
        state.uses.remove(&known.key);
        state.edges.remove(&known.key);
        state.registers = Registers::of(&state.uses);
        touched.insert(id);
    }

    /// Adds what the event says of its id; returns the id.
    fn note_use(
        &mut self,
        event: &IdentityEvent<'_>,
        key: OrderKey,
        touched: &mut BTreeSet<Text>,
        changes: &mut Changes,
    ) -> Text {
        let id = self.known_id(event.distinct_id);
        let facts = Facts::of(event.properties);
        let state = self.ids.get_mut(&id).expect("invariant: made just above");
        state.registers.add(key, &facts);
        state.uses.insert(key, facts);
        touched.insert(Rc::clone(&id));
        if let Some(link) = link_of(event)
            && merge::joins(event, &link, &mut changes.warnings)
        {
            let other = self.known_id(&link.other);
            let edge = Edge { target: Rc::clone(&id), other: Rc::clone(&other), forced: link.forced };
            self.edges.insert(key, edge);
            for end in [&id, &other] {
                self.ids.get_mut(end).expect("invariant: made just above").edges.insert(key);
            }
            self.ids.get_mut(&other).expect("invariant: made just above").named.insert(key);
            touched.insert(other);
        }
        id
    }

    fn known_id(&mut self, distinct_id: &str) -> Text {
        if let Some((known, _)) = self.ids.get_key_value(distinct_id) {
            return Rc::clone(known);
        }
        let text: Text = distinct_id.into();
        self.ids.insert(Rc::clone(&text), Id::default());
        text
    }

    /// Folds the components of the touched ids again, and writes what changed.
    fn refold(&mut self, project: ProjectId, touched: BTreeSet<Text>, changes: &mut Changes) {
        let mut done: BTreeSet<Text> = BTreeSet::new();
        let mut before: BTreeSet<Uuid> = BTreeSet::new();
        let mut after: Vec<(PersonRow, Vec<Text>)> = Vec::new();
        for id in touched {
            if done.contains(&id) {
                continue;
            }
            let component = components::component_of(&id, &self.ids, &self.edges);
            before.extend(component.iter().map(|id| self.ids[id].owner).filter(|owner| !owner.is_nil()));
            for person in components::fold(&component, &self.ids, &self.edges) {
                after.extend(self.person_row(project, person));
            }
            done.extend(component);
        }
        for id in &done {
            // Every event that spoke of it was taken back.
            let state = self.ids.get_mut(id).expect("invariant: a component's ids are known");
            if state.first_use().is_none() && !state.owner.is_nil() {
                changes.distinct_ids.push(state.owner_row(project, id.as_ref().to_owned(), true));
                state.owner = Uuid::nil();
            }
        }
        let alive: BTreeSet<Uuid> = after.iter().map(|(row, _)| row.uuid).collect();
        for gone in before.difference(&alive) {
            let row = self.persons.get_mut(gone).expect("invariant: an owner has a row");
            row.version += 1;
            row.is_deleted = true;
            changes.persons.push(row.clone());
        }
        for (mut row, ids) in after {
            for id in ids {
                let distinct_id = id.as_ref().to_owned();
                let state = self.ids.get_mut(&id).expect("invariant: a person's ids are known");
                if state.owner != row.uuid {
                    state.owner = row.uuid;
                    changes.distinct_ids.push(state.owner_row(project, distinct_id, false));
                }
            }
            match self.persons.get_mut(&row.uuid) {
                None => {
                    self.persons.insert(row.uuid, row.clone());
                    changes.persons.push(row);
                }
                Some(known) => {
                    row.version = known.version;
                    if *known != row {
                        row.version += 1;
                        known.clone_from(&row);
                        changes.persons.push(row);
                    }
                }
            }
        }
    }

    /// `None` for ids that nothing speaks of any more.
    fn person_row(&self, project: ProjectId, person: Person) -> Option<(PersonRow, Vec<Text>)> {
        let firsts = person.ids.iter().filter_map(|id| Some((self.ids[id].first_use()?, id)));
        let ((first, _), first_id) = firsts.min()?;
        let mut properties = Registers::fold(person.ids.iter().map(|id| &self.ids[id].registers));
        properties.insert("$creator_event_uuid".into(), first.uuid.to_string().into());
        let row = PersonRow {
            project,
            uuid: ids::person_uuid(project, first_id),
            created_at_ms: first.timestamp_ms,
            properties: Value::Object(properties).to_string(),
            is_identified: person.is_identified,
            is_deleted: false,
            version: 0,
        };
        Some((row, person.ids))
    }

    fn outcome(&self, id: &Text, event: &IdentityEvent<'_>) -> Outcome {
        let row = &self.persons[&self.ids[id].owner];
        let mut properties: serde_json::Map<String, Value> = serde_json::from_str(&row.properties).unwrap_or_default();
        if let Some(Value::Object(own)) = event.properties.get("$set") {
            properties.extend(own.clone());
        }
        Outcome {
            person: row.uuid,
            person_created_at_ms: row.created_at_ms,
            is_identified: row.is_identified,
            person_properties: Value::Object(properties).to_string(),
            person_mode: PersonMode::Full,
            groups: None,
            changes: Changes::default(),
        }
    }
}
