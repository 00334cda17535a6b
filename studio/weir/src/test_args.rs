//! `weir test`, as it is typed.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Exit codes: 0 all pass, 1 mismatch, 2 a plugin does not load or cannot be tried, 3 a fixture is \
                        invalid, 4 no fixtures.\nFixtures are described in docs/testing.md."
)]
pub struct Test {
    /// A plugin's folder, or a folder with plugins in it
    #[arg(value_name = "DIR", default_value = ".")]
    pub dirs: Vec<PathBuf>,
    /// Only fixtures whose name, file or plugin contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Only what has changed since the last commit
    #[arg(long)]
    pub modified: bool,
    /// Write what happens as what is expected, where it differs or nothing is expected
    #[arg(long, conflicts_with = "watch")]
    pub update: bool,
    /// Run again on every save and show what the save changed
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
    /// One JSON document
    #[arg(long)]
    pub json: bool,
    /// Also write JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Also write a page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Fixtures that run at a time; one for each core if absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// A MaxMind City database (.mmdb) for `meta.geoip`; a few demo networks when absent
    #[arg(long, value_name = "FILE")]
    pub geoip: Option<PathBuf>,
}
