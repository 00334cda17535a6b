//! Values of secret config fields: `DATA/secrets.json`, readable by this user only.
//!
//! They are kept out of the journal and the store, because both are queried, bundled and shared. The file
//! is written whole and renamed into place, so it is never half there. Without it plugins run with their
//! secrets unset, and their cards say which are missing.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// By plugin id and field.
pub type SecretValues = BTreeMap<String, BTreeMap<String, String>>;

#[derive(Debug)]
pub struct SecretFile(PathBuf);

impl SecretFile {
    pub fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("secrets.json"))
    }

    pub fn read(&self) -> io::Result<SecretValues> {
        match fs::read(&self.0) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(SecretValues::new()),
            Err(error) => Err(error),
        }
    }

    pub fn write(&self, values: &SecretValues) -> io::Result<()> {
        write_private(&self.0, &serde_json::to_vec_pretty(values)?)
    }
}

/// Writes a file that only its owner can read, whole or not at all.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let partial = path.with_added_extension("partial");
    // One that is left over may be readable by others.
    fs::remove_file(&partial).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&partial, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_nobody_elses() {
        let dir = tempfile::tempdir().expect("a temp dir");
        let file = SecretFile::of(dir.path());
        assert_eq!(file.read().expect("nothing yet"), SecretValues::new());
        let values = SecretValues::from([("p".into(), BTreeMap::from([("key".into(), "s3cret".into())]))]);
        file.write(&values).expect("writes");
        assert_eq!(file.read().expect("reads"), values);
        let mode = fs::metadata(dir.path().join("secrets.json")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
