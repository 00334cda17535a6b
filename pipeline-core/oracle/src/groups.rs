//! Groups when the order of arrival decides (SPEC 5.10).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::expected::{ExpectedGroup, ExpectedGroupColumn, ExpectedWarning};
use crate::javascript::{string, truthy_key};
use crate::nul;
use crate::prepare::Prepared;

pub(crate) const MAX_TYPES: usize = 5;
const MAX_KEY: usize = 400;

/// The type names a project uses, by slot.
#[derive(Debug, Default)]
pub(crate) struct GroupTypes(pub Vec<String>);

impl GroupTypes {
    /// The slot of a type, a new one if it has none and one is left.
    pub fn slot(&mut self, type_name: &str) -> Option<usize> {
        let known = self.0.iter().position(|known| known == type_name);
        known.or_else(|| {
            (self.0.len() < MAX_TYPES).then(|| {
                self.0.push(type_name.to_owned());
                self.0.len() - 1
            })
        })
    }

    /// Writes `$group_n` for each group that the event names.
    pub fn resolve(&mut self, properties: &mut Map<String, Value>) {
        for (type_name, key) in mentioned(properties) {
            if let Some(slot) = self.slot(&type_name) {
                properties.insert(format!("$group_{slot}"), key);
            }
        }
    }
}

/// Types and keys of `$groups`, in the order of the object.
pub(crate) fn mentioned(properties: &Map<String, Value>) -> Vec<(String, Value)> {
    let groups = properties.get("$groups").and_then(Value::as_object);
    let named = groups.into_iter().flatten();
    named.map(|(type_name, key)| (type_name.clone(), key.clone())).collect()
}

/// A `$groupidentify` that says which group it means.
pub(crate) struct GroupIdentify {
    pub type_name: String,
    pub key: String,
    pub set: Map<String, Value>,
}

pub(crate) fn group_identify(event: &Prepared) -> Option<GroupIdentify> {
    if event.name != "$groupidentify" {
        return None;
    }
    let type_name = string(truthy_key(&event.properties, "$group_type")?);
    let key = nul::replaced(&string(truthy_key(&event.properties, "$group_key")?));
    let set = event.properties.get("$group_set").and_then(Value::as_object);
    Some(GroupIdentify { type_name, key, set: set.map(nul::replaced_in_map).unwrap_or_default() })
}

/// A key that the store cannot hold: the event is kept, the group is not.
pub(crate) fn key_too_long(event: &Prepared, identify: &GroupIdentify) -> Option<ExpectedWarning> {
    let length = identify.key.chars().count();
    let first: String = identify.key.chars().take(100).collect();
    let details = json!({ "eventUuid": event.uuid_value(), "groupType": identify.type_name, "groupKey": first,
        "groupKeyLength": length, "maxLength": MAX_KEY });
    (length > MAX_KEY).then(|| ExpectedWarning { kind: "group_key_too_long".to_owned(), details })
}

/// The group columns: what `group_of` knows of each group in `$group_n`.
pub(crate) fn columns(
    properties: &Map<String, Value>,
    group_of: impl Fn(usize, &str) -> Option<ExpectedGroupColumn>,
) -> [Option<ExpectedGroupColumn>; MAX_TYPES] {
    std::array::from_fn(|slot| {
        let key = truthy_key(properties, &format!("$group_{slot}"))?;
        Some(group_of(slot, &nul::replaced(&string(key))).unwrap_or_default())
    })
}

#[derive(Debug)]
struct Group {
    properties: Map<String, Value>,
    /// When each property was last set, by event time.
    set_at_ms: BTreeMap<String, i64>,
    created_at_ms: i64,
    version: u64,
}

/// The groups of one project.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    types: GroupTypes,
    groups: BTreeMap<(usize, String), Group>,
}

impl Groups {
    /// Resolves the groups an event names, then does its `$groupidentify`, then reads the columns.
    pub fn process(
        &mut self,
        event: &Prepared,
        properties: &mut Map<String, Value>,
        warnings: &mut Vec<ExpectedWarning>,
    ) -> [Option<ExpectedGroupColumn>; MAX_TYPES] {
        if !event.personless {
            self.types.resolve(properties);
            if let Some(identify) = group_identify(event)
                && let Some(slot) = self.types.slot(&identify.type_name)
            {
                match key_too_long(event, &identify) {
                    Some(warning) => warnings.push(warning),
                    None => self.upsert(slot, &identify, event),
                }
            }
        }
        columns(properties, |slot, key| {
            let group = self.groups.get(&(slot, key.to_owned()))?;
            Some(ExpectedGroupColumn { properties: group.properties.clone(), created_at_ms: group.created_at_ms })
        })
    }

    fn upsert(&mut self, slot: usize, identify: &GroupIdentify, event: &Prepared) {
        let place = (slot, identify.key.clone());
        let mut changed = !self.groups.contains_key(&place);
        let group = self.groups.entry(place).or_insert_with(|| Group {
            properties: Map::new(),
            set_at_ms: BTreeMap::new(),
            created_at_ms: event.now_ms,
            version: 0,
        });
        for (key, value) in &identify.set {
            let later = group.set_at_ms.get(key).is_none_or(|set_at_ms| *set_at_ms < event.timestamp_ms);
            if later {
                group.properties.insert(key.clone(), value.clone());
                group.set_at_ms.insert(key.clone(), event.timestamp_ms);
                changed = true;
            }
        }
        if changed {
            group.created_at_ms = group.created_at_ms.min(event.timestamp_ms);
            group.version += 1;
        }
    }

    pub fn expected(&self) -> Vec<ExpectedGroup> {
        let groups = self.groups.iter().map(|((slot, key), group)| ExpectedGroup {
            type_index: *slot as u8,
            type_name: self.types.0[*slot].clone(),
            key: key.clone(),
            properties: group.properties.clone(),
            created_at_ms: group.created_at_ms,
            version: group.version,
        });
        groups.collect()
    }
}
