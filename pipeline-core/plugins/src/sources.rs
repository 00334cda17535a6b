//! A plugin's folder as one snapshot.
//!
//! A snapshot holds every file a plugin could import, bounded in number and size; folders of
//! dependencies and build output, dot files and editors' temporary files are as good as absent.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::manifest::{MANIFEST, Manifest};

const MAX_FILES: usize = 2_000;
const MAX_DIRS: usize = 500;
const MAX_BYTES: u64 = 16 << 20;
/// A component named by `main`; one from componentize-py has 18 MiB.
const MAX_COMPONENT_BYTES: u64 = 64 << 20;
const EXTENSIONS: [&str; 11] = ["ts", "mts", "js", "mjs", "cjs", "json", "rs", "toml", "lock", "yaml", "py"];

/// Inputs and expectations of its tests.
pub const FIXTURES_DIR: &str = "fixtures";
/// SQL statements that must return no rows.
pub const CHECKS_DIR: &str = "checks";
const WASM: &str = "wasm";

/// Cheap to take: nothing is read but names, sizes and times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Keyed by path relative to the folder, with `/`.
    pub files: BTreeMap<String, Stamp>,
    pub dirs: Vec<PathBuf>,
}

/// Changes with every write, whatever the writer does to size and time (`cp --preserve`, `rsync`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub bytes: u64,
    modified: Option<SystemTime>,
    inode: u64,
    changed: (i64, i64),
}

/// Texts by relative path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub texts: BTreeMap<String, String>,
    /// The component that the manifest names as `main`, with its path.
    pub component: Option<(String, Vec<u8>)>,
}

/// Whether a file or folder of this name has nothing to do with the plugin.
pub fn is_ignored(name: &str) -> bool {
    name.starts_with('.')
        || name.ends_with('~')
        || matches!(name, "node_modules" | "target" | "__pycache__" | "venv")
        || Path::new(name).extension().is_some_and(|extension| extension == "swp" || extension == "tmp")
}

fn is_fixture(path: &str) -> bool {
    path.split_once('/').is_some_and(|(dir, _)| dir == FIXTURES_DIR)
}

/// Whether a path inside `dir` concerns the plugin there.
pub fn concerns(dir: &Path, path: &Path) -> bool {
    path.strip_prefix(dir)
        .is_ok_and(|inside| inside.components().all(|part| !is_ignored(&part.as_os_str().to_string_lossy())))
}

pub fn list(dir: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    walk(dir, "", &mut listing, &mut Vec::new())?;
    Ok(listing)
}

/// Listing and content that belong together: a folder that changed while it was read is read again. One that
/// does not stop changing is given as it is; the writes that go on are the next load.
pub fn read(dir: &Path) -> (Listing, io::Result<Snapshot>) {
    let mut attempts = 3;
    loop {
        let listing = match list(dir) {
            Ok(listing) => listing,
            Err(error) => return (Listing::default(), Err(error)),
        };
        let snapshot = Snapshot::read(dir, &listing);
        attempts -= 1;
        if attempts == 0 || list(dir).is_ok_and(|after| after == listing) {
            return (listing, snapshot);
        }
    }
}

/// `above` are the folders on the way here, by their real names: a link to one of them leads nowhere new.
fn walk(dir: &Path, prefix: &str, listing: &mut Listing, above: &mut Vec<PathBuf>) -> io::Result<()> {
    let real = dir.canonicalize()?;
    if above.contains(&real) || listing.dirs.len() >= MAX_DIRS {
        return Ok(());
    }
    above.push(real);
    listing.dirs.push(dir.to_owned());
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_ignored(&name) || listing.files.len() >= MAX_FILES {
            continue;
        }
        let relative = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        let is_linked_dir = || kind.is_symlink() && entry.path().is_dir();
        if kind.is_dir() || is_linked_dir() {
            // A folder that vanishes while it is listed is no reason to fail.
            let _ = walk(&entry.path(), &relative, listing, above);
        } else if is_source(&relative)
            && let Ok(metadata) = fs::metadata(entry.path())
            && metadata.is_file()
        {
            let stamp = Stamp {
                bytes: metadata.len(),
                modified: metadata.modified().ok(),
                inode: metadata.ino(),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            };
            listing.files.insert(relative, stamp);
        }
    }
    above.pop();
    Ok(())
}

