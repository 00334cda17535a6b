//! Which folders the operating system tells us about.
//!
//! Folders are watched one by one rather than as a tree, so that `node_modules` costs nothing, and never
//! single files, because an editor that saves by renaming would take the watch away with the old file. A
//! folder that is deleted takes its watch along too; `forget` is told so, and the next `follow` watches
//! its successor.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::error::PluginError;
use crate::host::Message;

pub struct Watches {
    watcher: RecommendedWatcher,
    /// With the inode, to notice a folder that was replaced.
    watched: HashMap<PathBuf, u64>,
}

impl Watches {
    pub fn start(messages: SyncSender<Message>) -> Result<Self, PluginError> {
        let handler = move |event: notify::Result<Event>| {
            let message = match event {
                Ok(event) if event.need_rescan() => Message::LookAgain,
                Ok(event) if is_write(event.kind) => Message::Touched(event.paths, Instant::now()),
                Ok(_) => return,
                Err(_) => Message::LookAgain,
            };
            // Only after the loader has ended, and then nobody waits for news.
            let _ = messages.send(message);
        };
        let watcher = notify::recommended_watcher(handler).map_err(|error| PluginError::Watch(error.to_string()))?;
        Ok(Self { watcher, watched: HashMap::new() })
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
            match self.watcher.watch(dir, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(dir.clone(), inode);
                }
                // The periodic look at the folder still notices changes, only later.
                Err(error) => tracing::warn!(%error, dir = %dir.display(), "cannot watch a plugin's folder"),
            }
        }
    }

    pub fn forget(&mut self, dir: &Path) {
        if self.watched.remove(dir).is_some() {
            // Fails when the folder is gone, and with it the watch.
            let _ = self.watcher.unwatch(dir);
        }
    }
}

/// Reading a file is no change, and neither are its times and rights.
const fn is_write(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(kind) => matches!(kind, AccessKind::Close(AccessMode::Write)),
        EventKind::Modify(kind) => !matches!(kind, ModifyKind::Metadata(_)),
        EventKind::Any | EventKind::Create(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}
