//! Rows to the tables, column by column in the order of the schema.

use duckdb::types::{TimeUnit, Value as Sql};
use duckdb::{Appender, params};
use uuid::Uuid;
use weir_event::Outcome;
use weir_event::clock::UnixMillis;

use crate::rows::RowBatch;

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

pub fn events(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
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
            row.person_mode,
            row.groups,
            row.plugins,
            at(row.received_at_ms),
            row.payload,
            row.offset,
        ])
    })
}

pub fn persons(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
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

pub fn distinct_ids(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    let mut uuid = UuidText::new();
    rows.distinct_ids.iter().try_for_each(|row| {
        appender.append_row(params![
            i64::from(row.team_id),
            row.distinct_id,
            uuid.of(row.person_id),
            i8::from(row.is_deleted),
            row.version,
            row.offset,
        ])
    })
}

pub fn group_types(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    rows.group_types.iter().try_for_each(|row| {
        appender.append_row(params![i64::from(row.team_id), row.kind, row.slot, row.version, row.offset])
    })
}

pub fn groups(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    rows.groups.iter().try_for_each(|row| {
        appender.append_row(params![
            i64::from(row.team_id),
            row.kind,
            row.key,
            at(row.created_at_ms),
            row.properties,
            row.property_times,
            i8::from(row.is_deleted),
            row.version,
            row.offset,
        ])
    })
}

pub fn superseded(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    let mut text = UuidText::new();
    rows.superseded.iter().try_for_each(|(team_id, uuid, offset)| {
        appender.append_row(params![i64::from(*team_id), text.of(*uuid), offset])
    })
}

pub fn redriven(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    let mut text = UuidText::new();
    rows.redriven.iter().try_for_each(|(offset, uuid, sequence, outcome)| {
        appender.append_row(params![offset, text.of(*uuid), sequence, outcome.as_str()])
    })
}

pub fn plugin_logs(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
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

pub fn dead_letters(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
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
            row.is_captured,
            row.journal_sequence,
            row.offset,
        ])
    })
}

pub fn warnings(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
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

pub fn storage(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    rows.storage.iter().try_for_each(|row| {
        appender.append_row(params![row.plugin_id, row.key, row.value, row.journal_sequence, row.order])
    })
}

pub fn projects(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    rows.projects
        .iter()
        .try_for_each(|(team_id, token, offset)| appender.append_row(params![i64::from(*team_id), token, offset]))
}

pub fn sink_failures(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    let mut uuid = UuidText::new();
    rows.sink_failures.iter().try_for_each(|row| {
        let failure = &row.failure;
        appender.append_row(params![
            uuid.of(row.id),
            row.sink,
            at(failure.at_ms),
            failure.first_offset,
            failure.until_offset,
            failure.events,
            failure.attempts,
            failure.reason,
        ])
    })
}

pub fn windows(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    rows.windows.iter().try_for_each(|(start_ms, window)| {
        appender.append_row(params![
            at(start_ms),
            window.received,
            window.emitted,
            window.of(Outcome::Stored),
            window.of(Outcome::Dropped),
            window.of(Outcome::Rejected),
            window.of(Outcome::DeadLettered),
            window.of(Outcome::Deduplicated),
            window.first_offset,
            window.until_offset,
        ])
    })
}

pub fn meta(appender: &mut Appender<'_>, rows: &RowBatch) -> duckdb::Result<()> {
    rows.meta.iter().try_for_each(|(key, value)| appender.append_row(params![key, value]))
}
