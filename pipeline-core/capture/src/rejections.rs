//! Refused requests, counted per project, rule and second, and written to the intake log as one small
//! record each, so that a flood of bad requests is visible in the ledger and costs next to nothing.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use weir_event::clock::UnixMillis;
use weir_event::intake::{IntakeBody, IntakeRecord};

/// More (project, rule) pairs than this within a second are counted under an empty token: the tokens of
/// refused requests come from strangers.
const PAIRS: usize = 256;
const EXAMPLE_CHARS: usize = 200;

/// Counts waiting for the next flush.
#[derive(Debug, Default)]
pub struct EdgeRejections {
    waiting: Mutex<HashMap<(String, Cow<'static, str>), Tally>>,
}

#[derive(Debug)]
struct Tally {
    count: u32,
    example: String,
}

impl EdgeRejections {
    pub fn count(&self, token: &str, rule: &'static str, events: u32, example: &str) {
        metrics::counter!("weir_capture_rejected_events_total", "rule" => rule).increment(u64::from(events));
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (token.chars().take(64).collect::<String>(), Cow::Borrowed(rule));
        if waiting.len() >= PAIRS && !waiting.contains_key(&key) {
            key.0.clear();
        }
        let tally = waiting
            .entry(key)
            .or_insert_with(|| Tally { count: 0, example: example.chars().take(EXAMPLE_CHARS).collect() });
        tally.count = tally.count.saturating_add(events);
    }

    /// What [`EdgeRejections::take`] gave and could not be appended waits for the next flush.
    pub fn put_back(&self, record: IntakeRecord) {
        let IntakeBody::EdgeRejections { rule, count, example } = record.body else { return };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = waiting.entry((record.token, Cow::Owned(rule))).or_insert(Tally { count: 0, example });
        tally.count = tally.count.saturating_add(count);
    }

    /// The records to append now, in a stable order; the counts start again at zero.
    pub fn take(&self, now_ms: UnixMillis) -> Vec<IntakeRecord> {
        let tallies = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut tallies: Vec<_> = tallies.into_iter().collect();
        tallies.sort_by(|(left, _), (right, _)| left.cmp(right));
        tallies
            .into_iter()
            .map(|((token, rule), Tally { count, example })| IntakeRecord {
                received_at_ms: now_ms,
                token,
                ip: String::new(),
                site_url: String::new(),
                sent_at: None,
                body: IntakeBody::EdgeRejections { rule: rule.into_owned(), count, example },
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_strange_tokens_stays_small_and_counted() {
        let rejections = EdgeRejections::default();
        for index in 0..10_000 {
            rejections.count(&format!("token-{index}"), "missing_distinct_id", 2, "x");
        }
        let records = rejections.take(1);
        assert!(records.len() <= PAIRS + 1);
        assert_eq!(records.iter().map(IntakeRecord::event_count).sum::<u32>(), 20_000);
        assert!(rejections.take(2).is_empty());
        records.into_iter().for_each(|record| rejections.put_back(record));
        assert_eq!(rejections.take(3).iter().map(IntakeRecord::event_count).sum::<u32>(), 20_000, "nothing is lost");
    }
}
