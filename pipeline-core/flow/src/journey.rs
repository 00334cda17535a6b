//! An event's way, read again from what is durable.
//!
//! The live view keeps the newest events with all their forms. For any other event the intake log has what was
//! captured, the journal what each plugin said and the event as it left the last one, and the store what came of it.
//! What it was between two plugins that both changed it is kept nowhere, and is marked as lost. The journey is of the
//! captured event, not of those that plugins made at its offset.

use serde_json::Value;
use weir_api::event::{EventSummary, Journey, JourneyStep, PersonView};
use weir_event::journal::{ChainMember, EventEffect, Fate, JournalRecord, StepEffect, StepLabel};
use weir_event::normalize::{self, PluginEvent};
use weir_event::prepare::{self, Captured, Refusal};
use weir_event::{Outcome, ProjectId, StoredEvent};
use weir_log::{Log, LogReader};

use crate::codec;
use crate::error::FlowError;
use crate::flow::Flow;
use crate::live::{overall, step_view, stored_json};
use crate::projection::{META_CHAIN, dropped_by};
use crate::redrive::{self, Found};
use crate::store_handle::StoreHandle;
use crate::stored;

/// Rows of one offset that are looked at: an event and those that plugins made of it.
const ROWS_OF_OFFSET: usize = 4_096;
const RECORD_BYTES: usize = 1 << 20;

impl Flow {
    /// The way of the event at an intake offset: with every step while it is among the newest, and from the
    /// logs and the store after that. `None` for an offset that no event has. May block its thread.
    pub fn journey(&self, offset: u64) -> Result<Option<Journey>, FlowError> {
        let history = History::of(self);
        match self.shared.live.journey(offset) {
            Some(journey) => Ok(Some(journey)),
            None => history.journey(offset),
        }
    }
}

pub(crate) struct History<'a> {
    intake: &'a Log,
    journal: &'a Log,
    store: &'a StoreHandle,
}

/// What the store knows of one event.
#[derive(Default)]
struct Known {
    project: u32,
    row: Option<StoredEvent>,
    is_identified: bool,
    redriven_by: Option<u64>,
    is_committed: bool,
}

impl<'a> History<'a> {
    pub(crate) fn of(flow: &'a Flow) -> Self {
        Self { intake: &flow.intake_log, journal: &flow.journal_log, store: &flow.shared.store }
    }

    fn journey(&self, offset: u64) -> Result<Option<Journey>, FlowError> {
        let Some(found) = redrive::find(self.intake, &[offset].into())?.into_iter().next() else { return Ok(None) };
        let mut known = self.known(&found)?;
        let Some((hash, effect)) = self.effect(offset, known.redriven_by)? else {
            return Ok(Some(journey(
                &found,
                &known,
                &EventEffect::default(),
                &[],
                "in_flight",
                "it waits for plugins",
            )));
        };
        let final_uuid = final_uuid(&found, &effect);
        known.row = self.row(offset, &final_uuid)?;
        if let Some(row) = &known.row {
            known.is_identified = self
                .store
                .pool()?
                .with(|connection| weir_store::is_identified(connection, known.project, &row.person_id))?;
        }
        let chain = self.chain(&hash)?;
        let (outcome, reason) = ending(&found, known.project, &effect, &chain, known.row.is_some(), known.is_committed);
        Ok(Some(journey(&found, &known, &effect, &chain, outcome, &reason)))
    }

    fn known(&self, found: &Found) -> Result<Known, FlowError> {
        let uuid = found.captured.uuid.to_string();
        Ok(self.store.pool()?.with(|connection| {
            Ok::<_, weir_store::StoreError>(Known {
                project: weir_store::project_number(connection, &found.record.token)?.unwrap_or_default(),
                redriven_by: weir_store::redriven_by(connection, found.offset, &uuid)?,
                is_committed: weir_store::committed_offset(connection)? > found.offset,
                ..Known::default()
            })
        })?)
    }

    fn row(&self, offset: u64, uuid: &str) -> Result<Option<StoredEvent>, FlowError> {
        let exported = self.store.pool()?.with(|connection| {
            weir_store::export(connection, offset, Some(offset + 1), ROWS_OF_OFFSET, RECORD_BYTES)
        })?;
        Ok(exported.events.into_iter().find(|row| row.uuid == uuid))
    }

