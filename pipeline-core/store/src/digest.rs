//! Digests of the current state, to compare a store with its rebuild.
//!
//! A table's digest is the sum over its rows of 64 bits of each row's MD5: equal content in any order
//! gives the same digest, and a doubled row does not cancel itself out as it would with XOR.

use duckdb::Connection;
use weir_api::ledger::TableDigest;
use weir_event::Ordering;

use crate::error::StoreError;

/// Views that are compared, with the columns that make up a row. `_offset` is part of it: a row must
/// come from the same event.
const TABLES: [(&str, &str); 10] = [
    (
        "events",
        "uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, person_id, \
         person_created_at, person_properties, person_mode, group0_properties, group1_properties, group2_properties, \
         group3_properties, group4_properties, group0_created_at, plugins, _timestamp, _offset",
    ),
    ("groups", "team_id, group_type_index, group_type, group_key, created_at, group_properties, version"),
    ("persons", "id, created_at, team_id, properties, is_identified, version, _offset"),
    ("person_distinct_ids", "team_id, distinct_id, person_id, version, _offset"),
    ("plugin_logs", "id, plugin_id, version, timestamp, source, type, message, _offset"),
    ("dead_letters", "id, event_uuid, team_id, raw_payload, error, _offset"),
    ("ingestion_warnings", "id, team_id, type, details, timestamp, _offset"),
    ("plugin_storage", "plugin_id, key, value"),
    ("projects", "team_id, token"),
    ("sink_failures", "id, sink, timestamp, first_offset, until_offset, events, attempts, reason"),
];

/// The same where the order of arrival makes no difference: without what only says when something came.
const BY_EVENT_TIME: [(&str, &str); 5] = [
    (
        "events",
        "uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, person_id, person_created_at, \
         person_mode, group0_properties, group1_properties, group2_properties, group3_properties, group4_properties, \
         group0_created_at, group1_created_at, group2_created_at, group3_created_at, group4_created_at",
    ),
    ("groups", "team_id, group_type_index, group_type, group_key, created_at, group_properties"),
    ("persons", "id, created_at, team_id, properties, is_identified"),
    ("person_distinct_ids", "team_id, distinct_id, person_id"),
    ("projects", "team_id, token"),
];

pub fn digests(connection: &Connection) -> Result<Vec<TableDigest>, StoreError> {
    let schema: String =
        connection.query_row("SELECT value FROM weir_meta WHERE key = 'schema'", [], |row| row.get(0))?;
    let tables: &[(&str, &str)] = if schema.ends_with(Ordering::EventTime.as_str()) { &BY_EVENT_TIME } else { &TABLES };
    tables
        .iter()
        .map(|(table, columns)| {
            let sql = format!(
                "SELECT count(*), coalesce(sum(md5_number_lower(to_json({{{fields}}})::VARCHAR)), 0)::VARCHAR FROM {table}",
                fields = columns.split(", ").map(|c| format!("'{c}': {c}")).collect::<Vec<_>>().join(", ")
            );
            connection
                .query_row(&sql, [], |row| {
                    Ok(TableDigest { table: (*table).to_owned(), rows: row.get(0)?, digest: row.get(1)? })
                })
                .map_err(StoreError::from)
        })
        .collect()
}
