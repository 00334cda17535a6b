//! `DATA/run.json`: where the running server is, for commands on the same machine. `DATA/control.token` is its token
//! alone, for programs that read one from a file, as Prometheus does.

use std::fs;
use std::path::{Path, PathBuf};

use pipeline_core::flow::write_private;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    pub pid: u32,
    pub capture: String,
    pub control: String,
    pub token: String,
    /// What the cookies of browsers hold, so that they outlive a restart by a supervisor.
    #[serde(default)]
    pub session: String,
}

#[derive(Debug, thiserror::Error)]
pub enum RunFileError {
    #[error("no server runs on {dir}")]
    NoServer { dir: String },
    #[error("{path} cannot be read: {message}")]
    Unreadable { path: String, message: String },
}

const TOKEN: &str = "control.token";

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("run.json")
}

impl RunFile {
    /// Written whole or not at all, and readable by its owner only: it holds the token.
    pub fn write(&self, data_dir: &Path) -> std::io::Result<()> {
        write_private(&data_dir.join(TOKEN), self.token.as_bytes())?;
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        write_private(&path(data_dir), &text)
    }

    /// The server that runs on `data_dir`; a file that a crash left behind is not believed.
    pub fn read(data_dir: &Path) -> Result<Self, RunFileError> {
        let path = path(data_dir);
        let no_server = || RunFileError::NoServer { dir: data_dir.display().to_string() };
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => no_server(),
            _ => RunFileError::Unreadable { path: path.display().to_string(), message: error.to_string() },
        })?;
        let file: Self = serde_json::from_str(&text).map_err(|error| RunFileError::Unreadable {
            path: path.display().to_string(),
            message: error.to_string(),
        })?;
        if is_locked(data_dir) { Ok(file) } else { Err(no_server()) }
    }

    /// What a server that ended by itself wrote. Whoever asks holds the data directory, or is about to.
    pub fn left_behind(data_dir: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(path(data_dir)).ok()?).ok()
    }

    pub fn remove(data_dir: &Path) {
        fs::remove_file(path(data_dir)).ok();
        fs::remove_file(data_dir.join(TOKEN)).ok();
    }
}

/// The lock dies with its process, so it cannot be stale.
fn is_locked(data_dir: &Path) -> bool {
    fs::OpenOptions::new().read(true).write(true).open(data_dir.join("lock")).is_ok_and(|lock| lock.try_lock().is_err())
}
