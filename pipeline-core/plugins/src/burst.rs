//! When the writes to a plugin's folder are over.
//!
//! One save is several events, and a checkout of a branch is hundreds; each is to be one load, of files that
//! belong together. A burst begins with the first write and is due when the folder has been quiet for a
//! moment: a short one after a save, a longer one once several files have changed. A file that is still
//! being written, and a `git` that is still at work, are waited for. Everything is bounded, because a folder
//! that never comes to rest is to be loaded all the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::sources;

/// After the write of one file: what an editor does besides (renames, rights) follows at once.
const QUIET: Duration = Duration::from_millis(5);
/// After writes of several files, whose writer may have to read others in between.
const QUIET_OF_MANY: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(100);
const LONGEST_OF_MANY: Duration = Duration::from_secs(2);
/// For a file that is written and not closed.
const LONGEST_WRITE: Duration = Duration::from_secs(1);
/// For a `git` that holds its lock. One that has crashed leaves it behind for ever.
const LONGEST_CHECKOUT: Duration = Duration::from_secs(10);
const LOOK_AT_LOCK_EVERY: Duration = Duration::from_millis(10);

/// How far a write has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// More may follow before the file is closed.
    Underway,
    Done,
}

#[derive(Debug)]
pub struct Burst {
    first: Instant,
    last: Instant,
    /// Sources that have changed.
    files: BTreeSet<PathBuf>,
    /// Those that are being written.
    open: BTreeSet<PathBuf>,
    /// Waiting for `git`.
    not_before: Option<Instant>,
}

impl Burst {
    pub const fn new(at: Instant) -> Self {
        Self { first: at, last: at, files: BTreeSet::new(), open: BTreeSet::new(), not_before: None }
    }

    pub fn touched(&mut self, path: &Path, stage: Stage, at: Instant) {
        self.last = self.last.max(at);
        if !sources::is_source_name(path) {
            return;
        }
        self.files.insert(path.to_owned());
        match stage {
            Stage::Underway => self.open.insert(path.to_owned()),
            Stage::Done => self.open.remove(path),
        };
    }

    /// Of the newest write.
    pub const fn last_write(&self) -> Instant {
        self.last
    }

    pub fn due(&self) -> Instant {
        let (quiet, longest) = if self.files.len() > 1 { (QUIET_OF_MANY, LONGEST_OF_MANY) } else { (QUIET, LONGEST) };
        let rest = if self.open.is_empty() { self.last + quiet } else { self.first + LONGEST_WRITE };
        let longest = if self.open.is_empty() { longest } else { longest.max(LONGEST_WRITE) };
        let due = rest.min(self.first + longest);
        self.not_before.map_or(due, |moment| due.max(moment))
    }

    /// True when it is due but `git` is at work in the folder; it is then due a little later.
    pub fn waits_for_git(&mut self, dir: &Path, now: Instant) -> bool {
        let waits = now < self.first + LONGEST_CHECKOUT && index_lock(dir).is_some_and(|lock| lock.exists());
        self.not_before = waits.then(|| now + LOOK_AT_LOCK_EVERY);
        waits
    }
}

/// Where `git` keeps its lock while it changes files, if the folder is in a repository.
fn index_lock(dir: &Path) -> Option<PathBuf> {
    let git = dir.ancestors().map(|above| above.join(".git")).find(|git| git.exists())?;
    if git.is_dir() {
        return Some(git.join("index.lock"));
    }
    // In a worktree and in a submodule, a file that names the folder.
    let text = fs::read_to_string(&git).ok()?;
    let named = Path::new(text.strip_prefix("gitdir:")?.trim());
    Some(git.parent()?.join(named).join("index.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_save_is_due_at_once_and_many_a_little_later() {
        let start = Instant::now();
        let mut burst = Burst::new(start);
        burst.touched(Path::new("/p/index.ts"), Stage::Done, start);
        burst.touched(Path::new("/p/4913"), Stage::Done, start + MS);
        assert_eq!(burst.due(), start + MS + QUIET);
        burst.touched(Path::new("/p/other.ts"), Stage::Done, start + 2 * MS);
        assert_eq!(burst.due(), start + 2 * MS + QUIET_OF_MANY);
    }

    #[test]
    fn a_file_that_is_not_closed_is_waited_for() {
        let start = Instant::now();
        let mut burst = Burst::new(start);
        let path = Path::new("/p/index.ts");
        burst.touched(path, Stage::Underway, start);
        assert_eq!(burst.due(), start + LONGEST_WRITE);
        burst.touched(path, Stage::Done, start + 300 * MS);
        assert!(burst.due() <= start + 305 * MS);
    }

    #[test]
    fn a_folder_that_never_rests_is_loaded_all_the_same() {
        let start = Instant::now();
        let mut burst = Burst::new(start);
        for at in 0..5000 {
            burst.touched(Path::new("/p/index.ts"), Stage::Done, start + at * MS);
        }
        assert_eq!(burst.due(), start + LONGEST);
        burst.touched(Path::new("/p/other.ts"), Stage::Underway, start + 5000 * MS);
        assert!(burst.due() <= start + LONGEST_OF_MANY);
    }

    #[test]
    fn the_lock_is_found_in_repositories_and_worktrees() {
        let repository = tempfile::tempdir().expect("a folder");
        let plugin = repository.path().join("a/plugin");
        fs::create_dir_all(&plugin).expect("a folder");
        assert_eq!(index_lock(&plugin).filter(|lock| lock.starts_with(repository.path())), None);
        fs::create_dir(repository.path().join(".git")).expect("a folder");
        assert_eq!(index_lock(&plugin), Some(repository.path().join(".git/index.lock")));
        let now = Instant::now();
        let mut burst = Burst::new(now);
        assert!(!burst.waits_for_git(&plugin, now));
        fs::write(repository.path().join(".git/index.lock"), "").expect("a file");
        assert!(burst.waits_for_git(&plugin, now) && burst.due() > now + QUIET);
        assert!(!burst.waits_for_git(&plugin, now + LONGEST_CHECKOUT), "left behind by a crash");
        fs::write(repository.path().join("a/.git"), "gitdir: ../.git/worktrees/a\n").expect("a file");
        let lock = index_lock(&plugin).expect("a worktree");
        assert!(lock.ends_with(".git/worktrees/a/index.lock"), "{lock:?}");
    }
}
