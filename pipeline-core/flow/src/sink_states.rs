//! Sinks as a projection of the journal: configuration, cursors and failures.

use std::collections::BTreeMap;

use weir_event::ids;
use weir_event::journal::{ControlRecord, SinkCursor};
use weir_store::{RowBatch, SinkFailureRow, SinkRow};

use crate::sink_wanted::first_cursor;

/// Every sink by name, with its newest cursor.
#[derive(Debug, Default)]
pub struct SinkStates(BTreeMap<String, SinkRow>);

impl SinkStates {
    pub fn restore(rows: &[SinkRow]) -> Self {
        Self(rows.iter().map(|row| (row.record.name.clone(), row.clone())).collect())
    }

    pub fn rows(&self) -> Vec<SinkRow> {
        self.0.values().cloned().collect()
    }

    /// Applies a record that is about sinks; others change nothing.
    pub fn apply(&mut self, sequence: u64, record: &ControlRecord, rows: &mut RowBatch) {
        match record {
            ControlRecord::Sink(record) => {
                let row = SinkRow { record: record.clone(), cursor: first_cursor(record), is_removed: false };
                self.0.insert(record.name.clone(), row.clone());
                rows.sinks.push(row);
            }
            ControlRecord::SinkCursor(cursor) => {
                let Some(row) = self.0.get_mut(&cursor.sink) else { return };
                row.cursor = SinkCursor { failures: Vec::new(), ..cursor.clone() };
                rows.sinks.push(row.clone());
                rows.sink_failures.extend(cursor.failures.iter().enumerate().map(|(index, failure)| SinkFailureRow {
                    id: ids::row_uuid("sink_failure", sequence, index as u32),
                    sink: cursor.sink.clone(),
                    failure: failure.clone(),
                }));
            }
            ControlRecord::SinkRemoved { sink } => {
                let Some(row) = self.0.remove(sink) else { return };
                rows.sinks.push(SinkRow { is_removed: true, ..row });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use weir_event::journal::{SinkFailure, SinkRecord};

    use super::*;

    #[test]
    fn the_newest_cursor_counts_and_failures_become_rows() {
        let mut states = SinkStates::default();
        let mut rows = RowBatch::default();
        let record = SinkRecord {
            name: "s".into(),
            id: Uuid::from_u128(1),
            kind: "http".into(),
            target: "http://h/".into(),
            start: 5,
            max_attempts: Some(3),
        };
        states.apply(0, &ControlRecord::Sink(record), &mut rows);
        assert_eq!(states.rows()[0].cursor.offset, 5);
        let failure =
            SinkFailure { at_ms: 1, first_offset: 5, until_offset: 9, events: 4, attempts: 3, reason: "no".into() };
        let cursor = SinkCursor {
            sink: "s".into(),
            offset: 9,
            until: 9,
            failed: 4,
            failures: vec![failure],
            ..Default::default()
        };
        states.apply(1, &ControlRecord::SinkCursor(cursor), &mut rows);
        assert_eq!((states.rows()[0].cursor.offset, states.rows()[0].cursor.failures.len()), (9, 0));
        assert_eq!(rows.sink_failures.len(), 1);
        states.apply(2, &ControlRecord::SinkRemoved { sink: "s".into() }, &mut rows);
        // A cursor that was on its way when its sink was removed.
        states.apply(3, &ControlRecord::SinkCursor(SinkCursor { sink: "s".into(), ..Default::default() }), &mut rows);
        assert!(states.rows().is_empty() && rows.sinks.last().is_some_and(|row| row.is_removed));
    }
}
