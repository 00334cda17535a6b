//! The one connection that writes. Lives on one thread.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use duckdb::types::{TimeUnit, Value as Sql};
use duckdb::{AccessMode, Appender, Config, Connection, params};
use uuid::Uuid;
use weir_event::clock::UnixMillis;

use crate::error::StoreError;
use crate::query::QueryPool;
use crate::rows::{Cursor, DistinctIdRow, PersonRow, RowBatch};
use crate::schema::{SCHEMA_VERSION, TABLES, VIEWS};

#[derive(Debug, Clone)]
pub struct StoreConfig {
    pub path: PathBuf,
    /// DuckDB's own limit, e.g. `1GB`; it spills or fails beyond it.
    pub memory_limit: String,
    pub threads: u32,
}

impl StoreConfig {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), memory_limit: "1GB".into(), threads: 2 }
    }
}

/// Current state that the stages after the journal start from.
#[derive(Debug, Default)]
pub struct Restored {
    pub cursor: Cursor,
    pub persons: Vec<PersonRow>,
    pub distinct_ids: Vec<DistinctIdRow>,
    /// (project, token)
    pub projects: Vec<(u32, String)>,
    /// (key, value), oldest first.
    pub meta: Vec<(String, String)>,
    /// (plugin, key, JSON value)
    pub plugin_storage: Vec<(String, String, String)>,
}

#[derive(Debug)]
pub struct StoreWriter {
    connection: Connection,
    config: StoreConfig,
    /// Device and inode of the file that is open, to notice that it was deleted or replaced.
    identity: (u64, u64),
}

impl StoreWriter {
    /// Opens or creates the store and brings tables and views to this version.
    pub fn open(config: StoreConfig) -> Result<Self, StoreError> {
        let connection = connect(&config, AccessMode::ReadWrite)?;
        let setup = || -> duckdb::Result<Option<String>> {
            connection.execute_batch(TABLES)?;
            let mut statement = connection.prepare("SELECT value FROM weir_meta WHERE key = 'schema'")?;
            let mut rows = statement.query([])?;
            let found: Option<String> = match rows.next()? {
                Some(row) => Some(row.get(0)?),
                None => None,
            };
            drop(rows);
            drop(statement);
            if found.is_none() {
                connection.execute_batch("BEGIN; INSERT INTO weir_state VALUES (0, 0, 0, 0, 0, 0, 0, 0, 0);")?;
                connection.execute("INSERT INTO weir_meta VALUES ('schema', ?)", [SCHEMA_VERSION])?;
                connection.execute_batch("COMMIT")?;
            }
            connection.execute_batch(VIEWS)?;
            Ok(found)
        };
        let found = setup().map_err(|error| open_error(&config.path, &error))?;
        if let Some(found) = found.filter(|found| found != SCHEMA_VERSION) {
            return Err(StoreError::Schema { path: config.path, found, expected: SCHEMA_VERSION });
        }
        connection
            .execute_batch("SET enable_external_access = false; SET lock_configuration = true;")
            .map_err(|error| open_error(&config.path, &error))?;
        let identity = file_identity(&config.path)?;
        Ok(Self { connection, config, identity })
    }

    /// Connections for queries against this store.
    pub fn query_pool(&self, connections: usize) -> Result<QueryPool, StoreError> {
        let clones = (0..connections).map(|_| self.connection.try_clone()).collect::<Result<Vec<_>, _>>()?;
        Ok(QueryPool::new(clones))
    }

    /// Adds `rows` and moves the cursor, in one transaction.
    pub fn commit(&mut self, rows: &RowBatch, cursor: &Cursor) -> Result<(), StoreError> {
        self.check_present()?;
        let result = self.commit_inner(rows, cursor);
        if result.is_err() {
            // The transaction is void either way; the caller reopens and goes on from the old cursor.
            self.connection.execute_batch("ROLLBACK").ok();
        }
        result?;
        self.check_present()
    }

