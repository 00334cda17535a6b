//! Many ids that turn out to be one person: merge storms and chains of aliases.

use std::sync::Arc;

use super::session::{Device, Visit, add, add_text};
use super::{Act, Session, Teller};
use crate::knobs::{Mess, MessSet};
use crate::people::{Person, device_id};
use crate::random::between;

/// Milliseconds between two events.
const APART_MS: u64 = 30;

impl Teller<'_> {
    /// One person has looked around as many anonymous visitors, and signs in on each device at nearly the same time.
    pub(super) fn merge_storm(&mut self) {
        let person = self.newcomer();
        let count = between(&mut self.random, 8, 40);
        let mut acts = Vec::new();
        let mut devices = Vec::new();
        for _ in 0..count {
            devices.extend(self.glance(&person, Mess::MergeStorm, &mut acts));
        }
        let user_id: Arc<str> = Arc::from(person.user_id.as_str());
        let mut at_ms = acts.last().map_or(0, |(at_ms, _)| *at_ms);
        for device in devices {
            at_ms += APART_MS;
            let mut properties = String::new();
            add_text(&mut properties, "\"$anon_distinct_id\":", &device.distinct_id);
            let mut set = String::from("{");
            add_text(&mut set, "\"email\":", &person.email);
            set.push('}');
            add(&mut properties, "\"$set\":", &set);
            acts.push((at_ms, self.linking("$identify", &user_id, properties, &person, Mess::MergeStorm)));
        }
        self.gathered(Mess::MergeStorm, acts);
    }

    /// Each id is said to be the one before.
    pub(super) fn alias_chain(&mut self) {
        let person = self.newcomer();
        let count = between(&mut self.random, 3, 12);
        let mut acts = Vec::new();
        let Some(first) = self.glance(&person, Mess::AliasChain, &mut acts) else { return };
        let mut before = first.distinct_id;
        let mut at_ms = acts.last().map_or(0, |(at_ms, _)| *at_ms);
        for _ in 0..count {
            at_ms += APART_MS;
            let next: Arc<str> = Arc::from(device_id(&mut self.random));
            let mut properties = String::new();
            add_text(&mut properties, "\"alias\":", &before);
            acts.push((at_ms, self.linking("$create_alias", &next, properties, &person, Mess::AliasChain)));
            before = next;
        }
        self.gathered(Mess::AliasChain, acts);
    }

    /// The first event of a visit, under a device of its own.
    fn glance(&mut self, person: &Person, mess: Mess, acts: &mut Vec<(u64, Act)>) -> Option<Device> {
        let id = device_id(&mut self.random);
        let mut device = Device { distinct_id: Arc::from(id.as_str()), id };
        let persona = self.scenario.personas.iter().find(|persona| !persona.is_bot)?;
        let visit = Visit { persona, person, is_bot: true, mess: MessSet::of(mess), most: 1 };
        let start_ms = acts.last().map_or(0, |(at_ms, _)| at_ms + APART_MS);
        self.visit(&visit, &mut device, start_ms, acts);
        Some(device)
    }

    fn linking(&mut self, event: &str, distinct_id: &Arc<str>, properties: String, person: &Person, mess: Mess) -> Act {
        Act {
            uuid: self.uuid(),
            event: Arc::from(event),
            distinct_id: Arc::clone(distinct_id),
            properties,
            person: person.id,
            session: self.next_session(),
            mess: MessSet::of(mess),
        }
    }

    fn gathered(&mut self, mess: Mess, mut acts: Vec<(u64, Act)>) {
        acts.truncate(self.room());
        self.place(Session::only(mess), acts);
    }
}
