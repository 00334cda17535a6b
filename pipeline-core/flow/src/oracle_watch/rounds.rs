//! By event time: everything at once, again and again.
//!
//! No row is final there before the last event has come, so rows are not compared as they are written. But at each
//! commit the store must be what the events up to it make of it, in whatever order they came. A round reads everything
//! that the store shows at one commit, lets the model take exactly the events up to that commit, folds them by time and
//! compares all. What differs in one round and again in the next is told once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use uuid::Uuid;
use weir_event::clock::UnixMillis;
use weir_oracle::{ExpectedProject, Oracle};
use weir_store::Current;

use super::compare::{self, Differences, Due};
use super::tally::{Place, Tally};

/// Events that a round can look at; it costs what all of them cost.
pub const MOST_EVENTS: u64 = 200_000;
/// From the end of one round to the next, at least; and as a multiple of what a round takes.
const PAUSE: Duration = Duration::from_secs(2);
const SHARE: u32 = 4;

#[derive(Debug, Default)]
pub struct Rounds {
    ended: Option<Instant>,
    took: Duration,
    /// Where the newest round was.
    sequence: u64,
    /// Offset at which an event of (project, uuid) came last.
    offsets: HashMap<(u32, Uuid), u64>,
    /// The lists of plugins of those that plugins saw, by offset.
    plugins: HashMap<u64, Vec<(&'static str, Vec<String>)>>,
}

impl Rounds {
    pub fn saw(&mut self, project: u32, uuid: Uuid, offset: u64, plugins: Vec<(&'static str, Vec<String>)>) {
        self.offsets.insert((project, uuid), offset);
        if !plugins.is_empty() {
            self.plugins.insert(offset, plugins);
        }
    }

    /// Whether it is time, and there is something new.
    pub fn is_due(&self, sequence: u64) -> bool {
        let pause = PAUSE.max(self.took * SHARE);
        sequence != self.sequence && self.ended.is_none_or(|ended| ended.elapsed() >= pause)
    }

    /// Compares, and writes what was found into `tally`. The model has exactly the events that `current` is made of.
    pub fn compare(
        &mut self,
        tally: &mut Tally,
        at_ms: UnixMillis,
        oracle: &Oracle,
        mut current: Current,
        is_watched: impl Fn(u32) -> bool,
    ) {
        let begun = Instant::now();
        tally.begin_round();
        current.events.retain(|event| is_watched(event.team_id as u32));
        let found: HashMap<(u32, String), u64> =
            current.events.iter().map(|event| ((event.team_id as u32, event.uuid.clone()), event.offset)).collect();
        let mut due = Vec::new();
        for mut project in oracle.expected().projects {
            let number = project.number.0;
            if !is_watched(number) {
                continue;
            }
            for row in std::mem::take(&mut project.events) {
                let uuid = row.uuid.unwrap_or_default();
                let text = uuid.to_string();
                let fed = || self.offsets.get(&(number, uuid)).copied().unwrap_or_default();
                let offset = found.get(&(number, text.clone())).copied().unwrap_or_else(fed);
                let plugins = self.plugins.get(&offset).cloned().unwrap_or_default();
                due.push(Due { offset, project: number, uuid: text, row, plugins });
            }
            people(tally, at_ms, &project, &mut current);
            groups(tally, at_ms, &project, &mut current);
        }
        compare::rows(tally, at_ms, due, current.events, false);
        for person in current.persons.iter().filter(|person| is_watched(person.team_id)) {
            tally.state.persons_wrong += 1;
            let text = person.id.to_string();
            let place = Place { offset: person.offset, project: person.team_id, uuid: &text, distinct_id: "" };
            tally.differs(at_ms, "person", "", place, ("nothing".into(), "a person".into()));
        }
        self.sequence = current.cursor.journal_sequence;
        self.took = begun.elapsed();
        self.ended = Some(Instant::now());
    }
}

fn people(tally: &mut Tally, at_ms: UnixMillis, project: &ExpectedProject, current: &mut Current) {
    let number = project.number.0;
    let mut persons: HashMap<Uuid, _> = HashMap::new();
    current.persons.retain(|person| {
        let is_own = person.team_id == number;
        if is_own {
            persons.insert(person.id, person.clone());
        }
        !is_own
    });
    for expected in &project.persons {
        let row = persons.remove(&expected.uuid);
        let mut differences = Differences::default();
        match &row {
            Some(row) => {
                differences.field("is_identified", expected.is_identified, row.is_identified);
                differences.field("created_at", expected.created_at_ms, row.created_at_ms);
                differences.properties("properties", &expected.properties, &row.properties);
            }
            None => differences.field("", "a person", "nothing"),
        }
        let text = expected.uuid.to_string();
        let place = Place { offset: row.map_or(0, |row| row.offset), project: number, uuid: &text, distinct_id: "" };
        *(if differences.0.is_empty() { &mut tally.state.persons_right } else { &mut tally.state.persons_wrong }) += 1;
        for (field, expected, found) in differences.0 {
            tally.differs(at_ms, "person", &field, place, (expected, found));
        }
    }
    // Nobody asked for these.
    current.persons.extend(persons.into_values());

    let mut ids: HashMap<String, _> = HashMap::new();
    for row in current.distinct_ids.iter().filter(|row| row.team_id == number) {
        ids.insert(row.distinct_id.clone(), (row.person_id, row.offset));
    }
    for expected in &project.distinct_ids {
        let found = ids.remove(&expected.distinct_id);
        let is_right = found.is_some_and(|(person, _)| person == expected.person);
        *(if is_right { &mut tally.state.distinct_ids_right } else { &mut tally.state.distinct_ids_wrong }) += 1;
        if !is_right {
            let text = expected.person.to_string();
            let offset = found.map_or(0, |(_, offset)| offset);
            let place = Place { offset, project: number, uuid: &text, distinct_id: &expected.distinct_id };
            let shown = found.map_or_else(|| "nothing".to_owned(), |(person, _)| person.to_string());
            tally.differs(at_ms, "distinct_id", "person", place, (text.clone(), shown));
        }
    }
    for (distinct_id, (person, offset)) in ids {
        tally.state.distinct_ids_wrong += 1;
        let text = person.to_string();
        let place = Place { offset, project: number, uuid: &text, distinct_id: &distinct_id };
        tally.differs(at_ms, "distinct_id", "person", place, ("nothing".into(), text.clone()));
    }
}

fn groups(tally: &mut Tally, at_ms: UnixMillis, project: &ExpectedProject, current: &mut Current) {
    let number = project.number.0;
    let mut found: HashMap<(u8, String), _> = current
        .groups
        .iter()
        .filter(|group| group.team_id == number)
        .map(|group| ((group.slot, group.key.clone()), group.clone()))
        .collect();
    for expected in &project.groups {
        let row = found.remove(&(expected.type_index, expected.key.clone()));
        let mut differences = Differences::default();
        match &row {
            Some(row) => {
                differences.field("type", &expected.type_name, &row.kind);
                differences.field("created_at", expected.created_at_ms, row.created_at_ms);
                differences.properties("properties", &expected.properties, &row.properties);
            }
            None => differences.field("", "a group", "nothing"),
        }
        let key = format!("{} {}", expected.type_name, expected.key);
        for (field, expected, found) in differences.0 {
            let place = Place { offset: 0, project: number, uuid: "", distinct_id: &key };
            tally.differs(at_ms, "group", &field, place, (expected, found));
        }
    }
    for row in found.into_values() {
        let key = format!("{} {}", row.kind, row.key);
        let place = Place { offset: 0, project: number, uuid: "", distinct_id: &key };
        tally.differs(at_ms, "group", "", place, ("nothing".into(), "a group".into()));
    }
}
