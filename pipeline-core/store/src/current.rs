//! Everything as it is now, for who holds it against what it must be.

use duckdb::{Connection, Row};
use weir_event::StoredEvent;
use weir_event::clock::UnixMillis;
use weir_event::stored::GROUP_SLOTS;

use crate::error::StoreError;
use crate::export;
use crate::lookup;
use crate::rows::{Cursor, DistinctIdRow, PersonRow};

/// A group of a type that has a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupNow {
    pub team_id: u32,
    pub slot: u8,
    pub kind: String,
    pub key: String,
    /// JSON text.
    pub properties: String,
    pub created_at_ms: UnixMillis,
}

/// What the views show, all of one commit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Current {
    pub cursor: Cursor,
    pub events: Vec<StoredEvent>,
    pub persons: Vec<PersonRow>,
    pub distinct_ids: Vec<DistinctIdRow>,
    pub groups: Vec<GroupNow>,
}

/// Reads all of the store into memory; for stores whose size the caller has bounded.
pub fn current(connection: &Connection) -> Result<Current, StoreError> {
    connection.execute_batch("BEGIN")?;
    let read = || -> Result<Current, StoreError> {
        Ok(Current {
            cursor: lookup::committed(connection)?,
            events: events(connection)?,
            persons: all(connection, &format!("SELECT {} FROM persons", living(lookup::PERSON)), lookup::person)?,
            distinct_ids: all(
                connection,
                &format!("SELECT {} FROM person_distinct_ids", living(lookup::DISTINCT_ID)),
                lookup::distinct_id,
            )?,
            groups: all(
                connection,
                "SELECT team_id, group_type_index, group_type, group_key, group_properties::VARCHAR, \
                 epoch_ms(created_at) FROM groups",
                |row| {
                    Ok(GroupNow {
                        team_id: row.get(0)?,
                        slot: row.get(1)?,
                        kind: row.get(2)?,
                        key: row.get(3)?,
                        properties: row.get(4)?,
                        created_at_ms: row.get(5)?,
                    })
                },
            )?,
        })
    };
    let current = read();
    connection.execute_batch("COMMIT")?;
    current
}

/// Views have only what is not deleted, and no column that says so.
fn living(columns: &str) -> String {
    columns.replace("is_deleted", "false")
}

fn events(connection: &Connection) -> Result<Vec<StoredEvent>, StoreError> {
    let groups: String = (0..GROUP_SLOTS)
        .flat_map(|slot| [format!(", group{slot}_properties::VARCHAR"), format!(", epoch_ms(group{slot}_created_at)")])
        .collect();
    let sql = format!("SELECT {} {groups} FROM events", export::COLUMNS.replace("groups::VARCHAR", "NULL::VARCHAR"));
    all(connection, &sql, |row| {
        let mut event = export::read(row)?;
        for (slot, group) in event.groups.iter_mut().enumerate() {
            *group = (row.get(export::COLUMN_COUNT + slot * 2)?, row.get(export::COLUMN_COUNT + slot * 2 + 1)?);
        }
        Ok(event)
    })
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> duckdb::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([], read)?.collect::<duckdb::Result<Vec<_>>>()?)
}
