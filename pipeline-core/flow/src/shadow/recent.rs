//! The newest events as the plugin stage was given them, and what their requests were answered with.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use weir_event::clock::UnixMillis;
use weir_event::journal::{EventEffect, Fate, HostCall, JournalRecord};
use weir_log::{Log, LogReader};
use weir_trial::{Input, inputs_of};

use crate::codec;
use crate::error::FlowError;

/// Content that is held at a time; older events are left out beyond it.
const MOST_BYTES: usize = 64 << 20;
/// Looks further back while too few events are found: many may have been refused or seen before.
const LOOKS: u32 = 3;
const READ_EVENTS: u64 = 8_192;
const READ_BYTES: usize = 4 << 20;
/// Calls outside events that are remembered, of each plugin.
const SETUP_CALLS: usize = 100;

#[derive(Debug, Default)]
pub struct Recent {
    pub batches: VecDeque<RecentBatch>,
    pub calls: Vec<HostCall>,
    /// Events in the batches.
    pub events: u64,
}

#[derive(Debug)]
pub struct RecentBatch {
    pub processed_at_ms: UnixMillis,
    pub inputs: Vec<Input>,
}

impl Recent {
    /// The newest events that met plugins, as many as asked for, if there are as many.
    pub fn read(intake: &Log, journal: &Log, last: u64, project_of: impl Fn(&str) -> u32) -> Result<Self, FlowError> {
        // While this reads, the log grows; it must not run after it.
        let end = journal.end().offset;
        let mut reach = last;
        let mut recent = Self::default();
        for _ in 0..LOOKS {
            let from = end.saturating_sub(reach);
            recent = Self::between(intake, journal, from..end, &project_of)?;
            if recent.events >= last || from == 0 {
                break;
            }
            reach = reach.saturating_mul(4);
        }
        while recent.events > last {
            let excess = recent.events - last;
            let Some(oldest) = recent.batches.front_mut() else { break };
            let taken = oldest.inputs.len().min(excess as usize);
            oldest.inputs.drain(..taken);
            recent.events -= taken as u64;
            if oldest.inputs.is_empty() {
                recent.batches.pop_front();
            }
        }
        Ok(recent)
    }

    fn between(
        intake: &Log,
        journal: &Log,
        range: Range<u64>,
        project_of: impl Fn(&str) -> u32,
    ) -> Result<Self, FlowError> {
        let mut recent = Self::default();
        let mut bytes = 0;
        let mut journal = journal.read_from_offset(range.start);
        let mut intake_reader: Option<LogReader> = None;
        loop {
            let records = journal.read(READ_EVENTS, READ_BYTES)?;
            if records.is_empty() {
                return Ok(recent);
            }
            for record in records {
                if record.offset >= range.end {
                    return Ok(recent);
                }
                let JournalRecord::Batch(batch) = codec::decode_journal(&record.payload)? else { continue };
                let reader = intake_reader.get_or_insert_with(|| intake.read_from_offset(batch.first_offset));
                let mut inputs = Vec::new();
                let mut index = 0;
                while index < batch.effects.len() {
                    let Some(record) = reader.read(1, 1)?.into_iter().next() else {
                        return Err(FlowError::Disagreement(
                            "the journal covers more than the intake log holds".into(),
                        ));
                    };
                    let decoded = codec::decode_intake(&record.payload)?;
                    index += decoded.event_count() as usize;
                    let project = project_of(&decoded.token);
                    inputs.extend(inputs_of(decoded, record.offset, project));
                }
                inputs.retain(|input| {
                    let at = input.offset.checked_sub(batch.first_offset).map(|at| at as usize);
                    input.offset >= range.start && at.and_then(|at| batch.effects.get(at)).is_some_and(met_plugins)
                });
                bytes += inputs.iter().map(size).sum::<usize>();
                recent.events += inputs.len() as u64;
                recent.calls.extend(batch.calls);
                recent.batches.push_back(RecentBatch { processed_at_ms: batch.processed_at_ms, inputs });
                while bytes > MOST_BYTES
                    && let Some(oldest) = recent.batches.pop_front()
                {
                    bytes -= oldest.inputs.iter().map(size).sum::<usize>();
                    recent.events -= oldest.inputs.len() as u64;
                }
            }
        }
    }

    pub fn offsets(&self) -> Option<(u64, u64)> {
        let mut offsets = self.batches.iter().flat_map(|batch| &batch.inputs).map(|input| input.offset);
        let first = offsets.next()?;
        Some((first, offsets.next_back().unwrap_or(first)))
    }

    pub fn first_ms(&self) -> Option<UnixMillis> {
        self.batches.front().map(|batch| batch.processed_at_ms)
    }
}

fn size(input: &Input) -> usize {
    input.captured.data.len() + size_of::<Input>()
}

/// Live, the others never came to a plugin.
const fn met_plugins(effect: &EventEffect) -> bool {
    !matches!(effect.fate, Fate::Deduplicated { .. } | Fate::Rejected) || !effect.steps.is_empty()
}

/// What plugins called outside events since the start, most of all in `setupPlugin`: every start makes those
/// calls again, so they are found without a look at the whole journal. Of equal calls the newest is kept,
/// because a comparison sets each version up once.
#[derive(Debug, Default)]
pub struct SetupCalls(Mutex<HashMap<String, VecDeque<HostCall>>>);

