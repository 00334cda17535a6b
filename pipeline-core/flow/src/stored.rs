//! One event that passed the plugins: its row, its person, its groups and its warnings.

use serde_json::{Value, json};
use weir_event::intake::{CapturedEvent, IntakeRecord};
use weir_event::journal::{BatchRecord, ChainMember, EventEffect, Repeat, StepEffect, StepLabel};
use weir_event::normalize::{self, PluginEvent};
use weir_event::prepare::{self, Captured, Refusal, Warning};
use weir_event::{Outcome, ProjectId, ids};
use weir_identity::{Changes, GroupSnapshot, IdentityEvent};
use weir_store::{
    DeadLetterRow, DistinctIdRow, EventRow, GroupRow, GroupTypeRow, PersonRow, Restored, RowBatch, WarningRow,
};

use crate::identity::{Applied, Identity};

/// Why an event that passed the plugins is not stored.
#[derive(Debug)]
pub struct Ended {
    pub outcome: Outcome,
    pub reason: String,
}

/// Where an event stands, and where its rows go.
pub struct EventContext<'a> {
    pub sequence: u64,
    pub batch: &'a BatchRecord,
    pub chain_hash: &'a str,
    pub record: &'a IntakeRecord,
    pub offset: u64,
    /// By a client, not by a plugin.
    pub is_captured: bool,
    pub keeps_recordings: bool,
    pub rows: &'a mut RowBatch,
}

impl EventContext<'_> {
    pub fn dead_letter(&mut self, project: u32, captured: &CapturedEvent, reason: &str) {
        let index = self.rows.dead_letters.len() as u32;
        let name = serde_json::from_str::<Value>(&captured.data).ok();
        self.rows.dead_letters.push(DeadLetterRow {
            id: ids::row_uuid("dead_letter", self.sequence, index),
            event_uuid: captured.uuid,
            event: name.as_ref().and_then(|event| event["event"].as_str()).unwrap_or_default().to_owned(),
            distinct_id: captured.distinct_id.clone(),
            team_id: project,
            received_at_ms: self.record.received_at_ms,
            ip: self.record.ip.clone(),
            site_url: self.record.site_url.clone(),
            raw_payload: captured.data.clone(),
            error_at_ms: self.batch.processed_at_ms,
            error_location: "weir_ingest_event",
            error: reason.to_owned(),
            is_captured: self.is_captured,
            journal_sequence: self.sequence,
            offset: self.offset,
        });
    }

    fn warn(&mut self, project: u32, warnings: Vec<Warning>) {
        for warning in warnings {
            let index = self.rows.warnings.len() as u32;
            self.rows.warnings.push(WarningRow {
                id: ids::row_uuid("warning", self.sequence, index),
                team_id: project,
                kind: warning.kind,
                details: warning.details.to_string(),
                at_ms: self.batch.processed_at_ms,
                offset: self.offset,
            });
        }
    }

    fn note(&mut self, project: u32, changes: Changes) {
        let offset = self.offset;
        self.rows.persons.extend(changes.persons.into_iter().map(|row| PersonRow {
            id: row.uuid,
            created_at_ms: row.created_at_ms,
            team_id: project,
            properties: row.properties,
            is_identified: row.is_identified,
            is_deleted: row.is_deleted,
            version: row.version,
            offset,
        }));
        self.rows.distinct_ids.extend(changes.distinct_ids.into_iter().map(|row| DistinctIdRow {
            team_id: project,
            distinct_id: row.distinct_id,
            person_id: row.person,
            is_deleted: row.is_deleted,
            version: row.version,
            offset,
        }));
        self.rows.group_types.extend(changes.group_types.into_iter().map(|row| GroupTypeRow {
            team_id: project,
            kind: row.kind,
            slot: row.slot,
            version: row.version,
            offset,
        }));
        self.rows.groups.extend(changes.groups.into_iter().map(|row| GroupRow {
            team_id: project,
            kind: row.kind,
            key: row.key,
            created_at_ms: row.created_at_ms,
            properties: row.properties,
            property_times: row.property_times,
            is_deleted: row.is_deleted,
            version: row.version,
            offset,
        }));
        self.warn(project, changes.warnings);
    }
}

/// The event after the last plugin, normalised, read again from what the logs hold.
pub fn event_of(
    record: &IntakeRecord,
    captured: &CapturedEvent,
    effect: &EventEffect,
    project: u32,
) -> Result<PluginEvent, serde_json::Error> {
    match &effect.output {
        Some(output) => serde_json::from_str(output).map(|event| normalised(event, effect)),
        None => normalize::plugin_event(record, captured, ProjectId(project)),
    }
}

/// What no plugin changed was normalised when it was read, and twice is once.
fn normalised(mut event: PluginEvent, effect: &EventEffect) -> PluginEvent {
    if effect.output.is_some() {
        normalize::normalize(&mut event);
    }
    event
}

/// An event that has a row now.
#[derive(Debug)]
pub struct Stored {
    pub is_identified: bool,
    /// It took the place of another of its uuid.
    pub replaces: bool,
}

