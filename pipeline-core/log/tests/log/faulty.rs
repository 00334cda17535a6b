//! A file system in memory that behaves like a disk: what was not synced may be lost, in part or whole,
//! and any call can be made to fail.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use weir_log::{File, Filesystem};

/// What fails from now on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// The next sync fails, and what it should have synced stays unsynced.
    Sync,
    /// The next write stores this many bytes and fails.
    ShortWrite(usize),
    /// Writes fail as on a full disk.
    Full,
}

#[derive(Debug, Default)]
struct Content {
    /// As readers see it.
    bytes: Vec<u8>,
    /// As it would be after a power cut.
    durable: Vec<u8>,
}

#[derive(Debug, Default)]
struct Disk {
    files: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
    fault: Fault,
}

#[derive(Debug, Clone, Default)]
pub struct FaultyDisk(Arc<Mutex<Disk>>);

#[derive(Debug)]
struct FaultyFile {
    content: Arc<Mutex<Content>>,
    disk: Arc<Mutex<Disk>>,
}

impl FaultyDisk {
    pub fn inject(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fault = fault;
    }

    /// A power cut: of the bytes that were written and not synced, `kept` survive.
    pub fn cut_power(&self, kept: usize) {
        let disk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for content in disk.files.values() {
            let mut content = content.lock().unwrap_or_else(PoisonError::into_inner);
            let durable = content.durable.len();
            let survive = (durable + kept).min(content.bytes.len()).max(durable);
            let mut bytes = content.durable.clone();
            bytes.extend_from_slice(&content.bytes[durable.min(survive)..survive]);
            content.durable.clone_from(&bytes);
            content.bytes = bytes;
        }
    }

    pub fn paths(&self) -> Vec<PathBuf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).files.keys().cloned().collect()
    }
}

impl File for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let available = content.bytes.get(position as usize..).unwrap_or_default();
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        Ok(count)
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, result) = match disk.fault {
            Fault::Full => (0, Err(io::Error::from(io::ErrorKind::StorageFull))),
            Fault::ShortWrite(count) => {
                disk.fault = Fault::None;
                (count.min(bytes.len()), Err(io::Error::other("injected short write")))
            }
            Fault::None | Fault::Sync => (bytes.len(), Ok(())),
        };
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let end = position as usize + count;
        if content.bytes.len() < end {
            content.bytes.resize(end, 0);
        }
        content.bytes[position as usize..end].copy_from_slice(&bytes[..count]);
        result
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        if disk.fault == Fault::Sync {
            disk.fault = Fault::None;
            return Err(io::Error::other("injected sync failure"));
        }
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = content.bytes.clone();
        content.durable = bytes;
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner).bytes.resize(bytes as usize, 0);
        Ok(())
    }

    fn byte_len(&self) -> io::Result<u64> {
        Ok(self.content.lock().unwrap_or_else(PoisonError::into_inner).bytes.len() as u64)
    }
}

impl FaultyDisk {
    fn handle(&self, content: &Arc<Mutex<Content>>) -> Arc<dyn File> {
        Arc::new(FaultyFile { content: Arc::clone(content), disk: Arc::clone(&self.0) })
    }
}

impl Filesystem for FaultyDisk {
    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.paths().into_iter().filter(|path| path.parent() == Some(dir)).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut disk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if disk.files.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let content = Arc::<Mutex<Content>>::default();
        disk.files.insert(path.to_owned(), Arc::clone(&content));
        drop(disk);
        Ok(self.handle(&content))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let content = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .files
            .get(path)
            .cloned()
            .ok_or(io::ErrorKind::NotFound)?;
        Ok(self.handle(&content))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).files.remove(path);
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn space(&self, _: &Path) -> io::Result<(u64, u64)> {
        Ok((1 << 40, 1 << 40))
    }
}
