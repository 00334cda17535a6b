//! A plugin's folder as one snapshot.
//!
//! A snapshot holds every file a plugin could import, bounded in number and size; folders of
//! dependencies and build output, dot files and editors' temporary files are as good as absent.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::manifest::{MANIFEST, Manifest};

const MAX_FILES: usize = 2_000;
const MAX_BYTES: u64 = 16 << 20;
/// A component named by `main`; one from componentize-py has 18 MiB.
const MAX_COMPONENT_BYTES: u64 = 64 << 20;
const EXTENSIONS: [&str; 10] = ["ts", "mts", "js", "mjs", "cjs", "json", "rs", "toml", "lock", "py"];

const WASM: &str = "wasm";

/// Cheap to take: nothing is read but names, sizes and times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Keyed by path relative to the folder, with `/`.
    pub files: BTreeMap<String, (u64, Option<SystemTime>)>,
    pub dirs: Vec<PathBuf>,
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

/// Whether a path inside `dir` concerns the plugin there.
pub fn concerns(dir: &Path, path: &Path) -> bool {
    path.strip_prefix(dir)
        .is_ok_and(|inside| inside.components().all(|part| !is_ignored(&part.as_os_str().to_string_lossy())))
}

pub fn list(dir: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    walk(dir, "", &mut listing)?;
    Ok(listing)
}

fn walk(dir: &Path, prefix: &str, listing: &mut Listing) -> io::Result<()> {
    listing.dirs.push(dir.to_owned());
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_ignored(&name) || listing.files.len() >= MAX_FILES {
            continue;
        }
        let relative = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            // A folder that vanishes while it is listed is no reason to fail.
            let _ = walk(&entry.path(), &relative, listing);
        } else if is_source(&relative)
            && let Ok(metadata) = fs::metadata(entry.path())
            && metadata.is_file()
        {
            listing.files.insert(relative, (metadata.len(), metadata.modified().ok()));
        }
    }
    Ok(())
}

fn is_wasm(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == WASM)
}

fn is_source(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension) || extension == WASM) && !path.ends_with(".d.ts")
}

impl Snapshot {
    pub fn read(dir: &Path, listing: &Listing) -> io::Result<Self> {
        let mut total = 0;
        let mut texts = BTreeMap::new();
        for (path, (size, _)) in listing.files.iter().filter(|(path, _)| !is_wasm(path)) {
            total += size;
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
        let Some((size, _)) = listing.files.get(&path) else { return Ok(None) };
        if *size > MAX_COMPONENT_BYTES {
            let message = format!("{path} has more than {} MiB", MAX_COMPONENT_BYTES >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(Some((path.clone(), fs::read(dir.join(&path))?)))
    }

    pub fn hash(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for (path, text) in &self.texts {
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
    fn temporary_and_foreign_files_do_not_count() {
        let dir = Path::new("/p");
        for path in ["/p/.index.ts.swp", "/p/index.ts~", "/p/node_modules/a/index.js", "/p/a.tmp", "/q/index.ts"] {
            assert!(!concerns(dir, Path::new(path)), "{path}");
        }
        assert!(concerns(dir, Path::new("/p/src/index.ts")));
        assert!(concerns(dir, dir));
    }
}
