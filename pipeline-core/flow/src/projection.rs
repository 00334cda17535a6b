//! From a journal record to rows: the part of the pipeline that can be run again at any time.
//!
//! Given the same intake and journal records it gives the same rows, on any machine, live or in a
//! rebuild. It calls no plugin and sends nothing outward.

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;
use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
use weir_event::journal::{
    BatchRecord, ChainMember, ControlRecord, EventEffect, Fate, PluginLog, StepEffect, StepLabel, StorageMutation,
};
use weir_event::normalize::{self, PluginEvent};
use weir_event::time::{self, TimeClaims, TimeWarning};
use weir_event::{Outcome, ProjectId, ids};
use weir_identity::{Identity, IdentityEvent};
use weir_store::{
    Cursor, DeadLetterRow, DistinctIdRow, EventRow, PersonRow, PluginLogRow, Restored, RowBatch, StorageRow, WarningRow,
};

use crate::emitted;
use crate::error::FlowError;

const META_CHAIN: &str = "chain:";
const META_SETTING: &str = "setting:";

/// Current state of everything behind the journal, and how far it got.
#[derive(Debug, Default)]
pub struct Projection {
    pub cursor: Cursor,
    identity: Identity,
    projects: HashMap<String, u32>,
    chains: HashMap<String, Vec<ChainMember>>,
}

/// What became of one event, for the live view.
#[derive(Debug, Clone)]
pub struct Projected {
    pub outcome: Outcome,
    pub reason: String,
    /// Index of its row in the batch's events, when stored.
    pub event_row: Option<usize>,
    pub is_identified: bool,
}

impl Projection {
    /// Continues from what the store holds.
    pub fn restore(restored: &Restored) -> Result<Self, FlowError> {
        let persons = restored
            .persons
            .iter()
            .map(|row| weir_identity::PersonRow {
                project: ProjectId(row.team_id),
                uuid: row.id,
                created_at_ms: row.created_at_ms,
                properties: row.properties.as_str().into(),
                is_identified: row.is_identified,
                is_deleted: false,
                version: row.version,
            })
            .collect();
        let distinct_ids = restored
            .distinct_ids
            .iter()
            .map(|row| weir_identity::DistinctIdRow {
                project: ProjectId(row.team_id),
                distinct_id: row.distinct_id.clone(),
                person: row.person_id,
                version: row.version,
            })
            .collect();
        let chains = restored
            .meta
            .iter()
            .filter_map(|(key, value)| {
                Some((key.strip_prefix(META_CHAIN)?.to_owned(), serde_json::from_str(value).ok()?))
            })
            .collect();
        Ok(Self {
            cursor: restored.cursor,
            identity: Identity::restore(persons, distinct_ids)
                .map_err(|error| FlowError::Disagreement(format!("a person in the store has no JSON: {error}")))?,
            projects: restored.projects.iter().map(|(id, token)| (token.clone(), *id)).collect(),
            chains,
        })
    }

    pub fn projects(&self) -> &HashMap<String, u32> {
        &self.projects
    }

    pub fn chain(&self, hash: &str) -> &[ChainMember] {
        self.chains.get(hash).map_or(&[], Vec::as_slice)
    }

    /// Applies a control record.
    pub fn apply_control(&mut self, sequence: u64, record: &ControlRecord) -> RowBatch {
        self.cursor.journal_sequence = sequence + 1;
        let offset = self.cursor.intake_offset;
        let mut rows = RowBatch::default();
        match record {
            ControlRecord::Project { token, project } => {
                self.projects.insert(token.clone(), *project);
                rows.projects.push((*project, token.clone(), offset));
            }
            ControlRecord::Chain { hash, plugins } => {
                self.chains.insert(hash.clone(), plugins.clone());
                rows.meta.push((format!("{META_CHAIN}{hash}"), json!(plugins).to_string()));
            }
            ControlRecord::Logs { logs } => rows.plugin_logs = log_rows(sequence, offset, logs),
            ControlRecord::Storage { mutations } => rows.storage = storage_rows(sequence, mutations),
            ControlRecord::Setting { name, value } => {
                rows.meta.push((format!("{META_SETTING}{name}"), value.clone()));
            }
        }
        rows
    }

