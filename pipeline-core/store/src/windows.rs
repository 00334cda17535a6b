//! The ledger by time: what came in during ten seconds, and what became of it.
//!
//! An event belongs to the window in which its request was received, whenever its outcome is known; what plugins made
//! of it belongs there too, and so does an outcome that a redrive moves. A commit adds what it brought to each window,
//! in the transaction that moves the cursor, so that the sum over windows is the ledger at every moment, and a rebuild
//! comes to the same.
//!
//! `received` counts requests as the intake log has them and outcomes are counted event by event: neither is worked out
//! from the other.

use std::collections::BTreeMap;

use duckdb::{Connection, params};
use weir_event::Outcome;
use weir_event::clock::UnixMillis;

use crate::error::StoreError;
use crate::rows::Cursor;

pub const WINDOW_MS: i64 = 10_000;

/// Start of the window of `length_ms` that a moment is in.
pub const fn window_start(ms: UnixMillis, length_ms: i64) -> UnixMillis {
    ms - ms.rem_euclid(length_ms)
}

/// What one commit adds to a window. Signed, because a redrive takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub received: i64,
    pub emitted: i64,
    outcomes: [i64; Outcome::ALL.len()],
    /// Offsets of its events lie in `first_offset..until_offset`, with others between them where the clock went back.
    pub first_offset: u64,
    pub until_offset: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { received: 0, emitted: 0, outcomes: [0; Outcome::ALL.len()], first_offset: u64::MAX, until_offset: 0 }
    }
}

impl Window {
    pub fn of(&self, outcome: Outcome) -> i64 {
        self.outcomes[outcome as usize]
    }

    pub fn add(&mut self, outcome: Outcome, count: i64) {
        self.outcomes[outcome as usize] += count;
    }

    pub fn spans(&mut self, first_offset: u64, until_offset: u64) {
        self.first_offset = self.first_offset.min(first_offset);
        self.until_offset = self.until_offset.max(until_offset);
    }

    pub fn merge(&mut self, other: Self) {
        self.received += other.received;
        self.emitted += other.emitted;
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(sum, count)| *sum += count);
        self.spans(other.first_offset, other.until_offset);
    }
}

/// By their start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Windows(BTreeMap<UnixMillis, Window>);

impl Windows {
    /// The window of a moment.
    pub fn at(&mut self, ms: UnixMillis) -> &mut Window {
        self.0.entry(window_start(ms, WINDOW_MS)).or_default()
    }

    pub fn append(&mut self, other: Self) {
        for (start_ms, window) in other.0 {
            self.0.entry(start_ms).or_default().merge(window);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (UnixMillis, &Window)> {
        self.0.iter().map(|(start_ms, window)| (*start_ms, window))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Windows of `length_ms`, a multiple of [`WINDOW_MS`], that start before `before_ms`: newest first, `limit` at most, each
/// with its start; and where the store was when they were read.
pub fn windows(
    connection: &Connection,
    length_ms: i64,
    before_ms: UnixMillis,
    limit: u32,
) -> Result<(Cursor, Vec<(UnixMillis, Window)>), StoreError> {
    connection.execute_batch("BEGIN")?;
    let read = || -> Result<_, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT epoch_ms(window_start) - epoch_ms(window_start) % ? AS start, sum(received)::BIGINT, \
             sum(emitted)::BIGINT, sum(stored)::BIGINT, sum(dropped)::BIGINT, sum(rejected)::BIGINT, \
             sum(dead_lettered)::BIGINT, sum(deduplicated)::BIGINT, min(first_offset), max(until_offset) \
             FROM ledger_window_rows WHERE window_start < make_timestamp_ms(?) GROUP BY start \
             ORDER BY start DESC LIMIT ?",
        )?;
        let rows = statement.query_map(params![length_ms, before_ms, limit], |row| {
            let mut window = Window {
                received: row.get(1)?,
                emitted: row.get(2)?,
                first_offset: row.get(8)?,
                until_offset: row.get(9)?,
                ..Window::default()
            };
            let outcomes =
                [Outcome::Stored, Outcome::Dropped, Outcome::Rejected, Outcome::DeadLettered, Outcome::Deduplicated];
            for (column, outcome) in (3..).zip(outcomes) {
                window.add(outcome, row.get(column)?);
            }
            Ok((row.get(0)?, window))
        })?;
        let windows = rows.collect::<duckdb::Result<Vec<_>>>()?;
        Ok((crate::lookup::committed(connection)?, windows))
    };
    let windows = read();
    connection.execute_batch("COMMIT")?;
    windows
}

/// Offsets of the events of the windows that start in `from_ms..until_ms`; `None` without any.
pub fn window_offsets(
    connection: &Connection,
    from_ms: UnixMillis,
    until_ms: UnixMillis,
) -> Result<Option<(u64, u64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT min(first_offset), max(until_offset) FROM ledger_window_rows \
         WHERE window_start >= make_timestamp_ms(?) AND window_start < make_timestamp_ms(?)",
    )?;
    let (first, until): (Option<u64>, Option<u64>) =
        statement.query_row(params![from_ms, until_ms], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(first.zip(until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_commit_adds_is_summed_by_window() {
        let mut sum = Windows::default();
        for (ms, offset) in [(19_999, 4), (20_000, 5), (-1, 6)] {
            let mut one = Windows::default();
            let window = one.at(ms);
            window.received += 1;
            window.add(Outcome::Dropped, 1);
            window.spans(offset, offset + 1);
            sum.append(one.clone());
            sum.append(one);
        }
        let found: Vec<_> = sum
            .iter()
            .map(|(start, window)| {
                (start, window.received, window.of(Outcome::Dropped), window.first_offset, window.until_offset)
            })
            .collect();
        assert_eq!(found, [(-10_000, 2, 2, 6, 7), (10_000, 2, 2, 4, 5), (20_000, 2, 2, 5, 6)]);
    }
}
