//! `weir generate` and `weir profile`, as they are typed.

use std::path::PathBuf;

use clap::Args;
use pipeline_core::generator::{Mess, Rate};

use crate::args::Target;

/// Make a synthetic stream whose truth is known, into a file or through a capture port
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["list", "show", "scenario"]))]
pub struct Generate {
    /// Show the scenarios that are built in, and the kinds of mess
    #[arg(long)]
    pub list: bool,
    /// Print the file of a scenario that is built in: something to start from
    #[arg(long, value_name = "NAME")]
    pub show: Option<String>,
    /// One that is built in, or a scenario file
    #[arg(long, value_name = "NAME|FILE", requires = "out")]
    pub scenario: Option<String>,
    /// One seed gives one stream, on any machine
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How many events are sent, repetitions included
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub events: u64,
    /// Where in the stream to begin: the offset of an event
    #[arg(long, value_name = "OFFSET", default_value_t = 0)]
    pub from: u64,
    /// Events a second, sent when they are due whatever the answers; as fast as possible if absent
    #[arg(long, value_name = "R", value_parser = rate)]
    pub rate: Option<f64>,
    /// A file for JSON lines (- is standard output), the URL of a capture port, or log: the running server
    #[arg(long, value_name = "PATH|URL|log")]
    pub out: Option<String>,
    /// Where the truth goes, a JSON line for each request
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// Turn a kind of mess up or down, such as duplicate=0.1; repeat for several
    #[arg(long, value_name = "KIND=SHARE", value_parser = mess)]
    pub mess: Vec<(Mess, Rate)>,
    /// Requests under way at one time; with 1 they arrive in the order of the stream
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub connections: u16,
    #[command(flatten)]
    pub target: Target,
}

/// Make a scenario of real events, with none of their values
#[derive(Debug, Args)]
pub struct Profile {
    /// JSON lines or a JSON list: an export, or what `weir query --json` prints
    pub export: PathBuf,
    /// The scenario file that is written (- is standard output)
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Machine-readable summary
    #[arg(long)]
    pub json: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if (0.001..=1_000_000.0).contains(&rate) { Ok(rate) } else { Err("choose 0.001 to 1000000".to_owned()) }
}

fn mess(text: &str) -> Result<(Mess, Rate), String> {
    let (name, share) = text.split_once('=').ok_or("write KIND=SHARE, such as duplicate=0.1")?;
    let mess = Mess::from_name(name).map_err(|error| format!("{error} [{}]; {}", error.code(), error.hint))?;
    let rate = share.parse().ok().and_then(Rate::new);
    Ok((mess, rate.ok_or_else(|| format!("{share:?} is no share: write a number from 0 to 1"))?))
}
