//! Merging runs, so that a few hold what many held.
//!
//! Runs are in tiers by size, each four times the one before. When four of a tier stand at the newest
//! end, with none but smaller ones after them, they become one of the next: a key is written again once
//! for every tier, and there are at most three runs of each. Only neighbours are merged, so that a run
//! covers one range of the journal.
//!
//! One merge at a time runs on a thread of its own. It ends with a rename; until the index has taken
//! the new run over, the old ones are what counts, and their files are deleted after that. A crash
//! leaves a draft, which is deleted, or the new run beside the old ones, which are.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::run::{Entry, Pages, Run};
use super::writer::RunWriter;

const TIER_RUNS: usize = 4;
const PAGES_AT_ONCE: usize = 16;
/// A merge notices within this many entries that it is to stop.
const CANCEL_INTERVAL: usize = 4096;

/// A merge that is under way.
#[derive(Debug)]
pub struct Merge {
    /// Which of the index's runs it replaces.
    pub range: Range<usize>,
    cancelled: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<PathBuf>>,
}

impl Merge {
    /// `range` of `runs`, oldest first.
    pub fn start(dir: &Path, runs: &[Arc<Run>], range: Range<usize>) -> io::Result<Self> {
        let inputs = runs[range.clone()].to_vec();
        let (dir, cancelled) = (dir.to_owned(), Arc::new(AtomicBool::new(false)));
        let is_cancelled = Arc::clone(&cancelled);
        let thread =
            thread::Builder::new().name("dedup-merge".into()).spawn(move || merge(&dir, &inputs, &is_cancelled))?;
        Ok(Self { range, cancelled, thread })
    }

    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the file of the new run.
    pub fn join(self) -> io::Result<PathBuf> {
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the merge panicked")))
    }

    pub fn cancel(self) {
        self.cancelled.store(true, Ordering::Relaxed);
        // What it had done is a draft; the next start deletes it.
        self.join().ok();
    }
}

/// Neighbours that are to become one; `sizes` are entries, oldest first.
pub fn due(sizes: &[usize], run_entries: usize) -> Option<Range<usize>> {
    // A run is a little larger than asked, or smaller for a key that two runs held.
    let tier = |size: usize| (size / (run_entries * 3).max(1)).checked_ilog(TIER_RUNS).map_or(0, |tier| tier + 1);
    let mut start = sizes.len();
    let mut largest = 0;
    let mut of_largest = 0;
    while start > 0 {
        let next = tier(sizes[start - 1]);
        if next > largest {
            if of_largest >= TIER_RUNS {
                break;
            }
            (largest, of_largest) = (next, 0);
        }
        of_largest += usize::from(next == largest);
        start -= 1;
    }
    (of_largest >= TIER_RUNS).then_some(start..sizes.len())
}

fn merge(dir: &Path, inputs: &[Arc<Run>], cancelled: &AtomicBool) -> io::Result<PathBuf> {
    let (Some(oldest), Some(newest)) = (inputs.first(), inputs.last()) else {
        return Err(io::Error::other("there is nothing to merge"));
    };
    let entries = inputs.iter().map(|run| run.entries).sum();
    let mut writer = RunWriter::create(dir, (oldest.first_sequence, newest.next_sequence), entries)?;
    let mut sources: Vec<_> = inputs.iter().map(|run| run.pages(PAGES_AT_ONCE)).collect();
    let mut heads = sources.iter_mut().map(Pages::peek).collect::<io::Result<Vec<_>>>()?;
    let mut written = 0_usize;
    loop {
        // Of equal keys the oldest comes first.
        let mut least: Option<(usize, Entry)> = None;
        for (source, head) in heads.iter().enumerate() {
            if let Some(head) = head
                && least.is_none_or(|(_, least)| head.0 < least.0)
            {
                least = Some((source, *head));
            }
        }
        let Some((source, entry)) = least else { return writer.finish() };
        writer.push(entry)?;
        sources[source].advance();
        heads[source] = sources[source].peek()?;
        written += 1;
        if written.is_multiple_of(CANCEL_INTERVAL) && cancelled.load(Ordering::Relaxed) {
            return Err(io::Error::other("the merge was cancelled"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seals `count` runs of one, merging whatever is due.
    fn after(count: usize) -> (Vec<usize>, usize) {
        let mut sizes = Vec::new();
        let mut rewritten = 0;
        for _ in 0..count {
            sizes.extend([100]);
            while let Some(range) = due(&sizes, 100) {
                let merged = sizes[range.clone()].iter().sum();
                rewritten += merged;
                sizes.splice(range, [merged]);
            }
        }
        (sizes, rewritten)
    }

    #[test]
    fn runs_stay_few_and_every_key_is_rewritten_once_a_tier() {
        assert_eq!(after(3).0, [100, 100, 100]);
        assert_eq!(after(5).0, [400, 100]);
        assert_eq!(after(4 * 4 * 4).0, [6_400]);
        let (sizes, rewritten) = after(500);
        assert!(sizes.len() <= 15, "{sizes:?}");
        assert!(rewritten <= 500 * 100 * 4, "{rewritten}");
    }

    #[test]
    fn a_backlog_of_small_runs_becomes_one_and_strays_are_taken_along() {
        assert_eq!(due(&[100; 9], 100), Some(0..9));
        assert_eq!(due(&[400, 1_600, 1_600, 1_600, 1_600], 100), Some(0..5));
        assert_eq!(due(&[6_400, 400, 400, 400, 100, 100, 100], 100), None);
        assert_eq!(due(&[6_400, 400, 400, 400, 100, 100, 100, 100], 100), Some(4..8));
    }
}
