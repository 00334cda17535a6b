//! The data directory: one server at a time, and a mark that tells an unclean stop from a clean one.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::FlowError;

/// Holds the lock until dropped.
#[derive(Debug)]
pub struct DataDir {
    pub path: PathBuf,
    _lock: File,
    /// The last server that ran here did not say that it stopped.
    pub unclean: bool,
}

impl DataDir {
    pub fn open(path: &Path) -> Result<Self, FlowError> {
        let failed =
            |error: std::io::Error| FlowError::DataDir { path: path.display().to_string(), message: error.to_string() };
        fs::create_dir_all(path).map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        let mut lock = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path.join("lock"))
            .map_err(failed)?;
        if lock.try_lock().is_err() {
            let mut pid = String::new();
            lock.read_to_string(&mut pid).ok();
            return Err(FlowError::Locked { path: path.display().to_string(), pid: pid.trim().to_owned() });
        }
        let write_pid = |lock: &mut File| -> std::io::Result<()> {
            lock.set_len(0)?;
            lock.rewind()?;
            write!(lock, "{}", std::process::id())
        };
        write_pid(&mut lock).map_err(failed)?;
        let mark = path.join("running");
        let unclean = mark.exists();
        fs::write(&mark, b"").map_err(failed)?;
        Ok(Self { path, _lock: lock, unclean })
    }

    pub fn intake(&self) -> PathBuf {
        self.path.join("intake")
    }

    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    pub fn dedup(&self) -> PathBuf {
        self.path.join("dedup")
    }

    pub fn store(&self) -> PathBuf {
        self.path.join("store.duckdb")
    }

    pub fn compile_cache(&self) -> PathBuf {
        self.path.join("compiled")
    }

    /// Versions of plugins that were live.
    pub fn versions(&self) -> PathBuf {
        self.path.join("versions")
    }

    /// Everything is on disk; the next start need not check.
    pub fn mark_clean(&self) {
        fs::remove_file(self.path.join("running")).ok();
    }
}