    /// What the plugin stage did to it last, and with which chain; `None` while it has not.
    fn effect(&self, offset: u64, redriven_by: Option<u64>) -> Result<Option<(String, EventEffect)>, FlowError> {
        if let Some(sequence) = redriven_by
            && let Some(JournalRecord::Redrive(record)) = next(&mut self.journal.read_from_sequence(sequence))?
        {
            let entry = record.entries.into_iter().find(|entry| entry.offset == offset);
            return Ok(entry.map(|entry| (record.chain_hash, entry.effect)));
        }
        let mut reader = self.journal.read_from_offset(offset);
        while let Some(record) = next(&mut reader)? {
            if let JournalRecord::Batch(mut batch) = record {
                let index = offset.checked_sub(batch.first_offset).map(|index| index as usize);
                return Ok(index
                    .filter(|index| *index < batch.effects.len())
                    .map(|index| (batch.chain_hash, batch.effects.swap_remove(index))));
            }
        }
        Ok(None)
    }

    pub(crate) fn chain(&self, hash: &str) -> Result<Vec<ChainMember>, FlowError> {
        let key = format!("{META_CHAIN}{hash}");
        let text = self.store.pool()?.with(|connection| weir_store::meta_value(connection, &key))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }
}

fn next(reader: &mut LogReader) -> Result<Option<JournalRecord>, FlowError> {
    let record = reader.read(1, 1)?.into_iter().next();
    record.map(|record| codec::decode_journal(&record.payload)).transpose()
}

/// A plugin may have given it another uuid.
pub(crate) fn final_uuid(found: &Found, effect: &EventEffect) -> String {
    let output = effect.output.as_deref().and_then(|output| serde_json::from_str::<PluginEvent>(output).ok());
    let given = output.and_then(|event| normalize::new_uuid(&event, found.captured.uuid).ok().flatten());
    given.unwrap_or(found.captured.uuid).to_string()
}

/// What became of an event, and why.
pub(crate) fn ending(
    found: &Found,
    project: u32,
    effect: &EventEffect,
    chain: &[ChainMember],
    is_stored: bool,
    is_committed: bool,
) -> (&'static str, String) {
    let ended = |outcome: Outcome, reason: String| (outcome.as_str(), reason);
    match &effect.fate {
        Fate::Rejected => return ended(Outcome::Rejected, "refused at the edge".into()),
        Fate::Dropped => return ended(Outcome::Dropped, dropped_by(chain, effect)),
        Fate::Deduplicated { conflicting } => {
            let other = if *conflicting { " with other content" } else { "" };
            return ended(Outcome::Deduplicated, format!("this uuid was received before{other}"));
        }
        Fate::DeadLettered { reason } => return ended(Outcome::DeadLettered, reason.clone()),
        Fate::Passed => {}
    }
    if is_stored {
        return ended(Outcome::Stored, "stored".into());
    }
    if !is_committed {
        return ("in_flight", "it waits for the store".into());
    }
    match refusal(found, project, effect) {
        Some(Refusal::Dropped(reason)) => ended(Outcome::Dropped, reason),
        Some(Refusal::DeadLettered(reason)) => ended(Outcome::DeadLettered, reason),
        // By event time the first of a uuid counts, and that is another.
        None => ended(Outcome::Deduplicated, "another event with its uuid counts".into()),
    }
}

/// The rule by which it was not stored: rules are pure, so they say it again.
fn refusal(found: &Found, project: u32, effect: &EventEffect) -> Option<Refusal> {
    let event = stored::event_of(&found.record, &found.captured, effect, project);
    let event = match event {
        Ok(event) => event,
        Err(error) => return Some(Refusal::DeadLettered(error.to_string())),
    };
    let captured = Captured {
        uuid: found.captured.uuid,
        distinct_id: &found.captured.distinct_id,
        received_at_ms: found.record.received_at_ms,
        keeps_recordings: false,
    };
    prepare::prepare(event, captured, &mut Vec::new()).err()
}

