//! Where each sink is: one row a sink, changed in the commit that changes it.
//!
//! The journal is the authority; this is its newest state, so that a start need not read all of it.

use duckdb::{Connection, Row, params};
use weir_event::journal::{SinkCursor, SinkRecord};

use crate::restore::uuid_at;
use crate::rows::SinkRow;

pub const SELECT: &str = "SELECT name, id::VARCHAR, kind, target, start_offset, max_attempts, cursor_offset, \
     until_offset, delivered, failed, retried FROM weir_sinks ORDER BY name";

pub fn read(row: &Row<'_>) -> duckdb::Result<SinkRow> {
    let name: String = row.get(0)?;
    let cursor = SinkCursor {
        sink: name.clone(),
        offset: row.get(6)?,
        until: row.get(7)?,
        delivered: row.get(8)?,
        failed: row.get(9)?,
        retried: row.get(10)?,
        failures: Vec::new(),
    };
    let record = SinkRecord {
        name,
        id: uuid_at(row, 1)?,
        kind: row.get(2)?,
        target: row.get(3)?,
        start: row.get(4)?,
        max_attempts: row.get(5)?,
    };
    Ok(SinkRow { record, cursor, is_removed: false })
}

/// Brings the rows of these sinks to their newest state.
pub fn put(connection: &Connection, rows: &[SinkRow]) -> duckdb::Result<()> {
    for (at, row) in rows.iter().enumerate() {
        let name = &row.record.name;
        if rows[at + 1..].iter().any(|later| later.record.name == *name) {
            continue;
        }
        connection.prepare_cached("DELETE FROM weir_sinks WHERE name = ?")?.execute([name])?;
        if row.is_removed {
            continue;
        }
        let (record, cursor) = (&row.record, &row.cursor);
        connection.prepare_cached("INSERT INTO weir_sinks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?.execute(
            params![
                name,
                record.id.to_string(),
                record.kind,
                record.target,
                record.start,
                record.max_attempts,
                cursor.offset,
                cursor.until,
                cursor.delivered,
                cursor.failed,
                cursor.retried,
            ],
        )?;
    }
    Ok(())
}
