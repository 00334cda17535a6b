//! Recognises an event that a client sent twice.
//!
//! # What it guarantees
//!
//! Every (project, client uuid) that the journal holds is known, whatever became of the event: a retry
//! of a dropped event is a duplicate too. A hit is exact but for a collision of 128 bits of BLAKE3.
//!
//! # How
//!
//! Recent keys are in a hash map. When it is full it becomes a **run**: a file of sorted fixed-size
//! entries with a filter in memory, so that an event that is new (nearly all are) costs a few bit
//! tests and a duplicate one binary search in the page cache. Runs are derived from the logs: each
//! names the journal records it covers, and what they do not cover is read again from the logs on
//! start. A run that is missing or damaged ends the usable ones; the rest is rebuilt.
//!
//! # On disk
//!
//! `dedup/<first journal sequence>-<next journal sequence>.run`: entries of 24 bytes, sorted: key 16,
//! payload hash 8, little endian, then 32 bytes BLAKE3 of all entries.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

const ENTRY_BYTES: usize = 24;
const RUN_ENTRIES: usize = 200_000;
const FILTER_BITS_PER_ENTRY: usize = 10;
const FILTER_PROBES: u64 = 7;

/// What is known of a (project, uuid).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    New,
    /// Seen with the same payload.
    Duplicate,
    /// Seen with another payload.
    Conflicting,
}

/// Identifies an event for recognition, and its content for telling a retry from a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    key: u128,
    payload: u64,
}

impl Fingerprint {
    pub fn new(project: u32, uuid: Uuid, data: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&project.to_le_bytes());
        hasher.update(uuid.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        let mut payload = [0; 8];
        payload.copy_from_slice(&blake3::hash(data.as_bytes()).as_bytes()[..8]);
        Self { key: u128::from_le_bytes(key), payload: u64::from_le_bytes(payload) }
    }

    /// Looks among the events of one batch, which the index does not hold yet, and joins them.
    pub fn seen_in(self, batch: &mut HashMap<u128, Self>) -> Seen {
        match batch.entry(self.key) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(self);
                Seen::New
            }
            std::collections::hash_map::Entry::Occupied(known) if known.get().payload == self.payload => {
                Seen::Duplicate
            }
            std::collections::hash_map::Entry::Occupied(_) => Seen::Conflicting,
        }
    }
}

#[derive(Debug)]
pub struct Dedup {
    dir: PathBuf,
    recent: HashMap<u128, u64>,
    runs: Vec<Run>,
    /// First journal sequence that `recent` covers.
    recent_from: u64,
}

#[derive(Debug)]
struct Run {
    file: File,
    entries: usize,
    filter: Vec<u64>,
    next_sequence: u64,
}

impl Dedup {
    /// Opens the runs in `dir`. Journal records from [`Dedup::covered`] on must then be fed to
    /// [`Dedup::insert`].
    pub fn open(dir: &Path) -> std::io::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut files: Vec<(u64, u64, PathBuf)> = fs::read_dir(dir)?
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let (first, next) = path.file_name()?.to_str()?.strip_suffix(".run")?.split_once('-')?;
                Some((first.parse().ok()?, next.parse().ok()?, path))
            })
            .collect();
        files.sort();
        let mut runs: Vec<Run> = Vec::new();
        for (first, next_sequence, path) in files {
            let expected = runs.last().map_or(0, |run| run.next_sequence);
            match (first == expected).then(|| Run::open(&path, next_sequence)) {
                Some(Ok(run)) => runs.push(run),
                problem => {
                    if let Some(Err(error)) = problem {
                        tracing::warn!(path = %path.display(), %error, "a run of known uuids is damaged; it is rebuilt");
                    }
                    fs::remove_file(&path)?;
                }
            }
        }
        let recent_from = runs.last().map_or(0, |run| run.next_sequence);
        Ok(Self { dir: dir.to_owned(), recent: HashMap::new(), runs, recent_from })
    }

    /// Journal records before this sequence are in the runs.
    pub fn covered(&self) -> u64 {
        self.recent_from
    }

    pub fn check(&self, fingerprint: Fingerprint) -> Seen {
        let known = self
            .recent
            .get(&fingerprint.key)
            .copied()
            .or_else(|| self.runs.iter().rev().find_map(|run| run.find(fingerprint.key)));
        match known {
            None => Seen::New,
            Some(payload) if payload == fingerprint.payload => Seen::Duplicate,
            Some(_) => Seen::Conflicting,
        }
    }

    pub fn insert(&mut self, fingerprint: Fingerprint) {
        self.recent.entry(fingerprint.key).or_insert(fingerprint.payload);
    }

    /// Call between journal records: everything before `next_sequence` has been inserted.
    pub fn seal_if_full(&mut self, next_sequence: u64) -> std::io::Result<()> {
        metrics::gauge!("weir_dedup_resident_bytes").set(self.resident_bytes() as f64);
        if self.recent.len() < RUN_ENTRIES {
            return Ok(());
        }
        let mut entries: Vec<_> = std::mem::take(&mut self.recent).into_iter().collect();
        entries.sort_unstable();
        let path = self.dir.join(format!("{:020}-{next_sequence:020}.run", self.recent_from));
        let run = Run::create(&path, &entries, next_sequence)?;
        self.runs.push(run);
        self.recent_from = next_sequence;
        Ok(())
    }

    pub fn resident_bytes(&self) -> usize {
        let filters: usize = self.runs.iter().map(|run| run.filter.len() * 8).sum();
        filters + self.recent.capacity() * 33
    }
}

