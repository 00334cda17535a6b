//! Group types by first mention in the order of events, and groups as registers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use weir_event::ProjectId;
use weir_event::js;
use weir_event::prepare::{Profile, Warning};
use weir_event::time::is_truthy;

use super::OrderKey;
use crate::event::IdentityEvent;
use crate::groups::{SLOTS, key_warning};
use crate::rows::{Changes, GroupRow, GroupTypeRow};

/// What one event says of groups.
#[derive(Debug, Default)]
pub struct GroupFacts {
    /// Types in the order in which the event names them.
    mentions: Vec<String>,
    /// Type, key and properties of a `$groupidentify`.
    set: Option<(String, String, Map<String, Value>)>,
}

impl GroupFacts {
    pub fn of(event: &IdentityEvent<'_>, warnings: &mut Vec<Warning>) -> Self {
        let mut facts = Self::default();
        if event.profile != Profile::Full {
            return facts;
        }
        if let Some(Value::Object(named)) = event.properties.get("$groups") {
            facts.mentions.extend(named.keys().cloned());
        }
        if event.event != "$groupidentify" {
            return facts;
        }
        let given = |key: &str| event.properties.get(key).filter(|value| is_truthy(value)).map(js::string);
        let (Some(kind), Some(key)) = (given("$group_type"), given("$group_key")) else { return facts };
        facts.mentions.push(kind.clone());
        let key = js::without_nul(key);
        if let Some(warning) = key_warning(event, &kind, &key) {
            warnings.push(warning);
            return facts;
        }
        let mut set = event.properties.get("$group_set").cloned().unwrap_or_default();
        js::value_without_nul(&mut set);
        let set = if let Value::Object(set) = set { set } else { Map::new() };
        facts.set = Some((kind, key, set));
        facts
    }
}

#[derive(Debug, Default)]
pub struct Slots {
    mentions: BTreeMap<String, BTreeSet<(OrderKey, usize)>>,
    groups: BTreeMap<(String, String), BTreeMap<OrderKey, Map<String, Value>>>,
    /// The slot that the newest row of each type says.
    written: BTreeMap<String, Option<u8>>,
    touched: BTreeSet<(String, String)>,
    types_touched: bool,
    /// Above every version written so far.
    next_version: u64,
}

impl Slots {
    pub fn add(&mut self, key: OrderKey, facts: &GroupFacts) {
        for (place, kind) in facts.mentions.iter().enumerate() {
            let mentions = self.mentions.entry(kind.clone()).or_default();
            self.types_touched |= mentions.first().is_none_or(|first| (key, place) < *first);
            mentions.insert((key, place));
        }
        if let Some((kind, group, set)) = &facts.set {
            self.groups.entry((kind.clone(), group.clone())).or_default().insert(key, set.clone());
            self.touched.insert((kind.clone(), group.clone()));
        }
    }

    pub fn remove(&mut self, key: OrderKey, facts: &GroupFacts) {
        for (place, kind) in facts.mentions.iter().enumerate() {
            if let Some(mentions) = self.mentions.get_mut(kind) {
                mentions.remove(&(key, place));
                self.types_touched = true;
            }
        }
        if let Some((kind, group, _)) = &facts.set {
            let place = (kind.clone(), group.clone());
            if let Some(sets) = self.groups.get_mut(&place) {
                sets.remove(&key);
            }
            self.touched.insert(place);
        }
    }

    pub fn continue_version(&mut self, version: u64) {
        self.next_version = self.next_version.max(version + 1);
    }

    /// Writes what changed since the last call.
    pub fn settle(&mut self, project: ProjectId, changes: &mut Changes) {
        if std::mem::take(&mut self.types_touched) {
            let mut by_age: Vec<_> =
                self.mentions.iter().filter_map(|(kind, mentions)| Some((*mentions.first()?, kind.clone()))).collect();
            by_age.sort();
            let slots: BTreeMap<String, u8> =
                by_age.into_iter().take(SLOTS).enumerate().map(|(slot, (_, kind))| (kind, slot as u8)).collect();
            for kind in self.mentions.keys() {
                let slot = slots.get(kind).copied();
                if self.written.get(kind).copied().flatten() != slot {
                    self.written.insert(kind.clone(), slot);
                    let version = self.next_version;
                    self.next_version += 1;
                    changes.group_types.push(GroupTypeRow { project, kind: kind.clone(), slot, version });
                }
            }
        }
        for (kind, key) in std::mem::take(&mut self.touched) {
            let version = self.next_version;
            self.next_version += 1;
            let sets = &self.groups[&(kind.clone(), key.clone())];
            // Every set was taken back: nothing describes the group any more.
            let Some(first) = sets.keys().next() else {
                let gone = row(project, kind, key, 0, &Map::new(), version);
                changes.groups.push(GroupRow { is_deleted: true, ..gone });
                continue;
            };
            let mut properties = Map::new();
            for set in sets.values() {
                properties.extend(set.clone());
            }
            changes.groups.push(row(project, kind, key, first.timestamp_ms, &properties, version));
        }
    }
}

fn row(
    project: ProjectId,
    kind: String,
    key: String,
    created_at_ms: i64,
    properties: &Map<String, Value>,
    version: u64,
) -> GroupRow {
    let properties = Value::Object(properties.clone()).to_string();
    GroupRow { project, kind, key, created_at_ms, properties, property_times: "{}".into(), is_deleted: false, version }
}
