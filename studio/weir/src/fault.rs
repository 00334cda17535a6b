//! `weir fault`.

use std::process::ExitCode;

use pipeline_core::api::fault::{FaultList, FaultRequest, FaultView, FaultsRequest};
use pipeline_core::api::registry;

use crate::args::Target;
use crate::client::Client;
use crate::fault_args::{Fault, FaultCommand, Start};
use crate::output::print_json;
use crate::say::say;

pub fn run(fault: &Fault) -> anyhow::Result<ExitCode> {
    match &fault.command {
        None => list(&fault.target),
        Some(FaultCommand::List { target }) => list(target),
        Some(FaultCommand::Start(start)) => {
            let Start { name, lasts, plugin, sink, every, delay_ms, offset_s, target } = &**start;
            let request = FaultRequest {
                name: Some(spelled(name)),
                running: true,
                for_s: *lasts,
                plugin: plugin.clone(),
                sink: sink.clone(),
                every: *every,
                delay_ms: *delay_ms,
                offset_s: *offset_s,
            };
            ask(&request, target)
        }
        Some(FaultCommand::Stop { name, target, .. }) => {
            ask(&FaultRequest { name: name.as_deref().map(spelled), running: false, ..FaultRequest::default() }, target)
        }
    }
}

fn list(target: &Target) -> anyhow::Result<ExitCode> {
    let list = Client::find(target)?.call::<registry::Faults>(&FaultsRequest::default())?;
    if target.json {
        print_json(&list)?;
    } else {
        list.faults.iter().for_each(print);
        let supervised = if list.supervised { "will be" } else { "will not be" };
        say!("a server that is killed {supervised} started again; it was {} times", list.restarts);
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the fault that was meant, or those that are active.
fn ask(request: &FaultRequest, target: &Target) -> anyhow::Result<ExitCode> {
    let list: FaultList = Client::find(target)?.call::<registry::Fault>(request)?;
    if target.json {
        print_json(&list)?;
    } else {
        let is_meant = |view: &&FaultView| request.name.as_ref().map_or(view.active, |name| view.name == *name);
        list.faults.iter().filter(is_meant).for_each(print);
        if list.faults.iter().all(|view| !view.active) {
            say!("no fault is active");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(view: &FaultView) {
    let state = match (view.active, view.remaining_s) {
        (true, Some(left)) => format!("ACTIVE, {left:.0} s left"),
        (true, None) => "ACTIVE".to_owned(),
        (false, _) => "off".to_owned(),
    };
    say!("{:<19} {:<9} {state}, struck {} times", view.name, view.place, view.strikes);
    say!("    {}", view.summary);
    say!("    you will see: {}", view.effect);
    for setting in &view.settings {
        let value = if setting.value.is_empty() { "none" } else { &setting.value };
        say!("    --{} {value}: {}", setting.name.replace('_', "-"), setting.summary);
    }
    if let Some(reason) = &view.unavailable {
        say!("    not now: {reason}");
    }
}

/// A name may be typed with hyphens, as options are.
fn spelled(name: &str) -> String {
    name.replace('-', "_")
}