fn journey(
    found: &Found,
    known: &Known,
    effect: &EventEffect,
    chain: &[ChainMember],
    outcome: &str,
    reason: &str,
) -> Journey {
    let captured = normalize::plugin_event(&found.record, &found.captured, ProjectId(known.project))
        .map_or_else(|_| Value::String(found.captured.data.clone()), Value::Object);
    let name = known
        .row
        .as_ref()
        .map_or_else(|| captured["event"].as_str().unwrap_or_default().to_owned(), |row| row.event.clone());
    let summary = EventSummary {
        offset: found.offset,
        uuid: found.captured.uuid.to_string(),
        event: name,
        distinct_id: found.captured.distinct_id.clone(),
        project: known.project,
        received_at_ms: found.record.received_at_ms,
        outcome: outcome.to_owned(),
        label: overall(effect).to_owned(),
        plugin_us: effect.steps.iter().map(|step| step.cpu_us).sum(),
    };
    Journey {
        summary,
        steps: steps(&captured, effect, chain),
        captured,
        stored: known.row.as_ref().map(|row| stored_json!(row)),
        reason: reason.to_owned(),
        person: known.row.as_ref().map(|row| PersonView {
            uuid: row.person_id.clone(),
            is_identified: known.is_identified,
            properties: parsed(&row.person_properties),
        }),
    }
}

fn steps(captured: &Value, effect: &EventEffect, chain: &[ChainMember]) -> Vec<JourneyStep> {
    let output = effect.output.as_deref().map(parsed);
    // An error may have changed it too: only what no step touched is as captured.
    let may_change = |label| matches!(label, StepLabel::Modified | StepLabel::Error);
    let last_change = effect.steps.iter().rposition(|step| may_change(step.label));
    let first_change = effect.steps.iter().position(|step| may_change(step.label));
    let after = |index: usize, label| match (first_change, last_change) {
        _ if label == StepLabel::Dropped => (None, false),
        (Some(_), Some(last)) if index >= last => (Some(output.clone().unwrap_or_else(|| captured.clone())), false),
        (Some(first), Some(_)) if index >= first => (None, true),
        _ => (Some(captured.clone()), false),
    };
    let named = |(index, step): (usize, &StepEffect)| {
        let member = chain.get(usize::from(step.plugin))?;
        let (after, is_after_lost) = after(index, step.label);
        // What a plugin behind it dropped was journalled without its content.
        let is_after_lost = is_after_lost || (effect.fate == Fate::Dropped && may_change(step.label));
        Some(JourneyStep { after: after.filter(|_| !is_after_lost), is_after_lost, ..step_view(member, step) })
    };
    effect.steps.iter().enumerate().filter_map(named).collect()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn effect(labels: &[StepLabel], output: Option<&str>) -> (EventEffect, Vec<ChainMember>) {
        let step = |(plugin, label): (usize, &StepLabel)| StepEffect {
            plugin: plugin as u16,
            label: *label,
            error: None,
            cpu_us: 1,
            wait_us: 0,
        };
        let member = |id: usize| ChainMember {
            plugin_id: id.to_string(),
            name: String::new(),
            version: String::new(),
            is_deferred: false,
        };
        let fate = if labels.contains(&StepLabel::Dropped) { Fate::Dropped } else { Fate::Passed };
        let steps = labels.iter().enumerate().map(step).collect();
        let effect = EventEffect { fate, output: output.map(str::to_owned), steps, ..EventEffect::default() };
        (effect, (0..labels.len()).map(member).collect())
    }

    /// For each step `captured`, `output`, `none` or `lost`.
    fn shown(labels: &[StepLabel], output: Option<&str>) -> Vec<&'static str> {
        let (effect, chain) = effect(labels, output);
        let captured = json!({"a": 1});
        let word = |step: &JourneyStep| match &step.after {
            _ if step.is_after_lost => "lost",
            None => "none",
            Some(after) if *after == captured => "captured",
            Some(_) => "output",
        };
        steps(&captured, &effect, &chain).iter().map(word).collect()
    }

    #[test]
    fn each_step_shows_what_is_known_and_says_what_is_lost() {
        use StepLabel::{Dropped, Error, Modified, Unmodified};
        let output = Some(r#"{"a": 2}"#);
        assert_eq!(shown(&[Unmodified, Unmodified], None), ["captured", "captured"]);
        assert_eq!(shown(&[Unmodified, Modified, Unmodified], output), ["captured", "output", "output"]);
        assert_eq!(shown(&[Modified, Unmodified, Modified], output), ["lost", "lost", "output"]);
        assert_eq!(shown(&[Error], None), ["captured"]);
        assert_eq!(shown(&[Unmodified, Dropped], None), ["captured", "none"]);
        assert_eq!(shown(&[Modified, Dropped], None), ["lost", "none"]);
    }
}
