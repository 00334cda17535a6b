//! The store alone, beside the database's own appender on the same rows.

use std::time::Instant;

use duckdb::Connection;
use pipeline_core::store::{Cursor, EventRow, RowBatch, StoreConfig, StoreWriter};

use crate::load;
use crate::report::{Report, grouped};

const ROWS: usize = 200_000;
const COMMIT_ROWS: usize = 2_000;

pub fn appender(report: &mut Report) -> anyhow::Result<()> {
    let rows = rows();
    let bytes: usize = rows.iter().map(|row| row.properties.len()).sum::<usize>() / rows.len();
    let raw = raw(&rows)?;
    let store = store(rows)?;
    report.add(
        "raw DuckDB Appender, 2,000 rows a commit",
        format!("{} rows/s ({bytes} bytes of properties)", grouped(raw)),
        "raw limit",
    );
    report.add(
        "store alone, same rows and commits",
        format!("{} rows/s, {:.2}x raw", grouped(store), store / raw),
        ">= 0.7x raw",
    );
    Ok(())
}

fn rows() -> Vec<EventRow> {
    load::shop(1, ROWS)
        .map(|event| {
            let truth = &event.truth;
            EventRow {
                uuid: truth.uuid,
                event: truth.event.to_string(),
                properties: event.properties(),
                timestamp_ms: 1_700_000_000_000,
                team_id: 1,
                distinct_id: truth.distinct_id.to_string(),
                elements_chain: String::new(),
                created_at_ms: 1_700_000_000_000,
                person_id: truth.uuid,
                person_created_at_ms: 1_700_000_000_000,
                person_properties: "{}".into(),
                person_mode: "full",
                groups: None,
                plugins: "[]".into(),
                received_at_ms: 1_700_000_000_000,
                payload: 0,
                offset: truth.offset,
            }
        })
        .collect()
}

fn raw(rows: &[EventRow]) -> anyhow::Result<f64> {
    use duckdb::types::{TimeUnit, Value};
    let dir = tempfile::tempdir_in(std::env::current_dir()?)?;
    let connection = Connection::open(dir.path().join("raw.duckdb"))?;
    connection.execute_batch(
        "SET threads = 1; CREATE TABLE event_rows (uuid UUID, event VARCHAR, properties JSON, timestamp TIMESTAMP, \
         team_id BIGINT, distinct_id VARCHAR, elements_chain VARCHAR, created_at TIMESTAMP, person_id UUID, \
         person_created_at TIMESTAMP, person_properties JSON, person_mode VARCHAR, groups JSON, plugins JSON, \
         _timestamp TIMESTAMP, _payload UHUGEINT, _offset UBIGINT)",
    )?;
    let at = |ms: i64| Value::Timestamp(TimeUnit::Microsecond, ms * 1_000);
    let started = Instant::now();
    for chunk in rows.chunks(COMMIT_ROWS) {
        connection.execute_batch("BEGIN")?;
        let mut appender = connection.appender("event_rows")?;
        for row in chunk {
            appender.append_row(duckdb::params![
                row.uuid.to_string(),
                row.event,
                row.properties,
                at(row.timestamp_ms),
                i64::from(row.team_id),
                row.distinct_id,
                row.elements_chain,
                at(row.created_at_ms),
                row.person_id.to_string(),
                at(row.person_created_at_ms),
                row.person_properties,
                row.person_mode,
                row.groups,
                row.plugins,
                at(row.received_at_ms),
                row.payload,
                row.offset,
            ])?;
        }
        appender.flush()?;
        drop(appender);
        connection.execute_batch("COMMIT")?;
    }
    Ok(rows.len() as f64 / started.elapsed().as_secs_f64())
}

fn store(rows: Vec<EventRow>) -> anyhow::Result<f64> {
    let dir = tempfile::tempdir_in(std::env::current_dir()?)?;
    let mut writer =
        StoreWriter::open(StoreConfig { threads: 1, ..StoreConfig::new(dir.path().join("store.duckdb")) })?;
    let count = rows.len();
    let mut batches = Vec::new();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        batches.push(RowBatch { events: rows.by_ref().take(COMMIT_ROWS).collect(), ..RowBatch::default() });
    }
    let started = Instant::now();
    for (index, batch) in batches.iter().enumerate() {
        writer.commit(batch, &Cursor { journal_sequence: index as u64, ..Cursor::default() })?;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}
