//! What plugins stored, as it was at a moment of the journal.

use duckdb::Connection;

use crate::error::StoreError;

/// Keys and JSON values of one plugin before a journal record, by key.
pub fn plugin_storage_before(
    connection: &Connection,
    plugin_id: &str,
    journal_sequence: u64,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, value FROM (
            SELECT key, value, row_number() OVER (PARTITION BY key ORDER BY journal_sequence DESC, _order DESC) AS newest
            FROM plugin_storage_rows WHERE plugin_id = ? AND journal_sequence < ?
        ) WHERE newest = 1 AND value IS NOT NULL ORDER BY key",
    )?;
    let rows =
        statement.query_map(duckdb::params![plugin_id, journal_sequence], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<duckdb::Result<_>>()?)
}
