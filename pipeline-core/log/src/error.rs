use std::io;
use std::path::PathBuf;

/// What can go wrong with a log. Each has a code for programs and a hint for people.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    #[error("cannot {action} {path}: {message}", path = path.display())]
    Io { action: &'static str, path: PathBuf, message: String },
    #[error("the log {name} stopped accepting after a failed {action}: {message}")]
    Poisoned { name: String, action: &'static str, message: String },
    #[error("the log {name} is closed")]
    Closed { name: String },
    #[error("{path} is damaged at byte {position}: {problem}", path = path.display())]
    Corrupt { path: PathBuf, position: u64, problem: &'static str },
    #[error("a record of {bytes} bytes is larger than the limit of {limit}")]
    RecordTooLarge { bytes: usize, limit: usize },
    #[error("the log has no record at {wanted}; it holds {first} to {end}")]
    NoSuchRecord { wanted: u64, first: u64, end: u64 },
}

impl LogError {
    pub fn io(action: &'static str, path: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self::Io { action, path: path.into(), message: error.to_string() }
    }

    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "log_io",
            Self::Poisoned { .. } => "log_poisoned",
            Self::Closed { .. } => "log_closed",
            Self::Corrupt { .. } => "log_corrupt",
            Self::RecordTooLarge { .. } => "log_record_too_large",
            Self::NoSuchRecord { .. } => "log_no_such_record",
        }
    }

    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check the disk and the permissions of the data directory",
            Self::Poisoned { .. } => "check the disk, then restart: what was acked is on disk and will be recovered",
            Self::Closed { .. } => "the process is shutting down; send it again",
            Self::Corrupt { .. } => "the file was changed or the disk lost data; restore it from a copy",
            Self::RecordTooLarge { .. } => "send smaller batches",
            Self::NoSuchRecord { .. } => "the segment that held it is gone",
        }
    }
}
