//! Why the plugin host could not do what it was asked.

use std::path::PathBuf;

use thiserror::Error;

use crate::geoip::GeoIpError;

#[derive(Debug, Error)]
pub enum PluginError {
    #[error("{} is not a folder", .0.display())]
    NoFolder(PathBuf),
    #[error("{} holds no plugin: there is no plugin.json, index.js, index.ts, Cargo.toml or plugin.py", .0.display())]
    NotAPlugin(PathBuf),
    #[error("no plugin has the id {0}")]
    UnknownPlugin(String),
    #[error("no new version of {0} waits to be promoted")]
    NothingWaits(String),
    #[error("the WebAssembly engine did not start: {0}")]
    Engine(String),
    #[error("the compile cache {} cannot be used: {source}", dir.display())]
    CompileCache { dir: PathBuf, source: std::io::Error },
    #[error("the thread {0} did not start")]
    Thread(&'static str),
    #[error(transparent)]
    GeoIp(#[from] GeoIpError),
    #[error("the plugin host has been shut down")]
    Stopped,
}

impl PluginError {
    /// Stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoFolder(_) => "plugin_folder_missing",
            Self::NotAPlugin(_) => "not_a_plugin",
            Self::UnknownPlugin(_) => "plugin_unknown",
            Self::NothingWaits(_) => "plugin_nothing_waits",
            Self::Engine(_) => "plugin_engine",
            Self::CompileCache { .. } => "plugin_compile_cache",
            Self::Thread(_) => "plugin_thread",
            Self::GeoIp(error) => error.code(),
            Self::Stopped => "plugin_host_stopped",
        }
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoFolder(_) => "Give the path of the folder that holds plugin.json.",
            Self::NotAPlugin(_) => {
                "Create index.ts or index.js in it, with a function processEvent, or a plugin in Rust or Python."
            }
            Self::UnknownPlugin(_) => "List the plugins to see their ids.",
            Self::NothingWaits(_) => "One waits after a save, if the plugin's reload is set to ask.",
            Self::Engine(_) => "This is a defect of Weir; please report it with the message.",
            Self::CompileCache { .. } => "Check that the folder can be written by this user.",
            Self::Thread(_) => "The machine is out of threads or memory.",
            Self::GeoIp(error) => error.hint(),
            Self::Stopped => "Start the host again.",
        }
    }
}
