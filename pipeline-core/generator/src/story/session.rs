//! A session: one device, one person (or two, one after the other), a walk through a journey.

use std::sync::Arc;

use super::{Act, Session, Teller};
use crate::knobs::{Mess, MessSet};
use crate::people::{Group, Person, device_id};
use crate::poison::of_wrong_type;
use crate::random::{Random, between};
use crate::scenario::{Persona, Scenario, State};
use crate::template::{Cast, Scene, quoted};
use crate::truth::PersonId;

/// States that one visit passes at most, with and without events.
const MOST_STEPS: usize = 400;
/// The regular that is the hot key.
const HOT: u64 = u32::MAX as u64;
/// What a program waits between two events.
const BOT_PAUSE_MS: (u64, u64) = (20, 300);

/// Who a device's client thinks it is.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub id: String,
    pub distinct_id: Arc<str>,
}

/// One person's time at a device.
pub(super) struct Visit<'p> {
    pub persona: &'p Persona,
    pub person: &'p Person,
    pub is_bot: bool,
    pub mess: MessSet,
    /// Events at most.
    pub most: usize,
}

impl Teller<'_> {
    pub(super) fn session(&mut self) {
        let scenario = self.scenario;
        let is_hot = scenario.mess.hot_key.happens(&mut self.random);
        let is_bot = !is_hot && scenario.mess.bots.happens(&mut self.random);
        let persona_at = self.persona(is_bot, is_hot);
        let persona = &scenario.personas[persona_at];
        let (person, is_signed_in) = self.visitor(persona_at, is_hot);
        let mut session = self.facts(person.place);
        let mut device = Device {
            id: person.device_id.clone(),
            distinct_id: Arc::from(if is_signed_in { person.user_id.as_str() } else { person.device_id.as_str() }),
        };
        if is_hot {
            session.mess = session.mess.with(Mess::HotKey);
        }
        if is_bot {
            session.mess = session.mess.with(Mess::Bots);
        }
        let mut acts = Vec::new();
        let visit = Visit { persona, person: &person, is_bot, mess: session.mess, most: self.room() };
        let left_ms = self.visit(&visit, &mut device, 0, &mut acts);
        let is_alone = is_bot || is_hot || self.room() <= acts.len();
        if !is_alone && scenario.mess.shared_device.happens(&mut self.random) {
            let other = Person { device: person.device, place: person.place, ..self.newcomer() };
            session.mess = session.mess.with(Mess::SharedDevice);
            let most = self.room() - acts.len();
            let visit = Visit { persona, person: &other, is_bot, mess: session.mess, most };
            self.visit(&visit, &mut device, left_ms, &mut acts);
        }
        self.place(session, acts);
    }

    fn persona(&mut self, is_bot: bool, is_hot: bool) -> usize {
        let scenario = self.scenario;
        if is_hot {
            // Always the same one, or the key would not be.
            scenario.personas.iter().position(|persona| !persona.is_bot).unwrap_or(0)
        } else if is_bot && !scenario.bots.is_empty() {
            scenario.bots.pick(&mut self.random)
        } else {
            scenario.humans.pick(&mut self.random)
        }
    }

    /// Who comes, and whether they are signed in already.
    fn visitor(&mut self, persona_at: usize, is_hot: bool) -> (Person, bool) {
        let persona = &self.scenario.personas[persona_at];
        if is_hot {
            let id = PersonId::regular(persona_at as u64, HOT);
            return (Person::regular(self.scenario, self.seed, id), true);
        }
        if persona.regulars > 0 && persona.regular_sessions.happens(&mut self.random) {
            let number = between(&mut self.random, 0, persona.regulars - 1);
            let id = PersonId::regular(persona_at as u64, number);
            let is_signed_in = persona.signed_in.happens(&mut self.random);
            return (Person::regular(self.scenario, self.seed, id), is_signed_in);
        }
        (self.newcomer(), false)
    }

    /// Walks the journey; the time at which it ends.
    pub(super) fn visit(
        &mut self,
        visit: &Visit<'_>,
        device: &mut Device,
        start_ms: u64,
        acts: &mut Vec<(u64, Act)>,
    ) -> u64 {
        let scenario = self.scenario;
        let groups = self.groups.of(scenario, self.seed, visit.person);
        let first_device = device.id.clone();
        let mut cast = Cast {
            person: visit.person,
            device_id: &first_device,
            session_id: device_id(&mut self.random),
            is_bot: visit.is_bot,
            at_hand: vec![None; scenario.catalogues.len()],
            kept: vec![Vec::new(); scenario.catalogues.len()],
            per_session: Vec::new(),
            events: 0,
        };
        for property in &scenario.per_session {
            let mut json = String::new();
            if !scene(scenario, &groups, &mut cast).write(&property.template, &mut self.random, &mut json) {
                json.push_str("null");
            }
            cast.per_session.push(json);
        }
        let persona = visit.persona;
        let mut state = &persona.states[persona.start_states[persona.start.pick(&mut self.random)]];
        let mut at_ms = start_ms;
        let mut sent = 0;
        for _ in 0..MOST_STEPS {
            self.take_up(state, &mut cast);
            if let Some(event) = &state.event {
                let act = self.act(event, state, visit, &groups, &mut cast, device);
                acts.push((at_ms, act));
                sent += 1;
                cast.events += 1;
            }
            if state.reset {
                device.id = device_id(&mut self.random);
                device.distinct_id = Arc::from(device.id.as_str());
            }
            state.clear.iter().for_each(|catalogue| cast.kept[*catalogue].clear());
            let pause_ms = if visit.is_bot { BOT_PAUSE_MS } else { state.pause_ms };
            at_ms += between(&mut self.random, pause_ms.0, pause_ms.1);
            if sent >= visit.most || state.next.is_empty() {
                break;
            }
            match state.next_states[state.next.pick(&mut self.random)] {
                Some(next) => state = &persona.states[next],
                None => break,
            }
        }
        at_ms
    }

    fn take_up(&mut self, state: &State, cast: &mut Cast<'_>) {
        let catalogues = &self.scenario.catalogues;
        for at in &state.pick {
            cast.at_hand[*at] = Some(catalogues[*at].weights.pick(&mut self.random));
        }
        for at in &state.keep {
            let item = *cast.at_hand[*at].get_or_insert_with(|| catalogues[*at].weights.pick(&mut self.random));
            cast.kept[*at].push(item);
        }
    }

    fn act(
        &mut self,
        event: &Arc<str>,
        state: &State,
        visit: &Visit<'_>,
        groups: &[Group],
        cast: &mut Cast<'_>,
        device: &mut Device,
    ) -> Act {
        let scenario = self.scenario;
        let random = &mut self.random;
        let mut mess = visit.mess;
        let mut json = String::with_capacity(512);
        let mut scene = scene(scenario, groups, cast);
        let is_wrong = scenario.mess.wrong_type.happens(random);
        match if is_wrong { own_property(state, random) } else { None } {
            None => scene.properties(&state.properties, random, &mut json),
            Some(at) => {
                mess = mess.with(Mess::WrongType);
                scene.properties(&state.properties[..at], random, &mut json);
                add(&mut json, &state.properties[at].key, of_wrong_type(random));
                scene.properties(&state.properties[at + 1..], random, &mut json);
            }
        }
        if state.identify {
            let user_id: Arc<str> = Arc::from(visit.person.user_id.as_str());
            if device.distinct_id != user_id {
                add_text(&mut json, "\"$anon_distinct_id\":", &device.distinct_id);
                device.distinct_id = user_id;
            }
            if !scenario.person_properties.is_empty() {
                let mut set = String::from("{");
                scene.properties(&scenario.person_properties, random, &mut set);
                set.push('}');
                add(&mut json, "\"$set\":", &set);
            }
        }
        if !groups.is_empty() {
            let mut own = String::from("{");
            for (kind, group) in scenario.groups.iter().zip(groups) {
                add_text(&mut own, &kind.key, &group.key);
            }
            own.push('}');
            add(&mut json, "\"$groups\":", &own);
        }
        Act {
            uuid: self.uuid(),
            event: Arc::clone(event),
            distinct_id: Arc::clone(&device.distinct_id),
            properties: json,
            person: visit.person.id,
            session: self.next_session(),
            mess,
        }
    }
}