impl SetupCalls {
    pub fn remember(&self, calls: &[HostCall]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls {
            let own = all.entry(call.plugin_id.clone()).or_default();
            own.retain(|known| known.request_digest != call.request_digest);
            own.push_back(call.clone());
            if own.len() > SETUP_CALLS {
                own.pop_front();
            }
        }
    }

    pub fn of(&self, plugin_id: &str) -> Vec<HostCall> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(plugin_id).map(|own| own.iter().cloned().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
    use weir_event::journal::BatchRecord;
    use weir_log::{LogAppender, LogConfig, RealFilesystem};

    use super::*;

    struct Logs {
        _dir: tempfile::TempDir,
        intake: (Log, LogAppender),
        journal: (Log, LogAppender),
    }

    fn call(plugin_id: &str, digest: &str, answer: &str) -> HostCall {
        HostCall {
            offset: None,
            plugin_id: plugin_id.into(),
            kind: "http_live".into(),
            request_digest: digest.into(),
            summary: "GET https://a.example/".into(),
            status: "200".into(),
            duration_us: 1,
            response_bytes: 1,
            answer: Some(answer.into()),
        }
    }

    /// Batches of ten events, of which every second was seen before.
    fn logs(batches: u64) -> Logs {
        let dir = tempfile::tempdir().expect("a folder");
        let open = |name| {
            let config = LogConfig::new(name, dir.path().join(name), Arc::new(RealFilesystem));
            let (log, appender, _) = Log::open(config).expect("a log");
            (log, appender)
        };
        let logs = Logs { intake: open("intake"), journal: open("journal"), _dir: dir };
        for batch in 0..batches {
            let event = |at| CapturedEvent {
                uuid: uuid::Uuid::from_u128(u128::from(batch * 10 + at)),
                client_uuid: true,
                distinct_id: "d".into(),
                data: r#"{"event":"e"}"#.into(),
            };
            let record = IntakeRecord {
                received_at_ms: 0,
                token: "t".into(),
                ip: String::new(),
                site_url: String::new(),
                sent_at: None,
                body: IntakeBody::Events((0..10).map(event).collect()),
            };
            let payload = codec::encode_intake(&record).expect("bytes");
            logs.intake.1.append_blocking(payload, 10).expect("it is appended");
            let effect = |at| EventEffect {
                fate: if at % 2 == 0 { Fate::Passed } else { Fate::Deduplicated { conflicting: false } },
                ..EventEffect::default()
            };
            let record = BatchRecord {
                first_offset: batch * 10,
                event_count: 10,
                processed_at_ms: batch as i64,
                effects: (0..10).map(effect).collect(),
                calls: vec![call("p", &batch.to_string(), "{}")],
                ..BatchRecord::default()
            };
            let payload = codec::encode_journal(&JournalRecord::Batch(record)).expect("bytes");
            logs.journal.1.append_blocking(payload, 10).expect("it is appended");
        }
        logs
    }

    fn offsets(recent: &Recent) -> Vec<u64> {
        recent.batches.iter().flat_map(|batch| &batch.inputs).map(|input| input.offset).collect()
    }

    #[test]
    fn the_newest_that_met_plugins_are_found_however_many_did_not() {
        let logs = logs(8);
        let read = |last| Recent::read(&logs.intake.0, &logs.journal.0, last, |_| 7).expect("they are read");
        let recent = read(7);
        assert_eq!(offsets(&recent), [66, 68, 70, 72, 74, 76, 78]);
        assert_eq!((recent.events, recent.offsets(), recent.first_ms()), (7, Some((66, 78)), Some(6)));
        assert!(recent.batches.iter().flat_map(|batch| &batch.inputs).all(|input| input.project == 7));
        assert!(recent.calls.iter().any(|call| call.request_digest == "7"));
        assert_eq!(read(1_000).events, 40);
        let empty = self::logs(0);
        let recent = Recent::read(&empty.intake.0, &empty.journal.0, 5, |_| 1).expect("nothing is read");
        assert_eq!((recent.events, recent.offsets(), recent.first_ms()), (0, None, None));
    }

    #[test]
    fn what_is_journalled_meanwhile_is_not_followed() {
        let logs = logs(3);
        let range = 5..20;
        let recent = Recent::between(&logs.intake.0, &logs.journal.0, range, |_| 1).expect("they are read");
        assert_eq!(offsets(&recent), [6, 8, 10, 12, 14, 16, 18]);
    }

    #[test]
    fn of_equal_setup_calls_the_newest_is_kept() {
        let calls = SetupCalls::default();
        calls.remember(&[call("p", "a", "1"), call("p", "b", "2"), call("q", "a", "3")]);
        calls.remember(&[call("p", "a", "4")]);
        let answers: Vec<Option<String>> = calls.of("p").into_iter().map(|call| call.answer).collect();
        assert_eq!(answers, [Some("2".to_owned()), Some("4".to_owned())]);
        let many: Vec<HostCall> = (0..300).map(|at| call("p", &at.to_string(), "")).collect();
        calls.remember(&many);
        assert_eq!(calls.of("p").len(), SETUP_CALLS);
    }
}
