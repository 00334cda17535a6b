//! Where an address is, for `meta.geoip.locate`.
//!
//! A plugin gets what PostHog's servers give it: the record of a City database as MaxMind's reader for
//! Node shapes it (`shape`). A small database of places is embedded, enough to try a plugin; a real one is
//! a setting. [`GeoIp::refresh`] looks whether its file has changed and is to be called from time to time
//! by a thread that may wait for a disk, never by a lane. A file that cannot be used is reported and the
//! database in use goes on; the next look tries it again once it has changed.

mod shape;

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use maxminddb::Reader;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

/// Made from `geoip/places.json` by `cargo xtask geoip`.
const EMBEDDED: &[u8] = include_bytes!("../geoip/places.mmdb");

/// More than any City database has; a file this large is something else.
const LARGEST_FILE_BYTES: u64 = 1 << 30;

#[derive(Debug, Error)]
pub enum GeoIpError {
    #[error("the GeoIP database {} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the GeoIP database {} has {bytes} bytes; at most {LARGEST_FILE_BYTES} are loaded", path.display())]
    TooLarge { path: PathBuf, bytes: u64 },
    #[error("{} is no MaxMind database: {reason}", path.display())]
    Invalid { path: PathBuf, reason: String },
    #[error("{} is a database of the type {kind}; plugins need cities", path.display())]
    NotCities { path: PathBuf, kind: String },
}

impl GeoIpError {
    /// Stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "geoip_unreadable",
            Self::TooLarge { .. } => "geoip_too_large",
            Self::Invalid { .. } => "geoip_invalid",
            Self::NotCities { .. } => "geoip_not_cities",
        }
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "Check the path in the setting and that this user may read the file.",
            Self::TooLarge { .. } => "Give the path of a City database, such as GeoLite2-City.mmdb.",
            Self::Invalid { .. } => {
                "Give the .mmdb file itself, unpacked and whole; copy it under another name and rename it."
            }
            Self::NotCities { .. } => "Use a City or Enterprise database, such as GeoLite2-City.mmdb.",
        }
    }
}

/// Which database answered, for the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeoIpIdentity {
    /// None for the embedded places.
    pub path: Option<PathBuf>,
    /// As the file says, such as `GeoLite2-City`.
    pub kind: String,
    /// Seconds since the Unix epoch.
    pub built_s: u64,
    /// The first 16 hexadecimal digits of the file's BLAKE3 hash.
    pub hash: String,
}

#[derive(Debug)]
pub struct GeoIp {
    path: Option<PathBuf>,
    current: RwLock<Arc<Database>>,
    /// The file as it was at the last look, whether or not it could be used.
    seen: Mutex<Option<Stamp>>,
}

#[derive(Debug)]
struct Database {
    reader: Reader<Bytes>,
    identity: GeoIpIdentity,
}

/// What differs when a file was replaced or written to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    file: u64,
}

#[derive(Debug)]
enum Bytes {
    Embedded,
    Loaded(Vec<u8>),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Embedded => EMBEDDED,
            Self::Loaded(bytes) => bytes,
        }
    }
}

impl GeoIp {
    /// With the database at `path`, or the embedded places.
    pub fn open(path: Option<&Path>) -> Result<Self, GeoIpError> {
        let (database, stamp) = match path {
            None => (Database::read(None, Bytes::Embedded)?, None),
            Some(path) => {
                let (bytes, stamp) = load(path)?;
                (Database::read(Some(path), Bytes::Loaded(bytes))?, Some(stamp))
            }
        };
        Ok(Self { path: path.map(Path::to_owned), current: RwLock::new(Arc::new(database)), seen: Mutex::new(stamp) })
    }

    /// The record of an address as JSON. None when it is not in the database, or no address at all.
    pub fn locate(&self, ip: &str) -> Option<String> {
        let address = ip.trim().parse::<IpAddr>().ok()?.to_canonical();
        let database = self.current();
        let found = database.reader.lookup(address).and_then(|found| {
            let record = found.decode::<Value>()?;
            Ok(record.map(|record| (record, found.network().ok())))
        });
        match found {
            Ok(None) => None,
            Ok(Some((record, network))) => {
                Some(shape::city(record, ip.trim(), network.map(|network| network.to_string())).to_string())
            }
            Err(error) => {
                metrics::counter!("weir_plugins_geoip_failures_total").increment(1);
                tracing::debug!(%error, %address, "a record of the GeoIP database cannot be read");
                None
            }
        }
    }

    pub fn identity(&self) -> GeoIpIdentity {
        self.current().identity.clone()
    }

    /// Loads the file again if it has changed since the last look; true if the database is another now.
    pub fn refresh(&self) -> Result<bool, GeoIpError> {
        let Some(path) = &self.path else { return Ok(false) };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(path);
        // A file that is gone for a moment is being replaced; it is only worth a word once.
        if now.as_ref().ok() == seen.as_ref() {
            return Ok(false);
        }
        *seen = now.as_ref().ok().cloned();
        now?;
        let (bytes, stamp) = load(path)?;
        *seen = Some(stamp);
        let database = Database::read(Some(path), Bytes::Loaded(bytes))?;
        let changed = database.identity.hash != self.current().identity.hash;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(database);
        Ok(changed)
    }

    fn current(&self) -> Arc<Database> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Database {
    fn read(path: Option<&Path>, bytes: Bytes) -> Result<Self, GeoIpError> {
        let shown = || path.map_or_else(|| PathBuf::from("(embedded)"), Path::to_owned);
        let hash = blake3::hash(bytes.as_ref()).to_hex()[..16].to_owned();
        let reader = Reader::from_source(bytes)
            .map_err(|error| GeoIpError::Invalid { path: shown(), reason: error.to_string() })?;
        let metadata = reader.metadata();
        let kind = metadata.database_type.clone();
        if !kind.contains("City") && !kind.contains("Enterprise") {
            return Err(GeoIpError::NotCities { path: shown(), kind });
        }
        let identity = GeoIpIdentity { path: path.map(Path::to_owned), kind, built_s: metadata.build_epoch, hash };
        Ok(Self { reader, identity })
    }
}

fn load(path: &Path) -> Result<(Vec<u8>, Stamp), GeoIpError> {
    // The stamp is taken first: what is written while reading is seen at the next look.
    let stamp = stamp(path)?;
    if stamp.bytes > LARGEST_FILE_BYTES {
        return Err(GeoIpError::TooLarge { path: path.to_owned(), bytes: stamp.bytes });
    }
    let bytes = fs::read(path).map_err(|source| GeoIpError::Unreadable { path: path.to_owned(), source })?;
    Ok((bytes, stamp))
}

fn stamp(path: &Path) -> Result<Stamp, GeoIpError> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(path).map_err(|source| GeoIpError::Unreadable { path: path.to_owned(), source })?;
    Ok(Stamp { modified: metadata.modified().ok(), bytes: metadata.len(), file: metadata.ino() })
}

#[cfg(test)]
mod tests;
