use weir_log::LogError;
use weir_plugins::PluginError;
use weir_sinks::SinkError;
use weir_store::StoreError;

use crate::faults::FaultError;
use crate::shadow::ShadowError;

#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    #[error("the data directory {path} is in use by process {pid}")]
    Locked { path: String, pid: String },
    #[error("cannot prepare the data directory {path}: {message}")]
    DataDir { path: String, message: String },
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error("{0}")]
    PluginSetting(String),
    #[error("the plugin {0} has too many tasks waiting, or the server is stopping")]
    TaskQueueFull(String),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Shadow(#[from] ShadowError),
    #[error(transparent)]
    Fault(#[from] FaultError),
    #[error("a record of the {log} log cannot be read: {problem}")]
    Codec { log: &'static str, problem: String },
    #[error("the known uuids cannot be read: {0}")]
    KnownUuids(std::io::Error),
    #[error("the logs disagree: {0}")]
    Disagreement(String),
    #[error("{confirmed} dead letters were confirmed, and {matched} fit now")]
    Unconfirmed { confirmed: u64, matched: u64 },
    #[error("{0}")]
    AlertSetting(String),
    #[error("the stage {stage} has stopped")]
    Stopped { stage: &'static str },
    #[error("cannot start the thread {name}: {message}")]
    Thread { name: &'static str, message: String },
}

impl FlowError {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "data_locked",
            Self::DataDir { .. } => "data_dir",
            Self::Log(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Plugin(error) => error.code(),
            Self::PluginSetting(_) => "plugin_setting",
            Self::TaskQueueFull(_) => "plugin_task_queue_full",
            Self::Sink(error) => error.code(),
            Self::Shadow(error) => error.code(),
            Self::Fault(error) => error.code(),
            Self::Codec { .. } => "log_record_unreadable",
            Self::KnownUuids(_) => "known_uuids_unreadable",
            Self::Disagreement(_) => "logs_disagree",
            Self::Unconfirmed { .. } => "redrive_unconfirmed",
            Self::AlertSetting(_) => "alert_setting",
            Self::Stopped { .. } => "stage_stopped",
            Self::Thread { .. } => "thread",
        }
    }

    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "stop the other server, or choose another --data directory",
            Self::DataDir { .. } => "check that the path exists and is writable",
            Self::Log(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Sink(error) => error.hint(),
            Self::Shadow(error) => error.hint(),
            Self::Fault(error) => error.hint(),
            Self::Plugin(PluginError::UnknownPlugin(_)) => "`weir plugin list` shows the ids",
            Self::Plugin(PluginError::NothingWaits(_)) => "set it with `weir plugin reload ID ask`; then a save waits",
            Self::Plugin(error) => error.hint(),
            Self::PluginSetting(_) => "`weir plugin show ID` lists what can be set, and how it is set now",
            Self::TaskQueueFull(_) => "wait until the plugin's tasks have ended; its card lists them",
            Self::Codec { .. } => "the data was written by a newer version; update, or use another --data directory",
            Self::KnownUuids(_) => "check the disk, then restart: what is damaged is rebuilt from the logs",
            Self::Disagreement(_) => "restore both logs from the same copy",
            Self::Unconfirmed { .. } => "count them again, and confirm that number",
            Self::AlertSetting(_) => "`weir alerts` lists the rules, and how they are set now",
            Self::Stopped { .. } => "the server is stopping, or `weir status` says why it failed",
            Self::Thread { .. } => "the machine is out of threads or memory",
        }
    }
}
