//! Single facts, for who asks about one event.

use duckdb::{Connection, OptionalExt as _, params};

use crate::error::StoreError;

/// The number of a project, by its token.
pub fn project_number(connection: &Connection, token: &str) -> Result<Option<u32>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT team_id FROM project_rows WHERE token = ?")?;
    Ok(statement.query_row([token], |row| row.get(0)).optional()?)
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
