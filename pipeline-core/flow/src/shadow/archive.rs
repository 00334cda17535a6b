//! Versions that were live, kept as what they were made of: `DATA/versions`.
//!
//! ```text
//! versions/
//!   PLUGIN.json      the versions of one plugin, oldest first, each with its files by the hash of their content
//!   blobs/HASH       a content, whoever has it
//! ```
//!
//! A file that did not change between versions is there once. Files are written whole and renamed into
//! place, blobs before the index that names them, and what is read is checked against its name. Kept are the
//! newest versions of each plugin, bounded in number and bytes. Sources and WebAssembly are kept and never
//! machine code, so nothing that lies here can run outside the sandbox; values of secret config fields are
//! left out, and those in force are used instead.
//!
//! Packages (`node_modules`) and mocks stay with the folder: a version out of the archive uses those of now,
//! and who makes it sees by its name when that makes it another.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use weir_event::journal::PluginAttachment;
use weir_plugins::{OtherSettings, Reload, Settings, Sources};

use super::error::ShadowError;

/// Of each plugin.
pub const MOST_VERSIONS: usize = 50;
/// Of each plugin, contents that versions share counted once.
const MOST_BYTES: u64 = 512 << 20;

pub struct Archive {
    dir: PathBuf,
    /// Held while an index is read to be written.
    writing: Mutex<()>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    /// Oldest first.
    versions: Vec<Kept>,
}

/// A content: its hash and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    hash: String,
    bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub version: String,
    pub name: String,
    pub language: String,
    /// When it last went live.
    pub live_at_ms: i64,
    files: BTreeMap<String, Blob>,
    /// The component that the manifest names, with its path.
    component: Option<(String, Blob)>,
    /// What was built from the files.
    built: Option<Blob>,
    /// Config values, without those that were secret then.
    values: BTreeMap<String, Option<String>>,
    attachments: Vec<(PluginAttachment, Blob)>,
    other: OtherSettings,
}

impl Kept {
    fn blobs(&self) -> impl Iterator<Item = &Blob> {
        let component = self.component.iter().map(|(_, blob)| blob);
        let attachments = self.attachments.iter().map(|(_, blob)| blob);
        self.files.values().chain(component).chain(&self.built).chain(attachments)
    }

    pub fn files(&self) -> usize {
        self.files.len() + usize::from(self.component.is_some())
    }

    pub fn bytes(&self) -> u64 {
        self.blobs().map(|blob| blob.bytes).sum()
    }
}

impl Archive {
    pub const fn new(dir: PathBuf) -> Self {
        Self { dir, writing: Mutex::new(()) }
    }

