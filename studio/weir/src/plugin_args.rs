//! `weir plugin`, as it is typed.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use crate::args::Target;

#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// Add a folder to the end of the chain and watch it
    Add {
        dir: PathBuf,
        #[command(flatten)]
        target: Target,
    },
    /// The newest log lines of a plugin
    Logs {
        id: String,
        /// From now on keep console lines of this level and worse only: debug, log, info, warn or error
        #[arg(long, value_name = "LEVEL", conflicts_with = "limit")]
        keep: Option<String>,
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
        #[command(flatten)]
        target: Target,
    },
    /// The chain, in its order
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Everything about one plugin
    Show {
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Show config values, or set them
    Config(Config),
    /// Switch a plugin on
    Enable {
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Switch a plugin off: events pass it by
    Disable {
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Take a plugin out of the chain; its folder and what it stored stay
    Remove {
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Put plugins at the front of the chain, in this order; the others follow in their old one
    Order {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Show where its requests go, or set it
    Http(Http),
    /// Show what it may use, or set it
    Limits(Limits),
    /// Run a schedule or job now and wait for its end; exit 1 if it fails
    Run(Run),
    /// Its newest requests to other machines or its mocks, with their answers
    Calls {
        id: String,
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
        #[command(flatten)]
        target: Target,
    },
    /// What it keeps, by key
    Storage(Storage),
    /// Set or delete one key of what it keeps
    StorageSet(StorageSet),
    /// Show what becomes of a new version, or set it
    Reload {
        id: String,
        /// auto (it goes live) or ask (it waits to be promoted)
        mode: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Versions that were live and are kept, newest first, and the one that waits
    Versions {
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Make the version live that waits; exit 1 if it does not load
    Promote {
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Forget the version that waits; the folder stays as it is
    Discard {
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Write what the folder's version makes of the plugin's samples into them; exit 1 if some do not pass
    Accept {
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Args)]
pub struct Config {
    pub id: String,
    /// Values to set; a value for a JSON field has to be JSON
    #[arg(value_name = "KEY=VALUE", value_parser = pair)]
    pub values: Vec<(String, String)>,
    /// Go back to the default of a field, or take its file away
    #[arg(long, value_name = "KEY")]
    pub unset: Vec<String>,
    /// Give a file to an attachment field
    #[arg(long, value_name = "KEY=FILE", value_parser = pair)]
    pub attach: Vec<(String, String)>,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct Http {
    pub id: String,
    /// mock (answers from mocks/*.json), record (live, and kept as mocks) or live
    #[arg(long)]
    pub mode: Option<String>,
    /// Hosts that live requests may go to, in place of those before; repeat for several
    #[arg(long, value_name = "HOST")]
    pub allow: Vec<String>,
    /// Allow no host
    #[arg(long, conflicts_with = "allow")]
    pub allow_none: bool,
    /// Addresses inside that are allowed all the same, in place of those before; repeat for several
    #[arg(long, value_name = "ADDR")]
    pub grant: Vec<String>,
    /// Grant no address
    #[arg(long, conflicts_with = "grant")]
    pub grant_none: bool,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct Limits {
    pub id: String,
    /// Start from the limits of a platform; without options the list is shown
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// CPU for each event
    #[arg(long, value_name = "N")]
    pub cpu_ms: Option<u64>,
    /// Timers and HTTP for each event
    #[arg(long, value_name = "N")]
    pub wait_ms: Option<u64>,
    /// WebAssembly instructions for each event; 0 does not count them
    #[arg(long, value_name = "N")]
    pub instructions: Option<u64>,
    #[arg(long, value_name = "N")]
    pub memory_mib: Option<u64>,
    /// JSON of one event after the plugin
    #[arg(long, value_name = "N")]
    pub output_kib: Option<u64>,
    /// Log lines a second
    #[arg(long, value_name = "N")]
    pub log_lines: Option<u64>,
    /// HTTP requests of one event
    #[arg(long, value_name = "N")]
    pub http_calls: Option<u64>,
    /// What becomes of an event whose processing failed: continue, drop or dead_letter
    #[arg(long, value_name = "WHAT")]
    pub on_error: Option<String>,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct Run {
    pub id: String,
    /// A schedule (runEveryMinute, runEveryHour, runEveryDay) or the name of a job
    pub name: String,
    /// What a job is given
    #[arg(long, value_name = "JSON")]
    pub payload: Option<String>,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct Storage {
    pub id: String,
    /// The cache in place of the storage
    #[arg(long)]
    pub cache: bool,
    /// Only keys that contain this
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub filter: String,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).args(["value", "delete"]))]
pub struct StorageSet {
    pub id: String,
    pub key: String,
    /// JSON; for the cache, text as it is
    pub value: Option<String>,
    /// Delete the key
    #[arg(long)]
    pub delete: bool,
    /// The cache in place of the storage
    #[arg(long)]
    pub cache: bool,
    #[command(flatten)]
    pub target: Target,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("{text:?} has no key before a `=`; write for example region=eu")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_equals_sign_divides() {
        assert_eq!(pair("key=a=b"), Ok(("key".to_owned(), "a=b".to_owned())));
        assert_eq!(pair("key="), Ok(("key".to_owned(), String::new())));
        assert!(pair("key").is_err() && pair("=value").is_err());
    }
}