impl Run {
    fn create(path: &Path, entries: &[(u128, u64)], next_sequence: u64) -> std::io::Result<Self> {
        let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES + 32);
        for (key, payload) in entries {
            bytes.extend_from_slice(&key.to_le_bytes());
            bytes.extend_from_slice(&payload.to_le_bytes());
        }
        let digest = blake3::hash(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        let draft = path.with_extension("draft");
        let mut file = File::create(&draft)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        fs::rename(&draft, path)?;
        let keys = entries.iter().map(|(key, _)| *key);
        Ok(Self {
            file: File::open(path)?,
            entries: entries.len(),
            filter: filter_of(keys, entries.len()),
            next_sequence,
        })
    }

    fn open(path: &Path, next_sequence: u64) -> std::io::Result<Self> {
        let bytes = fs::read(path)?;
        let invalid = |problem: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, problem.to_owned());
        let body = bytes.len().checked_sub(32).ok_or_else(|| invalid("it is too short"))?;
        if blake3::hash(&bytes[..body]).as_bytes() != &bytes[body..] {
            return Err(invalid("its checksum does not fit"));
        }
        let entries = body / ENTRY_BYTES;
        let keys = bytes[..body].chunks_exact(ENTRY_BYTES).map(key_of);
        Ok(Self { filter: filter_of(keys, entries), file: File::open(path)?, entries, next_sequence })
    }

    fn find(&self, key: u128) -> Option<u64> {
        let bits = self.filter.len() as u64 * 64;
        if bits == 0 || !probes(key, bits).all(|bit| self.filter[(bit / 64) as usize] >> (bit % 64) & 1 == 1) {
            return None;
        }
        let (mut low, mut high) = (0, self.entries);
        while low < high {
            let middle = usize::midpoint(low, high);
            let mut entry = [0; ENTRY_BYTES];
            self.file.read_exact_at(&mut entry, (middle * ENTRY_BYTES) as u64).ok()?;
            match key_of(&entry).cmp(&key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let mut payload = [0; 8];
                    payload.copy_from_slice(&entry[16..]);
                    return Some(u64::from_le_bytes(payload));
                }
            }
        }
        None
    }
}

fn key_of(entry: &[u8]) -> u128 {
    let mut key = [0; 16];
    key.copy_from_slice(&entry[..16]);
    u128::from_le_bytes(key)
}

fn filter_of(keys: impl Iterator<Item = u128>, entries: usize) -> Vec<u64> {
    let mut filter = vec![0; (entries * FILTER_BITS_PER_ENTRY).div_ceil(64).max(1)];
    let bits = filter.len() as u64 * 64;
    for key in keys {
        for bit in probes(key, bits) {
            filter[(bit / 64) as usize] |= 1 << (bit % 64);
        }
    }
    filter
}

/// The key is a hash already: its halves give as many independent probes as a Bloom filter needs.
fn probes(key: u128, bits: u64) -> impl Iterator<Item = u64> {
    let (first, second) = (key as u64, (key >> 64) as u64 | 1);
    (0..FILTER_PROBES).map(move |probe| first.wrapping_add(second.wrapping_mul(probe)) % bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(number: u128, data: &str) -> Fingerprint {
        Fingerprint::new(1, Uuid::from_u128(number), data)
    }

    #[test]
    fn what_was_sealed_is_known_after_a_restart_and_nothing_else_is() {
        let dir = tempfile::tempdir().expect("a temp dir");
        let mut dedup = Dedup::open(dir.path()).expect("open");
        for number in 0..RUN_ENTRIES as u128 {
            dedup.insert(fingerprint(number, "a"));
        }
        dedup.seal_if_full(7).expect("seal");
        dedup.insert(fingerprint(1 << 100, "a"));
        assert_eq!(dedup.check(fingerprint(1 << 100, "a")), Seen::Duplicate);

        let dedup = Dedup::open(dir.path()).expect("open again");
        assert_eq!(dedup.covered(), 7);
        assert_eq!(dedup.check(fingerprint(1 << 100, "a")), Seen::New, "what was not sealed comes from the journal");
        for number in (0..RUN_ENTRIES as u128).step_by(997) {
            assert_eq!(dedup.check(fingerprint(number, "a")), Seen::Duplicate);
            assert_eq!(dedup.check(fingerprint(number, "b")), Seen::Conflicting);
            assert_eq!(dedup.check(fingerprint(number + (1 << 90), "a")), Seen::New);
        }
    }

    #[test]
    fn a_damaged_run_is_not_believed() {
        let dir = tempfile::tempdir().expect("a temp dir");
        let mut dedup = Dedup::open(dir.path()).expect("open");
        for number in 0..RUN_ENTRIES as u128 {
            dedup.insert(fingerprint(number, "a"));
        }
        dedup.seal_if_full(7).expect("seal");
        let path = fs::read_dir(dir.path()).expect("list").next().expect("one run").expect("an entry").path();
        let mut bytes = fs::read(&path).expect("read");
        bytes[1_000] ^= 1;
        fs::write(&path, bytes).expect("write");
        assert_eq!(Dedup::open(dir.path()).expect("open again").covered(), 0);
    }
}
