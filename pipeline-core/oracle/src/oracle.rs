//! The model as a whole: requests in, expected store out.

use std::collections::HashMap;

use serde_json::{Map, Value};
use uuid::Uuid;
use weir_event::outcome::OutcomeCounts;
use weir_event::{Outcome, ProjectId};

use crate::arrival::Persons;
use crate::event::{Accepted, Captured, Refused, accepted, read};
use crate::event_time;
use crate::expected::{Expected, ExpectedEvent, ExpectedProject, ExpectedWarning};
use crate::groups::Groups;
use crate::logged::{Judged, Logged, PersonChanges, Plugins, Said, SaidTwin};
use crate::prepare::{Fate, Prepared, Request, prepare};
use crate::request::{Answer, RawRequest};

/// What decides who a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ordering {
    /// The order in which events were accepted.
    Arrival,
    /// The events' own times, whatever the order of arrival.
    EventTime,
}

/// The model's own version of a plugin.
pub trait Twin: Send {
    /// Whether what it makes of an event depends on events before.
    fn keeps_state(&self) -> bool {
        false
    }

    /// Gets and gives an event as plugins see it (SPEC 6.6); none drops it.
    fn process(&mut self, event: Map<String, Value>) -> Option<Map<String, Value>>;
}

pub struct Oracle {
    ordering: Ordering,
    recordings: bool,
    twins: Vec<Box<dyn Twin>>,
    projects: Vec<Project>,
    refusals: Vec<Refused>,
    /// Counts events, to make up uuids for those that capture draws one for.
    serial: u64,
}

struct Project {
    token: String,
    number: ProjectId,
    /// Payload of the first event with a uuid.
    seen: HashMap<Uuid, [u8; 32]>,
    persons: Persons,
    groups: Groups,
    /// Rows of arrival mode.
    rows: Vec<ExpectedEvent>,
    /// What event-time mode folds: all that arrived, repeats too.
    arrived: Vec<Prepared>,
    warnings: Vec<ExpectedWarning>,
    outcomes: OutcomeCounts,
}

impl Oracle {
    pub fn new(ordering: Ordering) -> Self {
        Self { ordering, recordings: false, twins: Vec::new(), projects: Vec::new(), refusals: Vec::new(), serial: 0 }
    }

    /// Runs these over every event, in this order, where the pipeline runs plugins.
    #[must_use]
    pub fn with_twins(mut self, twins: Vec<Box<dyn Twin>>) -> Self {
        self.twins = twins;
        self
    }

    /// From the next event on these are the plugins; gives those that were.
    pub fn set_twins(&mut self, twins: Vec<Box<dyn Twin>>) -> Vec<Box<dyn Twin>> {
        std::mem::replace(&mut self.twins, twins)
    }

    /// From the next event on session recordings are stored, or not.
    pub fn set_recordings(&mut self, recordings: bool) {
        self.recordings = recordings;
    }

    /// The number that a project has, which it does not get from its place then.
    pub fn know_project(&mut self, token: &str, number: ProjectId) {
        if self.projects.iter().all(|project| project.token != token) {
            self.projects.push(Project::new(token, number));
        }
    }

    /// Session recordings are stored.
    #[must_use]
    pub fn with_recordings(mut self, recordings: bool) -> Self {
        self.recordings = recordings;
        self
    }

