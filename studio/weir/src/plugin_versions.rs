//! Versions of a plugin: those that are kept, and the one that waits.

use std::process::ExitCode;

use pipeline_core::api::diff::PluginVersion;
use pipeline_core::api::plugin::{PluginRequest, PluginView};
use pipeline_core::api::registry;
use pipeline_core::event::time::iso;

use crate::args::Target;
use crate::client::Client;
use crate::output::print_json;
use crate::plugin_print;
use crate::say::say;

pub fn list(id: String, target: &Target) -> anyhow::Result<ExitCode> {
    let found = Client::find(target)?.call::<registry::PluginVersions>(&PluginRequest { id })?;
    if target.json {
        print_json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    let state = |version: &PluginVersion| match (version.is_waiting, version.is_live) {
        (true, _) => "waits".to_owned(),
        (false, true) => "live".to_owned(),
        (false, false) => String::new(),
    };
    for version in &found.versions {
        let since = if version.is_waiting { "built, never live".to_owned() } else { iso(version.live_at_ms) };
        say!(
            "{}  {:<24}  {:>3} files, {:>8} bytes  {}",
            version.version,
            since,
            version.files,
            version.bytes,
            state(version)
        );
    }
    say!("the newest {} are kept", found.kept);
    Ok(ExitCode::SUCCESS)
}

pub fn promote(id: String, target: &Target) -> anyhow::Result<ExitCode> {
    let view = Client::find(target)?.call::<registry::PluginPromote>(&PluginRequest { id })?;
    shown(&view, target)?;
    Ok(if view.load_error.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub fn discard(id: String, target: &Target) -> anyhow::Result<ExitCode> {
    let view = Client::find(target)?.call::<registry::PluginDiscard>(&PluginRequest { id })?;
    shown(&view, target)?;
    Ok(ExitCode::SUCCESS)
}

fn shown(view: &PluginView, target: &Target) -> anyhow::Result<()> {
    if target.json {
        print_json(view)?;
    } else {
        plugin_print::line(view);
    }
    Ok(())
}

pub fn accept(id: String, target: &Target) -> anyhow::Result<ExitCode> {
    let found = Client::find(target)?.call::<registry::PluginAccept>(&PluginRequest { id })?;
    if target.json {
        print_json(&found)?;
    } else {
        for file in &found.written {
            say!("written  {file}");
        }
        for reason in &found.failing {
            say!("fails    {reason}");
        }
        say!("{} samples pass, {} do not", found.passing, found.failing.len());
    }
    Ok(if found.failing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
