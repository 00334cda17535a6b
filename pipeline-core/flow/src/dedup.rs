//! Recognises an event that a client sent twice.
//!
//! # What it guarantees
//!
//! Every (project, client uuid) that the journal holds is known, whatever became of the event: a retry
//! of a dropped event is a duplicate too. A hit is exact but for a collision of 128 bits of BLAKE3: a
//! filter only says where to look, and what is read is verified. What cannot be read is an error, never
//! "new".
//!
//! # How
//!
//! Recent keys are in a hash map. When it is full it becomes a **run** ([`run`]): a file of sorted
//! entries. Of a run only a filter ([`filter`]) and the first key of every page are in memory, about 13
//! bits a key, so that a hundred million keys take 165 MB. An event that is new (nearly all are) costs
//! one cache line a run; one that is known costs the read of one page. Runs are merged behind the
//! pipeline's back ([`merge`]), so that there are at most three of each power of four.
//!
//! Runs are derived from the logs: each names the journal records it covers, and what they do not cover
//! is read again from the logs on start. A run that is missing or damaged ends the usable ones; the rest
//! is rebuilt. A start reads every run once to know that it is whole.
//!
//! # What it does not do
//!
//! It forgets nothing, and it does not repair itself while it runs: a page that cannot be read stops
//! the stage, and the next start rebuilds the run.
//!
//! # On disk
//!
//! `dedup/<first journal sequence>-<next journal sequence>.run`; [`run`] has the layout. While two of
//! them cover the same records, the one that covers more counts.

mod filter;
mod fingerprint;
mod merge;
mod run;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use fingerprint::{Fingerprint, Seen};
use merge::Merge;
use run::Run;
use writer::RunWriter;

const RUN_ENTRIES: usize = 100_000;
/// With more runs than this a seal waits for the merge: only a refill seals faster than merges go.
const MOST_RUNS: usize = 24;
/// Seals without a merge after one that failed, most likely for want of disk.
const SEALS_AFTER_FAILURE: u32 = 16;
/// What a hash map takes for a key, payload, control byte and an eighth of free places.
const RECENT_ENTRY_BYTES: usize = 38;

#[derive(Debug)]
pub struct Dedup {
    dir: PathBuf,
    recent: HashMap<u128, u64>,
    /// Keys after which a run is written.
    run_entries: usize,
    /// Neighbours in the journal, oldest first. Shared with a merge.
    runs: Vec<Arc<Run>>,
    merge: Option<Merge>,
    seals_to_wait: u32,
    /// First journal sequence that `recent` covers.
    recent_from: u64,
}

impl Dedup {
    /// Opens the runs in `dir`. Journal records from [`Dedup::covered`] on must then be fed to
    /// [`Dedup::insert`].
    pub fn open(dir: &Path) -> io::Result<Self> {
        Self::open_with(dir, RUN_ENTRIES)
    }

