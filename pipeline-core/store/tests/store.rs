//! The store against the real DuckDB library: rows and cursor together, readers beside the writer, and
//! nothing but reading for users.

use uuid::Uuid;
use weir_event::journal::{SinkCursor, SinkRecord};
use weir_store::{
    Cursor, DistinctIdRow, EventRow, Holding, PersonRow, QueryLimits, RowBatch, SinkRow, StoreConfig, StoreError,
    StoreWriter, digests, export, pending,
};

fn event(number: u64) -> EventRow {
    EventRow {
        uuid: Uuid::from_u128(u128::from(number)),
        event: "e".into(),
        properties: format!(r#"{{"n":{number},"$session_id":"s"}}"#),
        timestamp_ms: 1_700_000_000_123,
        team_id: 1,
        distinct_id: "d".into(),
        elements_chain: String::new(),
        created_at_ms: 1_700_000_000_123,
        person_id: Uuid::from_u128(9),
        person_created_at_ms: 1_700_000_000_123,
        person_properties: "{}".into(),
        person_mode: "full",
        groups: Some(r#"{"1":[{"plan":"pro"},1700000000123]}"#.into()),
        plugins: "[]".into(),
        received_at_ms: 1_700_000_000_123,
        payload: 0,
        offset: number,
    }
}

fn batch(numbers: std::ops::Range<u64>) -> (RowBatch, Cursor) {
    let cursor = Cursor { journal_sequence: numbers.end, intake_offset: numbers.end, ..Cursor::default() };
    (RowBatch { events: numbers.map(event).collect(), ..RowBatch::default() }, cursor)
}

#[test]
fn rows_and_cursor_survive_together() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let path = dir.path().join("store.duckdb");
    let mut writer = StoreWriter::open(StoreConfig::new(&path)).expect("open");
    let (rows, cursor) = batch(0..10);
    writer.commit(&rows, &cursor).expect("commit");
    drop(writer);
    let writer = StoreWriter::open(StoreConfig::new(&path)).expect("open again");
    assert_eq!(writer.restore().expect("restore").cursor, cursor);
    let pool = writer.query_pool(1).expect("a pool");
    let result = pool
        .run(
            "SELECT count(*) AS n, any_value(timestamp) AS t, any_value(properties) AS p FROM events",
            QueryLimits::default(),
        )
        .expect("a query");
    assert_eq!(result.rows[0][0], 10);
    assert_eq!(result.rows[0][1], "2023-11-14T22:13:20.123Z");
    assert_eq!(result.rows[0][2]["$session_id"], "s", "JSON columns come back as JSON");
    let groups = pool
        .run(
            "SELECT group1_properties, group1_created_at, group0_properties, group0_created_at, \"$session_id\" FROM events \
             LIMIT 1",
            QueryLimits::default(),
        )
        .expect("a query");
    assert_eq!(groups.rows[0][0]["plan"], "pro");
    assert_eq!(groups.rows[0][1], "2023-11-14T22:13:20.123Z");
    assert_eq!(groups.rows[0][2], serde_json::json!({}));
    assert_eq!(groups.rows[0][3], "1970-01-01T00:00:00.000Z");
    assert_eq!(groups.rows[0][4], "s");
}

#[test]
fn work_that_panics_gives_its_connection_back() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let writer = StoreWriter::open(StoreConfig::new(dir.path().join("store.duckdb"))).expect("open");
    let pool = writer.query_pool(1).expect("a pool");
    let panics = || {
        pool.with(|connection| {
            connection.execute_batch("BEGIN TRANSACTION READ ONLY").expect("a transaction");
            panic!("a defect");
        })
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).expect_err("it panics");
    assert_eq!(pool.run("SELECT 1", QueryLimits::default()).expect("a query").rows[0][0], 1);
}

#[test]
fn equal_content_in_another_order_has_the_same_digest() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let digest = |name: &str, ranges: &[(u64, u64)]| {
        let mut writer = StoreWriter::open(StoreConfig::new(dir.path().join(name))).expect("open");
        for range in ranges {
            let (rows, cursor) = batch(range.0..range.1);
            writer.commit(&rows, &cursor).expect("commit");
        }
        writer.query_pool(1).expect("a pool").with(digests).expect("digests")
    };
    assert_eq!(digest("a", &[(0, 5), (5, 10)]), digest("b", &[(5, 10), (0, 5)]));
    assert_ne!(digest("a2", &[(0, 10)])[0], digest("c", &[(0, 10), (9, 10)])[0], "a doubled row shows");
}

