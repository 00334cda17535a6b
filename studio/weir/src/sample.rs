//! `weir sample`: events that were, as fixtures.

use std::process::ExitCode;

use pipeline_core::api::diff::SampleSave;
use pipeline_core::api::registry;

use crate::client::Client;
use crate::diff_args::Sample;
use crate::output::print_json;
use crate::say::say;

pub fn run(sample: &Sample) -> anyhow::Result<ExitCode> {
    let Sample::Save { name, plugin, offsets, replace, target } = sample;
    let request = SampleSave { id: plugin.clone(), name: name.clone(), offsets: offsets.clone(), replace: *replace };
    let saved = Client::find(target)?.call::<registry::SampleSave>(&request)?;
    if target.json {
        print_json(&saved)?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("{}: {} events, {} answers", saved.path, saved.events, saved.mocks);
    if !saved.secrets_left_out.is_empty() {
        say!("left out, because they are secret: {}", saved.secrets_left_out.join(", "));
    }
    for note in &saved.notes {
        say!("note: {note}");
    }
    say!("{}", if saved.passes { "It passes." } else { "It does not pass as it is; `weir test` says why." });
    Ok(ExitCode::SUCCESS)
}
