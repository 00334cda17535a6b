//! The command line, as it is typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pipeline_core::api::window::Term;

use crate::check_args::{Alerts, Check};
use crate::diff_args::{Diff, Sample};
use crate::fault_args::Fault;
use crate::generate_args::{Generate, Profile};
use crate::new_args::{New, Types};
use crate::plugin_args::Plugin;
use crate::test_args::Test;

/// Event pipeline studio for plugin authors. Compatible with PostHog's public protocols and plugin API;
/// not affiliated with PostHog.
#[derive(Debug, Parser)]
#[command(name = "weir", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the pipeline and the studio's page
    Serve(Serve),
    /// Run one read-only SQL statement on the store
    Query(Query),
    /// Show the ledger, the queues and the plugins of a running server
    Status(Status),
    /// Print a link that opens the studio in a browser; it works once
    Open(Target),
    /// Recount the logs against the store; exit 1 on any difference
    Audit(Target),
    /// What the model says must be in the store, and what is there instead; exit 1 on any difference
    Oracle(Oracle),
    /// Break something on purpose, and take it back
    Fault(Fault),
    /// SQL checks of a running server: statements that must return no rows; exit 1 when one fails
    Check(Check),
    /// What is firing, and when it does; exit 1 when something is
    Alerts(Alerts),
    /// The ledger by time, and the events behind each of its numbers; exit 1 if a window does not add up
    Ledger(Ledger),
    /// Print the numbers of a running server, in Prometheus's text format
    Metrics(Metrics),
    /// Print digests of the store's current state
    Digest(Target),
    /// Start, stop or re-pace the demo stream
    Demo(Demo),
    /// Plugins of a running server
    #[command(subcommand)]
    Plugin(Plugin),
    /// Make a plugin to start from, with tests that pass
    New(New),
    /// Write types of a plugin's configuration and of the events that were seen
    Types(Types),
    /// Count dead letters, or send them through the plugins once more
    Redrive(Redrive),
    /// Sinks of a running server: where stored events go next
    #[command(subcommand)]
    Sink(Sink),
    /// Have a plugin live in the studio, and be told what each save does
    Dev(Dev),
    /// Run the fixtures of plugins, without a server
    Test(Test),
    /// Show what an edit of a plugin changes for events that were
    Diff(Diff),
    /// Samples of plugins: events that were, as fixtures
    #[command(subcommand)]
    Sample(Sample),
    /// Make a synthetic stream whose truth is known, into a file or through a capture port
    Generate(Box<Generate>),
    /// Make a scenario of real events, with none of their values
    Profile(Profile),
    /// Open a store, read it and close it
    #[command(hide = true)]
    ProbeStore { path: PathBuf },
}

#[derive(Debug, Args)]
pub struct Dev {
    /// Folder of the plugin
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Where clients send events, when no server runs yet; port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8010", env = "WEIR_CAPTURE")]
    pub capture: SocketAddr,
    /// Where the studio listens, when no server runs yet; port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8011", env = "WEIR_CONTROL")]
    pub control: SocketAddr,
    /// Events a second of the demo stream, when no server runs yet; 0 for none
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=20_000))]
    pub demo_rate: u32,
    /// A folder of SQL checks, besides those of plugins, when no server runs yet; repeat for several
    #[arg(long = "checks", value_name = "DIR")]
    pub checks: Vec<PathBuf>,
    #[command(flatten)]
    pub target: Target,
}

fn term(name: &str) -> Result<Term, String> {
    let spelled = name.replace('-', "_");
    Term::ALL.into_iter().find(|term| term.as_str() == spelled).ok_or_else(|| {
        let names = Term::ALL.map(|term| term.as_str().replace('_', "-"));
        format!("the ledger has no such number; it has {}", names.join(", "))
    })
}

