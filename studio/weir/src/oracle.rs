//! `weir oracle`.

use std::process::ExitCode;

use pipeline_core::api::oracle::{OracleRequest, OracleState};
use pipeline_core::api::registry;

use crate::args::Oracle;
use crate::client::Client;
use crate::output::print_json;
use crate::say::say;

/// Mismatches that are listed.
const SHOWN: usize = 20;

pub fn run(oracle: &Oracle) -> anyhow::Result<ExitCode> {
    let starts = oracle.start || oracle.from_start;
    let running = if oracle.stop { Some(false) } else { starts.then_some(true) };
    let request = OracleRequest { running, from_start: oracle.from_start };
    let state = Client::find(&oracle.target)?.call::<registry::Oracle>(&request)?;
    if oracle.target.json {
        print_json(&state)?;
    } else {
        print(&state);
    }
    Ok(if state.mismatch_count() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(state: &OracleState) {
    let reason = state.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    say!("oracle        {}{reason}", state.state);
    if state.state == "off" && state.through_offset == 0 {
        say!("              `weir oracle --start` begins with what comes next, `--from-start` with the first event");
        return;
    }
    say!(
        "looked at     offsets {} to {}, {} behind the store",
        state.from_offset,
        state.through_offset,
        state.behind_events
    );
    if state.skipped > 0 {
        say!("              {} events of projects that were there before were left alone", state.skipped);
    }
    say!("plugins       {} events predicted, {} taken as the journal says", state.predicted, state.taken_as_said);
    say!("events        {} expected, {} stored", state.expected, state.stored);
    say!("              {} missing, {} extra, {} wrong", state.missing, state.extra, state.wrong);
    say!("              {} duplicates removed, {} dropped", state.duplicates_removed, state.dropped);
    say!("times         {} off, {} out of order and repaired", state.timestamps_off, state.out_of_order_repaired);
    say!("persons       {} changes right, {} wrong", state.persons_right, state.persons_wrong);
    say!("merges        {} right, {} wrong", state.merges_right, state.merges_wrong);
    say!("distinct ids  {} right, {} wrong", state.distinct_ids_right, state.distinct_ids_wrong);
    if let Some(truth) = &state.truth {
        let off: Vec<String> = truth.times_off.iter().map(|(mess, count)| format!("{count} {mess}")).collect();
        let off = if off.is_empty() { String::new() } else { format!(" (off: {})", off.join(", ")) };
        say!("truth         {} of {} times within a second{off}", truth.times_right, truth.times);
        say!(
            "              {} of {} people are one person; {} are several, {} persons are several people",
            truth.people_right,
            truth.people,
            truth.people_split,
            truth.persons_mixed
        );
    }
    for kind in &state.kinds {
        say!("mismatch      {} {}: {} times", kind.kind, kind.field, kind.count);
    }
    for one in state.mismatches.iter().rev().take(SHOWN) {
        say!("  offset {} {} {} {}{}", one.offset, one.kind, one.field, one.uuid, of(&one.distinct_id));
        say!("    expected {}", one.expected);
        say!("    found    {}", one.found);
    }
}

fn of(distinct_id: &str) -> String {
    if distinct_id.is_empty() { String::new() } else { format!(" of {distinct_id}") }
}
