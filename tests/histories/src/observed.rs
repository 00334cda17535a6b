//! What the store holds, in the words of the model.

use std::collections::BTreeMap;

use pipeline_core::event::{Ordering, ProjectId};
use pipeline_core::store::QueryLimits;
use serde_json::{Map, Value};
use uuid::Uuid;
use weir_oracle::{
    ExpectedDistinctId, ExpectedEvent, ExpectedGroup, ExpectedGroupColumn, ExpectedPerson, ExpectedProject,
    ExpectedWarning,
};

use crate::pipeline::Pipeline;

/// Every project by its token. Outcomes are left at zero: the ledger counts them over all projects.
pub fn projects(pipeline: &Pipeline, ordering: Ordering) -> BTreeMap<String, ExpectedProject> {
    let rows = |sql: &str| -> Vec<Vec<Value>> {
        let limits = QueryLimits { max_rows: 10_000_000, timeout_ms: 120_000 };
        pipeline.flow().query(sql, limits).unwrap_or_else(|error| panic!("{sql}: {error}")).rows
    };
    let mut found: BTreeMap<i64, ExpectedProject> = BTreeMap::new();
    for row in rows("SELECT team_id, token FROM projects") {
        let number = row[0].as_i64().expect("a number");
        found.insert(
            number,
            ExpectedProject {
                token: text(&row[1]),
                number: ProjectId(number as u32),
                events: Vec::new(),
                persons: Vec::new(),
                distinct_ids: Vec::new(),
                groups: Vec::new(),
                warnings: Vec::new(),
                outcomes: Default::default(),
            },
        );
    }
    let mut add = |row: &[Value], put: &mut dyn FnMut(&mut ExpectedProject)| {
        put(found.get_mut(&row[0].as_i64().expect("a number")).expect("a row's project is known"));
    };
    let slots = (0..5)
        .map(|slot| format!(", group{slot}_properties, epoch_ms(group{slot}_created_at)"))
        .collect::<Vec<_>>()
        .concat();
    for row in rows(&format!(
        "SELECT team_id, uuid::VARCHAR, event, distinct_id, properties, epoch_ms(timestamp), elements_chain, \
         person_id::VARCHAR, epoch_ms(person_created_at), person_properties, person_mode{slots} FROM events"
    )) {
        let properties = object(&row[9 - 5]);
        let group = |slot: usize| {
            let named = properties.get(&format!("$group_{slot}")).is_some_and(is_truthy) && row[10] != "propertyless";
            named.then(|| ExpectedGroupColumn {
                properties: object(&row[11 + slot * 2]),
                created_at_ms: row[12 + slot * 2].as_i64().expect("a time"),
            })
        };
        let event = ExpectedEvent {
            uuid: Some(uuid(&row[1])),
            event: text(&row[2]),
            distinct_id: text(&row[3]),
            timestamp_ms: row[5].as_i64().expect("a time"),
            elements_chain: text(&row[6]),
            person_id: uuid(&row[7]),
            person_created_at_ms: row[8].as_i64().expect("a time"),
            person_properties: object(&row[9]),
            person_mode: match row[10].as_str() {
                Some("full") => "full",
                Some("force_upgrade") => "force_upgrade",
                _ => "propertyless",
            },
            groups: [group(0), group(1), group(2), group(3), group(4)],
            properties,
        };
        add(&row, &mut |project| project.events.push(event.clone()));
    }
    let by_arrival = ordering == Ordering::Arrival;
    let version = |value: &Value| if by_arrival { value.as_u64().expect("a version") } else { 0 };
    for row in
        rows("SELECT team_id, id::VARCHAR, properties, is_identified, epoch_ms(created_at), version FROM persons")
    {
        let person = ExpectedPerson {
            uuid: uuid(&row[1]),
            properties: object(&row[2]),
            is_identified: row[3] == 1,
            created_at_ms: row[4].as_i64().expect("a time"),
            version: version(&row[5]),
            distinct_ids: Vec::new(),
        };
        add(&row, &mut |project| project.persons.push(person.clone()));
    }
    for row in rows("SELECT team_id, distinct_id, person_id::VARCHAR, version FROM person_distinct_ids") {
        let id = ExpectedDistinctId { distinct_id: text(&row[1]), person: uuid(&row[2]), version: version(&row[3]) };
        add(&row, &mut |project| {
            if let Some(person) = project.persons.iter_mut().find(|person| person.uuid == id.person) {
                person.distinct_ids.push(id.distinct_id.clone());
            }
            project.distinct_ids.push(id.clone());
        });
    }
    for row in rows(
        "SELECT team_id, group_type_index, group_type, group_key, group_properties, epoch_ms(created_at), version FROM groups",
    ) {
        let group = ExpectedGroup {
            type_index: row[1].as_u64().expect("a slot") as u8,
            type_name: text(&row[2]),
            key: text(&row[3]),
            properties: object(&row[4]),
            created_at_ms: row[5].as_i64().expect("a time"),
            version: version(&row[6]),
        };
        add(&row, &mut |project| project.groups.push(group.clone()));
    }
    for row in rows("SELECT team_id, type, details FROM ingestion_warnings") {
        let warning = ExpectedWarning { kind: text(&row[1]), details: row[2].clone() };
        add(&row, &mut |project| project.warnings.push(warning.clone()));
    }
    let mut projects: BTreeMap<String, ExpectedProject> = BTreeMap::new();
    for (_, mut project) in found {
        for person in &mut project.persons {
            person.distinct_ids.sort();
        }
        project.persons.sort_by_key(|person| person.uuid);
        project.distinct_ids.sort_by(|left, right| left.distinct_id.cmp(&right.distinct_id));
        project.groups.sort_by(|left, right| (left.type_index, &left.key).cmp(&(right.type_index, &right.key)));
        projects.insert(project.token.clone(), project);
    }
    projects
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn uuid(value: &Value) -> Uuid {
    text(value).parse().expect("a uuid")
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object")).clone()
}

fn is_truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && *value != "" && value.as_f64() != Some(0.0)
}
