//! npm packages in a plugin's `node_modules`.
//!
//! They are read where the package manager put them, file by file as imports ask for them, by Node's
//! rules: folders upwards, `package.json` with `exports`, `main` or an index. What was read and stripped is
//! kept for as long as the plugin's lock file stays the same, so a save pays for its own files only. Without
//! a lock file nothing is kept. Nothing is installed or downloaded here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value;
use weir_api::plugin::Diagnostic;

use crate::sources::Snapshot;
use crate::strip::{Stripped, strip};

const FOLDER: &str = "node_modules";
/// In order of preference.
const LOCK_FILES: [&str; 3] = ["package-lock.json", "yarn.lock", "pnpm-lock.yaml"];
/// Of one file; longer ones are as good as absent.
const FILE_BYTES: u64 = 8 << 20;
/// Lock files whose packages are kept.
const KEPT: usize = 32;

/// What is kept, by folder and lock file.
#[derive(Default)]
pub struct Packages(Mutex<Vec<Kept>>);

struct Kept {
    dir: PathBuf,
    lock: blake3::Hash,
    files: Arc<Files>,
}

type Files = Mutex<HashMap<String, Option<Arc<PackageFile>>>>;

/// A file of a package.
pub struct PackageFile {
    pub text: String,
    stripped: OnceLock<Result<Stripped, Box<Diagnostic>>>,
}

impl PackageFile {
    pub fn stripped(&self, path: &str) -> Result<Stripped, Box<Diagnostic>> {
        self.stripped.get_or_init(|| strip(path, &self.text)).clone()
    }
}

/// The packages of one plugin.
pub struct Installed {
    dir: PathBuf,
    files: Arc<Files>,
}

/// Whether a path is of a package.
pub fn is_inside(path: &str) -> bool {
    path.split('/').any(|part| part == FOLDER)
}

impl Packages {
    pub fn of(&self, dir: &Path, snapshot: &Snapshot) -> Installed {
        let lock = LOCK_FILES.iter().find_map(|name| snapshot.texts.get(*name));
        let Some(lock) = lock else { return Installed { dir: dir.to_owned(), files: Arc::default() } };
        let lock = blake3::hash(lock.as_bytes());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.iter().find(|known| known.dir == dir && known.lock == lock) {
            return Installed { dir: dir.to_owned(), files: Arc::clone(&known.files) };
        }
        // The same folder under another lock file is not needed any more.
        kept.retain(|other| other.dir != dir);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        let files: Arc<Files> = Arc::default();
        kept.push(Kept { dir: dir.to_owned(), lock, files: Arc::clone(&files) });
        Installed { dir: dir.to_owned(), files }
    }
}

impl Installed {
    /// By path relative to the plugin's folder.
    pub fn file(&self, path: &str) -> Option<Arc<PackageFile>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || {
            let full = self.dir.join(path);
            let metadata = std::fs::metadata(&full).ok().filter(std::fs::Metadata::is_file)?;
            let text = (metadata.len() <= FILE_BYTES).then(|| std::fs::read_to_string(&full).ok()).flatten()?;
            Some(Arc::new(PackageFile { text, stripped: OnceLock::new() }))
        };
        files.entry(path.to_owned()).or_insert_with(read).clone()
    }

    pub fn has(&self, path: &str) -> bool {
        self.file(path).is_some()
    }

    /// Where `package/sub` leads to from a file: a path that may lack its extension or name a folder.
    pub fn resolve(&self, importer: &str, specifier: &str) -> Option<String> {
        let (name, inside) = split(specifier)?;
        let mut parts: Vec<&str> = importer.split('/').collect();
        while parts.pop().is_some() {
            let above = parts.join("/");
            let root = if above.is_empty() { format!("{FOLDER}/{name}") } else { format!("{above}/{FOLDER}/{name}") };
            if let Some(manifest) = self.file(&format!("{root}/package.json")) {
                let manifest: Value = serde_json::from_str(&manifest.text).unwrap_or_default();
                return Some(entry(&root, &manifest, inside));
            }
        }
        None
    }
}

/// The name of a package, and the path inside it.
fn split(specifier: &str) -> Option<(&str, &str)> {
    let slashes = usize::from(specifier.starts_with('@'));
    let end = specifier.match_indices('/').nth(slashes).map_or(specifier.len(), |(at, _)| at);
    let (name, rest) = specifier.split_at(end);
    let is_name = !name.is_empty() && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    is_name.then_some((name, rest.trim_start_matches('/')))
}

fn entry(root: &str, manifest: &Value, inside: &str) -> String {
    let key = if inside.is_empty() { ".".to_owned() } else { format!("./{inside}") };
    let exported = match &manifest["exports"] {
        Value::Null => None,
        Value::Object(map) if map.keys().any(|key| key.starts_with('.')) => map.get(&key).and_then(target),
        whole if inside.is_empty() => target(whole),
        _ => None,
    };
    let main = || manifest["main"].as_str().filter(|main| !main.is_empty()).unwrap_or("index.js");
    let path = match exported {
        Some(path) => path,
        None if inside.is_empty() => main(),
        None => inside,
    };
    format!("{root}/{}", path.trim_start_matches("./").trim_end_matches('/'))
}

/// The first condition that fits a server; CommonJS before modules, as packages test it more.
fn target(value: &Value) -> Option<&str> {
    match value {
        Value::String(path) => Some(path),
        Value::Array(choices) => choices.iter().find_map(target),
        Value::Object(conditions) => {
            let known = ["worker", "require", "node", "import", "default"];
            known.iter().find_map(|condition| conditions.get(*condition).and_then(target))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_told_from_paths() {
        assert_eq!(split("lodash"), Some(("lodash", "")));
        assert_eq!(split("lodash/get"), Some(("lodash", "get")));
        assert_eq!(split("@a/b/c/d"), Some(("@a/b", "c/d")));
        assert_eq!((split(""), split("@a/../b"), split("../x")), (None, None, None));
    }

    #[test]
    fn entries_follow_exports_then_main() {
        let of = |manifest: Value, inside: &str| entry("node_modules/p", &manifest, inside);
        assert_eq!(of(json!({}), ""), "node_modules/p/index.js");
        assert_eq!(of(json!({"main": "./lib/"}), ""), "node_modules/p/lib");
        assert_eq!(
            of(json!({"main": "a.js", "exports": {".": {"import": "./m.mjs", "require": "./c.cjs"}}}), ""),
            "node_modules/p/c.cjs"
        );
        assert_eq!(of(json!({"exports": "./only.js"}), ""), "node_modules/p/only.js");
        assert_eq!(of(json!({"exports": {"./sub": ["./s.js"]}}), "sub"), "node_modules/p/s.js");
        assert_eq!(of(json!({}), "lib/x"), "node_modules/p/lib/x");
    }
}
