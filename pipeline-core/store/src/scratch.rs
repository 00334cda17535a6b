//! A store in memory, for who has rows and no server: the same tables and views, and gone with its value.
//!
//! It holds one lot of events at a time. Nothing is durable and no cursor moves; what it is asked runs under the
//! same rules as on a server's store.

use std::path::Path;

use duckdb::{AccessMode, Connection};

use crate::append;
use crate::error::StoreError;
use crate::query::QueryPool;
use crate::rows::{EventRow, RowBatch};
use crate::schema::{TABLES, VIEWS, events_views};
use crate::writer::{StoreConfig, connect};

#[derive(Debug)]
pub struct Scratch {
    writer: Connection,
    pool: QueryPool,
}

impl Scratch {
    pub fn open() -> Result<Self, StoreError> {
        let config = StoreConfig::new(Path::new(":memory:"));
        let writer = connect(&config, AccessMode::ReadWrite)?;
        writer.execute_batch(TABLES)?;
        writer.execute_batch(VIEWS)?;
        writer.execute_batch(&events_views(config.ordering))?;
        writer.execute_batch("SET enable_external_access = false; SET lock_configuration = true")?;
        let pool = QueryPool::new(vec![writer.try_clone()?]);
        Ok(Self { writer, pool })
    }

    /// Puts these events in the place of those before.
    pub fn hold(&mut self, events: Vec<EventRow>) -> Result<(), StoreError> {
        let rows = RowBatch { events, ..RowBatch::default() };
        self.writer.execute_batch("BEGIN; DELETE FROM event_rows")?;
        let filled = self.writer.appender("event_rows").and_then(|mut appender| {
            append::events(&mut appender, &rows)?;
            appender.flush()
        });
        self.writer.execute_batch(if filled.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        Ok(filled?)
    }

    pub const fn pool(&self) -> &QueryPool {
        &self.pool
    }
}
