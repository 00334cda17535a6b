//! Weir's own tasks. `./dev` prepares the machine and calls this; plain `cargo xtask` works afterwards.

mod check;
mod clients;
mod docs;
mod geoip;
mod long;
mod process;
mod run;
mod ui;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Build, run, check and measure Weir")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build and open the studio with the demo stream flowing through a sample plugin
    Run {
        /// Do not open a browser; print the link
        #[arg(long)]
        no_open: bool,
        /// Further arguments of `weir serve`
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Format, lints, unit tests, then the suite on the real binary
    Test {
        /// Only tests whose name contains this
        filter: Option<String>,
    },
    /// Build the studio's page into ui/dist
    Ui,
    /// Build the desktop window
    Desktop,
    /// Measure, beside the raw limits of this machine
    Bench {
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Run random tests for a while, on from the last seed of docs/long-runs.ndjson
    Long {
        suite: long::Suite,
        /// When to begin no further seed
        #[arg(long)]
        minutes: f64,
    },
    /// Write docs/api.md, docs/compatibility.md, docs/metrics.md and docs/plugin-api.md from their sources
    Docs,
    /// Make the embedded GeoIP database from pipeline-core/plugins/geoip/places.json
    Geoip,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Run { no_open, arguments } => run::run(no_open, &arguments),
        Task::Test { filter } => check::test(filter.as_deref()),
        Task::Ui => ui::build().map(drop),
        Task::Desktop => run::desktop(),
        Task::Bench { arguments } => run::bench(&arguments),
        Task::Long { suite, minutes } => long::slice(suite, minutes),
        Task::Docs => docs::write(),
        Task::Geoip => geoip::write(),
    }
}
