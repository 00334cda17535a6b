//! Why versions could not be compared, or a sample not be saved.

use std::io;
use std::path::PathBuf;

use weir_plugins::BenchError;

#[derive(Debug, thiserror::Error)]
pub enum ShadowError {
    #[error("{plugin} has no version {version}; the newest 50 that were live are kept: {known}")]
    UnknownVersion { plugin: String, version: String, known: String },
    #[error("the version {version} of {plugin} is ambiguous: it begins {found}")]
    AmbiguousVersion { plugin: String, version: String, found: String },
    #[error("{0} has no version that serves")]
    NothingServes(String),
    #[error("{0} has only one version so far")]
    OneVersion(String),
    #[error("the archived version {version} of {plugin} is damaged: {problem}")]
    Damaged { plugin: String, version: String, problem: String },
    #[error("the archive of versions cannot be used: {}: {source}", path.display())]
    Archive { path: PathBuf, source: io::Error },
    #[error("the version {version} does not load: {source}{}", place(source))]
    NotLoaded { version: String, source: BenchError },
    #[error("the version {version} would not go live: {source}{}", place(source))]
    NotStarted { version: String, source: BenchError },
    #[error("a newer version has come meanwhile, or the server is stopping")]
    Superseded,
    #[error("{0} has no samples")]
    NoSamples(String),
    #[error("the samples of {plugin} cannot be written: {problem}")]
    Samples { plugin: String, problem: String },
    #[error("there is a sample {} already", .0.display())]
    SampleExists(PathBuf),
    #[error("the name {0:?} has no letter or digit")]
    SampleName(String),
    #[error("no offset is given, or more than {0}")]
    SampleOffsets(usize),
    #[error("no event has the offset {0}")]
    UnknownOffset(u64),
    #[error("the event at offset {0} has not been through the plugins yet")]
    NotProcessed(u64),
}

/// File, line and column of what is wrong with a plugin.
fn place(error: &BenchError) -> String {
    match error {
        BenchError::Plugin(problem) if problem.line > 0 => {
            format!(" ({}:{}:{})", problem.file, problem.line, problem.column)
        }
        BenchError::Plugin(_) | BenchError::Host(_) => String::new(),
    }
}

impl ShadowError {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownVersion { .. } => "version_unknown",
            Self::AmbiguousVersion { .. } => "version_ambiguous",
            Self::NothingServes(_) => "version_none_serves",
            Self::OneVersion(_) => "version_only_one",
            Self::Damaged { .. } => "version_damaged",
            Self::Archive { .. } => "version_archive",
            Self::NotLoaded { .. } => "version_not_loaded",
            Self::NotStarted { .. } => "version_not_started",
            Self::Superseded => "diff_superseded",
            Self::NoSamples(_) => "sample_none",
            Self::Samples { .. } => "sample_unwritable",
            Self::SampleExists(_) => "sample_exists",
            Self::SampleName(_) => "sample_name",
            Self::SampleOffsets(_) => "sample_offsets",
            Self::UnknownOffset(_) => "sample_offset_unknown",
            Self::NotProcessed(_) => "sample_not_processed",
        }
    }

    pub const fn hint(&self) -> &'static str {
        match self {
            Self::UnknownVersion { .. } | Self::AmbiguousVersion { .. } => {
                "`weir plugin versions ID` lists those that are kept"
            }
            Self::NothingServes(_) => "see the plugin's card for why it does not load",
            Self::OneVersion(_) => "edit the plugin, or name two versions with --from and --to",
            Self::Damaged { .. } => "choose another version; what is damaged is not run",
            Self::Archive { .. } => "check that the data directory can be read and written",
            Self::NotLoaded { .. } | Self::NotStarted { .. } => "correct what it names, and save",
            Self::Superseded => "ask again",
            Self::NoSamples(_) => "save one from a live event with `weir sample save NAME --plugin ID --offset N`",
            Self::Samples { .. } => "check that the plugin's folder can be written by the server's user",
            Self::SampleExists(_) => "choose another name, or replace it with --replace",
            Self::SampleName(_) => "give a name such as checkout-without-cart",
            Self::SampleOffsets(_) => "give the offsets of the events; `_offset` of a query is one",
            Self::UnknownOffset(_) => {
                "`_offset` of a query is an event's offset; those of refused requests have no event"
            }
            Self::NotProcessed(_) => "wait until it is stored; `weir status` shows how many are in flight",
        }
    }
}