fn scene<'a, 'c>(scenario: &'a Scenario, groups: &'a [Group], cast: &'a mut Cast<'c>) -> Scene<'a, 'c> {
    Scene {
        places: &scenario.places,
        devices: &scenario.devices,
        catalogues: &scenario.catalogues,
        groups,
        per_event: &scenario.per_event,
        cast,
        event_values: vec![None; scenario.per_event.len()],
    }
}

/// Appends a property whose key is quoted and whose value is JSON.
pub(super) fn add(json: &mut String, key: &str, value: &str) {
    json.push_str(if json.is_empty() || json.ends_with('{') { "" } else { "," });
    json.push_str(key);
    json.push_str(value);
}

pub(super) fn add_text(json: &mut String, key: &str, text: &str) {
    let mut value = String::new();
    quoted(text, &mut value);
    add(json, key, &value);
}

/// One of the scenario's own properties; the pipeline reads those that begin with a dollar sign.
fn own_property(state: &State, random: &mut Random) -> Option<usize> {
    let own = |at: &usize| !state.properties[*at].name.starts_with('$');
    let own: Vec<usize> = (0..state.properties.len()).filter(own).collect();
    let last = own.len().checked_sub(1)?;
    own.get(between(random, 0, last as u64) as usize).copied()
}

impl Session {
    /// Of a gathering, which has a kind of its own.
    pub(super) fn only(mess: Mess) -> Self {
        Self { mess: MessSet::of(mess), ..Self::default() }
    }
}