    /// Applies a batch. `parsed` holds, where the plugin stage still has them, the events after the
    /// last plugin; without them they are read again from the records.
    pub fn apply_batch(
        &mut self,
        sequence: u64,
        batch: &BatchRecord,
        intake: &[IntakeRecord],
        mut parsed: Option<Vec<Option<PluginEvent>>>,
    ) -> Result<(RowBatch, Vec<Projected>), FlowError> {
        if batch.first_offset != self.cursor.intake_offset || batch.effects.len() != batch.event_count as usize {
            return Err(FlowError::Disagreement(format!(
                "journal record {sequence} covers intake offsets from {}, the projection is at {}",
                batch.first_offset, self.cursor.intake_offset
            )));
        }
        let mut rows = RowBatch::default();
        let mut projected = Vec::with_capacity(batch.effects.len());
        let mut index = 0;
        for record in intake {
            for position in 0..record.event_count() as usize {
                let effect = batch.effects.get(index).ok_or_else(|| {
                    FlowError::Disagreement(format!(
                        "journal record {sequence} has fewer effects than the intake has events"
                    ))
                })?;
                let event = match &record.body {
                    IntakeBody::Events(events) => events.get(position),
                    IntakeBody::EdgeRejections { .. } => None,
                };
                let at_hand = parsed.as_mut().and_then(|parsed| parsed.get_mut(index)).and_then(Option::take);
                let mut context = EventContext {
                    sequence,
                    batch,
                    chain_hash: &batch.chain_hash,
                    record,
                    offset: batch.first_offset + index as u64,
                    rows: &mut rows,
                };
                let result = self.apply_event(&mut context, event, effect, at_hand);
                self.cursor.outcomes.add(result.outcome, 1);
                if effect.fate == (Fate::Deduplicated { conflicting: true }) {
                    self.cursor.outcomes.conflicting_duplicates += 1;
                }
                projected.push(result);
                index += 1;
            }
        }
        if index != batch.effects.len() {
            return Err(FlowError::Disagreement(format!(
                "journal record {sequence} has effects for more events than the intake"
            )));
        }
        self.apply_emitted(sequence, batch, intake, &mut rows)?;
        rows.plugin_logs = log_rows(sequence, batch.first_offset, &batch.logs);
        rows.storage = storage_rows(sequence, &batch.storage);
        self.cursor.intake_offset += u64::from(batch.event_count);
        self.cursor.journal_sequence = sequence + 1;
        Ok((rows, projected))
    }

    /// Events that plugins made come after the events of their batch.
    fn apply_emitted(
        &mut self,
        sequence: u64,
        batch: &BatchRecord,
        intake: &[IntakeRecord],
        rows: &mut RowBatch,
    ) -> Result<(), FlowError> {
        for event in &batch.emitted {
            let Some(parent) = emitted::record_at(intake, batch.first_offset, event.parent_offset) else {
                return Err(FlowError::Disagreement(format!(
                    "journal record {sequence} holds an event made from offset {}, which it does not cover",
                    event.parent_offset
                )));
            };
            let (record, captured) = emitted::restored(event, parent);
            let mut context = EventContext {
                sequence,
                batch,
                chain_hash: &event.chain_hash,
                record: &record,
                offset: event.parent_offset,
                rows,
            };
            let result = self.apply_event(&mut context, Some(&captured), &event.effect, None);
            self.cursor.outcomes.add(result.outcome, 1);
            self.cursor.outcomes.emitted += 1;
        }
        Ok(())
    }

