//! Tables and views. Tables end in `_rows` and only grow; views give current state under the names
//! that people query.

/// Changes with every change of a table; a store with another one is rebuilt.
pub const SCHEMA_VERSION: &str = "1";

pub const TABLES: &str = r"
CREATE TABLE IF NOT EXISTS weir_meta (key VARCHAR, value VARCHAR);

CREATE TABLE IF NOT EXISTS weir_state (
    journal_sequence UBIGINT, intake_offset UBIGINT,
    stored UBIGINT, dropped UBIGINT, rejected UBIGINT, dead_lettered UBIGINT, deduplicated UBIGINT,
    conflicting_duplicates UBIGINT, emitted UBIGINT
);

CREATE TABLE IF NOT EXISTS event_rows (
    uuid UUID, event VARCHAR, properties JSON, timestamp TIMESTAMP, team_id BIGINT, distinct_id VARCHAR,
    elements_chain VARCHAR, created_at TIMESTAMP, person_id UUID, person_created_at TIMESTAMP,
    person_properties JSON, plugins JSON, _timestamp TIMESTAMP, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS person_rows (
    id UUID, created_at TIMESTAMP, team_id BIGINT, properties JSON, is_identified TINYINT, is_deleted TINYINT,
    version UBIGINT, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS distinct_id_rows (
    team_id BIGINT, distinct_id VARCHAR, person_id UUID, is_deleted TINYINT, version UBIGINT, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS plugin_log_rows (
    id UUID, plugin_id VARCHAR, version VARCHAR, timestamp TIMESTAMP, source VARCHAR, type VARCHAR,
    message VARCHAR, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS dead_letter_rows (
    id UUID, event_uuid UUID, event VARCHAR, distinct_id VARCHAR, team_id BIGINT, created_at TIMESTAMP,
    ip VARCHAR, site_url VARCHAR, now TIMESTAMP, raw_payload VARCHAR, error_timestamp TIMESTAMP,
    error_location VARCHAR, error VARCHAR, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS warning_rows (
    id UUID, team_id BIGINT, source VARCHAR, type VARCHAR, details JSON, timestamp TIMESTAMP, _offset UBIGINT
);

CREATE TABLE IF NOT EXISTS project_rows (team_id BIGINT, token VARCHAR, _offset UBIGINT);

CREATE TABLE IF NOT EXISTS plugin_storage_rows (
    plugin_id VARCHAR, key VARCHAR, value VARCHAR, journal_sequence UBIGINT, _order UBIGINT
);
";

pub const VIEWS: &str = r#"
CREATE OR REPLACE VIEW events AS SELECT
    uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, person_id,
    person_created_at, person_properties, plugins,
    coalesce(properties->>'$."$group_0"', '') AS "$group_0",
    coalesce(properties->>'$."$group_1"', '') AS "$group_1",
    coalesce(properties->>'$."$group_2"', '') AS "$group_2",
    coalesce(properties->>'$."$group_3"', '') AS "$group_3",
    coalesce(properties->>'$."$group_4"', '') AS "$group_4",
    coalesce(properties->>'$."$window_id"', '') AS "$window_id",
    coalesce(properties->>'$."$session_id"', '') AS "$session_id",
    _timestamp, _offset
FROM event_rows;

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

CREATE OR REPLACE VIEW groups AS
SELECT 0::UTINYINT AS group_type_index, ''::VARCHAR AS group_key, NULL::TIMESTAMP AS created_at,
    0::BIGINT AS team_id, NULL::JSON AS group_properties WHERE false;

CREATE OR REPLACE VIEW plugin_logs AS SELECT * FROM plugin_log_rows;
CREATE OR REPLACE VIEW dead_letters AS SELECT * FROM dead_letter_rows;
CREATE OR REPLACE VIEW ingestion_warnings AS SELECT * FROM warning_rows;
CREATE OR REPLACE VIEW projects AS SELECT team_id, token FROM project_rows;

CREATE OR REPLACE VIEW person AS SELECT * FROM person_rows;
CREATE OR REPLACE VIEW person_distinct_id2 AS SELECT * FROM distinct_id_rows;
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