#[derive(Debug, Args)]
pub struct Ledger {
    /// Length of a window, a multiple of 10 seconds
    #[arg(long, value_name = "SECONDS", conflicts_with = "events")]
    pub window: Option<u32>,
    /// List the events that this number counts
    #[arg(long, value_name = "NUMBER", value_parser = term)]
    pub events: Option<Term>,
    /// Only what was received at this time or later, by windows of ten seconds
    #[arg(long, value_name = "TIME", requires = "until")]
    pub from: Option<String>,
    /// Only what was received earlier
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Go on with the events at this offset
    #[arg(long, value_name = "OFFSET", requires = "events")]
    pub after: Option<u64>,
    /// Windows at most (60 without), or events (100 without)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct Metrics {
    /// Only those whose name begins so
    #[arg(value_name = "NAME", default_value = "")]
    pub name: String,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct Oracle {
    /// Start it: with what comes next, and with projects that come next
    #[arg(long, conflicts_with = "stop")]
    pub start: bool,
    /// Start it with the first event of the logs
    #[arg(long, conflicts_with = "stop")]
    pub from_start: bool,
    /// Stop it; what it has found stays
    #[arg(long)]
    pub stop: bool,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Directory of the logs and the store; made if it does not exist
    #[arg(long, value_name = "DIR", env = "WEIR_DATA", default_value_os_t = default_data_dir())]
    pub data: PathBuf,
    /// Where clients send events; port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", env = "WEIR_CAPTURE", default_value = "127.0.0.1:8010")]
    pub capture: SocketAddr,
    /// Where the studio and commands connect; loopback only; port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", env = "WEIR_CONTROL", default_value = "127.0.0.1:8011")]
    pub control: SocketAddr,
    /// Start the demo stream: the scenario web-shop
    #[arg(long)]
    pub demo: bool,
    /// Events a second of the demo stream
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub demo_rate: u32,
    /// Seed of the demo stream
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub demo_seed: u64,
    /// A folder with plugin.json and index.ts or index.js; repeat for a chain, in order
    #[arg(long = "plugin", value_name = "DIR")]
    pub plugins: Vec<PathBuf>,
    /// Where stored events go next: jsonl:DIR, parquet:DIR or an http:// URL; repeat for several
    #[arg(long = "sink", value_name = "KIND:TARGET")]
    pub sinks: Vec<String>,
    /// A folder of SQL checks, besides those of plugins; repeat for several
    #[arg(long = "checks", value_name = "DIR")]
    pub checks: Vec<PathBuf>,
    /// A MaxMind City database (.mmdb) for `meta.geoip`; a few demo networks when absent
    #[arg(long, value_name = "FILE")]
    pub geoip: Option<PathBuf>,
    /// Show alerts that fire as notifications of this desktop
    #[arg(long)]
    pub notify: bool,
    /// Store session recordings ($snapshot) and give them to `onSnapshot`; without it they are dropped
    #[arg(long)]
    pub recordings: bool,
    /// How identity orders events
    #[arg(long, value_enum, default_value_t = Ordering::Arrival)]
    pub ordering: Ordering,
    /// Start the server again when its process ends by itself, on the same ports and data
    #[arg(long)]
    pub supervise: bool,
    /// Process that does so
    #[arg(long, value_name = "PID", hide = true, conflicts_with = "supervise", requires = "restarts")]
    pub supervised_by: Option<i32>,
    /// How often it has
    #[arg(long, value_name = "N", hide = true, requires = "supervised_by")]
    pub restarts: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ordering {
    /// In the order of the log
    Arrival,
    /// By the events' own time: the order of arrival makes no difference
    EventTime,
}

impl From<Ordering> for pipeline_core::event::Ordering {
    fn from(ordering: Ordering) -> Self {
        match ordering {
            Ordering::Arrival => Self::Arrival,
            Ordering::EventTime => Self::EventTime,
        }
    }
}

/// Which server a command talks to: --url and --token, else WEIR_URL and WEIR_TOKEN, else the one that
/// runs on --data.
#[derive(Debug, Args)]
pub struct Target {
    /// Control URL of a running server
    #[arg(long, value_name = "URL", env = "WEIR_URL")]
    pub url: Option<String>,
    /// Its token
    #[arg(long, value_name = "TOKEN", env = "WEIR_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Data directory of a running server
    #[arg(long, value_name = "DIR", env = "WEIR_DATA", default_value_os_t = default_data_dir())]
    pub data: PathBuf,
    /// Machine-readable output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Query {
    /// One SELECT, WITH, FROM, DESCRIBE, SHOW or EXPLAIN statement
    pub sql: String,
    /// Most rows to print
    #[arg(long, value_name = "N")]
    pub max_rows: Option<u64>,
    /// Longest run time in milliseconds
    #[arg(long, value_name = "MS")]
    pub timeout_ms: Option<u64>,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Start the stream
    #[arg(long, conflicts_with = "stop")]
    pub start: bool,
    /// Stop the stream
    #[arg(long)]
    pub stop: bool,
    /// Events a second
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,
    #[command(flatten)]
    pub target: Target,
}

/// Which dead letters: all that is given must fit.
#[derive(Debug, Args)]
pub struct Redrive {
    /// Number of the project
    #[arg(long, value_name = "N")]
    pub project: Option<u32>,
    /// Name of the event
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// A part of the error
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Move them; without it they are counted
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Subcommand)]
pub enum Sink {
    /// Send stored events on: to files of JSON lines, to Parquet files, or to a URL
    Add {
        /// jsonl, parquet or http
        kind: String,
        /// A directory, or an http:// URL
        target: String,
        /// The kind, made unique, if absent
        #[arg(long)]
        name: Option<String>,
        /// What is stored already, too
        #[arg(long)]
        from_start: bool,
        /// Deliveries tried before a batch is given up; for ever if absent
        #[arg(long, value_name = "N")]
        attempts: Option<u32>,
        #[command(flatten)]
        connection: Target,
    },
    /// Each sink with its cursor and its ledger
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Send a sink, or a plugin's exports, what is stored once more
    Replay {
        /// Of a plugin: plugin:ID:exportEvents
        name: String,
        /// From the first event with this timestamp or a later one; from the start if absent
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Take a sink away; what it delivered stays
    Remove {
        name: String,
        #[command(flatten)]
        target: Target,
    },
}

/// `$XDG_DATA_HOME/weir`, or `~/.local/share/weir`.
fn default_data_dir() -> PathBuf {
    let home = || std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    std::env::var_os("XDG_DATA_HOME").map_or_else(|| home().join(".local/share"), PathBuf::from).join("weir")
}