    fn apply_event(
        &mut self,
        context: &mut EventContext<'_>,
        captured: Option<&CapturedEvent>,
        effect: &EventEffect,
        at_hand: Option<PluginEvent>,
    ) -> Projected {
        let ended = |outcome, reason: String| Projected { outcome, reason, event_row: None, is_identified: false };
        let chain = self.chains.get(context.chain_hash).map_or(&[][..], Vec::as_slice);
        let Some(captured) = captured else {
            let rule = match &context.record.body {
                IntakeBody::EdgeRejections { rule, .. } => rule.clone(),
                IntakeBody::Events(_) => String::new(),
            };
            return ended(Outcome::Rejected, format!("refused at the edge: {rule}"));
        };
        match &effect.fate {
            Fate::Passed => {}
            Fate::Rejected => return ended(Outcome::Rejected, "refused at the edge".into()),
            Fate::Dropped => return ended(Outcome::Dropped, dropped_by(chain, effect)),
            Fate::Deduplicated { conflicting: false } => {
                return ended(Outcome::Deduplicated, "this uuid was received before".into());
            }
            Fate::Deduplicated { conflicting: true } => {
                return ended(Outcome::Deduplicated, "this uuid was received before with other content".into());
            }
            Fate::DeadLettered { reason } => {
                let project = self.projects.get(&context.record.token).copied().unwrap_or_default();
                context.dead_letter(project, captured, reason);
                return ended(Outcome::DeadLettered, reason.clone());
            }
        }
        let Some(project) = self.projects.get(&context.record.token).copied() else {
            let reason = "the journal has no project for its token".to_owned();
            context.dead_letter(0, captured, &reason);
            return ended(Outcome::DeadLettered, reason);
        };
        let event = match at_hand {
            Some(event) => Ok(event),
            None => event_of(context.record, captured, effect, project),
        };
        let stored = event.map_err(|error| error.to_string()).and_then(|event| {
            let plugins = steps_json(chain, &effect.steps);
            stored_event(&mut self.identity, context, captured, project, event, (chain, effect), plugins)
        });
        match stored {
            Ok(is_identified) => Projected {
                outcome: Outcome::Stored,
                reason: "stored".into(),
                event_row: Some(context.rows.events.len() - 1),
                is_identified,
            },
            Err(reason) => {
                context.dead_letter(project, captured, &reason);
                ended(Outcome::DeadLettered, reason)
            }
        }
    }
}

struct EventContext<'a> {
    sequence: u64,
    batch: &'a BatchRecord,
    chain_hash: &'a str,
    record: &'a IntakeRecord,
    offset: u64,
    rows: &'a mut RowBatch,
}

impl EventContext<'_> {
    fn dead_letter(&mut self, project: u32, captured: &CapturedEvent, reason: &str) {
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
            offset: self.offset,
        });
    }

    fn warn(&mut self, project: u32, kind: &'static str, details: &Value) {
        let index = self.rows.warnings.len() as u32;
        self.rows.warnings.push(WarningRow {
            id: ids::row_uuid("warning", self.sequence, index),
            team_id: project,
            kind,
            details: details.to_string(),
            at_ms: self.batch.processed_at_ms,
            offset: self.offset,
        });
    }
}

/// The event after the last plugin, read again from what the logs hold.
fn event_of(
    record: &IntakeRecord,
    captured: &CapturedEvent,
    effect: &EventEffect,
    project: u32,
) -> Result<PluginEvent, serde_json::Error> {
    match &effect.output {
        Some(output) => serde_json::from_str(output),
        None => normalize::plugin_event(record, captured, ProjectId(project)),
    }
}

