//! Persons and distinct ids, read back for identity: there may be millions.
//!
//! # How
//!
//! The tables hold every version. Sorting or grouping them would need several times the memory of the
//! persons themselves, so nothing is sorted: a first look at the narrow columns notes the newest version
//! of what has more than one, and a second hands over the rows that are newest. Rows are read a window of
//! row numbers at a time, with DuckDB's memory held low: what it keeps of a file that was read once is
//! memory that nobody needs.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

use duckdb::arrow::array::AsArray as _;
use duckdb::arrow::datatypes::{Int8Type, Int64Type, UInt64Type};
use duckdb::arrow::record_batch::RecordBatch;
use uuid::Uuid;
use weir_event::clock::UnixMillis;

use crate::error::StoreError;
use crate::writer::StoreWriter;

/// Rows that are in memory at once, as DuckDB gives them.
const WINDOW_ROWS: i64 = 32_768;
/// DuckDB's memory while persons are read.
const READING_MEMORY: &str = "48MB";
/// Less than DuckDB keeps in any case: it lets go of all that it can.
const NO_MEMORY: &str = "1MB";

/// A person or an id that holds now.
#[derive(Debug)]
pub enum Holding<'a> {
    /// Comes before the ids: at most so many will follow.
    AtMostIds(usize),
    Person {
        id: Uuid,
        created_at_ms: UnixMillis,
        /// JSON text.
        properties: &'a str,
        is_identified: bool,
        version: u64,
    },
    Id {
        team_id: u32,
        distinct_id: &'a str,
        person_id: Uuid,
        version: u64,
    },
}

/// Newest versions of what has more than one, by two hashes: a false match has one chance in 2^128.
#[derive(Debug, Default)]
struct Newest {
    versions: HashMap<(u64, u64), u64>,
    hashers: (RandomState, RandomState),
}

impl Newest {
    fn key(&self, key: impl Hash) -> (u64, u64) {
        (self.hashers.0.hash_one(&key), self.hashers.1.hash_one(&key))
    }

    fn note(&mut self, key: impl Hash, version: u64) {
        let newest = self.versions.entry(self.key(key)).or_default();
        *newest = version.max(*newest);
    }

    fn is(&self, key: impl Hash, version: u64) -> bool {
        self.versions.is_empty() || version == self.versions.get(&self.key(key)).copied().unwrap_or_default()
    }
}

impl StoreWriter {
    /// Hands over every person that exists, then every id: about in the order in which they were stored,
    /// which is not exact, because DuckDB appends with several threads.
    pub fn restore_people<E: From<StoreError>>(
        &self,
        mut hold: impl FnMut(Holding<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let settings = |memory: &str, threads: u32, lossless: bool| {
            // Uuids as 16 bytes, not as text.
            let sql = format!("SET threads = {threads}; SET arrow_lossless_conversion = {lossless}");
            self.limit_memory(memory);
            self.connection.execute_batch(&sql).map_err(|error| E::from(error.into()))
        };
        // A second thread would gain little, and the first would wait for it in a busy loop.
        settings(READING_MEMORY, 1, true)?;
        let result = self.persons(&mut hold).and_then(|()| self.ids(&mut hold));
        self.limit_memory(NO_MEMORY);
        settings(&self.config().memory_limit, self.config().threads, false)?;
        result
    }

    fn persons<E: From<StoreError>>(&self, hold: &mut impl FnMut(Holding<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut newest = Newest::default();
        self.windows("person_rows", "id, version", "AND version > 0", |batch| {
            let (ids, versions) =
                (batch.column(0).as_fixed_size_binary(), batch.column(1).as_primitive::<UInt64Type>());
            for row in 0..batch.num_rows() {
                newest.note(uuid_of(ids.value(row))?, versions.value(row));
            }
            Ok::<_, StoreError>(())
        })?;
        let columns = "id, version, epoch_ms(created_at), properties::VARCHAR, is_identified, is_deleted";
        self.windows("person_rows", columns, "", |batch| {
            let (ids, versions) =
                (batch.column(0).as_fixed_size_binary(), batch.column(1).as_primitive::<UInt64Type>());
            let times = batch.column(2).as_primitive::<Int64Type>();
            let properties = batch.column(3).as_string::<i32>();
            let [identified, deleted] = [4, 5].map(|column| batch.column(column).as_primitive::<Int8Type>());
            for row in 0..batch.num_rows() {
                let (id, version) = (uuid_of(ids.value(row))?, versions.value(row));
                if newest.is(id, version) && deleted.value(row) == 0 {
                    hold(Holding::Person {
                        id,
                        created_at_ms: times.value(row),
                        properties: properties.value(row),
                        is_identified: identified.value(row) != 0,
                        version,
                    })?;
                }
            }
            Ok(())
        })
    }

    fn ids<E: From<StoreError>>(&self, hold: &mut impl FnMut(Holding<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut newest = Newest::default();
        self.windows("distinct_id_rows", "team_id, distinct_id, version", "AND version > 0", |batch| {
            let (teams, ids) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_string::<i32>());
            let versions = batch.column(2).as_primitive::<UInt64Type>();
            for row in 0..batch.num_rows() {
                newest.note((teams.value(row), ids.value(row)), versions.value(row));
            }
            Ok::<_, StoreError>(())
        })?;
        hold(Holding::AtMostIds(self.end("distinct_id_rows")? as usize))?;
        let columns = "team_id, distinct_id, version, person_id";
        self.windows("distinct_id_rows", columns, "", |batch| {
            let (teams, ids) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_string::<i32>());
            let (versions, persons) =
                (batch.column(2).as_primitive::<UInt64Type>(), batch.column(3).as_fixed_size_binary());
            for row in 0..batch.num_rows() {
                let (team_id, distinct_id, version) = (teams.value(row), ids.value(row), versions.value(row));
                if newest.is((team_id, distinct_id), version) {
                    let person_id = uuid_of(persons.value(row))?;
                    hold(Holding::Id { team_id: team_id as u32, distinct_id, person_id, version })?;
                }
            }
            Ok(())
        })
    }

    /// The row number after the last.
    fn end(&self, table: &str) -> Result<i64, StoreError> {
        let sql = format!("SELECT coalesce(max(rowid) + 1, 0) FROM {table}");
        Ok(self.connection.query_row(&sql, [], |row| row.get(0))?)
    }

    /// Reads columns of a table that are never null, a window of row numbers at a time.
    fn windows<E: From<StoreError>>(
        &self,
        table: &str,
        columns: &str,
        condition: &str,
        mut take: impl FnMut(&RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: duckdb::Error| E::from(StoreError::from(error));
        for first in (0..self.end(table)?).step_by(WINDOW_ROWS as usize) {
            let last = first + WINDOW_ROWS - 1;
            let sql = format!("SELECT {columns} FROM {table} WHERE rowid BETWEEN {first} AND {last} {condition}");
            let mut statement = self.connection.prepare(&sql).map_err(failed)?;
            // Not streamed: an error in the middle of a stream is a panic of the client library.
            for batch in statement.query_arrow([]).map_err(failed)? {
                take(&batch)?;
            }
        }
        Ok(())
    }

    /// What does not fit a lower limit stays; it is no reason not to read.
    fn limit_memory(&self, limit: &str) {
        if let Err(error) = self.connection.execute_batch(&format!("SET memory_limit = '{limit}'")) {
            tracing::debug!(%error, limit, "DuckDB's memory stays as it is");
        }
    }
}

fn uuid_of(bytes: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).map_err(|error| StoreError::Sql(format!("an id in the store is no uuid: {error}")))
}