fn is_wasm(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == WASM)
}

/// Whether a file of this name could be part of a plugin.
pub fn is_source_name(path: &Path) -> bool {
    path.file_name().is_some_and(|name| is_source(&name.to_string_lossy()))
}

fn is_source(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension) || extension == WASM) && !path.ends_with(".d.ts")
}

impl Snapshot {
    pub fn read(dir: &Path, listing: &Listing) -> io::Result<Self> {
        let mut total = 0;
        let mut texts = BTreeMap::new();
        for (path, stamp) in listing.files.iter().filter(|(path, _)| !is_wasm(path)) {
            total += stamp.bytes;
            if total > MAX_BYTES {
                let message = format!("the folder holds more than {} MiB of source", MAX_BYTES >> 20);
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
            }
            match fs::read(dir.join(path)) {
                Ok(bytes) => texts.insert(path.clone(), String::from_utf8_lossy(&bytes).into_owned()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
        }
        let component = Self::component(dir, listing, &texts)?;
        Ok(Self { texts, component })
    }

    /// Of all `.wasm` files only this one counts: the others may well be what a build has put there.
    fn component(
        dir: &Path,
        listing: &Listing,
        texts: &BTreeMap<String, String>,
    ) -> io::Result<Option<(String, Vec<u8>)>> {
        let main = texts.get(MANIFEST).and_then(|text| Manifest::parse(text).ok()).and_then(|manifest| manifest.main);
        let Some(path) = main.map(|main| main.trim_start_matches("./").to_owned()).filter(|main| is_wasm(main)) else {
            return Ok(None);
        };
        let Some(stamp) = listing.files.get(&path) else { return Ok(None) };
        if stamp.bytes > MAX_COMPONENT_BYTES {
            let message = format!("{path} has more than {} MiB", MAX_COMPONENT_BYTES >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(Some((path.clone(), fs::read(dir.join(&path))?)))
    }

    /// Equal for contents that make the same plugin.
    pub fn hash(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        // What a plugin is tested with is none of it, unless it reads it itself.
        let reads_fixtures = self.texts.iter().any(|(path, text)| !is_fixture(path) && text.contains(FIXTURES_DIR));
        for (path, text) in self.texts.iter().filter(|(path, _)| reads_fixtures || !is_fixture(path)) {
            for part in [path, text] {
                hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
            }
        }
        if let Some((path, bytes)) = &self.component {
            hasher.update(path.as_bytes()).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        }
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixtures_count_only_for_a_plugin_that_reads_them() {
        let snapshot = |source: &str, fixture: &str| {
            let texts = [("index.js", source), ("fixtures/a.json", fixture)];
            let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned())).into_iter().collect();
            Snapshot { texts, component: None }.hash()
        };
        assert_eq!(snapshot("one", "{}"), snapshot("one", "[]"));
        assert_ne!(snapshot("one", "{}"), snapshot("two", "{}"));
        let reads = "import places from './fixtures/a.json'";
        assert_ne!(snapshot(reads, "{}"), snapshot(reads, "[]"));
    }

    #[test]
    fn temporary_and_foreign_files_do_not_count() {
        let dir = Path::new("/p");
        for path in ["/p/.index.ts.swp", "/p/index.ts~", "/p/node_modules/a/index.js", "/p/a.tmp", "/q/index.ts"] {
            assert!(!concerns(dir, Path::new(path)), "{path}");
        }
        assert!(concerns(dir, Path::new("/p/src/index.ts")));
        assert!(concerns(dir, dir));
    }
}