    /// Takes a request as the pipeline does. Requests are given in the order in which they were accepted.
    pub fn request(&mut self, request: &RawRequest) -> Answer {
        let answer = |status, body: &str| Answer { status, body: body.to_owned() };
        if !request.takes_events() {
            return answer(404, "");
        }
        match request.method.to_ascii_uppercase().as_str() {
            "OPTIONS" => return answer(200, ""),
            "GET" | "POST" => {}
            _ => return answer(405, ""),
        }
        match read(request) {
            Err(refused) => {
                let answer = refused.refusal.answer();
                self.refusals.push(refused);
                answer
            }
            Ok(accepted) => {
                self.accept(request, &accepted);
                if request.query_text("beacon").as_deref() == Some("1") {
                    answer(204, "")
                } else {
                    answer(200, r#"{"status":"Ok"}"#)
                }
            }
        }
    }

    /// Its place, in the order in which accepted requests first showed a token.
    fn project(&mut self, token: &str) -> usize {
        self.projects.iter().position(|project| project.token == token).unwrap_or_else(|| {
            let number = ProjectId(self.projects.len() as u32 + 1);
            self.projects.push(Project::new(token, number));
            self.projects.len() - 1
        })
    }

    fn accept(&mut self, request: &RawRequest, accepted: &Accepted) {
        let index = self.project(&accepted.token);
        let project = &mut self.projects[index];
        let (ip, site_url) = (request.client_ip(), request.site_url());
        let facts = Request {
            project: project.number.0,
            now_ms: request.received_at_ms,
            sent_at: accepted.sent_at.as_deref(),
            ip: &ip,
            site_url: &site_url,
            recordings: self.recordings,
        };
        for captured in &accepted.events {
            self.serial += 1;
            let uuid = captured.client_uuid.unwrap_or_else(|| made_up_uuid(request.received_at_ms, self.serial));
            let outcome = project.event(self.ordering, captured, uuid, &facts, &mut self.twins, false);
            project.outcomes.add(outcome, 1);
        }
    }

    pub fn expected(&self) -> Expected {
        let mut expected =
            Expected { projects: self.projects.iter().map(|it| self.one(it)).collect(), ..Expected::default() };
        for project in &self.projects {
            expected.outcomes.merge(&project.outcomes);
        }
        for refused in &self.refusals {
            *expected.rejected.entry(refused.refusal.rule()).or_default() += refused.events;
            expected.outcomes.add(Outcome::Rejected, refused.events);
        }
        expected
    }

    /// Judges one event of the intake log. Events are given in the order in which the pipeline comes to them.
    pub fn judge(&mut self, event: &Logged<'_>) -> Judged {
        let Some(mut captured) = accepted(event.text) else { return Judged::unreadable() };
        if self.ordering == Ordering::EventTime {
            // The log knows it, also where capture drew it.
            captured.client_uuid = Some(event.uuid);
        }
        let index = self.project(event.token);
        let project = &mut self.projects[index];
        project.persons.note_changes();
        let facts = Request {
            project: project.number.0,
            now_ms: event.received_at_ms,
            sent_at: event.sent_at,
            ip: event.ip,
            site_url: event.site_url,
            recordings: self.recordings,
        };
        let conflicts = project.outcomes.conflicting_duplicates;
        let mut said;
        let twins = match event.plugins {
            Plugins::Predicted => &mut self.twins[..],
            Plugins::Said(answer) => {
                said = [Box::new(SaidTwin::of(answer)) as Box<dyn Twin>];
                &mut said[..]
            }
        };
        let outcome = match event.plugins {
            Plugins::Said(Said::DeadLettered) => {
                project.see(event.uuid, captured.payload_hash);
                Outcome::DeadLettered
            }
            _ => project.event(self.ordering, &captured, event.uuid, &facts, twins, event.is_again),
        };
        let row = project.rows.pop();
        // Nobody asks for them here, and they would pile up.
        project.warnings.clear();
        let is_conflicting = project.outcomes.conflicting_duplicates > conflicts;
        Judged { project: project.number, outcome, is_conflicting, row }
    }

    /// Whether an event of this uuid was given to it.
    pub fn has_met(&self, token: &str, uuid: Uuid) -> bool {
        self.projects.iter().any(|project| project.token == token && project.seen.contains_key(&uuid))
    }

    /// The number of the project of this token, if something of it was given to it.
    pub fn number_of(&self, token: &str) -> Option<ProjectId> {
        self.projects.iter().find(|project| project.token == token).map(|project| project.number)
    }

    /// Whose a distinct id is, in arrival mode.
    pub fn person_of(&self, project: ProjectId, distinct_id: &str) -> Option<Uuid> {
        let project = self.projects.iter().find(|known| known.number == project)?;
        project.persons.distinct_id(distinct_id).map(|owner| owner.person)
    }

    /// What changed about the persons of a project since this was last asked.
    pub fn take_changes(&mut self, project: ProjectId) -> PersonChanges {
        let Some(project) = self.projects.iter_mut().find(|known| known.number == project) else {
            return PersonChanges::default();
        };
        let changed = project.persons.take_changed();
        let persons = changed.persons.into_iter().map(|uuid| (uuid, project.persons.person(uuid))).collect();
        let distinct_ids = changed.ids.iter().filter_map(|id| project.persons.distinct_id(id)).collect();
        PersonChanges { persons, distinct_ids }
    }

    /// Numbers of all projects that were seen.
    pub fn projects(&self) -> Vec<ProjectId> {
        self.projects.iter().map(|project| project.number).collect()
    }

    /// The state of the project of this token, if a request of it was accepted.
    pub fn expected_project(&self, token: &str) -> Option<ExpectedProject> {
        self.projects.iter().find(|project| project.token == token).map(|project| self.one(project))
    }

    fn one(&self, project: &Project) -> ExpectedProject {
        let mut expected = project.expected(self.ordering);
        for refused in self.refusals.iter().filter(|refused| refused.token.as_ref() == Some(&project.token)) {
            expected.outcomes.add(Outcome::Rejected, refused.events);
        }
        expected
    }
}

impl Project {
    fn new(token: &str, number: ProjectId) -> Self {
        Self {
            token: token.to_owned(),
            number,
            seen: HashMap::new(),
            persons: Persons::new(number),
            groups: Groups::default(),
            rows: Vec::new(),
            arrived: Vec::new(),
            warnings: Vec::new(),
            outcomes: OutcomeCounts::default(),
        }
    }