    /// Keeps a version that went live; one that is kept already becomes the newest.
    pub fn keep(&self, reload: &Reload, now_ms: i64) -> Result<(), ShadowError> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut index = self.index(&reload.plugin_id)?;
        let known = index.versions.iter().position(|kept| kept.version == reload.version);
        let mut kept = match known {
            Some(at) => index.versions.remove(at),
            None => self.kept(reload)?,
        };
        kept.live_at_ms = now_ms;
        index.versions.push(kept);
        let is_over = |index: &Index| {
            let blobs = index.versions.iter().flat_map(Kept::blobs);
            let distinct: BTreeMap<&str, u64> = blobs.map(|blob| (blob.hash.as_str(), blob.bytes)).collect();
            index.versions.len() > MOST_VERSIONS || distinct.values().sum::<u64>() > MOST_BYTES
        };
        let mut is_shorter = false;
        while index.versions.len() > 1 && is_over(&index) {
            index.versions.remove(0);
            is_shorter = true;
        }
        let text = serde_json::to_vec(&index).unwrap_or_default();
        self.write(&self.index_path(&reload.plugin_id), &text)?;
        if is_shorter { self.sweep() } else { Ok(()) }
    }

    fn kept(&self, reload: &Reload) -> Result<Kept, ShadowError> {
        let Sources { texts, component, built } = reload.blueprint.sources();
        let settings = reload.blueprint.settings();
        let secrets: BTreeSet<&str> = reload.blueprint.manifest().secret_keys().collect();
        let files = texts.iter().map(|(path, text)| Ok((path.clone(), self.put(text.as_bytes())?)));
        let open = settings.values.iter().filter(|(key, _)| !secrets.contains(key.as_str()));
        let attachment = |attachment: &PluginAttachment| {
            let without = PluginAttachment { contents: Vec::new(), ..attachment.clone() };
            Ok((without, self.put(&attachment.contents)?))
        };
        Ok(Kept {
            version: reload.version.clone(),
            name: reload.name.clone(),
            language: reload.language.to_owned(),
            live_at_ms: 0,
            files: files.collect::<Result<_, ShadowError>>()?,
            component: component.map(|(path, bytes)| Ok((path, self.put(&bytes)?))).transpose()?,
            built: built.map(|bytes| self.put(&bytes)).transpose()?,
            values: open.map(|(key, value)| (key.clone(), value.clone())).collect(),
            attachments: settings.attachments.iter().map(attachment).collect::<Result<_, ShadowError>>()?,
            other: settings.other.clone(),
        })
    }

    /// Newest first.
    pub fn versions(&self, plugin_id: &str) -> Result<Vec<Kept>, ShadowError> {
        let mut versions = self.index(plugin_id)?.versions;
        versions.reverse();
        Ok(versions)
    }

    /// The version whose name begins so.
    pub fn find(&self, plugin_id: &str, version: &str) -> Result<Kept, ShadowError> {
        let versions = self.versions(plugin_id)?;
        let mut fitting = versions.iter().filter(|kept| kept.version.starts_with(version));
        let names = |kept: &mut dyn Iterator<Item = &Kept>| {
            let names: Vec<&str> = kept.map(|kept| kept.version.as_str()).take(8).collect();
            if names.is_empty() { "none yet".to_owned() } else { names.join(", ") }
        };
        let (plugin, asked) = (plugin_id.to_owned(), version.to_owned());
        match (fitting.next(), fitting.next()) {
            (Some(found), None) => Ok(found.clone()),
            (Some(_), Some(_)) => {
                let found = names(&mut versions.iter().filter(|kept| kept.version.starts_with(version)));
                Err(ShadowError::AmbiguousVersion { plugin, version: asked, found })
            }
            (None, _) => {
                Err(ShadowError::UnknownVersion { plugin, version: asked, known: names(&mut versions.iter()) })
            }
        }
    }

    /// What it was made of, and what was set for it; secrets are those that are set now.
    pub fn open(&self, plugin_id: &str, kept: &Kept, now: &Settings) -> Result<(Sources, Settings), ShadowError> {
        let damaged =
            |problem| ShadowError::Damaged { plugin: plugin_id.to_owned(), version: kept.version.clone(), problem };
        let get = |blob: &Blob| self.get(blob).map_err(damaged);
        let text = |(path, blob): (&String, &Blob)| {
            let text = String::from_utf8(get(blob)?).map_err(|_| damaged(format!("{path} is no text")))?;
            Ok((path.clone(), text))
        };
        let sources = Sources {
            texts: kept.files.iter().map(text).collect::<Result<_, ShadowError>>()?,
            component: kept.component.as_ref().map(|(path, blob)| Ok((path.clone(), get(blob)?))).transpose()?,
            built: kept.built.as_ref().map(get).transpose()?,
        };
        let manifest = sources
            .texts
            .get("plugin.json")
            .map_or_else(Default::default, |text| weir_plugins::Manifest::parse(text).unwrap_or_default());
        let secrets: BTreeSet<&str> = manifest.secret_keys().collect();
        let secret = now.values.iter().filter(|(key, _)| secrets.contains(key.as_str()));
        let values = kept.values.iter().chain(secret).map(|(key, value)| (key.clone(), value.clone())).collect();
        let attachment =
            |(known, blob): &(PluginAttachment, Blob)| Ok(PluginAttachment { contents: get(blob)?, ..known.clone() });
        let attachments = kept.attachments.iter().map(attachment).collect::<Result<_, ShadowError>>()?;
        Ok((sources, Settings { values, attachments, is_disabled: false, other: kept.other.clone() }))
    }

    fn index_path(&self, plugin_id: &str) -> PathBuf {
        self.dir.join(format!("{plugin_id}.json"))
    }

    fn index(&self, plugin_id: &str) -> Result<Index, ShadowError> {
        let path = self.index_path(plugin_id);
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(path = %path.display(), %error, "an index of versions cannot be read, and begins anew");
                Index::default()
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Index::default()),
            Err(source) => Err(ShadowError::Archive { path, source }),
        }
    }

    fn blob_path(&self, hash: &str) -> PathBuf {
        self.dir.join("blobs").join(hash)
    }

    fn put(&self, content: &[u8]) -> Result<Blob, ShadowError> {
        let hash = blake3::hash(content).to_hex().to_string();
        let blob = Blob { hash, bytes: content.len() as u64 };
        // One that is damaged is written anew.
        if self.get(&blob).is_err() {
            self.write(&self.blob_path(&blob.hash), content)?;
        }
        Ok(blob)
    }

    fn get(&self, blob: &Blob) -> Result<Vec<u8>, String> {
        let content = fs::read(self.blob_path(&blob.hash)).map_err(|error| format!("{}: {error}", blob.hash))?;
        if blake3::hash(&content).to_hex().as_str() == blob.hash {
            Ok(content)
        } else {
            Err(format!("the content of {} is not what its name says", blob.hash))
        }
    }

    /// Whole or not at all.
    fn write(&self, path: &Path, content: &[u8]) -> Result<(), ShadowError> {
        let failed = |source| ShadowError::Archive { path: path.to_owned(), source };
        let dir = path.parent().unwrap_or(&self.dir);
        // Sources and attachments are this user's, as what is set for plugins is.
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
        let partial = path.with_extension("partial");
        fs::write(&partial, content).map_err(failed)?;
        fs::rename(&partial, path).map_err(failed)
    }

    /// Takes contents away that no version has any more.
    fn sweep(&self) -> Result<(), ShadowError> {
        let failed = |source| ShadowError::Archive { path: self.dir.clone(), source };
        let mut used = BTreeSet::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let index = self.index(&id)?;
                used.extend(index.versions.iter().flat_map(Kept::blobs).map(|blob| blob.hash.clone()));
            }
        }
        for entry in fs::read_dir(self.dir.join("blobs")).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if !used.contains(&*entry.file_name().to_string_lossy()) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
