//! `weir diff` and `weir sample`, as they are typed.

use clap::{Args, Subcommand};

use crate::args::Target;

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 no difference, 1 differences, 2 it could not be found out.\n\
                        docs/diff.md says what is compared.")]
pub struct Diff {
    /// A plugin of the server, or a folder with another version of one
    #[arg(value_name = "ID|DIR")]
    pub plugin: String,
    /// live, waiting, or the name of an archived version; when absent, what serves or served last and is another
    #[arg(long, value_name = "VERSION")]
    pub from: Option<String>,
    /// folder, live, waiting, or the name of an archived version
    #[arg(long, value_name = "VERSION", default_value = "folder")]
    pub to: String,
    /// Newest events to compare
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    pub last: u64,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Subcommand)]
pub enum Sample {
    /// Save events as a fixture in the plugin's folder, with what the plugin makes of them now as what is expected
    Save {
        /// Its file is fixtures/NAME.json
        name: String,
        /// The plugin whose sample it is
        #[arg(long, value_name = "ID")]
        plugin: String,
        /// Intake offsets of the events (`_offset` of a query); repeat for several
        #[arg(long = "offset", value_name = "N", required = true, num_args = 1..)]
        offsets: Vec<u64>,
        /// Over a sample of this name
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        target: Target,
    },
}
