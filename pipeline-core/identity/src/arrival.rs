//! Events in the order of the log: merge if the event asks for one, then its properties.

use serde_json::Value;
use weir_event::ProjectId;
use weir_event::ids;
use weir_event::js;
use weir_event::prepare::Profile;
use weir_event::sabotage::{Bug, strikes};
use weir_event::time::is_truthy;

use crate::event::{IdentityEvent, Outcome, PersonMode};
use crate::groups::Groups;
use crate::merge::Link;
use crate::people::{People, PersonIndex};
use crate::properties::Properties;
use crate::rows::Changes;

/// A person's creation must be this much older than an event that asked for no person to win over it.
const UPGRADE_AFTER_MS: i64 = 60_000;
/// `created_at` of the person that an event without one names.
const NO_PERSON_CREATED_AT_MS: i64 = 5_000;

#[derive(Debug, Default)]
pub struct Arrival {
    pub(crate) people: People,
    pub(crate) groups: Groups,
}

impl Arrival {
    pub fn apply(&mut self, mut event: IdentityEvent<'_>) -> Outcome {
        let mut changes = Changes::default();
        let mut outcome = match event.profile {
            Profile::Full => self.with_person(&event, &mut changes),
            Profile::Propertyless => self.without_person(&event),
        };
        if event.profile == Profile::Full {
            outcome.groups = self.groups.apply(&mut event, &mut changes);
        }
        outcome.changes = changes;
        outcome
    }

    pub fn person_count(&self) -> usize {
        self.people.person_count()
    }

    fn with_person(&mut self, event: &IdentityEvent<'_>, changes: &mut Changes) -> Outcome {
        let people = &mut self.people;
        let (linked, mark_identified) = match link_of(event) {
            Some(link) => people.link(event, &link, changes),
            None => (None, false),
        };
        let mark_identified = mark_identified && !strikes(Bug::NeverIdentified);
        let index = match linked.or_else(|| people.owner_of(event.project, event.distinct_id)) {
            Some(index) => {
                people.update(index, event, mark_identified, changes);
                index
            }
            None => people.create(event, &[event.distinct_id], mark_identified, changes),
        };
        // `$set` is among the person's properties by now, unless `$unset` took it out again: the event shows
        // it all the same.
        let own = event.properties.get("$set").and_then(Value::as_object);
        let own = own.filter(|_| event.properties.contains_key("$unset"));
        let (person, names) = people.person_mut(index);
        Outcome {
            person: person.uuid,
            person_created_at_ms: person.created_at_ms,
            is_identified: person.is_identified(),
            person_properties: match own {
                Some(own) => person.properties.json_with(own, names),
                None => person.properties.json(names),
            },
            person_mode: PersonMode::Full,
            groups: None,
            changes: Changes::default(),
        }
    }

    fn without_person(&self, event: &IdentityEvent<'_>) -> Outcome {
        let real = self.people.owner_of(event.project, event.distinct_id).map(|index| self.people.person(index));
        match real.filter(|person| event.timestamp_ms > person.created_at_ms + UPGRADE_AFTER_MS) {
            Some(person) => Outcome {
                person: person.uuid,
                person_created_at_ms: person.created_at_ms,
                is_identified: person.is_identified(),
                person_properties: person.properties.json(&self.people.names),
                person_mode: PersonMode::ForceUpgrade,
                groups: None,
                changes: Changes::default(),
            },
            None => no_person(event.project, event.distinct_id),
        }
    }
}

/// What stands in for the person of an event that has none.
pub(crate) fn no_person(project: ProjectId, distinct_id: &str) -> Outcome {
    Outcome {
        person: ids::person_uuid(project, distinct_id),
        person_created_at_ms: NO_PERSON_CREATED_AT_MS,
        is_identified: false,
        person_properties: "{}".into(),
        person_mode: PersonMode::Propertyless,
        groups: None,
        changes: Changes::default(),
    }
}

/// The other id that an event asks to be joined.
pub(crate) fn link_of(event: &IdentityEvent<'_>) -> Option<Link> {
    let (key, forced) = match event.event {
        "$identify" => ("$anon_distinct_id", false),
        "$create_alias" => ("alias", false),
        "$merge_dangerously" => ("alias", true),
        _ => return None,
    };
    let other = event.properties.get(key).filter(|value| is_truthy(value))?;
    Some(Link { other: js::without_nul(js::string(other)), forced })
}

impl People {
    /// A new person that owns `distinct_ids`. `$set` beats `$set_once`; the creating event is named.
    pub(crate) fn create(
        &mut self,
        event: &IdentityEvent<'_>,
        distinct_ids: &[&str],
        is_identified: bool,
        changes: &mut Changes,
    ) -> PersonIndex {
        let properties = Properties::created(event.properties, event.uuid, &mut self.names);
        let index = self.add_person(event.project, event.distinct_id, event.timestamp_ms, properties, is_identified);
        for distinct_id in distinct_ids {
            let row = self.add_id(event.project, distinct_id, index);
            changes.distinct_ids.push(row);
        }
        changes.persons.push(self.row(event.project, index));
        index
    }

    fn update(&mut self, index: PersonIndex, event: &IdentityEvent<'_>, mark_identified: bool, changes: &mut Changes) {
        let (person, names) = self.person_mut(index);
        let changed = person.properties.applied(event.properties, names);
        let newly_identified = mark_identified && !person.is_identified();
        if changed.is_none() && !newly_identified {
            return;
        }
        if let Some(properties) = changed {
            person.properties = properties;
        }
        if mark_identified {
            person.identify();
        }
        person.add_versions(1);
        changes.persons.push(self.row(event.project, index));
    }
}
