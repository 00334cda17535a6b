//! Groups: five types a project, numbered in order of first use, and what is known of each group.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use weir_event::ProjectId;
use weir_event::clock::UnixMillis;
use weir_event::js;
use weir_event::prepare::Warning;
use weir_event::time::is_truthy;

use crate::event::IdentityEvent;
use crate::rows::{Changes, GroupRow, GroupSnapshot, GroupTypeRow};

/// Types that get a slot; an event's further types are kept in `$groups` and nowhere else.
pub const SLOTS: usize = 5;
const KEY_LIMIT_CHARS: usize = 400;

#[derive(Debug, Default)]
pub struct Groups {
    projects: HashMap<ProjectId, Project>,
}

#[derive(Debug, Default)]
struct Project {
    /// By slot.
    types: Vec<String>,
    groups: HashMap<(u8, String), Group>,
}

#[derive(Debug, Default)]
struct Group {
    created_at_ms: UnixMillis,
    properties: Map<String, Value>,
    /// When each property was set, by the event's time.
    times: Map<String, Value>,
    version: u64,
}

impl Groups {
    pub fn restore(snapshot: GroupSnapshot) -> Result<Self, serde_json::Error> {
        let mut groups = Self::default();
        let mut types = snapshot.group_types;
        types.sort_by_key(|row| (row.project, row.slot));
        for row in types {
            groups.projects.entry(row.project).or_default().types.push(row.kind);
        }
        for row in snapshot.groups {
            let group = Group {
                created_at_ms: row.created_at_ms,
                properties: serde_json::from_str(&row.properties)?,
                times: serde_json::from_str(&row.property_times)?,
                version: row.version,
            };
            let project = groups.projects.entry(row.project).or_default();
            if let Some(slot) = project.types.iter().position(|kind| *kind == row.kind) {
                project.groups.insert((slot as u8, row.key), group);
            }
        }
        Ok(groups)
    }

    /// Resolves the groups that an event names, updates one for `$groupidentify`, and returns what is
    /// known of all of them.
    pub fn apply(&mut self, event: &mut IdentityEvent<'_>, changes: &mut Changes) -> Option<String> {
        let identifies = event.event == "$groupidentify";
        if !identifies && !event.properties.keys().any(|key| key.starts_with("$group")) {
            return None;
        }
        let project = self.projects.entry(event.project).or_default();
        if let Some(Value::Object(named)) = event.properties.get("$groups") {
            let slots: Vec<_> = named
                .iter()
                .filter_map(|(name, key)| Some((project.slot_of(event.project, name, changes)?, key.clone())))
                .collect();
            for (slot, key) in slots {
                event.properties.insert(format!("$group_{slot}"), key);
            }
        }
        if identifies {
            project.identify(event, changes);
        }
        project.columns(event.properties)
    }
}

impl Project {
    fn slot_of(&mut self, project: ProjectId, name: &str, changes: &mut Changes) -> Option<u8> {
        if let Some(slot) = self.types.iter().position(|known| known == name) {
            return Some(slot as u8);
        }
        if self.types.len() == SLOTS {
            return None;
        }
        let slot = self.types.len() as u8;
        self.types.push(name.to_owned());
        changes.group_types.push(GroupTypeRow { project, kind: name.to_owned(), slot: Some(slot), version: 0 });
        Some(slot)
    }

    fn identify(&mut self, event: &IdentityEvent<'_>, changes: &mut Changes) {
        let given = |key: &str| event.properties.get(key).filter(|value| is_truthy(value)).map(js::string);
        let (Some(kind), Some(key)) = (given("$group_type"), given("$group_key")) else { return };
        let key = js::without_nul(key);
        // The type gets its slot even if the key is refused.
        let Some(slot) = self.slot_of(event.project, &kind, changes) else { return };
        if let Some(warning) = key_warning(event, &kind, &key) {
            changes.warnings.push(warning);
            return;
        }
        let mut set = event.properties.get("$group_set").cloned().unwrap_or_default();
        js::value_without_nul(&mut set);
        let set = if let Value::Object(set) = set { set } else { Map::new() };

        let is_new = !self.groups.contains_key(&(slot, key.clone()));
        let group = self.groups.entry((slot, key.clone())).or_default();
        let mut changed = is_new;
        for (name, value) in set {
            let known = group.times.get(&name).and_then(Value::as_i64);
            // Of two events with one time the first counts.
            if known.is_none_or(|known| event.timestamp_ms > known) {
                group.times.insert(name.clone(), event.timestamp_ms.into());
                group.properties.insert(name, value);
                changed = true;
            }
        }
        if !changed {
            return;
        }
        let known = if is_new { event.received_at_ms } else { group.created_at_ms };
        group.created_at_ms = known.min(event.timestamp_ms);
        group.version += 1;
        changes.groups.push(GroupRow {
            project: event.project,
            kind,
            key,
            created_at_ms: group.created_at_ms,
            properties: Value::Object(group.properties.clone()).to_string(),
            property_times: Value::Object(group.times.clone()).to_string(),
            is_deleted: false,
            version: group.version,
        });
    }

    fn columns(&self, properties: &Map<String, Value>) -> Option<String> {
        let columns: Map<String, Value> = (0..SLOTS)
            .filter_map(|slot| {
                let key = js::without_nul(js::string(properties.get(&format!("$group_{slot}"))?));
                let group = self.groups.get(&(slot as u8, key));
                let column =
                    group.map_or_else(|| json!([{}, 0]), |group| json!([group.properties, group.created_at_ms]));
                Some((slot.to_string(), column))
            })
            .collect();
        (!columns.is_empty()).then(|| Value::Object(columns).to_string())
    }
}

/// Why a group cannot be kept under its key, if so.
pub(crate) fn key_warning(event: &IdentityEvent<'_>, kind: &str, key: &str) -> Option<Warning> {
    let length = key.chars().count();
    (length > KEY_LIMIT_CHARS).then(|| Warning {
        kind: "group_key_too_long",
        details: json!({
            "eventUuid": event.uuid,
            "groupType": kind,
            "groupKey": key.chars().take(100).collect::<String>(),
            "groupKeyLength": length,
            "maxLength": KEY_LIMIT_CHARS,
        }),
    })
}