    fn commit_inner(&self, rows: &RowBatch, cursor: &Cursor) -> Result<(), duckdb::Error> {
        self.connection.execute_batch("BEGIN")?;
        self.table("event_rows", rows.events.len(), |appender| append_events(appender, rows))?;
        self.table("person_rows", rows.persons.len(), |appender| append_persons(appender, rows))?;
        self.table("distinct_id_rows", rows.distinct_ids.len(), |appender| append_distinct_ids(appender, rows))?;
        self.table("plugin_log_rows", rows.plugin_logs.len(), |appender| append_plugin_logs(appender, rows))?;
        self.table("dead_letter_rows", rows.dead_letters.len(), |appender| append_dead_letters(appender, rows))?;
        self.table("warning_rows", rows.warnings.len(), |appender| append_warnings(appender, rows))?;
        self.table("plugin_storage_rows", rows.storage.len(), |appender| append_storage(appender, rows))?;
        self.table("project_rows", rows.projects.len(), |appender| {
            rows.projects.iter().try_for_each(|(team_id, token, offset)| {
                appender.append_row(params![i64::from(*team_id), token, offset])
            })
        })?;
        self.table("weir_meta", rows.meta.len(), |appender| {
            rows.meta.iter().try_for_each(|(key, value)| appender.append_row(params![key, value]))
        })?;
        let counts = cursor.outcomes;
        self.connection
            .prepare_cached(
                "UPDATE weir_state SET journal_sequence = ?, intake_offset = ?, stored = ?, dropped = ?, \
                 rejected = ?, dead_lettered = ?, deduplicated = ?, conflicting_duplicates = ?, emitted = ?",
            )?
            .execute(params![
                cursor.journal_sequence,
                cursor.intake_offset,
                counts.stored,
                counts.dropped,
                counts.rejected,
                counts.dead_lettered,
                counts.deduplicated,
                counts.conflicting_duplicates,
                counts.emitted,
            ])?;
        self.connection.execute_batch("COMMIT")
    }