/// Turns an event into its row and applies it to its person. The error is a dead letter's reason.
fn stored_event(
    identity: &mut Identity,
    context: &mut EventContext<'_>,
    captured: &CapturedEvent,
    project: u32,
    mut event: PluginEvent,
    (chain, effect): (&[ChainMember], &EventEffect),
    plugins: String,
) -> Result<bool, String> {
    // What no plugin changed was normalised when it was read, and twice is once.
    if effect.output.is_some() {
        normalize::normalize(&mut event);
    }
    let uuid = match event.get("uuid").and_then(Value::as_str) {
        None => captured.uuid,
        Some(text) => Uuid::try_parse(text).map_err(|_| format!("the uuid {text:?} is not a UUID"))?,
    };
    let name = event.get("event").filter(|name| !name.is_null()).map(normalize::name_text).unwrap_or_default();
    let distinct_id = event
        .get("distinct_id")
        .filter(|id| time::is_truthy(id))
        .map_or_else(|| captured.distinct_id.clone(), normalize::name_text);
    let ignore_sent_at =
        event.get("properties").and_then(|properties| properties.get("$ignore_sent_at")).is_some_and(time::is_truthy);
    let (timestamp_ms, time_warnings) = time::resolve(TimeClaims {
        timestamp: event.get("timestamp"),
        offset: event.get("offset"),
        sent_at: event.get("sent_at").and_then(Value::as_str),
        ignore_sent_at,
        now_ms: context.record.received_at_ms,
    });
    for warning in time_warnings {
        let (kind, details) = match warning {
            TimeWarning::Unreadable { field, value } => (
                "ignored_invalid_timestamp",
                json!({"eventUuid": uuid, "field": field, "value": value, "reason": "not a date or time"}),
            ),
            TimeWarning::InFuture { result_ms } => (
                "event_timestamp_in_future",
                json!({"eventUuid": uuid, "eventName": name, "result": time::iso(result_ms), "now": time::iso(context.record.received_at_ms)}),
            ),
        };
        context.warn(project, kind, &details);
    }
    let ip = event.get("ip").and_then(Value::as_str).map(str::to_owned);
    let properties = normalize::properties_mut(&mut event);
    if let Some(ip) = ip.filter(|ip| !ip.is_empty()) {
        properties.entry("$ip").or_insert_with(|| ip.into());
    }
    if !effect.steps.is_empty() {
        let named = |failed: bool| -> Value {
            effect
                .steps
                .iter()
                .filter(|step| (step.label == StepLabel::Error) == failed && step.label != StepLabel::Skipped)
                .filter_map(|step| chain.get(usize::from(step.plugin)))
                .map(|member| Value::String(format!("{} ({})", member.name, member.plugin_id)))
                .collect()
        };
        properties.insert("$plugins_succeeded".into(), named(false));
        properties.insert("$plugins_failed".into(), named(true));
        properties.insert("$plugins_deferred".into(), json!([]));
    }
    let elements_chain = match properties.get("$elements_chain") {
        Some(Value::String(chain)) => chain.clone(),
        _ => String::new(),
    };
    let outcome = identity.apply(IdentityEvent {
        project: ProjectId(project),
        uuid,
        event: &name,
        distinct_id: &distinct_id,
        properties,
        timestamp_ms,
    });
    for warning in outcome.warnings {
        context.warn(project, warning.kind, &warning.details);
    }
    let offset = context.offset;
    context.rows.persons.extend(outcome.persons.into_iter().map(|row| PersonRow {
        id: row.uuid,
        created_at_ms: row.created_at_ms,
        team_id: project,
        properties: row.properties.as_ref().to_owned(),
        is_identified: row.is_identified,
        is_deleted: row.is_deleted,
        version: row.version,
        offset,
    }));
    context.rows.distinct_ids.extend(outcome.distinct_ids.into_iter().map(|row| DistinctIdRow {
        team_id: project,
        distinct_id: row.distinct_id,
        person_id: row.person,
        version: row.version,
        offset,
    }));
    let properties = event.remove("properties").unwrap_or_default();
    context.rows.events.push(EventRow {
        uuid,
        event: name,
        properties: serde_json::to_string(&properties).unwrap_or_default(),
        timestamp_ms,
        team_id: project,
        distinct_id,
        elements_chain,
        created_at_ms: context.batch.processed_at_ms,
        person_id: outcome.person,
        person_created_at_ms: outcome.person_created_at_ms,
        person_properties: outcome.person_properties.as_ref().to_owned(),
        plugins,
        received_at_ms: context.record.received_at_ms,
        offset,
    });
    Ok(outcome.is_identified)
}

fn dropped_by(chain: &[ChainMember], effect: &EventEffect) -> String {
    match effect.steps.last().and_then(|step| chain.get(usize::from(step.plugin))) {
        Some(member) => {
            format!("dropped by {} (version {}): processEvent returned nothing", member.name, member.version)
        }
        None => "dropped by a plugin".into(),
    }
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

fn log_rows(sequence: u64, offset: u64, logs: &[PluginLog]) -> Vec<PluginLogRow> {
    logs.iter()
        .enumerate()
        .map(|(index, log)| PluginLogRow {
            id: ids::row_uuid("plugin_log", sequence, index as u32),
            plugin_id: log.plugin_id.clone(),
            version: log.version.clone(),
            at_ms: log.at_ms,
            source: log.source.as_str(),
            level: log.level.as_str(),
            message: log.message.clone(),
            offset,
        })
        .collect()
}

fn storage_rows(sequence: u64, mutations: &[StorageMutation]) -> Vec<StorageRow> {
    mutations
        .iter()
        .enumerate()
        .map(|(order, mutation)| StorageRow {
            plugin_id: mutation.plugin_id.clone(),
            key: mutation.key.clone(),
            value: mutation.value.clone(),
            journal_sequence: sequence,
            order: order as u64,
        })
        .collect()
}
