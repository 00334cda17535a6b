/// Why a fault is not started.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    #[error("there is no fault {0:?}")]
    Unknown(String),
    #[error("which fault is to start?")]
    Unnamed,
    #[error("{fault} has no setting {setting}")]
    NoSuchSetting { fault: &'static str, setting: &'static str },
    #[error("{value} is out of range for {setting}: {least} to {most}, and not 0")]
    OutOfRange { setting: &'static str, value: i64, least: i64, most: i64 },
    #[error("{0} is no time for which a fault can last: more than 0 seconds, a day at most")]
    Duration(String),
    #[error("no plugin of the chain is live and has processEvent")]
    NoPlugin,
    #[error("no plugin {0:?} is live and has processEvent")]
    UnknownPlugin(String),
    #[error("there is no sink that tries for ever")]
    NoSink,
    #[error("there is no sink {0:?}")]
    UnknownSink(String),
    #[error("nobody would start the server again")]
    Unsupervised,
    #[error("the store is {0}")]
    StoreNotReady(&'static str),
    #[error("the store's file cannot be overwritten: {0}")]
    StoreFile(std::io::Error),
    #[error("the server is stopping")]
    Stopping,
}

impl FaultError {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) | Self::Unnamed => "fault_unknown",
            Self::NoSuchSetting { .. } | Self::OutOfRange { .. } | Self::Duration(_) => "fault_setting",
            Self::NoPlugin | Self::UnknownPlugin(_) => "fault_no_plugin",
            Self::NoSink | Self::UnknownSink(_) => "fault_no_sink",
            Self::Unsupervised => "fault_unsupervised",
            Self::StoreNotReady(_) | Self::StoreFile(_) => "fault_store",
            Self::Stopping => "fault_stopping",
        }
    }

    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unknown(_) | Self::Unnamed => "`weir fault` lists them",
            Self::NoSuchSetting { .. } | Self::OutOfRange { .. } | Self::Duration(_) => {
                "`weir fault` lists the settings of each fault"
            }
            Self::NoPlugin => "add one: `weir dev DIR`, or a folder on the Plugins screen",
            Self::UnknownPlugin(_) => "`weir plugin list` shows the ids",
            Self::NoSink => "add one: `weir sink add jsonl DIR`; one with a limit of attempts has to be named",
            Self::UnknownSink(_) => "`weir sink list` shows the names",
            Self::Unsupervised => "start it with `weir serve --supervise`",
            Self::StoreNotReady(_) => "ask again when it is ready",
            Self::StoreFile(_) => "check the permissions of the data directory",
            Self::Stopping => "start it again first",
        }
    }
}