    fn open_with(dir: &Path, run_entries: usize) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut files: Vec<(u64, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.strip_suffix(".draft").is_some() {
                fs::remove_file(&path)?;
            } else if let Some((first, next)) = name.strip_suffix(".run").and_then(|name| name.split_once('-'))
                && let (Ok(first), Ok(next)) = (first.parse(), next.parse())
            {
                files.push((first, next, path));
            }
        }
        // Of those that begin together the one that covers most comes first. If it is damaged, those that
        // it was made of may still be there.
        files.sort_by_key(|(first, next, _)| (*first, std::cmp::Reverse(*next)));
        let mut runs: Vec<Arc<Run>> = Vec::new();
        for (first, _, path) in files {
            let expected = runs.last().map_or(0, |run| run.next_sequence);
            match (first == expected).then(|| Run::open_verified(&path)) {
                Some(Ok(run)) => runs.push(Arc::new(run)),
                problem => {
                    if let Some(Err(error)) = problem {
                        tracing::warn!(path = %path.display(), %error, "a run of known uuids is damaged; it is rebuilt");
                    }
                    fs::remove_file(&path)?;
                }
            }
        }
        let recent_from = runs.last().map_or(0, |run| run.next_sequence);
        let (dir, recent) = (dir.to_owned(), HashMap::new());
        Ok(Self { dir, recent, run_entries, runs, merge: None, seals_to_wait: 0, recent_from })
    }

    /// Journal records before this sequence are in the runs.
    pub fn covered(&self) -> u64 {
        self.recent_from
    }

    pub fn check(&self, fingerprint: Fingerprint) -> io::Result<Seen> {
        if let Some(payload) = self.recent.get(&fingerprint.key) {
            return Ok(fingerprint.compared_with(*payload));
        }
        // Retries come soon, so the newest are asked first.
        for run in self.runs.iter().rev() {
            if run.may_hold(fingerprint.key)
                && let Some(payload) = run.find(fingerprint.key)?
            {
                return Ok(fingerprint.compared_with(payload));
            }
        }
        Ok(Seen::New)
    }

    /// Only what [`Dedup::check`] does not know.
    pub fn insert(&mut self, fingerprint: Fingerprint) {
        self.recent.entry(fingerprint.key).or_insert(fingerprint.payload);
    }

    /// Call between journal records: everything before `next_sequence` has been inserted. After an error
    /// nothing is lost; the next call tries again.
    pub fn seal_if_full(&mut self, next_sequence: u64) -> io::Result<()> {
        metrics::gauge!("weir_dedup_resident_bytes").set(self.resident_bytes() as f64);
        metrics::gauge!("weir_dedup_runs").set(self.runs.len() as f64);
        if self.recent.len() < self.run_entries {
            return Ok(());
        }
        let mut entries: Vec<_> = self.recent.iter().map(|(key, payload)| (*key, *payload)).collect();
        entries.sort_unstable();
        let mut writer = RunWriter::create(&self.dir, (self.recent_from, next_sequence), entries.len())?;
        entries.into_iter().try_for_each(|entry| writer.push(entry))?;
        let run = Run::open(&writer.finish()?)?;
        self.runs.push(Arc::new(run));
        self.recent.clear();
        self.recent_from = next_sequence;
        self.tend();
        Ok(())
    }

    /// Takes over a merge that has ended, and starts one that is due.
    fn tend(&mut self) {
        loop {
            let wait = self.runs.len() > MOST_RUNS;
            if let Some(merge) = self.merge.take_if(|merge| wait || merge.is_finished())
                && let Err(error) = self.take_over(merge)
            {
                tracing::warn!(%error, "runs of known uuids cannot be merged; checks are slower until they are");
                self.seals_to_wait = SEALS_AFTER_FAILURE;
            }
            if self.merge.is_some() {
                return;
            }
            if self.seals_to_wait > 0 {
                self.seals_to_wait -= 1;
                return;
            }
            let sizes: Vec<usize> = self.runs.iter().map(|run| run.entries).collect();
            let Some(range) = merge::due(&sizes, self.run_entries) else { return };
            match Merge::start(&self.dir, &self.runs, range) {
                Ok(merge) => self.merge = Some(merge),
                Err(error) => tracing::warn!(%error, "no thread to merge runs of known uuids"),
            }
            if self.runs.len() <= MOST_RUNS || self.merge.is_none() {
                return;
            }
        }
    }

    fn take_over(&mut self, merge: Merge) -> io::Result<()> {
        let range = merge.range.clone();
        let path = merge.join()?;
        // The old filters go before the new one comes: both at once would be the peak of the whole index.
        // Without its filter a run still answers, by its pages.
        for run in self.runs[range.clone()].iter_mut().filter_map(Arc::get_mut) {
            run.let_filter_go();
        }
        let merged = Arc::new(Run::open(&path)?);
        for old in self.runs.splice(range, [merged]) {
            // One that stays is deleted at the next start.
            fs::remove_file(&old.path).ok();
        }
        Ok(())
    }

    /// What the index keeps in memory.
    pub fn resident_bytes(&self) -> usize {
        let runs: usize = self.runs.iter().map(|run| run.resident_bytes()).sum();
        runs + self.recent.capacity() * RECENT_ENTRY_BYTES
    }

    pub fn run_count(&self) -> usize {
        self.runs.len()
    }
}

impl Drop for Dedup {
    fn drop(&mut self) {
        if let Some(merge) = self.merge.take() {
            merge.cancel();
        }
    }
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem.to_owned())
}
