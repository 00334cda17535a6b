//! What the pipeline stands on, as a fault makes it look: the clock and the file system.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_event::Clock;
use weir_event::clock::UnixMillis;
use weir_log::{File, Filesystem};

use super::{Fault, Faults};

/// A clock that jumps.
#[derive(Debug)]
pub struct FaultClock {
    pub inner: Arc<dyn Clock>,
    pub faults: Arc<Faults>,
}

impl Clock for FaultClock {
    fn now_ms(&self) -> UnixMillis {
        self.inner.now_ms() + self.faults.clock_offset_ms()
    }
}

/// A file system that says it is full. It goes on writing: whoever asks first, as capture does, writes nothing more,
/// and the logs are never in the middle of a record when the space ends.
#[derive(Debug)]
pub struct FaultFilesystem {
    pub inner: Arc<dyn Filesystem>,
    pub faults: Arc<Faults>,
}

impl Filesystem for FaultFilesystem {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.inner.create_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.inner.list(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.inner.create(path)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.inner.open(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.inner.sync_dir(dir)
    }

    fn space(&self, path: &Path) -> io::Result<(u64, u64)> {
        let (free, total) = self.inner.space(path)?;
        Ok((if self.faults.is_on(Fault::DiskFull) { 0 } else { free }, total))
    }
}
