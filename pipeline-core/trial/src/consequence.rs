//! What production would have done, in a sentence.

use weir_event::journal::{Fate, StepLabel};
use weir_event::normalize::{self, PluginEvent};
use weir_event::prepare::{Captured, Refusal, prepare};

use crate::fixture::Action;
use crate::input::Input;
use crate::trial::Tried;

pub const NOT_LIVE: &str =
    "This version would not go live: the one before it goes on serving, and without one events pass the plugin by.";

/// Of a call that failed outside `processEvent`.
pub const fn of_failed(action: &Action) -> &'static str {
    match action {
        Action::Advance { .. } | Action::Schedule(_) => {
            "This run would end with the error in the plugin's log; the next one comes when it is due."
        }
        Action::Job { .. } => "This job would end with the error in the plugin's log, and not be run again.",
        Action::Export(_) => {
            "The event would stay stored; this delivery would be recorded as failed, and the next event goes on."
        }
        Action::Events(_) | Action::Stream { .. } => {
            "The event would be stored with the changes made so far, and the error logged."
        }
    }
}

/// Of an event after its plugins.
pub fn of_event(tried: &Tried, input: Option<&Input>) -> String {
    match &tried.fate {
        Fate::Dropped => {
            return "This event would be dropped: it is not stored, and no export is given it.".to_owned();
        }
        Fate::DeadLettered { reason } => {
            return format!("This event would be kept aside as a dead letter until it is redriven: {reason}.");
        }
        Fate::Deduplicated { .. } | Fate::Rejected => {
            return "This event would not come to plugins.".to_owned();
        }
        Fate::Passed => {}
    }
    if let Some(refusal) = refused_later(tried, input) {
        return match refusal {
            Refusal::Dropped(reason) => {
                format!("This event would pass the plugin and then be dropped by the pipeline: {reason}.")
            }
            Refusal::DeadLettered(reason) => {
                format!("This event would pass the plugin and then be kept aside as a dead letter: {reason}.")
            }
        };
    }
    let failure = tried.steps.iter().rev().find_map(|step| step.failure.as_ref());
    if let Some(failure) = failure {
        return format!("{}.", failure.consequence.trim_end_matches('.'));
    }
    match tried.steps.last().map(|step| step.effect.label) {
        Some(StepLabel::Modified) => "This event would be stored as the plugin left it.".to_owned(),
        Some(StepLabel::Skipped) => "This event would be stored without the plugin having seen it.".to_owned(),
        _ => "This event would be stored unchanged.".to_owned(),
    }
}

/// Rules after the plugins that do not let every event into the store.
fn refused_later(tried: &Tried, input: Option<&Input>) -> Option<Refusal> {
    let input = input?;
    let mut event: PluginEvent = serde_json::from_str(tried.after()?).ok()?;
    normalize::normalize(&mut event);
    let captured = Captured {
        uuid: tried.uuid,
        distinct_id: &input.captured.distinct_id,
        received_at_ms: input.record.received_at_ms,
        // Whether they are kept is a choice at the start, which is no consequence of the plugin.
        keeps_recordings: true,
    };
    prepare(event, captured, &mut Vec::new()).err()
}
