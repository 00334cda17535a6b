//! Recounts closed ranges of the logs against the store.
//!
//! The live ledger counts as events move; the audit does not trust it. It reads every record of both
//! logs up to the store's cursor, counts again, asks the store, and states each difference.

use std::collections::HashMap;

use weir_api::ledger::{Audit, Digest, Ledger as LedgerView};
use weir_event::Outcome;
use weir_event::journal::{Fate, JournalRecord};
use weir_event::outcome::OutcomeCounts;
use weir_log::Log;
use weir_store::{CURSOR_COLUMNS, QueryPool, StoreError};

use crate::codec;
use crate::error::FlowError;
use crate::flow::Flow;

impl Flow {
    /// Recounts the logs against the store; blocks its thread.
    pub fn audit(&self) -> Result<Audit, FlowError> {
        audit(&self.intake_log, &self.journal_log, &*self.shared.store.pool()?)
    }

    /// Digests of the store; blocks its thread.
    pub fn digest(&self) -> Result<Digest, FlowError> {
        let tables = self.shared.store.pool()?.with(weir_store::digests)?;
        Ok(Digest { tables })
    }
}

fn audit(intake: &Log, journal: &Log, store: &QueryPool) -> Result<Audit, FlowError> {
    let (cursor, event_rows, letter_rows) = store.with(|connection| -> Result<_, StoreError> {
        // One statement, so that every number is of one commit.
        let sql = format!(
            "SELECT {CURSOR_COLUMNS}, (SELECT count(*) FROM event_rows) - (SELECT count(*) FROM superseded_rows), \
             (SELECT count(*) FROM dead_letters) FROM weir_state"
        );
        Ok(connection
            .query_row(&sql, [], |row| Ok((weir_store::cursor(row)?, row.get::<_, u64>(9)?, row.get::<_, u64>(10)?)))?)
    })?;
    let (through, journal_end, committed) = (cursor.intake_offset, cursor.journal_sequence, cursor.outcomes);

    let intake_events = count_intake(intake, through)?;
    let mut journalled = OutcomeCounts::default();
    let (mut covered, mut redriven): (u64, u64) = (0, 0);
    let mut differences = Vec::new();
    let mut reader = journal.read_from_sequence(0);
    'journal: loop {
        let records = reader.read(8_192, 4 << 20)?;
        if records.is_empty() {
            break;
        }
        for record in records {
            if record.sequence >= journal_end {
                break 'journal;
            }
            let record_is = codec::decode_journal(&record.payload)?;
            if let JournalRecord::Redrive(redrive) = &record_is {
                // It moves outcomes; only what plugins made meanwhile is new.
                redriven += redrive.entries.len() as u64;
                journalled.emitted += redrive.emitted.len() as u64;
                journalled.stored += redrive.emitted.len() as u64;
            }
            if let JournalRecord::Batch(batch) = record_is {
                if batch.first_offset != covered {
                    differences.push(format!(
                        "journal record {} starts at intake offset {}, {covered} was expected",
                        record.sequence, batch.first_offset
                    ));
                }
                covered = batch.first_offset + u64::from(batch.event_count);
                let mut fates: HashMap<Outcome, u64> = HashMap::new();
                for effect in &batch.effects {
                    *fates.entry(outcome_of(&effect.fate)).or_default() += 1;
                    journalled.conflicting_duplicates +=
                        u64::from(effect.fate == Fate::Deduplicated { conflicting: true });
                }
                for event in &batch.emitted {
                    *fates.entry(outcome_of(&event.effect.fate)).or_default() += 1;
                }
                journalled.emitted += batch.emitted.len() as u64;
                for (outcome, count) in fates {
                    journalled.add(outcome, count);
                }
            }
        }
    }

    let mut differ = |what: &str, left: u64, right: u64| {
        if left != right {
            differences.push(format!("{what}: {left} against {right}"));
        }
    };
    differ("events in the intake log against the store's cursor", intake_events, through);
    differ("events in the journal against the store's cursor", covered, through);
    differ("outcomes in the store against its cursor", committed.total(), through + committed.emitted);
    differ("events made by plugins in the journal against the store", journalled.emitted, committed.emitted);
    differ("rows of events against the stored count", event_rows, committed.stored);
    differ("rows of dead letters against their count", letter_rows, committed.dead_lettered);
    differ("rejected in the journal against the store", journalled.rejected, committed.rejected);
    differ("outcomes in the journal against the store", journalled.total(), committed.total());
    // Behind the journal a rule may still drop an event that passed, keep it aside or find it repeated;
    // what has ended there stays ended.
    for (what, before, after) in [
        ("dropped", journalled.dropped, committed.dropped),
        ("dead-lettered", journalled.dead_lettered, committed.dead_lettered + redriven),
        ("deduplicated", journalled.deduplicated, committed.deduplicated),
    ] {
        if before > after {
            differences.push(format!("{what} in the journal against the store: {before} against {after}"));
        }
    }
    Ok(Audit {
        through_offset: through,
        intake_events,
        journal: view(&journalled, through),
        store: view(&committed, through),
        event_rows,
        differences,
    })
}

fn count_intake(intake: &Log, through: u64) -> Result<u64, FlowError> {
    let mut reader = intake.read_from_offset(0);
    let mut counted = 0;
    while counted < through {
        let records = reader.read(8_192, 4 << 20)?;
        if records.is_empty() {
            break;
        }
        for record in records.into_iter().take_while(|record| record.offset < through) {
            counted += u64::from(codec::decode_intake(&record.payload)?.event_count());
        }
    }
    Ok(counted)
}

const fn outcome_of(fate: &Fate) -> Outcome {
    match fate {
        Fate::Passed => Outcome::Stored,
        Fate::Dropped => Outcome::Dropped,
        Fate::DeadLettered { .. } => Outcome::DeadLettered,
        Fate::Deduplicated { .. } => Outcome::Deduplicated,
        Fate::Rejected => Outcome::Rejected,
    }
}

fn view(counts: &OutcomeCounts, received: u64) -> LedgerView {
    LedgerView {
        received,
        emitted: counts.emitted,
        stored: counts.stored,
        dropped: counts.dropped,
        rejected: counts.rejected,
        dead_lettered: counts.dead_lettered,
        deduplicated: counts.deduplicated,
        in_flight: 0,
        unexplained: (received + counts.emitted) as i64 - counts.total() as i64,
    }
}
