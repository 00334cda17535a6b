//! The one connection that writes. Lives on one thread.

use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use duckdb::{AccessMode, Appender, Config, Connection, params};
use weir_event::Ordering;

use crate::append;
use crate::error::StoreError;
use crate::query::QueryPool;
use crate::rows::{Cursor, RowBatch};
use crate::schema::{SCHEMA_VERSION, TABLES, VIEWS, events_views};
use crate::sinks;

#[derive(Debug, Clone)]
pub struct StoreConfig {
    pub path: PathBuf,
    /// DuckDB's own limit, e.g. `1GB`; it spills or fails beyond it.
    pub memory_limit: String,
    pub threads: u32,
    /// How identity orders events; a store of another ordering is rebuilt.
    pub ordering: Ordering,
}

impl StoreConfig {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), memory_limit: "1GB".into(), threads: 2, ordering: Ordering::default() }
    }
}

#[derive(Debug)]
pub struct StoreWriter {
    pub(crate) connection: Connection,
    config: StoreConfig,
    /// Device and inode of the file that is open, to notice that it was deleted or replaced.
    identity: (u64, u64),
    /// The file's beginning is read through it. Open as long as the connection before it: closing any handle of a file
    /// gives up the locks that this process holds on it.
    file: File,
    locked: Cell<bool>,
}

/// What a database file begins with, behind a checksum.
const MAGIC: &[u8] = b"DUCK";
const MAGIC_AT: u64 = 8;

impl StoreWriter {
    /// Opens or creates the store and brings tables and views to this version.
    pub fn open(config: StoreConfig) -> Result<Self, StoreError> {
        let connection = connect(&config, AccessMode::ReadWrite)?;
        let expected = format!("{SCHEMA_VERSION}, {}", config.ordering.as_str());
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
                connection.execute("INSERT INTO weir_meta VALUES ('schema', ?)", [&expected])?;
                connection.execute_batch("COMMIT")?;
            }
            connection.execute_batch(VIEWS)?;
            connection.execute_batch(&events_views(config.ordering))?;
            Ok(found)
        };
        let found = setup().map_err(|error| open_error(&config.path, &error))?;
        if let Some(found) = found.filter(|found| *found != expected) {
            return Err(StoreError::Schema { path: config.path, found, expected });
        }
        connection
            .execute_batch("SET enable_external_access = false")
            .map_err(|error| open_error(&config.path, &error))?;
        let file = File::open(&config.path).map_err(|_| StoreError::Vanished { path: config.path.clone() })?;
        let identity = file_identity(&config.path)?;
        Ok(Self { connection, config, identity, file, locked: Cell::new(false) })
    }

    /// Connections for queries against this store. From here on its configuration cannot be changed.
    pub fn query_pool(&self, connections: usize) -> Result<QueryPool, StoreError> {
        if !self.locked.replace(true) {
            self.connection.execute_batch("SET lock_configuration = true")?;
        }
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
        self.table("event_rows", rows.events.len(), |appender| append::events(appender, rows))?;
        self.table("person_rows", rows.persons.len(), |appender| append::persons(appender, rows))?;
        self.table("distinct_id_rows", rows.distinct_ids.len(), |appender| append::distinct_ids(appender, rows))?;
        self.table("group_type_rows", rows.group_types.len(), |appender| append::group_types(appender, rows))?;
        self.table("group_rows", rows.groups.len(), |appender| append::groups(appender, rows))?;
        self.table("superseded_rows", rows.superseded.len(), |appender| append::superseded(appender, rows))?;
        self.table("redriven_rows", rows.redriven.len(), |appender| append::redriven(appender, rows))?;
        self.table("plugin_log_rows", rows.plugin_logs.len(), |appender| append::plugin_logs(appender, rows))?;
        self.table("dead_letter_rows", rows.dead_letters.len(), |appender| append::dead_letters(appender, rows))?;
        self.table("warning_rows", rows.warnings.len(), |appender| append::warnings(appender, rows))?;
        self.table("plugin_storage_rows", rows.storage.len(), |appender| append::storage(appender, rows))?;
        self.table("project_rows", rows.projects.len(), |appender| append::projects(appender, rows))?;
        self.table("sink_failure_rows", rows.sink_failures.len(), |appender| append::sink_failures(appender, rows))?;
        sinks::put(&self.connection, &rows.sinks)?;
        self.table("weir_meta", rows.meta.len(), |appender| append::meta(appender, rows))?;
        self.table("ledger_window_rows", rows.windows.len(), |appender| append::windows(appender, rows))?;
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

    /// Folds the write-ahead log into the file: shortens the next start.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("CHECKPOINT")?)
    }

    /// Fails when the file that is open is not the one at its path any more, or not a database any more. The database
    /// library holds its pages in memory and would notice the latter at the next start.
    pub fn check_present(&self) -> Result<(), StoreError> {
        let present = file_identity(&self.config.path).is_ok_and(|identity| identity == self.identity);
        if !present {
            return Err(StoreError::Vanished { path: self.config.path.clone() });
        }
        let mut magic = [0; MAGIC.len()];
        match self.file.read_exact_at(&mut magic, MAGIC_AT) {
            Ok(()) if magic == MAGIC => Ok(()),
            Ok(()) => Err(self.damaged("its beginning was overwritten")),
            Err(_) => Err(self.damaged("its beginning cannot be read")),
        }
    }

    fn damaged(&self, problem: &'static str) -> StoreError {
        StoreError::Damaged { path: self.config.path.clone(), problem }
    }

    pub(crate) fn config(&self) -> &StoreConfig {
        &self.config
    }

    pub fn ordering(&self) -> Ordering {
        self.config.ordering
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

/// Nothing is committed during a checkpoint, so it should be short; but with much less than a row group of events
/// (122,880) in it, the last group is written again and again. For the same 400,000 rows, checkpoints of 200,000 and of
/// 100,000 cost 1.4 s of CPU, of 50,000 3.5 s. This is a group also where events have 2 KB.
const CHECKPOINT_AT: &str = "256MB";

pub(crate) fn connect(config: &StoreConfig, access: AccessMode) -> Result<Connection, StoreError> {
    let options = || -> duckdb::Result<Config> {
        Config::default()
            .access_mode(access)?
            .threads(i64::from(config.threads))?
            .max_memory(&config.memory_limit)?
            .with("preserve_insertion_order", "false")?
            .with("autoinstall_known_extensions", "false")?
            .with("autoload_known_extensions", "false")?
            .with("checkpoint_threshold", CHECKPOINT_AT)
    };
    options()
        .and_then(|options| Connection::open_with_flags(&config.path, options))
        .map_err(|error| open_error(&config.path, &error))
}

/// Opens the store and reads from it, then closes it: run in a child process after an unclean stop, so
/// that a fatal error inside the database library ends the child and not the server.
pub fn probe(path: &Path) -> Result<(), StoreError> {
    StoreWriter::open(StoreConfig::new(path))?.restore().map(drop)
}

fn open_error(path: &Path, error: &duckdb::Error) -> StoreError {
    StoreError::Open { path: path.to_owned(), message: error.to_string() }
}

fn file_identity(path: &Path) -> Result<(u64, u64), StoreError> {
    std::fs::metadata(path)
        .map(|metadata| (metadata.dev(), metadata.ino()))
        .map_err(|_| StoreError::Vanished { path: path.to_owned() })
}
