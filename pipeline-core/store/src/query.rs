//! Queries of users: one read-only statement, bounded in time and rows, beside the writer.

use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use duckdb::Connection;
use weir_api::query::QueryResult;
use weir_event::queue::QueueNumbers;

use crate::error::StoreError;
use crate::value::to_json;

#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    pub max_rows: u64,
    pub timeout_ms: u64,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self { max_rows: 10_000, timeout_ms: 10_000 }
    }
}

/// A few connections that queries take turns on.
#[derive(Debug)]
pub struct QueryPool {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
    numbers: QueueNumbers,
}

impl QueryPool {
    pub(crate) fn new(connections: Vec<Connection>) -> Self {
        Self { idle: Mutex::new(connections), returned: Condvar::new(), numbers: QueueNumbers::unlimited("queries") }
    }

    /// Runs one statement of a user. Blocks the thread it is called on.
    pub fn run(&self, sql: &str, limits: QueryLimits) -> Result<QueryResult, StoreError> {
        self.with(|connection| run(connection, sql, limits))
    }

    /// Runs trusted code on a connection, waiting for one to be free.
    pub fn with<T>(&self, work: impl FnOnce(&Connection) -> T) -> T {
        let place = self.numbers.enter();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = loop {
            if let Some(connection) = idle.pop() {
                break connection;
            }
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        };
        drop((idle, place));
        work(&Lent { pool: self, connection: Some(connection) })
    }

    /// The same for who would rather come back than wait behind users' queries.
    pub fn try_with<T>(&self, work: impl FnOnce(&Connection) -> T) -> Option<T> {
        let connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        Some(work(&Lent { pool: self, connection: Some(connection) }))
    }
}

/// A connection that goes back however its work ends: one that panics must not cost the pool its place.
struct Lent<'p> {
    pool: &'p QueryPool,
    connection: Option<Connection>,
}

impl std::ops::Deref for Lent<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("invariant: it is there until it is dropped")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let connection = self.connection.take();
        if thread::panicking()
            && let Some(connection) = &connection
        {
            // It may have been in a transaction, in which nobody else's could begin.
            connection.execute_batch("ROLLBACK").ok();
        }
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(connection);
        self.pool.returned.notify_one();
    }
}

fn run(connection: &Connection, sql: &str, limits: QueryLimits) -> Result<QueryResult, StoreError> {
    let sql = sql.trim().trim_end_matches(';').trim();
    check_read_only(connection, sql)?;
    let started = Instant::now();
    let guard = Watchdog::start(connection, Duration::from_millis(limits.timeout_ms));
    // The second line of defence: within it every write fails, whatever the statement is.
    connection.execute_batch("BEGIN TRANSACTION READ ONLY")?;
    let result = collect(connection, sql, limits.max_rows);
    connection.execute_batch("ROLLBACK").ok();
    let fired = guard.fired();
    match result {
        Ok(mut result) => {
            result.elapsed_ms = started.elapsed().as_secs_f64() * 1_000.0;
            Ok(result)
        }
        Err(_) if fired => Err(StoreError::TimedOut { limit_ms: limits.timeout_ms }),
        Err(error) => Err(StoreError::Sql(error.to_string())),
    }
}

fn collect(connection: &Connection, sql: &str, max_rows: u64) -> duckdb::Result<QueryResult> {
    let types = column_types(connection, sql);
    let mut statement = connection.prepare(sql)?;
    let mut result = QueryResult::default();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if result.rows.len() as u64 >= max_rows {
            result.truncated = true;
            break;
        }
        let width = row.as_ref().column_count();
        let mut cells = Vec::with_capacity(width);
        for column in 0..width {
            let kind = types.get(column).map_or("", String::as_str);
            cells.push(to_json(row.get_ref(column)?, kind));
        }
        result.rows.push(cells);
    }
    drop(rows);
    result.columns = statement.column_names();
    Ok(result)
}

/// Types as DuckDB names them; empty where the statement cannot be described.
fn column_types(connection: &Connection, sql: &str) -> Vec<String> {
    let describe = || -> duckdb::Result<Vec<String>> {
        let mut statement = connection.prepare(&format!("DESCRIBE {sql}"))?;

        statement.query_map([], |row| row.get(1))?.collect()
    };
    describe().unwrap_or_default()
}

/// One statement, and one that reads. DuckDB's own parser decides for SELECT; the few other reading
/// statements are known by their first word and must not hide a second statement.
fn check_read_only(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    let first_word = sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_uppercase();
    if sql.is_empty() {
        return Err(StoreError::Refused("the statement is empty".into()));
    }
    if ["DESCRIBE", "SHOW", "EXPLAIN", "SUMMARIZE"].contains(&first_word.as_str()) {
        let single = !sql.contains(';');
        return if single { Ok(()) } else { Err(StoreError::Refused("there is more than one statement".into())) };
    }
    let parsed: String = connection
        .query_row("SELECT json_serialize_sql(?::VARCHAR)::VARCHAR", [sql], |row| row.get(0))
        .map_err(|error| StoreError::Sql(error.to_string()))?;
    let parsed: serde_json::Value = serde_json::from_str(&parsed).unwrap_or_default();
    if parsed["error"] == true {
        let message = parsed["error_message"].as_str().unwrap_or("it cannot be parsed");
        return if parsed["error_type"] == "parser" {
            let line = line_of(sql, &parsed["position"]);
            Err(StoreError::Sql(line.map_or_else(|| message.to_owned(), |line| format!("{message} (line {line})"))))
        } else {
            Err(StoreError::Refused(message.to_owned()))
        };
    }
    match parsed["statements"].as_array().map(Vec::len) {
        Some(1) => Ok(()),
        _ => Err(StoreError::Refused("there is more than one statement".into())),
    }
}

/// The line, from 1, that DuckDB's parser was in; its position comes as text.
fn line_of(sql: &str, position: &serde_json::Value) -> Option<usize> {
    let position: usize = position.as_str()?.parse().ok()?;
    Some(1 + sql.get(..position)?.matches('\n').count())
}

/// Interrupts a query that runs too long.
struct Watchdog {
    done: Option<mpsc::SyncSender<()>>,
    thread: Option<thread::JoinHandle<bool>>,
}

impl Watchdog {
    fn start(connection: &Connection, limit: Duration) -> Self {
        let handle: Arc<_> = connection.interrupt_handle();
        let (done, finished) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("query-watchdog".into())
            .spawn(move || {
                let late = finished.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
                if late {
                    handle.interrupt();
                }
                late
            })
            .ok();
        Self { done: Some(done), thread }
    }

    fn fired(mut self) -> bool {
        drop(self.done.take());
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or(false)
    }
}
