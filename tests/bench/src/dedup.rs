//! The index of known uuids, beside a hash map of everything and a binary search over sorted keys, both
//! in memory.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use pipeline_core::flow::{Dedup, Fingerprint, Seen};
use uuid::Uuid;

use crate::memory;
use crate::report::{Report, grouped};

const UUIDS: u64 = 10_000_000;
/// Uuids of a journal record, as under load.
const BATCH: u64 = 500;
const CHECKS: u64 = 500_000;
const TARGET: u64 = 100_000_000;

/// The same for the same number, and spread over all there are.
fn uuid(number: u64) -> Uuid {
    let mix = |number: u64| {
        let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ number >> 31
    };
    Uuid::from_u64_pair(mix(number.wrapping_mul(2)), mix(number.wrapping_mul(2) + 1))
}

fn fingerprint(number: u64) -> Fingerprint {
    Fingerprint::new(1, uuid(number), "{}")
}

pub fn index(report: &mut Report, uuids: Option<u64>) -> anyhow::Result<()> {
    let uuids = uuids.unwrap_or(UUIDS);
    let dir = tempfile::tempdir_in(std::env::current_dir()?)?;
    let resident_before = memory::of_this_process();
    let mut dedup = Dedup::open(dir.path())?;
    let (mut inserting, mut slowest_seal) = (Duration::ZERO, Duration::ZERO);
    let mut peak = 0;
    for sequence in 0..uuids / BATCH {
        let batch: Vec<_> = (sequence * BATCH..(sequence + 1) * BATCH).map(fingerprint).collect();
        let started = Instant::now();
        batch.into_iter().for_each(|fingerprint| dedup.insert(fingerprint));
        let sealing = Instant::now();
        dedup.seal_if_full(sequence + 1)?;
        slowest_seal = slowest_seal.max(sealing.elapsed());
        inserting += started.elapsed();
        if sequence.is_multiple_of(200) {
            peak = peak.max(memory::of_this_process().saturating_sub(resident_before));
        }
    }
    let resident = memory::of_this_process().saturating_sub(resident_before);
    let runs = dedup.run_count();
    let inserted_ns = inserting.as_nanos() as f64 / uuids as f64;

    let new: Vec<_> = (uuids..uuids + CHECKS).map(fingerprint).collect();
    let new_ns = timed(&new, |one| dedup.check(one).is_ok_and(|seen| seen == Seen::New))?;
    let step = uuids / CHECKS;
    let known: Vec<_> = (0..CHECKS).map(|number| fingerprint(number * step + number % step)).collect();
    let known_ns = timed(&known, |one| dedup.check(one).is_ok_and(|seen| seen == Seen::Duplicate))?;
    let resident_bytes = dedup.resident_bytes();
    drop(dedup);
    let opening = Instant::now();
    let dedup = Dedup::open(dir.path())?;
    let opened_s = opening.elapsed().as_secs_f64();
    // What the runs hold grows with them; the rest, mostly the hash map of the newest, does not.
    let in_runs = dedup.resident_bytes() as f64;
    let bytes_per_uuid = in_runs / (uuids - uuids % 100_000) as f64;
    let fixed = (peak.max(resident) as f64 - in_runs).max(0.0);
    drop(dedup);

    let (map_ns, map_found_ns, search_ns) = raw(uuids.min(UUIDS), &new, &known)?;
    let million = |bytes: f64| format!("{:.0} MB", bytes / 1e6);
    report.add(
        &format!("index of {} known uuids, resident", grouped(uuids as f64)),
        format!(
            "{} at the end, {} at most while filling; {} by its own count ({runs} runs)",
            million(resident as f64),
            million(peak as f64),
            million(resident_bytes as f64)
        ),
        "RSS of the process, growth",
    );
    if uuids < TARGET {
        report.add(
            &format!("the same at {}, extrapolated", grouped(TARGET as f64)),
            format!(
                "{}: {:.1} bits each, and the {} that are there at any size",
                million(bytes_per_uuid * TARGET as f64 + fixed),
                bytes_per_uuid * 8.0,
                million(fixed)
            ),
            "< 256 MB",
        );
    }
    report.add(
        "check of a new uuid",
        format!("{new_ns:.0} ns"),
        &format!("<= 1,000 ns; a hash map in memory: {map_ns:.0} ns"),
    );
    report.add(
        "check of a known uuid",
        format!("{known_ns:.0} ns"),
        &format!("a hash map in memory: {map_found_ns:.0} ns, binary search in memory: {search_ns:.0} ns"),
    );
    report.add(
        "insert of a uuid, seals and waits for merges included",
        format!("{inserted_ns:.0} ns; slowest seal {:.0} ms", slowest_seal.as_secs_f64() * 1_000.0),
        "",
    );
    report.add("opening the index, all of it verified", format!("{opened_s:.2} s"), "");
    Ok(())
}

/// Nanoseconds of one; all must be as expected.
fn timed<T: Copy>(all: &[T], mut is_right: impl FnMut(T) -> bool) -> anyhow::Result<f64> {
    let started = Instant::now();
    let right = all.iter().filter(|one| is_right(black_box(**one))).count();
    let nanoseconds = started.elapsed().as_nanos() as f64 / all.len() as f64;
    anyhow::ensure!(right == all.len(), "{} of {} checks were wrong", all.len() - right, all.len());
    Ok(nanoseconds)
}

/// A miss and a hit of a hash map, and a hit by binary search, over as many keys.
fn raw(uuids: u64, new: &[Fingerprint], known: &[Fingerprint]) -> anyhow::Result<(f64, f64, f64)> {
    let mut map: HashMap<u128, Fingerprint> = HashMap::with_capacity(uuids as usize);
    for number in 0..uuids {
        fingerprint(number).seen_in(&mut map);
    }
    let keys = |all: &[Fingerprint]| {
        // A fingerprint tells its key only by joining a map.
        all.iter()
            .filter_map(|one| {
                let mut own = HashMap::new();
                one.seen_in(&mut own);
                own.into_keys().next()
            })
            .collect::<Vec<_>>()
    };
    let miss = timed(&keys(new), |key| !map.contains_key(&key))?;
    let held: Vec<_> = keys(known).into_iter().filter(|key| map.contains_key(key)).collect();
    let hit = timed(&held, |key| map.contains_key(&key))?;
    let mut sorted: Vec<_> = map.into_keys().collect();
    sorted.sort_unstable();
    let search = timed(&held, |key| sorted.binary_search(&key).is_ok())?;
    Ok((miss, hit, search))
}
