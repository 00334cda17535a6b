//! The `weir` command: the headless server, and the commands that talk to a running one.

mod alert;
mod args;
mod check;
mod check_args;
mod client;
mod coded;
mod dev;
mod diff;
mod diff_args;
mod diff_print;
mod export;
mod fault;
mod fault_args;
mod generate;
mod generate_args;
mod ledger;
mod new;
mod new_args;
mod oracle;
mod output;
mod plugin;
mod plugin_args;
mod plugin_print;
mod plugin_versions;
mod profile;
mod sample;
mod say;
mod serve;
mod sink;
mod supervise;
mod table;
mod test;
mod test_args;
mod types;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, Command};

/// Events are many small allocations that one thread makes and another frees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Serve(serve) => serve::run(serve),
        Command::Query(query) => output::query(&query),
        Command::Status(status) => output::status(&status),
        Command::Open(target) => output::open(&target),
        Command::Audit(target) => output::audit(&target),
        Command::Oracle(oracle) => oracle::run(&oracle),
        Command::Fault(fault) => fault::run(&fault),
        Command::Check(check) => check::run(&check),
        Command::Alerts(alerts) => alert::run(&alerts),
        Command::Ledger(ledger) => ledger::run(&ledger),
        Command::Metrics(metrics) => output::metrics(&metrics),
        Command::Digest(target) => output::digest(&target),
        Command::Demo(demo) => output::demo(&demo),
        Command::Plugin(command) => plugin::run(command),
        Command::New(new) => new::run(&new),
        Command::Types(types) => types::run(&types),
        Command::Redrive(redrive) => output::redrive(&redrive),
        Command::Sink(sink) => sink::run(&sink),
        Command::Dev(dev) => dev::run(&dev),
        Command::Test(test) => Ok(test::run(&test)),
        Command::Diff(diff) => Ok(diff::run(&diff)),
        Command::Sample(command) => sample::run(&command),
        Command::Generate(generate) => generate::run(&generate),
        Command::Profile(profile) => profile::run(&profile),
        Command::ProbeStore { path } => serve::probe_store(&path),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            say::check(&error);
            eprintln!("weir: {error:#}");
            ExitCode::FAILURE
        }
    }
}
