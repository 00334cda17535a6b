//! What has been found, bounded however much it is.

use std::collections::{BTreeMap, HashSet};

use weir_api::oracle::{Mismatch, MismatchCount, OracleState};
use weir_event::clock::UnixMillis;

/// Mismatches kept of one kind and field; the rest is counted.
const KEPT: u64 = 100;
/// Kinds and fields that are told apart.
const KINDS: usize = 200;
/// Characters of a value.
const SHOWN: usize = 500;

/// Mismatches that are remembered as told; beyond these nothing is told any more.
const TOLD: usize = 100_000;

#[derive(Debug, Default)]
pub struct Tally {
    pub state: OracleState,
    counts: BTreeMap<(&'static str, String), u64>,
    /// In rounds: (kind, field, uuid, distinct id) of what was told.
    told: Option<HashSet<(&'static str, String, String, String)>>,
}

/// Where something differs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    pub offset: u64,
    pub project: u32,
    pub uuid: &'a str,
    pub distinct_id: &'a str,
}

impl Tally {
    pub fn differs(
        &mut self,
        at_ms: UnixMillis,
        kind: &'static str,
        field: &str,
        place: Place<'_>,
        (expected, found): (String, String),
    ) {
        if let Some(told) = &mut self.told {
            let key = (kind, field.to_owned(), place.uuid.to_owned(), place.distinct_id.to_owned());
            if told.len() >= TOLD || !told.insert(key) {
                return;
            }
        }
        let is_known = self.counts.contains_key(&(kind, field.to_owned()));
        // Names of properties are the senders' to choose, so that there may be any number of them.
        let field = if is_known || self.counts.len() < KINDS { field } else { "and others" };
        let count = self.counts.entry((kind, field.to_owned())).or_default();
        *count += 1;
        metrics::counter!("weir_oracle_mismatches_total", "kind" => kind).increment(1);
        if *count > KEPT {
            return;
        }
        self.state.mismatches.push(Mismatch {
            kind: kind.to_owned(),
            field: field.to_owned(),
            offset: place.offset,
            project: place.project,
            uuid: place.uuid.to_owned(),
            distinct_id: place.distinct_id.to_owned(),
            expected: shortened(expected),
            found: shortened(found),
            at_ms,
        });
    }

    /// Everything is about to be compared anew: figures begin at nothing, and what differs again is not told again.
    pub fn begin_round(&mut self) {
        self.told.get_or_insert_default();
        let state = &mut self.state;
        (state.expected, state.stored, state.timestamps_off) = (0, 0, 0);
        (state.missing, state.extra, state.wrong) = (0, 0, 0);
        (state.persons_right, state.persons_wrong) = (0, 0);
        (state.distinct_ids_right, state.distinct_ids_wrong) = (0, 0);
    }

    pub fn view(&self) -> OracleState {
        let kinds = self.counts.iter().map(|((kind, field), count)| MismatchCount {
            kind: (*kind).to_owned(),
            field: field.clone(),
            count: *count,
        });
        OracleState { kinds: kinds.collect(), ..self.state.clone() }
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
