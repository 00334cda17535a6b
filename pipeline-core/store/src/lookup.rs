//! Single facts, for who asks about one event.

use duckdb::{Connection, OptionalExt as _, Row, params};
use weir_event::outcome::OutcomeCounts;

use crate::error::StoreError;
use crate::restore::uuid_at;
use crate::rows::{Cursor, DistinctIdRow, PersonRow};

/// The number of a project, by its token.
pub fn project_number(connection: &Connection, token: &str) -> Result<Option<u32>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT team_id FROM project_rows WHERE token = ?")?;
    Ok(statement.query_row([token], |row| row.get(0)).optional()?)
}

/// Tokens of all projects.
pub fn project_tokens(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT token FROM project_rows")?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<duckdb::Result<Vec<_>>>()?)
}

/// What is kept under a name, JSON or text.
pub fn meta_value(connection: &Connection, key: &str) -> Result<Option<String>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT value FROM weir_meta WHERE key = ? ORDER BY rowid DESC LIMIT 1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// Whether a person is identified; false for one that is not there.
pub fn is_identified(connection: &Connection, project: u32, person: &str) -> Result<bool, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT is_identified FROM persons WHERE team_id = ? AND id = ?::UUID")?;
    Ok(statement.query_row(params![project, person], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// Offset behind the last event that is committed.
pub fn committed_offset(connection: &Connection) -> Result<u64, StoreError> {
    Ok(connection.query_row("SELECT intake_offset FROM weir_state", [], |row| row.get(0))?)
}

/// Sequence of the journal record that redrove the event of this offset and uuid last.
pub fn redriven_by(connection: &Connection, offset: u64, uuid: &str) -> Result<Option<u64>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT max(journal_sequence) FROM redriven_rows WHERE _offset = ? AND event_uuid = ?::UUID")?;
    Ok(statement.query_row(params![offset, uuid], |row| row.get(0))?)
}

/// (offset, uuid) of every row of events of these offsets.
pub fn stored_uuids(connection: &Connection, from: u64, until: u64) -> Result<Vec<(u64, String)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT _offset, uuid::VARCHAR FROM event_rows WHERE _offset >= ? AND _offset < ?")?;
    let rows = statement.query_map(params![from, until], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<duckdb::Result<Vec<_>>>()?)
}

/// A dead letter that was redriven.
#[derive(Debug, Clone)]
pub struct Redriven {
    pub offset: u64,
    pub uuid: String,
    /// How it ended last.
    pub outcome: String,
    /// Of the journal records that redrove it.
    pub sequences: Vec<u64>,
}

/// The redriven letters of these offsets.
pub fn redriven(connection: &Connection, from: u64, until: u64) -> Result<Vec<Redriven>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT _offset, event_uuid::VARCHAR, max_by(outcome, journal_sequence), \
         string_agg(journal_sequence::VARCHAR, ' ') FROM redriven_rows WHERE _offset >= ? AND _offset < ? GROUP BY ALL",
    )?;
    let rows = statement.query_map(params![from, until], |row| {
        let sequences: String = row.get(3)?;
        Ok(Redriven {
            offset: row.get(0)?,
            uuid: row.get(1)?,
            outcome: row.get(2)?,
            sequences: sequences.split(' ').filter_map(|sequence| sequence.parse().ok()).collect(),
        })
    })?;
    Ok(rows.collect::<duckdb::Result<Vec<_>>>()?)
}

/// What was written down about persons and distinct ids for events of these offsets, the newest row of each.
pub fn people_changes(
    connection: &Connection,
    from: u64,
    until: u64,
) -> Result<(Vec<PersonRow>, Vec<DistinctIdRow>), StoreError> {
    let newest = |columns: &str, table: &str, key: &str| {
        format!(
            "SELECT {columns} FROM {table} WHERE _offset >= ? AND _offset < ? \
             QUALIFY row_number() OVER (PARTITION BY team_id, {key} ORDER BY version DESC) = 1"
        )
    };
    let mut persons = connection.prepare_cached(&newest(PERSON, "person_rows", "id"))?;
    let persons = persons.query_map(params![from, until], person)?.collect::<duckdb::Result<Vec<_>>>()?;
    let mut ids = connection.prepare_cached(&newest(DISTINCT_ID, "distinct_id_rows", "distinct_id"))?;
    let ids = ids.query_map(params![from, until], distinct_id)?.collect::<duckdb::Result<Vec<_>>>()?;
    Ok((persons, ids))
}

/// What [`person`] reads.
pub const PERSON: &str =
    "id::VARCHAR, epoch_ms(created_at), team_id, properties::VARCHAR, is_identified, is_deleted, version, _offset";

pub fn person(row: &Row<'_>) -> duckdb::Result<PersonRow> {
    Ok(PersonRow {
        id: uuid_at(row, 0)?,
        created_at_ms: row.get(1)?,
        team_id: row.get(2)?,
        properties: row.get(3)?,
        is_identified: row.get(4)?,
        is_deleted: row.get(5)?,
        version: row.get(6)?,
        offset: row.get(7)?,
    })
}

/// What [`distinct_id`] reads.
pub const DISTINCT_ID: &str = "team_id, distinct_id, person_id::VARCHAR, is_deleted, version, _offset";

pub fn distinct_id(row: &Row<'_>) -> duckdb::Result<DistinctIdRow> {
    Ok(DistinctIdRow {
        team_id: row.get(0)?,
        distinct_id: row.get(1)?,
        person_id: uuid_at(row, 2)?,
        is_deleted: row.get(3)?,
        version: row.get(4)?,
        offset: row.get(5)?,
    })
}

/// The first columns of `weir_state`, as they are read by [`cursor`].
pub const CURSOR_COLUMNS: &str = "journal_sequence, intake_offset, stored, dropped, rejected, dead_lettered, deduplicated, conflicting_duplicates, emitted";

/// How far the store is: journal records and intake offsets that are committed, and the outcomes of all events.
pub fn committed(connection: &Connection) -> Result<Cursor, StoreError> {
    Ok(connection.query_row(&format!("SELECT {CURSOR_COLUMNS} FROM weir_state"), [], cursor)?)
}

/// From a row that begins with [`CURSOR_COLUMNS`].
pub fn cursor(row: &Row<'_>) -> duckdb::Result<Cursor> {
    Ok(Cursor {
        journal_sequence: row.get(0)?,
        intake_offset: row.get(1)?,
        outcomes: OutcomeCounts {
            stored: row.get(2)?,
            dropped: row.get(3)?,
            rejected: row.get(4)?,
            dead_lettered: row.get(5)?,
            deduplicated: row.get(6)?,
            conflicting_duplicates: row.get(7)?,
            emitted: row.get(8)?,
        },
    })
}
