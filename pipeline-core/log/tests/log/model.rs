//! Any sequence of appends, restarts and power cuts, against a list.

use std::sync::Arc;

use proptest::prelude::*;
use weir_log::{Filesystem, Log, LogConfig};

use crate::faulty::FaultyDisk;

#[derive(Debug, Clone)]
enum Step {
    Append { bytes: usize, events: u32 },
    Restart { torn: usize },
    ReadFrom { part: u8 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0_usize..300, 0_u32..5).prop_map(|(bytes, events)| Step::Append { bytes, events }),
        1 => (0_usize..100).prop_map(|torn| Step::Restart { torn }),
        1 => any::<u8>().prop_map(|part| Step::ReadFrom { part }),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_is_the_list_of_what_was_acked(steps in steps()) {
        let disk = FaultyDisk::default();
        let filesystem: Arc<dyn Filesystem> = Arc::new(disk.clone());
        // Small segments, so that most runs roll several times.
        let config = LogConfig { segment_bytes: 700, ..LogConfig::new("model", "/log", filesystem) };
        let (mut log, mut appender, _) = Log::open(config.clone()).expect("opens");
        let mut model: Vec<(u64, u32, Vec<u8>)> = Vec::new();
        let mut end = 0_u64;
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append { bytes, events } => {
                    let payload = vec![number as u8; bytes];
                    let durable = appender.append_blocking(payload.clone(), events).expect("a healthy disk");
                    prop_assert_eq!(durable.offset, end);
                    prop_assert_eq!(durable.sequence, model.len() as u64);
                    model.push((end, events, payload));
                    end += u64::from(events);
                }
                Step::Restart { torn } => {
                    disk.cut_power(torn);
                    drop(appender);
                    (log, appender, _) = Log::open(config.clone()).expect("opens again");
                }
                Step::ReadFrom { part } => {
                    let sequence = model.len() as u64 * u64::from(part) / 256;
                    let records = log.read_from_sequence(sequence).read(u64::MAX, usize::MAX).expect("readable");
                    prop_assert_eq!(records.len(), model.len() - sequence as usize);
                    if let Some((offset, events, _)) = model.get(sequence as usize).filter(|(_, events, _)| *events > 0) {
                        let found = log.read_from_offset(offset + u64::from(events / 2)).read(1, 1).expect("readable");
                        prop_assert_eq!(found[0].offset, *offset, "the record that holds the offset comes first");
                    }
                }
            }
        }
        let records = log.read_from_sequence(0).read(u64::MAX, usize::MAX).expect("readable");
        let found: Vec<_> = records.into_iter().map(|record| (record.offset, record.events, record.payload)).collect();
        prop_assert_eq!(found, model);
        prop_assert_eq!(log.end().offset, end);
    }
}