#[test]
fn a_deleted_file_is_noticed_at_the_next_commit() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let path = dir.path().join("store.duckdb");
    let mut writer = StoreWriter::open(StoreConfig::new(&path)).expect("open");
    std::fs::remove_file(&path).expect("delete");
    let (rows, cursor) = batch(0..1);
    assert!(matches!(writer.commit(&rows, &cursor), Err(StoreError::Vanished { .. })));
}

#[test]
fn users_can_read_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let mut writer = StoreWriter::open(StoreConfig::new(dir.path().join("store.duckdb"))).expect("open");
    let (rows, cursor) = batch(0..10);
    writer.commit(&rows, &cursor).expect("commit");
    let pool = writer.query_pool(1).expect("a pool");
    let run = |sql: &str| pool.run(sql, QueryLimits { max_rows: 5, timeout_ms: 300 });
    for allowed in [
        "SELECT 1",
        "FROM events LIMIT 1;",
        "WITH a AS (SELECT 1) FROM a",
        "DESCRIBE events",
        "SHOW TABLES",
        "EXPLAIN SELECT 1",
    ] {
        run(allowed).unwrap_or_else(|error| panic!("{allowed}: {error}"));
    }
    for refused in [
        "DELETE FROM event_rows",
        "SELECT 1; DROP TABLE event_rows",
        "EXPLAIN ANALYZE DELETE FROM event_rows",
        "COPY events TO '/tmp/weir-test-leak.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "ATTACH '/tmp/weir-test-other.duckdb'",
        "SET enable_external_access = true",
        "COMMIT",
        "SELECT * FROM '/etc/passwd'",
        "",
    ] {
        assert!(run(refused).is_err(), "{refused:?} was run");
    }
    assert_eq!(run("SELECT count(*) FROM events").expect("still there").rows[0][0], 10);
    assert!(run("FROM events").expect("a query").truncated);
    let endless = run("SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range * b.range % 7 = 3");
    assert!(matches!(endless, Err(StoreError::TimedOut { .. })), "{endless:?}");
    assert!(run("SELECT 1").is_ok(), "the connection is usable afterwards");
}

