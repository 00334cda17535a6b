//! What a redrive did, applied: an outcome moves, and the letter is closed.

use weir_event::Outcome;
use weir_event::journal::{BatchRecord, RedriveRecord};
use weir_store::RowBatch;

use crate::emitted;
use crate::error::FlowError;
use crate::projection::{Projection, log_rows, storage_rows};
use crate::redrive::Found;
use crate::stored::EventContext;

impl Projection {
    /// `found` are the events of the record's entries, read from the intake log.
    pub fn apply_redrive(
        &mut self,
        sequence: u64,
        redrive: &RedriveRecord,
        found: &[Found],
    ) -> Result<RowBatch, FlowError> {
        let mut rows = RowBatch::default();
        let batch = BatchRecord { processed_at_ms: redrive.processed_at_ms, ..BatchRecord::default() };
        let missing = |offset| {
            FlowError::Disagreement(format!("journal record {sequence} redrives offset {offset}, which is no event"))
        };
        let at = |offset| found.iter().find(|letter| letter.offset == offset).ok_or_else(|| missing(offset));
        for entry in &redrive.entries {
            let letter = at(entry.offset)?;
            // Asked for twice at a time, or closed before: it moves once.
            if !self.letters.remove(&(entry.offset, letter.captured.uuid)) {
                continue;
            }
            let mut context = EventContext {
                sequence,
                batch: &batch,
                chain_hash: &redrive.chain_hash,
                record: &letter.record,
                offset: entry.offset,
                is_captured: true,
                keeps_recordings: self.keeps_recordings(),
                rows: &mut rows,
            };
            let result = self.apply_event(&mut context, Some(&letter.captured), &entry.effect, None);
            self.cursor.outcomes.dead_lettered -= 1;
            self.cursor.outcomes.add(result.outcome, 1);
            let window = rows.windows.at(letter.record.received_at_ms);
            window.add(Outcome::DeadLettered, -1);
            window.add(result.outcome, 1);
            window.spans(entry.offset, entry.offset + 1);
            rows.redriven.push((entry.offset, letter.captured.uuid, sequence, result.outcome));
        }
        for event in &redrive.emitted {
            let parent = at(event.parent_offset)?;
            let (record, captured) = emitted::restored(event, &parent.record);
            let mut context = EventContext {
                sequence,
                batch: &batch,
                chain_hash: &event.chain_hash,
                record: &record,
                offset: event.parent_offset,
                is_captured: false,
                keeps_recordings: self.keeps_recordings(),
                rows: &mut rows,
            };
            self.count_emitted(&mut context, &captured, &event.effect);
        }
        self.letters.extend(rows.dead_letters.iter().map(|row| (row.offset, row.event_uuid)));
        let offset = self.cursor.intake_offset;
        rows.plugin_logs = log_rows(sequence, offset, &redrive.logs);
        rows.storage = storage_rows(sequence, &redrive.storage);
        self.plugins.ask(&redrive.jobs, &mut rows);
        self.cursor.journal_sequence = sequence + 1;
        Ok(rows)
    }
}
