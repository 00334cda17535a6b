//! Deliberate bugs of the projection, on its finished rows. Nothing happens unless one is woken (`weir_event::sabotage`).

use serde_json::Value;
use weir_event::journal::JournalRecord;
use weir_event::sabotage::{Bug, strikes};
use weir_log::Log;
use weir_store::{Cursor, RowBatch};

use crate::codec;
use crate::error::FlowError;

const HOUR_MS: i64 = 3_600_000;

pub fn rows(rows: &mut RowBatch) {
    rows.events.retain(|_| !strikes(Bug::LoseEvent));
    rows.persons.retain(|row| row.version == 0 || row.is_deleted || !strikes(Bug::LosePersonUpdate));
    rows.distinct_ids.retain(|row| row.version == 0 || !strikes(Bug::MergeForgetsId));
    for person in rows.persons.iter_mut().filter(|row| row.is_deleted) {
        person.is_deleted = !strikes(Bug::MergeLeavesPerson);
    }
    for at in 0..rows.events.len() {
        let next = rows.events.get(at + 1).map(|next| next.person_id);
        let event = &mut rows.events[at];
        if let Some(other) = next.filter(|other| *other != event.person_id)
            && strikes(Bug::SwapPersons)
        {
            let own = std::mem::replace(&mut event.person_id, other);
            rows.events[at + 1].person_id = own;
        }
        let event = &mut rows.events[at];
        if strikes(Bug::HourOff) {
            event.timestamp_ms += HOUR_MS;
        }
        if event.timestamp_ms % 1_000 != 0 && strikes(Bug::DropMilliseconds) {
            event.timestamp_ms -= event.timestamp_ms.rem_euclid(1_000);
        }
        if strikes(Bug::WrongProject) {
            event.team_id += 1;
        }
        if event.event.chars().any(char::is_uppercase) && strikes(Bug::LowerCaseNames) {
            event.event = event.event.to_lowercase();
        }
        if let Some(groups) = &event.groups
            && strikes(Bug::SwapGroups)
        {
            event.groups = Some(groups.replacen("\"0\"", "\"1\"", 1));
        }
        if strikes(Bug::LoseProperty) {
            change(&mut event.properties, |properties| {
                let last = properties.keys().rfind(|name| !name.starts_with('$')).cloned();
                last.map(|name| properties.shift_remove(&name));
            });
        }
        if strikes(Bug::RoundNumbers) {
            change(&mut event.properties, |properties| {
                for value in properties.values_mut() {
                    if let Some(number) = value.as_f64().filter(|number| number.fract() != 0.0) {
                        *value = f64::from(number as f32).into();
                    }
                }
            });
        }
    }
    let doubled: Vec<_> = rows.events.iter().filter(|_| strikes(Bug::DoubleEvent)).cloned().collect();
    rows.events.extend(doubled);
}

/// To before the newest batch that was applied.
pub fn step_back(journal: &Log, cursor: &mut Cursor) -> Result<(), FlowError> {
    let mut reader = journal.read_from_sequence(0);
    let mut before = None;
    while reader.next_sequence() < cursor.journal_sequence {
        for record in reader.read(1, 1)? {
            if let JournalRecord::Batch(batch) = codec::decode_journal(&record.payload)? {
                before = Some((record.sequence, batch.first_offset));
            }
        }
    }
    if let Some((sequence, offset)) = before {
        (cursor.journal_sequence, cursor.intake_offset) = (sequence, offset);
    }
    Ok(())
}

fn change(text: &mut String, change: impl FnOnce(&mut serde_json::Map<String, Value>)) {
    if let Ok(Value::Object(mut properties)) = serde_json::from_str(text) {
        change(&mut properties);
        *text = Value::Object(properties).to_string();
    }
}
