//! Results as a table for people.

use std::fmt::Write as _;
use std::fs;

#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<(String, String, String)>,
}

impl Report {
    /// `bar` is what the design asks for, or the raw limit beside it.
    pub fn add(&mut self, what: &str, measured: String, bar: &str) {
        eprintln!("{what}: {measured}");
        self.rows.push((what.to_owned(), measured, bar.to_owned()));
    }

    pub fn print(&self) {
        println!("{}", self.table());
    }

    pub fn write(&self, path: &str) -> anyhow::Result<()> {
        let page = format!(
            "# Benchmarks\n\nWritten by `cargo xtask bench`. Every figure is beside the raw limit of the same machine in the\n\
             same run; none is a promise for another machine. The server runs pinned to one core with all its\n\
             threads, the load on the other.\n\nMachine: {}\n\n{}",
            machine(),
            self.table()
        );
        fs::write(path, page)?;
        Ok(())
    }

    fn table(&self) -> String {
        let mut table = String::from("| what | measured | bar or raw limit |\n|---|---|---|\n");
        for (what, measured, bar) in &self.rows {
            // Writing to a String cannot fail.
            writeln!(table, "| {what} | {measured} | {bar} |").ok();
        }
        table
    }
}

fn machine() -> String {
    let first = |path: &str, key: &str| -> String {
        fs::read_to_string(path)
            .unwrap_or_default()
            .lines()
            .find(|line| line.starts_with(key))
            .and_then(|line| line.split(':').nth(1))
            .map_or_else(|| "unknown".into(), |value| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{}, {cores} cores, {} memory", first("/proc/cpuinfo", "model name"), first("/proc/meminfo", "MemTotal"))
}

/// 12,345.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
