use std::path::PathBuf;

/// Why a sink cannot be added.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    #[error("there is no sink of the kind {0:?}")]
    UnknownKind(String),
    #[error("{0:?} is not a sink: it has to be KIND:TARGET")]
    Unreadable(String),
    #[error("{} is not an absolute path", .0.display())]
    RelativePath(PathBuf),
    #[error("the directory {} cannot be written: {message}", path.display())]
    Directory { path: PathBuf, message: String },
    #[error("{url:?} cannot be posted to: {message}")]
    Url { url: String, message: String },
    #[error("{0:?} cannot be the name of a sink")]
    Name(String),
    #[error("there is a sink named {0:?} already")]
    NameTaken(String),
    #[error("there is no sink named {0:?}")]
    UnknownName(String),
    #[error("the plugin {0} is live and wants its events")]
    OfPlugin(String),
    #[error("a sink may be tried no fewer than once")]
    NoAttempts,
    #[error("{0} sinks are the most")]
    TooMany(usize),
    #[error("the HTTP client did not start: {0}")]
    Client(String),
    #[error("the thread of the sink did not start: {0}")]
    Thread(String),
    #[error("sinks start when the store is level with the logs")]
    NotYet,
}

impl SinkError {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownKind(_) => "sink_kind",
            Self::Unreadable(_) => "sink_unreadable",
            Self::RelativePath(_) | Self::Directory { .. } => "sink_directory",
            Self::Url { .. } => "sink_url",
            Self::Name(_) => "sink_name",
            Self::NameTaken(_) => "sink_name_taken",
            Self::UnknownName(_) => "sink_unknown",
            Self::OfPlugin(_) => "sink_of_plugin",
            Self::NoAttempts => "sink_attempts",
            Self::TooMany(_) => "sink_too_many",
            Self::Client(_) => "sink_client",
            Self::Thread(_) => "sink_thread",
            Self::NotYet => "sink_not_yet",
        }
    }

    pub const fn hint(&self) -> &'static str {
        match self {
            Self::UnknownKind(_) => "the kinds are jsonl, parquet and http",
            Self::Unreadable(_) => "for example jsonl:/srv/events, parquet:/srv/lake or http://127.0.0.1:9000/events",
            Self::RelativePath(_) => "the server may run in another folder than you do",
            Self::Directory { .. } => "check that the path is a directory that the server may write",
            Self::Url { .. } => "use an http:// URL; for https, let a proxy on this machine speak TLS",
            Self::Name(_) => "use up to 64 letters, digits, - _ and .",
            Self::NameTaken(_) => "choose another --name, or remove that sink first",
            Self::UnknownName(_) => "`weir sink list` shows the names",
            Self::OfPlugin(_) => "start the server without the plugin, then remove its sink",
            Self::NoAttempts => "leave it out to try for ever",
            Self::TooMany(_) => "remove one that is not needed: each has a thread and reads the store",
            Self::Client(_) | Self::Thread(_) => "the machine is out of threads or memory",
            Self::NotYet => "ask again in a moment; capture keeps accepting",
        }
    }
}
