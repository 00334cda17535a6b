//! One fault at a time.

use std::sync::Arc;

use weir_log::{Filesystem, Log, LogAppender, LogConfig, LogError, Recovery};

use crate::faulty::{Fault, FaultyDisk};

fn open(disk: &FaultyDisk) -> (Log, LogAppender, Recovery) {
    let filesystem: Arc<dyn Filesystem> = Arc::new(disk.clone());
    Log::open(LogConfig::new("test", "/log", filesystem)).expect("the log opens")
}

fn payloads(log: &Log) -> Vec<Vec<u8>> {
    log.read_from_offset(0)
        .read(u64::MAX, usize::MAX)
        .expect("readable")
        .into_iter()
        .map(|record| record.payload)
        .collect()
}

#[test]
fn a_failed_sync_is_never_acked_and_never_retried() {
    let disk = FaultyDisk::default();
    let (log, appender, _) = open(&disk);
    appender.append_blocking(b"first".to_vec(), 1).expect("a healthy disk");
    disk.inject(Fault::Sync);
    assert!(matches!(appender.append_blocking(b"second".to_vec(), 1), Err(LogError::Poisoned { .. })));
    // The disk is healthy again, and still nothing is accepted.
    assert!(matches!(appender.append_blocking(b"third".to_vec(), 1), Err(LogError::Poisoned { .. })));
    assert_eq!(log.end().offset, 1);
    assert_eq!(payloads(&log), [b"first"], "readers never see what is not durable");
    disk.cut_power(0);
    let (log, appender, _) = open(&disk);
    assert_eq!(payloads(&log), [b"first"]);
    assert_eq!(appender.append_blocking(b"fourth".to_vec(), 1).expect("a restart heals").offset, 1);
}

#[test]
fn a_full_disk_refuses_and_keeps_what_it_has() {
    let disk = FaultyDisk::default();
    let (log, appender, _) = open(&disk);
    appender.append_blocking(b"first".to_vec(), 1).expect("a healthy disk");
    disk.inject(Fault::Full);
    let error = appender.append_blocking(b"second".to_vec(), 1).expect_err("a full disk");
    assert_eq!(error.code(), "log_poisoned");
    assert_eq!(payloads(&log), [b"first"]);
}

#[test]
fn every_length_of_a_torn_record_is_cut_and_kept_aside() {
    let record_bytes = 32 + 6;
    for torn in 1..record_bytes {
        let disk = FaultyDisk::default();
        let (_, appender, _) = open(&disk);
        appender.append_blocking(b"first!".to_vec(), 1).expect("a healthy disk");
        disk.inject(Fault::ShortWrite(torn));
        appender.append_blocking(b"second".to_vec(), 1).expect_err("a short write");
        disk.cut_power(torn);
        let (log, appender, recovery) = open(&disk);
        let tail = recovery.torn.unwrap_or_else(|| panic!("{torn} bytes went unnoticed"));
        assert_eq!(tail.cut_bytes, torn as u64);
        assert!(disk.paths().contains(&tail.saved_as));
        assert_eq!(payloads(&log), [b"first!"]);
        appender.append_blocking(b"third!".to_vec(), 1).expect("goes on where it was");
        assert_eq!(payloads(&log), [b"first!", b"third!"]);
    }
}

#[test]
fn a_power_cut_without_a_tear_loses_only_what_was_not_acked() {
    let disk = FaultyDisk::default();
    let (_, appender, _) = open(&disk);
    for number in 0..50_u8 {
        appender.append_blocking(vec![number; 100], 3).expect("a healthy disk");
    }
    disk.cut_power(0);
    let (log, _, recovery) = open(&disk);
    assert_eq!((recovery.torn, recovery.end.offset, recovery.end.sequence), (None, 150, 50));
    assert_eq!(payloads(&log).len(), 50);
}
