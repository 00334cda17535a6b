//! What a store holds, read back for the stages that continue from it.

use uuid::Uuid;
use weir_event::clock::UnixMillis;

use crate::error::StoreError;
use crate::lookup::committed;
use crate::rows::{Cursor, GroupRow, GroupTypeRow, SinkRow};
use crate::sinks;
use crate::writer::StoreWriter;

/// Current state but for persons, which are read one by one: there may be many.
#[derive(Debug, Default)]
pub struct Restored {
    pub cursor: Cursor,
    pub group_types: Vec<GroupTypeRow>,
    pub groups: Vec<GroupRow>,
    /// (project, token)
    pub projects: Vec<(u32, String)>,
    /// (key, value), oldest first.
    pub meta: Vec<(String, String)>,
    /// (offset, uuid) of open dead letters.
    pub dead_letters: Vec<(u64, Uuid)>,
    /// (plugin, key, JSON value)
    pub plugin_storage: Vec<(String, String, String)>,
    pub sinks: Vec<SinkRow>,
}

/// What identity needs of a stored event.
#[derive(Debug)]
pub struct CountedEvent {
    pub team_id: u32,
    pub uuid: Uuid,
    pub event: String,
    pub distinct_id: String,
    /// JSON text.
    pub properties: String,
    pub timestamp_ms: UnixMillis,
    pub received_at_ms: UnixMillis,
    pub person_mode: String,
    pub payload: u128,
    pub offset: u64,
}

/// (project, key, newest version) of everything that has versions.
#[derive(Debug, Default)]
pub struct Versions {
    pub persons: Vec<(u32, Uuid, u64)>,
    pub distinct_ids: Vec<(u32, String, u64)>,
}

impl StoreWriter {
    /// Hands over every stored event that no other of its uuid replaced.
    pub fn restore_counted_events<E: From<StoreError>>(
        &self,
        mut event: impl FnMut(CountedEvent) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = |error: duckdb::Error| E::from(StoreError::from(error));
        let mut statement = self
            .connection
            .prepare(
                "SELECT r.team_id, r.uuid::VARCHAR, r.event, r.distinct_id, r.properties::VARCHAR, epoch_ms(r.timestamp), \
                 epoch_ms(r._timestamp), r.person_mode, r._payload, r._offset FROM event_rows r ANTI JOIN superseded_rows s \
                 ON s.team_id = r.team_id AND s.uuid = r.uuid AND s._offset = r._offset",
            )
            .map_err(sql)?;
        let mut rows = statement.query([]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let read = || -> duckdb::Result<CountedEvent> {
                Ok(CountedEvent {
                    team_id: row.get(0)?,
                    uuid: uuid_at(row, 1)?,
                    event: row.get(2)?,
                    distinct_id: row.get(3)?,
                    properties: row.get(4)?,
                    timestamp_ms: row.get(5)?,
                    received_at_ms: row.get(6)?,
                    person_mode: row.get(7)?,
                    payload: row.get(8)?,
                    offset: row.get(9)?,
                })
            };
            event(read().map_err(sql)?)?;
        }
        Ok(())
    }

    pub fn newest_versions(&self) -> Result<Versions, StoreError> {
        Ok(Versions {
            persons: self.rows(
                "SELECT team_id, id::VARCHAR, max(version) FROM person_rows GROUP BY team_id, person_rows.id",
                |row| Ok((row.get(0)?, uuid_at(row, 1)?, row.get(2)?)),
            )?,
            distinct_ids: self.rows(
                "SELECT team_id, distinct_id, max(version) FROM distinct_id_rows GROUP BY team_id, distinct_id",
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?,
        })
    }

    pub fn restore(&self) -> Result<Restored, StoreError> {
        let cursor = committed(&self.connection)?;
        let group_types = self.rows(
            "SELECT team_id, group_type, arg_max(slot, version), max(version), max(_offset) FROM group_type_rows \
             GROUP BY team_id, group_type",
            |row| {
                Ok(GroupTypeRow {
                    team_id: row.get(0)?,
                    kind: row.get(1)?,
                    slot: row.get(2)?,
                    version: row.get(3)?,
                    offset: row.get(4)?,
                })
            },
        )?;
        let groups = self.rows(
            "SELECT team_id, group_type, group_key, epoch_ms(created_at), properties::VARCHAR, \
             property_times::VARCHAR, is_deleted, version, _offset FROM group_rows \
             QUALIFY row_number() OVER (PARTITION BY team_id, group_type, group_key ORDER BY version DESC) = 1",
            |row| {
                Ok(GroupRow {
                    team_id: row.get(0)?,
                    kind: row.get(1)?,
                    key: row.get(2)?,
                    created_at_ms: row.get(3)?,
                    properties: row.get(4)?,
                    property_times: row.get(5)?,
                    is_deleted: row.get::<_, i8>(6)? != 0,
                    version: row.get(7)?,
                    offset: row.get(8)?,
                })
            },
        )?;
        let projects =
            self.rows("SELECT team_id, token FROM projects ORDER BY team_id", |row| Ok((row.get(0)?, row.get(1)?)))?;
        let plugin_storage = self.rows("SELECT plugin_id, key, value FROM plugin_storage ORDER BY ALL", |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        let dead_letters = self
            .rows("SELECT _offset, event_uuid::VARCHAR FROM dead_letters", |row| Ok((row.get(0)?, uuid_at(row, 1)?)))?;
        let meta =
            self.rows("SELECT key, value FROM weir_meta ORDER BY rowid", |row| Ok((row.get(0)?, row.get(1)?)))?;
        let sinks = self.rows(sinks::SELECT, sinks::read)?;
        Ok(Restored { cursor, group_types, groups, projects, meta, dead_letters, plugin_storage, sinks })
    }

    fn rows<T>(
        &self,
        sql: &str,
        read: impl FnMut(&duckdb::Row<'_>) -> duckdb::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], read)?.collect::<duckdb::Result<Vec<_>>>()?;
        Ok(rows)
    }
}

pub(crate) fn uuid_at(row: &duckdb::Row<'_>, column: usize) -> duckdb::Result<Uuid> {
    let text: String = row.get(column)?;
    Uuid::parse_str(&text)
        .map_err(|error| duckdb::Error::FromSqlConversionFailure(column, duckdb::types::Type::Text, Box::new(error)))
}
