//! `weir check` and `weir alerts`, as they are typed.

use clap::{Args, Subcommand};

use crate::args::Target;

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 no check fails, 1 one returns rows or cannot run.\nChecks are described in \
                        docs/checks.md.")]
pub struct Check {
    /// Run all of them now, whether they are due or not
    #[arg(long)]
    pub run: bool,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Exit codes: 0 nothing is firing, 1 something is.\nAlerts are described in docs/alerts.md."
)]
pub struct Alerts {
    #[command(subcommand)]
    pub change: Option<AlertChange>,
    /// Go on and print a line for each that fires or is resolved
    #[arg(long)]
    pub follow: bool,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Subcommand)]
pub enum AlertChange {
    /// Set the threshold of an alert, and turn it on: `weir alerts set lag 5s`
    Set {
        /// `weir alerts` lists them
        name: String,
        /// In its unit: 5s, 10000, 25%
        threshold: String,
        #[command(flatten)]
        target: Target,
    },
    /// Turn an alert on
    On {
        name: String,
        #[command(flatten)]
        target: Target,
    },
    /// Turn an alert off
    Off {
        name: String,
        #[command(flatten)]
        target: Target,
    },
    /// Set an alert back to what it is without settings
    Reset {
        name: String,
        #[command(flatten)]
        target: Target,
    },
}