#[test]
fn of_many_versions_the_newest_come_back() {
    const PERSONS: u64 = 140_000;
    let dir = tempfile::tempdir().expect("a temp dir");
    let path = dir.path().join("store.duckdb");
    let person = |number: u64, version: u64, is_deleted: bool| PersonRow {
        id: Uuid::from_u128(u128::from(number)),
        created_at_ms: 1_700_000_000_123,
        team_id: 1,
        properties: format!(r#"{{"n":{number},"version":{version}}}"#),
        is_identified: number.is_multiple_of(2),
        is_deleted,
        version,
        offset: number,
    };
    let id = |number: u64, owner: u64, version: u64| DistinctIdRow {
        team_id: 1,
        distinct_id: format!("id {number}"),
        person_id: Uuid::from_u128(u128::from(owner)),
        is_deleted: false,
        version,
        offset: number,
    };
    let mut writer = StoreWriter::open(StoreConfig::new(&path)).expect("open");
    let mut commit = |persons: Vec<PersonRow>, distinct_ids: Vec<DistinctIdRow>| {
        writer.commit(&RowBatch { persons, distinct_ids, ..RowBatch::default() }, &Cursor::default()).expect("commit");
    };
    for first in (0..PERSONS).step_by(7_000) {
        let numbers = first..first + 7_000;
        commit(
            numbers.clone().map(|number| person(number, 0, false)).collect(),
            numbers.map(|number| id(number, number, 0)).collect(),
        );
    }
    // Every tenth is updated; every hundredth is merged into the one after it.
    commit((0..PERSONS).step_by(10).map(|number| person(number, 1, false)).collect(), Vec::new());
    let merged = || (0..PERSONS).step_by(100);
    commit(
        merged().map(|number| person(number, 101, true)).collect(),
        merged().map(|number| id(number, number + 1, 1)).collect(),
    );
    drop(writer);

    let writer = StoreWriter::open(StoreConfig::new(&path)).expect("open again");
    let (mut persons, mut ids) = (Vec::new(), Vec::new());
    let taken = writer.restore_people::<StoreError>(|holding| {
        match holding {
            Holding::AtMostIds(count) => assert_eq!(count as u64, PERSONS + PERSONS / 100),
            Holding::Person { id, properties, version, is_identified, created_at_ms } => {
                assert_eq!((is_identified, created_at_ms), (id.as_u128() % 2 == 0, 1_700_000_000_123));
                assert_eq!(properties, format!(r#"{{"n":{},"version":{version}}}"#, id.as_u128()));
                persons.push((id.as_u128() as u64, version));
            }
            Holding::Id { distinct_id, person_id, version, .. } => {
                ids.push((distinct_id.to_owned(), person_id.as_u128() as u64, version));
            }
        }
        Ok(())
    });
    taken.expect("restored");
    persons.sort_unstable();
    let kept = (0..PERSONS).filter(|number| number % 100 != 0);
    assert!(persons.into_iter().eq(kept.clone().map(|number| (number, u64::from(number % 10 == 0)))));
    let first = kept.map(|number| (format!("id {number}"), number, 0));
    let mut expected: Vec<_> = first.chain(merged().map(|number| (format!("id {number}"), number + 1, 1))).collect();
    expected.sort_unstable();
    ids.sort_unstable();
    assert!(ids == expected);
    // The limit on memory is lifted again, and the configuration is locked for those who query.
    let pool = writer.query_pool(1).expect("a pool");
    let limit = pool.run("SELECT current_setting('memory_limit')", QueryLimits::default()).expect("a query");
    assert_eq!(limit.rows[0][0], "953.6 MiB");
    writer.query_pool(1).expect("another pool");
    assert!(pool.with(|connection| connection.execute_batch("SET memory_limit = '2GB'")).is_err());
}

#[test]
fn events_are_exported_by_whole_offsets_in_order_and_never_beyond_the_cursor() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let mut writer = StoreWriter::open(StoreConfig::new(dir.path().join("store.duckdb"))).expect("open");
    let (mut rows, cursor) = batch(0..10);
    // 3 was dropped, 5 made two more.
    rows.events.retain(|row| row.offset != 3);
    rows.events.extend([(5, 100), (5, 101)].map(|(offset, number)| EventRow { offset, ..event(number) }));
    writer.commit(&rows, &cursor).expect("commit");
    let pool = writer.query_pool(1).expect("a pool");
    let read = |from, until, events, bytes| {
        let exported = pool.with(|connection| export(connection, from, until, events, bytes)).expect("events");
        let offsets: Vec<u64> = exported.events.iter().map(|event| event.offset).collect();
        (offsets, exported.next)
    };
    assert_eq!(read(0, None, 100, 1 << 20), (vec![0, 1, 2, 4, 5, 5, 5, 6, 7, 8, 9], 10));
    assert_eq!(read(3, None, 2, 1 << 20), (vec![4, 5, 5, 5], 6));
    assert_eq!(read(0, None, 100, 1), (vec![0], 1));
    assert_eq!(read(4, Some(6), 100, 1 << 20), (vec![4, 5, 5, 5], 6));
    assert_eq!(read(3, Some(4), 100, 1 << 20), (vec![], 4), "nothing was stored there");
    assert_eq!(read(10, None, 100, 1 << 20), (vec![], 10));
    assert_eq!(read(50, None, 100, 1 << 20), (vec![], 50), "a sink that is ahead of the store waits");
    let five = pool.with(|connection| export(connection, 5, Some(6), 10, 1 << 20)).expect("events").events;
    let uuids: Vec<_> = five.iter().map(|event| Uuid::parse_str(&event.uuid).expect("a uuid").as_u128()).collect();
    assert_eq!(uuids, [5, 100, 101], "in the order of storing");
    assert_eq!(five[0].groups[1], (r#"{"plan":"pro"}"#.to_owned(), 1_700_000_000_123));
    assert_eq!(five[0].groups[0], ("{}".to_owned(), 0));
    assert_eq!(pool.with(|connection| pending(connection, 5)).expect("a count"), 7);
}

#[test]
fn a_sink_has_one_row_its_newest() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let path = dir.path().join("store.duckdb");
    let mut writer = StoreWriter::open(StoreConfig::new(&path)).expect("open");
    let row = |name: &str, offset, is_removed| SinkRow {
        record: SinkRecord {
            name: name.into(),
            id: Uuid::from_u128(7),
            kind: "jsonl".into(),
            target: "/x".into(),
            start: 0,
            max_attempts: None,
        },
        cursor: SinkCursor { sink: name.into(), offset, until: offset + 1, delivered: offset, ..SinkCursor::default() },
        is_removed,
    };
    let mut commit = |sinks| {
        writer.commit(&RowBatch { sinks, ..RowBatch::default() }, &Cursor::default()).expect("commit");
    };
    commit(vec![row("a", 1, false), row("b", 1, false), row("a", 2, false)]);
    commit(vec![row("b", 3, true), row("a", 4, false)]);
    drop(writer);
    let restored = StoreWriter::open(StoreConfig::new(&path)).expect("open").restore().expect("restore");
    assert_eq!(restored.sinks, [row("a", 4, false)]);
}

/// Under PostHog's names, so that a query written for it finds them.
#[test]
fn the_tables_of_posthog_have_their_columns() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let writer = StoreWriter::open(StoreConfig::new(dir.path().join("store.duckdb"))).expect("open");
    let pool = writer.query_pool(1).expect("a pool");
    let slots = |form: &str| (0..5).map(|slot| form.replace('#', &slot.to_string())).collect::<Vec<_>>().join(", ");
    let events = format!(
        "uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, person_id, \
         person_created_at, person_properties, person_mode, \"$window_id\", \"$session_id\", {}",
        slots("group#_properties, group#_created_at, \"$group_#\"")
    );
    for (table, columns) in [
        ("events", events.as_str()),
        ("person", "id, created_at, team_id, properties, is_identified, is_deleted, version"),
        ("person_distinct_id2", "team_id, distinct_id, person_id, is_deleted, version"),
        ("person_distinct_id", "distinct_id, person_id, team_id, _sign, is_deleted"),
        ("person_distinct_id_overrides", "team_id, distinct_id, person_id, is_deleted, version"),
        ("groups", "group_type_index, group_key, created_at, team_id, group_properties"),
        ("plugin_log_entries", "id, plugin_id, timestamp, source, type, message"),
        ("ingestion_warnings", "team_id, source, type, details, timestamp"),
        (
            "events_dead_letter_queue",
            "id, event_uuid, event, distinct_id, team_id, created_at, ip, site_url, now, raw_payload, \
             error_timestamp, error_location, error",
        ),
    ] {
        let sql = format!("SELECT {columns} FROM {table}");
        pool.run(&sql, QueryLimits::default()).unwrap_or_else(|error| panic!("{table}: {error}"));
    }
}

#[test]
fn the_highest_version_of_an_id_counts_and_a_moved_one_is_an_override() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let mut writer = StoreWriter::open(StoreConfig::new(dir.path().join("store.duckdb"))).expect("open");
    let row = |distinct_id: &str, person: u128, version: u64| DistinctIdRow {
        team_id: 1,
        distinct_id: distinct_id.into(),
        person_id: Uuid::from_u128(person),
        is_deleted: false,
        version,
        offset: version,
    };
    let rows =
        RowBatch { distinct_ids: vec![row("moved", 1, 0), row("stays", 2, 0), row("moved", 2, 1)], ..batch(0..0).0 };
    writer.commit(&rows, &Cursor::default()).expect("commit");
    let pool = writer.query_pool(1).expect("a pool");
    for (table, expected) in [
        ("person_distinct_ids", vec![("moved", 2), ("stays", 2)]),
        ("person_distinct_id_overrides", vec![("moved", 2)]),
        ("person_distinct_id2", vec![("moved", 1), ("moved", 2), ("stays", 2)]),
    ] {
        let sql = format!("SELECT distinct_id, person_id::VARCHAR FROM {table} ORDER BY distinct_id, version");
        let found = pool.run(&sql, QueryLimits::default()).expect("a query").rows;
        let expected: Vec<Vec<serde_json::Value>> = expected
            .into_iter()
            .map(|(id, person)| vec![id.into(), Uuid::from_u128(person).to_string().into()])
            .collect();
        assert_eq!(found, expected, "{table}");
    }
}
