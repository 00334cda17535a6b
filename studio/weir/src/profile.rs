//! `weir profile`: a scenario of an export.

use std::process::ExitCode;

use anyhow::Context as _;
use pipeline_core::generator::{Profile as Profiled, ProfileError};
use serde_json::json;

use crate::coded::coded;
use crate::export::each_event;
use crate::generate_args::Profile;
use crate::output::print_json;
use crate::say::say;
use crate::types::write;

pub fn run(profile: &Profile) -> anyhow::Result<ExitCode> {
    let mut profiled = Profiled::default();
    each_event(&profile.export, |event| profiled.add(event).map_err(told))?;
    let text = profiled.scenario().map_err(told).with_context(|| profile.export.display().to_string())?;
    if profile.out.as_os_str() == "-" {
        say!("{}", text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    write(&profile.out, &text)?;
    let out = profile.out.display();
    if profile.json {
        print_json(
            &json!({"events": profiled.events(), "event_names": profiled.event_names(), "out": out.to_string()}),
        )?;
    } else {
        say!("{out}: {} kinds of events, of {} events", profiled.event_names(), profiled.events());
        say!("names of events and properties are as they were; look over them before you pass the file on");
        say!("weir generate --scenario {out} --events 1000 --out -");
    }
    Ok(ExitCode::SUCCESS)
}

fn told(error: ProfileError) -> anyhow::Error {
    coded(&error, error.code(), error.hint())
}
