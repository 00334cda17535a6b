//! Which folders the operating system tells us about.
//!
//! Some systems tell nothing (network shares, some containers) and some will not begin to (a user may have
//! only so many watchers). Then nothing is lost but time: the loader looks at every folder by itself.
//!
//! Folders are watched one by one rather than as a tree, so that `node_modules` costs nothing, and never
//! single files, because an editor that saves by renaming would take the watch away with the old file. A
//! folder that is deleted takes its watch along too; `forget` is told so, and the next `follow` watches
//! its successor.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use weir_event::queue::Sender;

use crate::burst::Stage;
use crate::host::Message;

pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// When nothing else tells of saves.
const BLIND_LOOK_EVERY: Duration = Duration::from_millis(250);

/// How saves are noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Watching {
    /// By the operating system, and by looking where it says nothing.
    #[default]
    Events,
    /// By looking only.
    Polling,
}

pub struct Watches {
    /// None when nobody tells us.
    watcher: Option<RecommendedWatcher>,
    /// With the inode, to notice a folder that was replaced.
    watched: HashMap<PathBuf, u64>,
}

impl Watches {
    pub fn start(watching: Watching, messages: Sender<Message>) -> Self {
        if watching == Watching::Polling {
            return Self { watcher: None, watched: HashMap::new() };
        }
        let handler = move |event: notify::Result<Event>| {
            let message = match event {
                Ok(event) if event.need_rescan() => Message::LookAgain,
                Ok(event) => match stage(event.kind) {
                    Some(stage) => Message::Touched(event.paths, stage, Instant::now()),
                    None => return,
                },
                Err(_) => Message::LookAgain,
            };
            // Only after the loader has ended, and then nobody waits for news.
            let _ = messages.send(message);
        };
        let watcher = notify::recommended_watcher(handler)
            .inspect_err(
                |error| tracing::warn!(%error, "no news of saves from the system; folders are looked at instead"),
            )
            .ok();
        Self { watcher, watched: HashMap::new() }
    }

    /// How often folders have to be looked at beside what the system tells.
    pub const fn look_every(&self) -> Duration {
        if self.is_blind() { BLIND_LOOK_EVERY } else { LOOK_EVERY }
    }

    /// Whether looking is the only way.
    const fn is_blind(&self) -> bool {
        self.watcher.is_none()
    }

    /// Watches exactly these folders of the tree under `root`.
    pub fn follow(&mut self, root: &Path, dirs: &[PathBuf]) {
        let gone: Vec<PathBuf> =
            self.watched.keys().filter(|dir| dir.starts_with(root) && !dirs.contains(dir)).cloned().collect();
        for dir in gone {
            self.forget(&dir);
        }
        for dir in dirs {
            let Ok(inode) = std::fs::metadata(dir).map(|metadata| metadata.ino()) else { continue };
            if self.watched.get(dir) == Some(&inode) {
                continue;
            }
            self.forget(dir);
            let Some(watcher) = &mut self.watcher else { return };
            match watcher.watch(dir, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(dir.clone(), inode);
                }
                // The periodic look at the folder still notices changes, only later.
                Err(error) => tracing::warn!(%error, dir = %dir.display(), "cannot watch a plugin's folder"),
            }
        }
    }

    pub fn forget(&mut self, dir: &Path) {
        if self.watched.remove(dir).is_some()
            && let Some(watcher) = &mut self.watcher
        {
            // Fails when the folder is gone, and with it the watch.
            let _ = watcher.unwatch(dir);
        }
    }
}

/// Reading a file is no change, and neither are its times and rights.
const fn stage(kind: EventKind) -> Option<Stage> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Stage::Done),
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => None,
        // Only where the end of a write is told as well.
        EventKind::Modify(ModifyKind::Data(_)) if cfg!(target_os = "linux") => Some(Stage::Underway),
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => {
            Some(Stage::Done)
        }
    }
}