/// Turns an event into its row and applies it to its person and groups.
pub fn store(
    identity: &mut Identity,
    context: &mut EventContext<'_>,
    captured: &CapturedEvent,
    project: u32,
    at_hand: Option<PluginEvent>,
    (chain, effect): (&[ChainMember], &EventEffect),
) -> Result<Stored, Ended> {
    let unreadable = |error: serde_json::Error| Ended { outcome: Outcome::DeadLettered, reason: error.to_string() };
    let event = match at_hand {
        Some(event) => normalised(event, effect),
        None => event_of(context.record, captured, effect, project).map_err(unreadable)?,
    };
    let received_at_ms = context.record.received_at_ms;
    let known = Captured {
        uuid: captured.uuid,
        distinct_id: &captured.distinct_id,
        received_at_ms,
        keeps_recordings: context.keeps_recordings,
    };
    let mut warnings = Vec::new();
    let prepared = prepare::prepare(event, known, &mut warnings);
    // What is wrong with an event is said when it first arrives.
    let is_first = effect.repeat == Repeat::First;
    if is_first {
        context.warn(project, warnings);
    }
    let mut prepared = prepared.map_err(|refusal| match refusal {
        Refusal::Dropped(reason) => Ended { outcome: Outcome::Dropped, reason },
        Refusal::DeadLettered(reason) => Ended { outcome: Outcome::DeadLettered, reason },
    })?;
    if !effect.steps.is_empty() {
        name_plugins(&mut prepared.properties, chain, &effect.steps);
    }
    let event = IdentityEvent {
        project: ProjectId(project),
        uuid: prepared.uuid,
        event: &prepared.event,
        distinct_id: &prepared.distinct_id,
        properties: &mut prepared.properties,
        timestamp_ms: prepared.timestamp_ms,
        received_at_ms,
        profile: prepared.profile,
    };
    let Some(applied) = identity.apply(event, &captured.data, context.offset) else {
        return Err(Ended { outcome: Outcome::Deduplicated, reason: "this uuid was received before".into() });
    };
    let Applied { mut outcome, payload, replaces } = applied;
    if !is_first {
        outcome.changes.warnings.clear();
    }
    context.note(project, outcome.changes);
    context.rows.superseded.extend(replaces.map(|offset| (project, prepared.uuid, offset)));
    context.rows.events.push(EventRow {
        uuid: prepared.uuid,
        event: prepared.event,
        properties: Value::Object(prepared.properties).to_string(),
        timestamp_ms: prepared.timestamp_ms,
        team_id: project,
        distinct_id: prepared.distinct_id,
        elements_chain: prepared.elements_chain,
        created_at_ms: context.batch.processed_at_ms,
        person_id: outcome.person,
        person_created_at_ms: outcome.person_created_at_ms,
        person_properties: outcome.person_properties,
        person_mode: outcome.person_mode.as_str(),
        groups: outcome.groups,
        plugins: steps_json(chain, &effect.steps),
        received_at_ms,
        payload,
        offset: context.offset,
    });
    Ok(Stored { is_identified: outcome.is_identified, replaces: replaces.is_some() })
}

fn display_name(member: &ChainMember) -> Value {
    format!("{} ({})", member.name, member.plugin_id).into()
}

/// The lists that PostHog's plugin server writes, under the same names.
fn name_plugins(properties: &mut PluginEvent, chain: &[ChainMember], steps: &[StepEffect]) {
    let named = |failed: bool| -> Value {
        steps
            .iter()
            .filter(|step| (step.label == StepLabel::Error) == failed && step.label != StepLabel::Skipped)
            .filter_map(|step| chain.get(usize::from(step.plugin)))
            .map(display_name)
            .collect()
    };
    properties.insert("$plugins_succeeded".into(), named(false));
    properties.insert("$plugins_failed".into(), named(true));
    let deferred = |member: &&ChainMember| member.is_deferred;
    let named_deferred: Value = chain.iter().filter(deferred).map(display_name).collect();
    properties.insert("$plugins_deferred".into(), named_deferred);
}

fn steps_json(chain: &[ChainMember], steps: &[StepEffect]) -> String {
    if steps.is_empty() {
        return "[]".into();
    }
    let steps: Vec<Value> = steps
        .iter()
        .filter_map(|step| {
            let member = chain.get(usize::from(step.plugin))?;
            Some(json!({"id": member.plugin_id, "version": member.version, "label": step.label}))
        })
        .collect();
    Value::Array(steps).to_string()
}

/// Groups of the store in identity's form.
pub fn group_snapshot(restored: &Restored) -> GroupSnapshot {
    let group_types = restored.group_types.iter().map(|row| weir_identity::GroupTypeRow {
        project: ProjectId(row.team_id),
        kind: row.kind.clone(),
        slot: row.slot,
        version: row.version,
    });
    let groups = restored.groups.iter().map(|row| weir_identity::GroupRow {
        project: ProjectId(row.team_id),
        kind: row.kind.clone(),
        key: row.key.clone(),
        created_at_ms: row.created_at_ms,
        properties: row.properties.clone(),
        property_times: row.property_times.clone(),
        is_deleted: row.is_deleted,
        version: row.version,
    });
    GroupSnapshot { group_types: group_types.collect(), groups: groups.collect() }
}
