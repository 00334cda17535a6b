//! Tables and views. Tables end in `_rows` and only grow; views give current state under the names
//! that people query.

use weir_event::Ordering;

/// Changes with every change of a table; a store with another one is rebuilt.
pub const SCHEMA_VERSION: &str = "4";

pub const TABLES: &str = r"
CREATE TABLE IF NOT EXISTS weir_meta (key VARCHAR, value VARCHAR);

CREATE TABLE IF NOT EXISTS weir_state (
    journal_sequence UBIGINT, intake_offset UBIGINT,
    stored UBIGINT, dropped UBIGINT, rejected UBIGINT, dead_lettered UBIGINT, deduplicated UBIGINT,
    conflicting_duplicates UBIGINT, emitted UBIGINT
);

CREATE TABLE IF NOT EXISTS ledger_window_rows (
    window_start TIMESTAMP, received BIGINT, emitted BIGINT, stored BIGINT, dropped BIGINT, rejected BIGINT,
    dead_lettered BIGINT, deduplicated BIGINT, first_offset UBIGINT, until_offset UBIGINT
);

CREATE TABLE IF NOT EXISTS event_rows (
    uuid UUID, event VARCHAR, properties JSON, timestamp TIMESTAMP, team_id BIGINT, distinct_id VARCHAR,
    elements_chain VARCHAR, created_at TIMESTAMP, person_id UUID, person_created_at TIMESTAMP,
    person_properties JSON, person_mode VARCHAR, groups JSON, plugins JSON, _timestamp TIMESTAMP, _payload UHUGEINT,
    _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS superseded_rows (team_id BIGINT, uuid UUID, _offset UBIGINT);

CREATE TABLE IF NOT EXISTS person_rows (
    id UUID, created_at TIMESTAMP, team_id BIGINT, properties JSON, is_identified TINYINT, is_deleted TINYINT,
    version UBIGINT, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS distinct_id_rows (
    team_id BIGINT, distinct_id VARCHAR, person_id UUID, is_deleted TINYINT, version UBIGINT, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS group_type_rows (
    team_id BIGINT, group_type VARCHAR, slot UTINYINT, version UBIGINT, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS group_rows (
    team_id BIGINT, group_type VARCHAR, group_key VARCHAR, created_at TIMESTAMP, properties JSON, property_times JSON,
    is_deleted TINYINT, version UBIGINT, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS plugin_log_rows (
    id UUID, plugin_id VARCHAR, version VARCHAR, timestamp TIMESTAMP, source VARCHAR, type VARCHAR,
    message VARCHAR, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS dead_letter_rows (
    id UUID, event_uuid UUID, event VARCHAR, distinct_id VARCHAR, team_id BIGINT, created_at TIMESTAMP,
    ip VARCHAR, site_url VARCHAR, now TIMESTAMP, raw_payload VARCHAR, error_timestamp TIMESTAMP,
    error_location VARCHAR, error VARCHAR, is_captured BOOLEAN, journal_sequence UBIGINT, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS redriven_rows (_offset UBIGINT, event_uuid UUID, journal_sequence UBIGINT, outcome VARCHAR);

CREATE TABLE IF NOT EXISTS warning_rows (
    id UUID, team_id BIGINT, source VARCHAR, type VARCHAR, details JSON, timestamp TIMESTAMP, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS project_rows (team_id BIGINT, token VARCHAR, _offset UBIGINT);

CREATE TABLE IF NOT EXISTS weir_sinks (
    name VARCHAR, id UUID, kind VARCHAR, target VARCHAR, start_offset UBIGINT, max_attempts UINTEGER,
    cursor_offset UBIGINT, until_offset UBIGINT, delivered UBIGINT, failed UBIGINT, retried UBIGINT
);

CREATE TABLE IF NOT EXISTS sink_failure_rows (
    id UUID, sink VARCHAR, timestamp TIMESTAMP, first_offset UBIGINT, until_offset UBIGINT, events UBIGINT,
    attempts UINTEGER, reason VARCHAR
);

CREATE TABLE IF NOT EXISTS plugin_storage_rows (
    plugin_id VARCHAR, key VARCHAR, value VARCHAR, journal_sequence UBIGINT, _order UBIGINT
);
";

/// Views that both orderings share.
pub const VIEWS: &str = r#"
CREATE OR REPLACE MACRO weir_text(properties, key) AS coalesce(properties->>('$."' || key || '"'), '');
CREATE OR REPLACE MACRO weir_group_properties(groups, slot) AS coalesce(groups->('$."' || slot || '"[0]'), '{}'::JSON);
CREATE OR REPLACE MACRO weir_group_created_at(groups, slot) AS
    make_timestamp_ms(coalesce((groups->>('$."' || slot || '"[1]'))::BIGINT, 0));

CREATE OR REPLACE VIEW ledger_windows AS
SELECT *, received + emitted - stored - dropped - rejected - dead_lettered - deduplicated AS unexplained FROM (
    SELECT window_start, sum(received)::BIGINT AS received, sum(emitted)::BIGINT AS emitted,
        sum(stored)::BIGINT AS stored, sum(dropped)::BIGINT AS dropped, sum(rejected)::BIGINT AS rejected,
        sum(dead_lettered)::BIGINT AS dead_lettered, sum(deduplicated)::BIGINT AS deduplicated,
        min(first_offset) AS first_offset, max(until_offset) AS until_offset
    FROM ledger_window_rows GROUP BY window_start
);

CREATE OR REPLACE VIEW group_types AS
SELECT team_id, group_type, slot AS group_type_index FROM (
    SELECT *, row_number() OVER (PARTITION BY team_id, group_type ORDER BY version DESC, _offset DESC) AS newest
    FROM group_type_rows
) WHERE newest = 1 AND slot IS NOT NULL;

CREATE OR REPLACE VIEW groups AS
SELECT t.group_type_index, g.group_key, g.created_at, g.team_id, g.properties AS group_properties, g.group_type,
    g.version, g._offset
FROM (
    SELECT *, row_number() OVER (
        PARTITION BY team_id, group_type, group_key ORDER BY version DESC, _offset DESC) AS newest
    FROM group_rows
) g JOIN group_types t ON t.team_id = g.team_id AND t.group_type = g.group_type
WHERE g.newest = 1 AND g.is_deleted = 0;

CREATE OR REPLACE VIEW persons AS
SELECT id, created_at, team_id, properties, is_identified, version, _offset FROM (
    SELECT *, row_number() OVER (PARTITION BY team_id, id ORDER BY version DESC, _offset DESC) AS newest
    FROM person_rows
) WHERE newest = 1 AND is_deleted = 0;

CREATE OR REPLACE VIEW person_distinct_ids AS
SELECT team_id, distinct_id, person_id, version, _offset FROM (
    SELECT *, row_number() OVER (PARTITION BY team_id, distinct_id ORDER BY version DESC, _offset DESC) AS newest
    FROM distinct_id_rows
) WHERE newest = 1 AND is_deleted = 0;

CREATE OR REPLACE VIEW plugin_logs AS SELECT * FROM plugin_log_rows;
CREATE OR REPLACE VIEW dead_letters AS SELECT l.* FROM dead_letter_rows l ANTI JOIN redriven_rows r
    ON r._offset = l._offset AND r.event_uuid = l.event_uuid AND r.journal_sequence > l.journal_sequence;
CREATE OR REPLACE VIEW redrives AS SELECT * FROM redriven_rows;
CREATE OR REPLACE VIEW ingestion_warnings AS SELECT * FROM warning_rows;
CREATE OR REPLACE VIEW projects AS SELECT team_id, token FROM project_rows;

CREATE OR REPLACE VIEW sinks AS
SELECT name, kind, target, start_offset, cursor_offset, delivered, failed, retried FROM weir_sinks;
CREATE OR REPLACE VIEW sink_failures AS SELECT * FROM sink_failure_rows;

CREATE OR REPLACE VIEW person AS SELECT * FROM person_rows;
CREATE OR REPLACE VIEW person_distinct_id2 AS SELECT * FROM distinct_id_rows;
CREATE OR REPLACE VIEW person_distinct_id_overrides AS
SELECT team_id, distinct_id, person_id, is_deleted, version, _offset FROM distinct_id_rows WHERE version > 0;
CREATE OR REPLACE VIEW person_distinct_id AS
SELECT team_id, distinct_id, person_id, 1::TINYINT AS _sign, 0::TINYINT AS is_deleted FROM person_distinct_ids;
CREATE OR REPLACE VIEW plugin_log_entries AS SELECT * FROM plugin_log_rows;
CREATE OR REPLACE VIEW events_dead_letter_queue AS SELECT * FROM dead_letter_rows;

CREATE OR REPLACE VIEW plugin_storage AS
SELECT plugin_id, key, value FROM (
    SELECT *, row_number() OVER (PARTITION BY plugin_id, key ORDER BY journal_sequence DESC, _order DESC) AS newest
    FROM plugin_storage_rows
) WHERE newest = 1 AND value IS NOT NULL;
"#;

/// `events` by their own time: of one uuid the one that counts, with persons and groups as they are known now.
const EVENT_TIME_EVENTS: &str = r#"
CREATE OR REPLACE VIEW weir_counted AS
SELECT r.*, CASE WHEN r.person_mode = 'full' AND json_exists(r.properties, '$."$groups"') THEN coalesce((
        SELECT json_group_object('$group_' || t.group_type_index, e.value)
        FROM json_each(r.properties, '$."$groups"') e
        JOIN group_types t ON t.team_id = r.team_id AND t.group_type = e.key
    ), '{}'::JSON) ELSE '{}'::JSON END AS named_groups
FROM event_rows r
ANTI JOIN superseded_rows s ON s.team_id = r.team_id AND s.uuid = r.uuid AND s._offset = r._offset;

CREATE OR REPLACE MACRO weir_slot(named, properties, slot) AS
    coalesce(named->>('$."$group_' || slot || '"'), properties->>('$."$group_' || slot || '"'), '');

CREATE OR REPLACE VIEW events AS SELECT
    c.uuid, c.event, CASE WHEN c.named_groups = '{}'::JSON THEN c.properties
        ELSE json_merge_patch(c.properties, c.named_groups) END AS properties,
    c.timestamp, c.team_id, c.distinct_id, c.elements_chain, c.created_at,
    coalesce((SELECT any_value(d.person_id) FROM person_distinct_ids d
        WHERE d.team_id = c.team_id AND d.distinct_id = c.distinct_id), c.person_id) AS person_id,
    CASE WHEN c.person_mode = 'full' THEN coalesce((SELECT any_value(p.created_at) FROM person_distinct_ids d
        JOIN persons p ON p.team_id = d.team_id AND p.id = d.person_id
        WHERE d.team_id = c.team_id AND d.distinct_id = c.distinct_id), c.person_created_at)
        ELSE c.person_created_at END AS person_created_at,
    c.person_properties, c.person_mode,
{group_columns}
    weir_slot(c.named_groups, c.properties, 0) AS "$group_0", weir_slot(c.named_groups, c.properties, 1) AS "$group_1",
    weir_slot(c.named_groups, c.properties, 2) AS "$group_2", weir_slot(c.named_groups, c.properties, 3) AS "$group_3",
    weir_slot(c.named_groups, c.properties, 4) AS "$group_4",
    weir_text(c.properties, '$window_id') AS "$window_id", weir_text(c.properties, '$session_id') AS "$session_id",
    c.plugins, c._timestamp, c._offset
FROM weir_counted c;
"#;

/// The columns of one group slot in [`EVENT_TIME_EVENTS`].
const GROUP_COLUMNS: &str = r"
    coalesce((SELECT any_value(g.group_properties) FROM groups g WHERE g.team_id = c.team_id
        AND g.group_type_index = {slot} AND g.group_key = weir_slot(c.named_groups, c.properties, {slot})
        AND c.person_mode = 'full'), '{}'::JSON) AS group{slot}_properties,
    coalesce((SELECT any_value(g.created_at) FROM groups g WHERE g.team_id = c.team_id
        AND g.group_type_index = {slot} AND g.group_key = weir_slot(c.named_groups, c.properties, {slot})
        AND c.person_mode = 'full'), make_timestamp_ms(0)) AS group{slot}_created_at,
";

/// Recordings under PostHog's name; they are among the events too.
const RECORDINGS: &str = r#"
CREATE OR REPLACE VIEW session_recording_events AS SELECT
    uuid, timestamp, team_id, distinct_id, "$session_id" AS session_id, "$window_id" AS window_id,
    properties->'$."$snapshot_data"' AS snapshot_data, created_at, _timestamp, _offset
FROM events WHERE event = '$snapshot';
"#;

/// The view `events` of an ordering, and what is made of it.
pub fn events_views(ordering: Ordering) -> String {
    let events = match ordering {
        Ordering::Arrival => ARRIVAL_EVENTS.to_owned(),
        Ordering::EventTime => {
            let columns: String = (0..5).map(|slot| GROUP_COLUMNS.replace("{slot}", &slot.to_string())).collect();
            EVENT_TIME_EVENTS.replace("{group_columns}", &columns)
        }
    };
    events + RECORDINGS
}

/// `events` in the order of the log: what was known when each was stored.
const ARRIVAL_EVENTS: &str = r#"
CREATE OR REPLACE VIEW events AS SELECT
    uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, person_id,
    person_created_at, person_properties, person_mode,
    weir_group_properties(groups, 0) AS group0_properties, weir_group_properties(groups, 1) AS group1_properties,
    weir_group_properties(groups, 2) AS group2_properties, weir_group_properties(groups, 3) AS group3_properties,
    weir_group_properties(groups, 4) AS group4_properties,
    weir_group_created_at(groups, 0) AS group0_created_at, weir_group_created_at(groups, 1) AS group1_created_at,
    weir_group_created_at(groups, 2) AS group2_created_at, weir_group_created_at(groups, 3) AS group3_created_at,
    weir_group_created_at(groups, 4) AS group4_created_at,
    weir_text(properties, '$group_0') AS "$group_0", weir_text(properties, '$group_1') AS "$group_1",
    weir_text(properties, '$group_2') AS "$group_2", weir_text(properties, '$group_3') AS "$group_3",
    weir_text(properties, '$group_4') AS "$group_4",
    weir_text(properties, '$window_id') AS "$window_id", weir_text(properties, '$session_id') AS "$session_id",
    plugins, _timestamp, _offset
FROM event_rows;
"#;
