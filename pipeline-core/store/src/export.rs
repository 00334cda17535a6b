//! Stored events in the order of the log, for sinks.
//!
//! Reads the rows themselves and not the view: what a sink is sent is what was known when the event was
//! stored, and is the same when it is read again. Rows of one offset (an event and those that plugins
//! made of it) are in the order in which they were stored.

use duckdb::{Connection, Row, params};
use weir_event::StoredEvent;
use weir_event::clock::UnixMillis;
use weir_event::stored::GROUP_SLOTS;

use crate::error::StoreError;
use crate::lookup::committed_offset;

/// Events of whole offsets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exported {
    pub events: Vec<StoredEvent>,
    /// Where the next read goes on: every committed event before it is in this one or an earlier.
    pub next: u64,
}

/// The committed events from `from` on and before `until`: about `events` of them or `bytes` of text,
/// but at least those of one offset.
pub fn export(
    connection: &Connection,
    from: u64,
    until: Option<u64>,
    events: usize,
    bytes: usize,
) -> Result<Exported, StoreError> {
    // Rows of a later commit have offsets at or beyond this, so nothing is missed in between.
    let committed = committed_offset(connection)?;
    let end = until.map_or(committed, |until| until.min(committed));
    let nothing = Exported { events: Vec::new(), next: end.max(from) };
    if from >= end {
        return Ok(nothing);
    }
    // A window of offsets, because it touches a few blocks of the table however much is behind it.
    let first: Option<u64> = connection
        .prepare_cached("SELECT min(_offset) FROM event_rows WHERE _offset >= ? AND _offset < ?")?
        .query_row(params![from, end], |row| row.get(0))?;
    let Some(first) = first else { return Ok(nothing) };
    let window = first.saturating_add(events as u64).min(end);
    let next = within(connection, first, window, bytes)?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM event_rows WHERE _offset >= ? AND _offset < ? ORDER BY _offset, rowid"
    ))?;
    let rows = statement.query_map(params![first, next], read)?.collect::<duckdb::Result<Vec<_>>>()?;
    Ok(Exported { events: rows, next })
}

/// Stored events that a sink at `offset` has not been sent.
pub fn pending(connection: &Connection, offset: u64) -> Result<u64, StoreError> {
    Ok(connection
        .prepare_cached("SELECT count(*) FROM event_rows WHERE _offset >= ?")?
        .query_row([offset], |row| row.get(0))?)
}

/// Offset of the first stored event whose timestamp is at or after a moment, milliseconds since the Unix epoch.
pub fn first_offset(connection: &Connection, from_ms: i64) -> Result<Option<u64>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT min(_offset) FROM event_rows WHERE timestamp >= make_timestamp(?::BIGINT * 1000)")?
        .query_row([from_ms], |row| row.get(0))?)
}

/// The end of the window, moved forward until its texts fit.
fn within(connection: &Connection, first: u64, end: u64, bytes: usize) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT _offset, sum(strlen(properties) + strlen(person_properties) + strlen(elements_chain) + 512)::UBIGINT \
         FROM event_rows WHERE _offset >= ? AND _offset < ? GROUP BY _offset ORDER BY _offset",
    )?;
    let mut rows = statement.query(params![first, end])?;
    let mut total = 0;
    while let Some(row) = rows.next()? {
        let offset: u64 = row.get(0)?;
        total += row.get::<_, u64>(1)?;
        if total > bytes as u64 {
            // The offset that does not fit begins the next read, unless it is the only one.
            return Ok(if offset == first { first + 1 } else { offset });
        }
    }
    Ok(end)
}

/// What [`read`] reads.
pub const COLUMNS: &str = "_offset, uuid::VARCHAR, event, properties::VARCHAR, epoch_ms(timestamp), team_id, distinct_id, \
    elements_chain, epoch_ms(created_at), person_id::VARCHAR, epoch_ms(person_created_at), person_properties::VARCHAR, \
    person_mode, groups::VARCHAR, plugins::VARCHAR, epoch_ms(_timestamp)";
pub const COLUMN_COUNT: usize = 16;

pub fn read(row: &Row<'_>) -> duckdb::Result<StoredEvent> {
    Ok(StoredEvent {
        offset: row.get(0)?,
        uuid: row.get(1)?,
        event: row.get(2)?,
        properties: row.get(3)?,
        timestamp_ms: row.get(4)?,
        team_id: row.get(5)?,
        distinct_id: row.get(6)?,
        elements_chain: row.get(7)?,
        created_at_ms: row.get(8)?,
        person_id: row.get(9)?,
        person_created_at_ms: row.get(10)?,
        person_properties: row.get(11)?,
        person_mode: row.get(12)?,
        groups: groups(row.get::<_, Option<String>>(13)?.as_deref()),
        plugins: row.get(14)?,
        received_at_ms: row.get(15)?,
    })
}

/// From `{"<slot>": [properties, created_at_ms]}`, as the `events` view reads it.
fn groups(text: Option<&str>) -> [(String, UnixMillis); GROUP_SLOTS] {
    let stored: serde_json::Value = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    std::array::from_fn(|slot| match stored.get(slot.to_string()) {
        Some(group) => (group[0].to_string(), group[1].as_i64().unwrap_or_default()),
        None => ("{}".into(), 0),
    })
}
