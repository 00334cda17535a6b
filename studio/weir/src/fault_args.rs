//! The arguments of `weir fault`.

use clap::{Args, Subcommand};

use crate::args::Target;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Fault {
    #[command(subcommand)]
    pub command: Option<FaultCommand>,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Subcommand)]
pub enum FaultCommand {
    /// What can be broken, and what is
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Start a fault; one that is active goes on with these settings
    Start(Box<Start>),
    /// Stop a fault, or all of them
    Stop {
        /// As `weir fault` lists them
        #[arg(required_unless_present = "all")]
        name: Option<String>,
        /// Stop every fault
        #[arg(long, conflicts_with = "name")]
        all: bool,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Args)]
pub struct Start {
    /// As `weir fault` lists them
    pub name: String,
    /// Stop it by itself after this time: 30s, 5m, 1h; a number alone is seconds
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    pub lasts: Option<f64>,
    /// Id of the plugin that it strikes; the first of the chain if absent
    #[arg(long, value_name = "ID")]
    pub plugin: Option<String>,
    /// Name of the sink that it strikes
    #[arg(long, value_name = "NAME")]
    pub sink: Option<String>,
    /// Strike one in so many
    #[arg(long, value_name = "N")]
    pub every: Option<u64>,
    /// How long to wait
    #[arg(long, value_name = "MS")]
    pub delay_ms: Option<u64>,
    /// How far the clock jumps; negative is back
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub offset_s: Option<i64>,
    #[command(flatten)]
    pub target: Target,
}

fn seconds(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.find(|letter: char| letter.is_ascii_alphabetic()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(format!("{unit:?} is no unit of time: write ms, s, m or h")),
    };
    let number: f64 = number.parse().map_err(|_| format!("{number:?} is no number"))?;
    if number > 0.0 { Ok(number * factor) } else { Err("it has to be more than 0".into()) }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        assert_eq!(
            [seconds("30"), seconds("1.5m"), seconds("250ms"), seconds("1h")],
            [Ok(30.0), Ok(90.0), Ok(0.25), Ok(3_600.0)]
        );
        for refused in ["", "s", "0", "-1s", "3d"] {
            assert!(seconds(refused).is_err(), "{refused}");
        }
    }
}