    fn table(
        &self,
        name: &str,
        rows: usize,
        fill: impl FnOnce(&mut Appender<'_>) -> duckdb::Result<()>,
    ) -> duckdb::Result<()> {
        if rows == 0 {
            return Ok(());
        }
        let mut appender = self.connection.appender(name)?;
        fill(&mut appender)?;
        // A drop would flush too, and lose the error.
        appender.flush()
    }

    /// What the store holds, for the stages that continue from it.
    pub fn restore(&self) -> Result<Restored, StoreError> {
        let state = self.connection.query_row("SELECT * FROM weir_state", [], |row| {
            Ok(Cursor {
                journal_sequence: row.get(0)?,
                intake_offset: row.get(1)?,
                outcomes: weir_event::outcome::OutcomeCounts {
                    stored: row.get(2)?,
                    dropped: row.get(3)?,
                    rejected: row.get(4)?,
                    dead_lettered: row.get(5)?,
                    deduplicated: row.get(6)?,
                    conflicting_duplicates: row.get(7)?,
                    emitted: row.get(8)?,
                },
            })
        })?;
        let persons = self.rows(
            "SELECT id::VARCHAR, epoch_ms(created_at), team_id, properties::VARCHAR, is_identified, version, _offset \
             FROM persons ORDER BY _offset, id",
            |row| {
                Ok(PersonRow {
                    id: uuid_at(row, 0)?,
                    created_at_ms: row.get(1)?,
                    team_id: row.get(2)?,
                    properties: row.get(3)?,
                    is_identified: row.get::<_, i8>(4)? != 0,
                    is_deleted: false,
                    version: row.get(5)?,
                    offset: row.get(6)?,
                })
            },
        )?;
        let distinct_ids = self.rows(
            "SELECT team_id, distinct_id, person_id::VARCHAR, version, _offset FROM person_distinct_ids \
             ORDER BY _offset, distinct_id",
            |row| {
                Ok(DistinctIdRow {
                    team_id: row.get(0)?,
                    distinct_id: row.get(1)?,
                    person_id: uuid_at(row, 2)?,
                    version: row.get(3)?,
                    offset: row.get(4)?,
                })
            },
        )?;
        let projects =
            self.rows("SELECT team_id, token FROM projects ORDER BY team_id", |row| Ok((row.get(0)?, row.get(1)?)))?;
        let plugin_storage = self.rows("SELECT plugin_id, key, value FROM plugin_storage ORDER BY ALL", |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        let meta =
            self.rows("SELECT key, value FROM weir_meta ORDER BY rowid", |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Restored { cursor: state, persons, distinct_ids, projects, meta, plugin_storage })
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

    /// Folds the write-ahead log into the file: shortens the next start.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("CHECKPOINT")?)
    }

    /// Fails when the file that is open is not the one at its path any more.
    pub fn check_present(&self) -> Result<(), StoreError> {
        let present = file_identity(&self.config.path).is_ok_and(|identity| identity == self.identity);
        if present { Ok(()) } else { Err(StoreError::Vanished { path: self.config.path.clone() }) }
    }

    pub fn path(&self) -> &Path {
        &self.config.path
    }
}

/// Connections to a store that no server has open.
pub fn open_read_only(path: &Path, connections: usize) -> Result<QueryPool, StoreError> {
    let connection = connect(&StoreConfig::new(path), AccessMode::ReadOnly)?;
    connection
        .execute_batch("SET enable_external_access = false; SET lock_configuration = true;")
        .map_err(|error| open_error(path, &error))?;
    let clones = (0..connections).map(|_| connection.try_clone()).collect::<Result<Vec<_>, _>>()?;
    Ok(QueryPool::new(clones))
}

fn connect(config: &StoreConfig, access: AccessMode) -> Result<Connection, StoreError> {
    let options = || -> duckdb::Result<Config> {
        Config::default()
            .access_mode(access)?
            .threads(i64::from(config.threads))?
            .max_memory(&config.memory_limit)?
            .with("preserve_insertion_order", "false")?
            .with("autoinstall_known_extensions", "false")?
            .with("autoload_known_extensions", "false")?
            .with("checkpoint_threshold", "256MB")
    };
    options()
        .and_then(|options| Connection::open_with_flags(&config.path, options))
        .map_err(|error| open_error(&config.path, &error))
}

/// Opens the store and reads from it, then closes it: run in a child process after an unclean stop, so
/// that a fatal error inside the database library ends the child and not the server.
pub fn probe(path: &Path) -> Result<(), StoreError> {
    StoreWriter::open(StoreConfig::new(path))?.restore().map(|_| ())
}

fn open_error(path: &Path, error: &duckdb::Error) -> StoreError {
    StoreError::Open { path: path.to_owned(), message: error.to_string() }
}

fn file_identity(path: &Path) -> Result<(u64, u64), StoreError> {
    std::fs::metadata(path)
        .map(|metadata| (metadata.dev(), metadata.ino()))
        .map_err(|_| StoreError::Vanished { path: path.to_owned() })
}

fn uuid_at(row: &duckdb::Row<'_>, column: usize) -> duckdb::Result<Uuid> {
    let text: String = row.get(column)?;
    Uuid::parse_str(&text)
        .map_err(|error| duckdb::Error::FromSqlConversionFailure(column, duckdb::types::Type::Text, Box::new(error)))
}

fn at(ms: UnixMillis) -> Sql {
    Sql::Timestamp(TimeUnit::Microsecond, ms.saturating_mul(1_000))
}

/// The appender casts text to UUID; a reused buffer keeps that from allocating per value.
struct UuidText([u8; 36]);

impl UuidText {
    const fn new() -> Self {
        Self([0; 36])
    }

    fn of(&mut self, uuid: Uuid) -> &str {
        uuid.hyphenated().encode_lower(&mut self.0)
    }
}

fn append_events(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    let (mut event_uuid, mut person_uuid) = (UuidText::new(), UuidText::new());
    rows.events.iter().try_for_each(|row| {
        appender.append_row(params![
            event_uuid.of(row.uuid),
            row.event,
            row.properties,
            at(row.timestamp_ms),
            i64::from(row.team_id),
            row.distinct_id,
            row.elements_chain,
            at(row.created_at_ms),
            person_uuid.of(row.person_id),
            at(row.person_created_at_ms),
            row.person_properties,
            row.plugins,
            at(row.received_at_ms),
            row.offset,
        ])
    })
}

fn append_persons(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    let mut uuid = UuidText::new();
    rows.persons.iter().try_for_each(|row| {
        appender.append_row(params![
            uuid.of(row.id),
            at(row.created_at_ms),
            i64::from(row.team_id),
            row.properties,
            i8::from(row.is_identified),
            i8::from(row.is_deleted),
            row.version,
            row.offset,
        ])
    })
}

fn append_distinct_ids(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    let mut uuid = UuidText::new();
    rows.distinct_ids.iter().try_for_each(|row| {
        appender.append_row(params![
            i64::from(row.team_id),
            row.distinct_id,
            uuid.of(row.person_id),
            0_i8,
            row.version,
            row.offset,
        ])
    })
}

fn append_plugin_logs(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    let mut uuid = UuidText::new();
    rows.plugin_logs.iter().try_for_each(|row| {
        appender.append_row(params![
            uuid.of(row.id),
            row.plugin_id,
            row.version,
            at(row.at_ms),
            row.source,
            row.level,
            row.message,
            row.offset,
        ])
    })
}

fn append_dead_letters(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    let (mut id, mut event_uuid) = (UuidText::new(), UuidText::new());
    rows.dead_letters.iter().try_for_each(|row| {
        appender.append_row(params![
            id.of(row.id),
            event_uuid.of(row.event_uuid),
            row.event,
            row.distinct_id,
            i64::from(row.team_id),
            at(row.error_at_ms),
            row.ip,
            row.site_url,
            at(row.received_at_ms),
            row.raw_payload,
            at(row.error_at_ms),
            row.error_location,
            row.error,
            row.offset,
        ])
    })
}

fn append_warnings(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    let mut uuid = UuidText::new();
    rows.warnings.iter().try_for_each(|row| {
        appender.append_row(params![
            uuid.of(row.id),
            i64::from(row.team_id),
            "weir",
            row.kind,
            row.details,
            at(row.at_ms),
            row.offset,
        ])
    })
}

fn append_storage(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    rows.storage.iter().try_for_each(|row| {
        appender.append_row(params![row.plugin_id, row.key, row.value, row.journal_sequence, row.order])
    })
}
