//! `weir new` and `weir types`, as they are typed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::args::Target;

/// A project: source that loads, fixtures that pass, unit tests, settings for editors and continuous integration.
#[derive(Debug, Args)]
pub struct New {
    /// A folder that does not exist yet, or is empty
    pub dir: PathBuf,
    #[arg(long, value_enum, default_value_t = Lang::Ts)]
    pub lang: Lang,
    /// What the plugin does
    #[arg(long, value_enum, default_value_t = Template::Transform)]
    pub template: Template,
    /// Name for people; made from the folder's if absent
    #[arg(long)]
    pub name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// TypeScript
    Ts,
    /// JavaScript
    Js,
    Rust,
    Python,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Changes events on their way: one form for e-mail addresses, and their hash
    Transform,
    /// Sends stored events on: batches to a URL
    Export,
    /// Brings events in by a schedule: orders of a shop
    Import,
}

/// Types for TypeScript, Python and Rust, and for editors: of the configuration, and of the events that were seen.
#[derive(Debug, Args)]
pub struct Types {
    /// The plugin's folder
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Read events from a file, one JSON object a line, instead of a server's store
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Only events of this project
    #[arg(long, value_name = "N", conflicts_with = "from")]
    pub project: Option<u32>,
    /// Write nothing; exit 1 if a file is not up to date
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub target: Target,
}
