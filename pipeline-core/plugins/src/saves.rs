//! Waits for a save, for those who only want to know that there was one.
//!
//! The same watches as the loader's, and the same patience with bursts of writes. Where the system tells of
//! nothing, folders are looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use weir_event::queue::{Receiver, RecvTimeoutError, bounded};

use crate::burst::Burst;
use crate::host::Message;
use crate::sources::{self, CHECKS_DIR, FIXTURES_DIR, Listing};
use crate::watch::{Watches, Watching};

const QUEUE: usize = 1_024;

pub struct SaveWatch {
    watches: Watches,
    messages: Receiver<Message>,
    /// Folders as they were when they were last followed.
    seen: BTreeMap<PathBuf, Listing>,
}

impl SaveWatch {
    pub fn start(watching: Watching) -> Self {
        let (to_us, messages) = bounded("saves", QUEUE);
        Self { watches: Watches::start(watching, to_us), messages, seen: BTreeMap::new() }
    }

    /// Notices changes to these folders from now on.
    pub fn follow(&mut self, dirs: &[PathBuf]) {
        for dir in dirs {
            let dir = dir.canonicalize().unwrap_or_else(|_| dir.clone());
            let listing = sources::list(&dir).unwrap_or_default();
            self.watches.follow(&dir, &listing.dirs);
            self.seen.insert(dir, listing);
        }
    }

    /// Returns when files have been written and the writing is over.
    pub fn wait(&mut self) {
        let look_every = self.watches.look_every();
        let mut burst: Option<Burst> = None;
        let mut is_tested_with = false;
        loop {
            let now = Instant::now();
            let due = burst.as_ref().map_or(now + look_every, Burst::due);
            match self.messages.recv_timeout(due.saturating_duration_since(now)) {
                Ok(Message::Touched(paths, stage, at)) => {
                    let ours = paths.iter().filter(|path| self.seen.keys().any(|dir| sources::concerns(dir, path)));
                    for path in ours {
                        is_tested_with |= self.is_tested_with(path);
                        burst.get_or_insert_with(|| Burst::new(at)).touched(path, stage, at);
                    }
                    continue;
                }
                Ok(_) => continue,
                // Without a sender, looking is what is left.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(look_every),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            match &mut burst {
                Some(writing) => {
                    let is_over = writing.due() <= now && !self.seen.keys().any(|dir| writing.waits_for_git(dir, now));
                    if is_over && (is_tested_with || self.has_changed()) {
                        return;
                    }
                    if is_over {
                        burst = None;
                    }
                }
                None if self.has_changed() => burst = Some(Burst::new(now)),
                None => {}
            }
        }
    }

    fn has_changed(&self) -> bool {
        self.seen.iter().any(|(dir, listing)| sources::list(dir).unwrap_or_default() != *listing)
    }

    /// What is tested with and no listing has: events, one a line, beside fixtures, and checks.
    fn is_tested_with(&self, path: &Path) -> bool {
        let is_inside = |dir: &PathBuf| [FIXTURES_DIR, CHECKS_DIR].iter().any(|of| path.starts_with(dir.join(of)));
        !sources::is_source_name(path) && path.extension().is_some() && self.seen.keys().any(is_inside)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;

    use super::*;

    fn noticed(watching: Watching, write: impl FnOnce(&Path) + Send + 'static) {
        let dir = tempfile::tempdir().expect("a folder");
        for inside in [FIXTURES_DIR, CHECKS_DIR] {
            fs::create_dir(dir.path().join(inside)).expect("a folder");
        }
        fs::write(dir.path().join("index.js"), "1").expect("a file");
        let mut saves = SaveWatch::start(watching);
        saves.follow(&[dir.path().to_owned()]);
        let path = dir.path().to_owned();
        let writer = thread::Builder::new().spawn(move || write(&path)).expect("a thread");
        saves.wait();
        writer.join().expect("it wrote");
    }

    #[test]
    fn sources_fixtures_and_their_data_are_noticed_however_it_is_done() {
        for watching in [Watching::Events, Watching::Polling] {
            noticed(watching, |dir| fs::write(dir.join("index.js"), "other").expect("written"));
            noticed(watching, |dir| fs::write(dir.join("fixtures/a.json"), "{}").expect("written"));
        }
        noticed(Watching::Events, |dir| fs::write(dir.join("fixtures/a.ndjson"), "{}").expect("written"));
        noticed(Watching::Events, |dir| fs::write(dir.join("checks/a.sql"), "SELECT 1").expect("written"));
    }
}
