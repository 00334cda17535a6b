//! The ledger by time, as it is asked for.
//!
//! What is committed is summed by the store (`weir_store::windows` says how); what waits behind the store's cursor is
//! read from the intake log, because only its record says when a request was received. The store is read first and the
//! log after it, so that an event may be missed that came meanwhile, and none is in two places.

use std::collections::BTreeMap;

use weir_api::ledger::Ledger as LedgerView;
use weir_api::window::{LedgerWindow, Windows, WindowsRequest};
use weir_event::Outcome;
use weir_event::clock::UnixMillis;
use weir_store::{WINDOW_MS, Window, window_start};

use crate::codec;
use crate::error::FlowError;
use crate::flow::Flow;

const WINDOWS: u32 = 60;
const MOST_WINDOWS: u32 = 1_000;
/// What is read of the events that wait.
const WAITING_EVENTS: u64 = 50_000;
const READ_BYTES: usize = 4 << 20;

impl Flow {
    /// May block its thread.
    pub fn windows(&self, request: &WindowsRequest) -> Result<Windows, FlowError> {
        let length_s = request.length_s.unwrap_or((WINDOW_MS / 1000) as u32);
        let length_ms = i64::from(length_s) * 1000;
        let limit = request.limit.unwrap_or(WINDOWS).clamp(1, MOST_WINDOWS);
        // The end of time, as far as the database knows it.
        let before_ms = request.before_ms.unwrap_or(i64::MAX / 1_000_000);
        let (cursor, committed) =
            self.shared.store.pool()?.with(|store| weir_store::windows(store, length_ms, before_ms, limit + 1))?;
        let mut windows: BTreeMap<UnixMillis, LedgerView> =
            committed.into_iter().map(|(start_ms, window)| (start_ms, view(&window))).collect();

        let mut unread = self.intake_log.end().offset.saturating_sub(cursor.intake_offset);
        let mut reader = self.intake_log.read_from_offset(cursor.intake_offset);
        let mut read = 0;
        while read < WAITING_EVENTS {
            let records = reader.read(WAITING_EVENTS - read, READ_BYTES)?;
            if records.is_empty() {
                break;
            }
            for record in records {
                let request = codec::decode_intake(&record.payload)?;
                let count = u64::from(request.event_count());
                read += count;
                unread = unread.saturating_sub(count);
                let start_ms = window_start(request.received_at_ms, length_ms);
                if start_ms < before_ms {
                    let window = windows.entry(start_ms).or_default();
                    window.received += count;
                    window.in_flight += count;
                }
            }
        }
        let has_older = windows.len() > limit as usize;
        let windows = windows.into_iter().rev().take(limit as usize);
        let windows =
            windows.map(|(from_ms, ledger)| LedgerWindow { from_ms, until_ms: from_ms + length_ms, ledger }).collect();
        Ok(Windows { length_s, windows, unread, has_older })
    }
}

fn view(window: &Window) -> LedgerView {
    // Below zero only if something is wrong, which `unexplained` then says.
    let count = |count: i64| u64::try_from(count).unwrap_or_default();
    let outcomes: i64 = Outcome::ALL.into_iter().map(|outcome| window.of(outcome)).sum();
    LedgerView {
        received: count(window.received),
        emitted: count(window.emitted),
        stored: count(window.of(Outcome::Stored)),
        dropped: count(window.of(Outcome::Dropped)),
        rejected: count(window.of(Outcome::Rejected)),
        dead_lettered: count(window.of(Outcome::DeadLettered)),
        deduplicated: count(window.of(Outcome::Deduplicated)),
        in_flight: 0,
        unexplained: window.received + window.emitted - outcomes,
    }
}