    /// The payload that came first under this uuid, if one did.
    fn see(&mut self, uuid: Uuid, payload: [u8; 32]) -> Option<[u8; 32]> {
        let first = self.seen.get(&uuid).copied();
        self.seen.entry(uuid).or_insert(payload);
        first
    }

    fn event(
        &mut self,
        ordering: Ordering,
        captured: &Captured,
        uuid: Uuid,
        request: &Request,
        twins: &mut [Box<dyn Twin>],
        is_again: bool,
    ) -> Outcome {
        let first = self.see(uuid, captured.payload_hash).filter(|_| !is_again);
        let repeated = first.is_some();
        if first.is_some_and(|payload| payload != captured.payload_hash) {
            self.outcomes.conflicting_duplicates += 1;
        }
        // In event-time mode a repeat may turn out to be the one that counts.
        if repeated && ordering == Ordering::Arrival {
            return Outcome::Deduplicated;
        }
        let (fate, mut warnings) = prepare(captured, uuid, request, twins);
        if repeated {
            let Fate::Goes(event) = fate else { return Outcome::Deduplicated };
            // The first of a uuid that survives is stored, whatever became of those before it.
            let is_first = self.arrived.iter().all(|known| known.uuid != event.uuid);
            self.arrived.push(*event);
            return if is_first { Outcome::Stored } else { Outcome::Deduplicated };
        }
        let outcome = match fate {
            Fate::Dropped => Outcome::Dropped,
            Fate::DeadLettered => Outcome::DeadLettered,
            Fate::Goes(event) => self.store(ordering, *event, uuid, &mut warnings),
        };
        self.warnings.extend(warnings);
        outcome
    }

    fn store(
        &mut self,
        ordering: Ordering,
        event: Prepared,
        uuid: Uuid,
        warnings: &mut Vec<ExpectedWarning>,
    ) -> Outcome {
        // A plugin gave it the uuid of another.
        let taken = event.uuid != uuid && self.see(event.uuid, event.payload_hash).is_some();
        match ordering {
            Ordering::Arrival if taken => {}
            Ordering::Arrival => self.store_on_arrival(&event, warnings),
            Ordering::EventTime => {
                warnings.extend(crate::groups::group_identify(&event).and_then(|group| {
                    // Whether its type has a slot is not known yet; the key is too long either way.
                    crate::groups::key_too_long(&event, &group)
                }));
                self.arrived.push(event);
            }
        }
        if taken { Outcome::Deduplicated } else { Outcome::Stored }
    }

    fn store_on_arrival(&mut self, event: &Prepared, warnings: &mut Vec<ExpectedWarning>) {
        let person = self.persons.process(event, warnings);
        let mut properties = event.properties.clone();
        let groups = self.groups.process(event, &mut properties, warnings);
        self.rows.push(ExpectedEvent {
            uuid: (!event.drawn).then_some(event.uuid),
            event: event.name.clone(),
            distinct_id: event.distinct_id.clone(),
            properties,
            timestamp_ms: event.timestamp_ms,
            elements_chain: event.elements_chain.clone(),
            person_id: person.id,
            person_created_at_ms: person.created_at_ms,
            person_properties: person.properties,
            person_mode: person.mode,
            groups,
        });
    }

    fn expected(&self, ordering: Ordering) -> ExpectedProject {
        let mut expected = ExpectedProject {
            token: self.token.clone(),
            number: self.number,
            events: Vec::new(),
            persons: Vec::new(),
            distinct_ids: Vec::new(),
            groups: Vec::new(),
            warnings: self.warnings.clone(),
            outcomes: self.outcomes,
        };
        match ordering {
            Ordering::Arrival => {
                (expected.persons, expected.distinct_ids) = self.persons.expected();
                expected.groups = self.groups.expected();
                expected.events.clone_from(&self.rows);
            }
            Ordering::EventTime => event_time::fold(&mut expected, &self.arrived),
        }
        expected.sort();
        expected
    }
}

/// Of the shape that capture draws, in the order of arrival, so that it sorts about where the real one would.
fn made_up_uuid(now_ms: i64, serial: u64) -> Uuid {
    let time = (now_ms.max(0) as u128) << 80;
    Uuid::from_u128(time | 0x7 << 76 | 0b10 << 62 | u128::from(serial))
}
