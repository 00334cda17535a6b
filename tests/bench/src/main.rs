//! Measurements, each beside the raw limit of the machine in the same run.
//!
//! `cargo xtask bench` runs all of them and writes `docs/benchmarks.md`; `-- NAME` runs one and prints.
//! Nothing here asserts: a measurement is read by a person, who knows the machine.

mod dedup;
mod diff;
mod disk;
mod end_to_end;
mod generate;
mod identity;
mod load;
mod memory;
mod persons;
mod plugin_overhead;
mod plugins;
mod report;
mod server;
mod store;

use clap::Parser;

/// The server's, so that what is measured here costs what it costs there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
struct Arguments {
    /// `disk`, `generate`, `store`, `identity`, `dedup`, `persons`, `throughput`, `latency`, `overhead`, `reload`, `diff`, `start`; all when absent
    name: Option<String>,
    /// Seconds of each loaded measurement
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many uuids or persons, where that is asked
    #[arg(long)]
    count: Option<u64>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let seconds = arguments.seconds;
    let wants = |name: &str| arguments.name.as_deref().is_none_or(|wanted| wanted == name);
    let mut report = report::Report::default();
    if wants("disk") {
        disk::fdatasync(&mut report)?;
    }
    if wants("generate") {
        generate::streams(&mut report);
    }
    if wants("store") {
        store::appender(&mut report)?;
    }
    if wants("identity") {
        identity::arrival(&mut report);
    }
    if wants("dedup") {
        dedup::index(&mut report, arguments.count)?;
    }
    if wants("persons") {
        persons::million(&mut report, arguments.count.map(|count| count as usize))?;
    }
    if wants("throughput") {
        end_to_end::throughput(&mut report, seconds)?;
    }
    if wants("latency") {
        end_to_end::latency(&mut report, seconds)?;
    }
    if wants("overhead") {
        plugin_overhead::measure(&mut report)?;
    }
    if wants("reload") {
        plugins::reload(&mut report)?;
    }
    if wants("diff") {
        diff::measure(&mut report, seconds)?;
    }
    if wants("start") {
        end_to_end::start(&mut report)?;
    }
    report.print();
    if arguments.name.is_none() {
        report.write("docs/benchmarks.md")?;
    }
    Ok(())
}
