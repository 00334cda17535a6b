//! The command that redrives dead letters: counts first, moves when the count is confirmed.

use std::thread;
use std::time::{Duration, Instant};

use weir_api::redrive::{Redrive, RedriveRequest};
use weir_store::StoreError;

use crate::error::FlowError;
use crate::flow::Flow;

/// Letters of one command.
const MOST: u64 = 100_000;
const POLL: Duration = Duration::from_millis(5);
/// Longest wait for the store to show what the journal already holds.
const PATIENCE: Duration = Duration::from_secs(30);

impl Flow {
    /// Blocks its thread.
    pub fn redrive(&self, request: &RedriveRequest) -> Result<Redrive, FlowError> {
        let mut offsets = self.letters(request)?;
        let matched = offsets.len() as u64;
        let Some(confirmed) = request.confirm else { return Ok(Redrive { matched, ..Redrive::default() }) };
        if confirmed > matched {
            return Err(FlowError::Unconfirmed { confirmed, matched });
        }
        // New letters may have come since they were counted: those wait.
        offsets.truncate(confirmed as usize);
        let matched = confirmed;
        let first_sequence = self.journal_end();
        let end = self.redrives.run(offsets)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (sequence, outcomes) = self.redriven_since(first_sequence)?;
            if sequence >= end || matched == 0 {
                let of = |wanted: &str| outcomes.iter().find(|(name, _)| name == wanted).map_or(0, |(_, count)| *count);
                return Ok(Redrive {
                    matched,
                    redriven: true,
                    stored: of("stored"),
                    dropped: of("dropped"),
                    deduplicated: of("deduplicated"),
                    dead_lettered: of("dead_lettered"),
                });
            }
            if Instant::now() > deadline {
                return Err(StoreError::Rebuilding.into());
            }
            thread::sleep(POLL);
        }
    }

    /// Offsets of the open letters that fit, oldest first.
    fn letters(&self, request: &RedriveRequest) -> Result<Vec<u64>, FlowError> {
        let read = |connection: &duckdb::Connection| -> duckdb::Result<Vec<u64>> {
            let mut statement = connection.prepare(
                "SELECT DISTINCT _offset FROM dead_letters WHERE is_captured AND ($1 IS NULL OR team_id = $1) \
                 AND ($2 IS NULL OR event = $2) AND ($3 IS NULL OR contains(error, $3)) ORDER BY _offset LIMIT $4",
            )?;
            let rows = statement
                .query_map(duckdb::params![request.project, request.event, request.reason, MOST], |row| row.get(0))?;
            rows.collect()
        };
        Ok(self.store_pool()?.with(read).map_err(StoreError::from)?)
    }

    /// How far the store is, and what the redrives from a journal record on came to.
    fn redriven_since(&self, sequence: u64) -> Result<(u64, Vec<(String, u64)>), FlowError> {
        let read = |connection: &duckdb::Connection| -> duckdb::Result<_> {
            let reached = connection.query_row("SELECT journal_sequence FROM weir_state", [], |row| row.get(0))?;
            let mut statement = connection
                .prepare("SELECT outcome, count(*) FROM redrives WHERE journal_sequence >= ? GROUP BY outcome")?;
            let outcomes = statement.query_map([sequence], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok((reached, outcomes.collect::<duckdb::Result<_>>()?))
        };
        Ok(self.store_pool()?.with(read).map_err(StoreError::from)?)
    }
}
