//! From a journal record to rows: the part of the pipeline that can be run again at any time.
//!
//! Given the same intake and journal records it gives the same rows, on any machine, live or in a
//! rebuild. It calls no plugin and sends nothing outward.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use uuid::Uuid;
use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
use weir_event::journal::{
    BatchRecord, ChainMember, ControlRecord, EventEffect, Fate, PluginLog, Repeat, StorageMutation,
};
use weir_event::normalize::PluginEvent;
use weir_event::sabotage::{Bug, strikes};
use weir_event::{Outcome, ids};
use weir_store::{Cursor, PluginLogRow, Restored, RowBatch, StorageRow, StoreWriter, Window};

use crate::emitted;
use crate::error::FlowError;
use crate::identity::Identity;
use crate::plugin_states::PluginStates;
use crate::sabotage;
use crate::sink_states::SinkStates;
use crate::stored::{self, Ended, EventContext, Stored};

pub(crate) const META_CHAIN: &str = "chain:";
const META_SETTING: &str = "setting:";
/// Name of the setting that says how identity orders events.
pub const SETTING_ORDERING: &str = "ordering";
/// Whether session recordings are stored: `on` or `off`, which it is without the setting.
pub const SETTING_RECORDINGS: &str = "recordings";

/// Values of settings by name.
pub type Settings = HashMap<String, String>;

/// Current state of everything behind the journal, and how far it got.
#[derive(Debug)]
pub struct Projection {
    pub cursor: Cursor,
    identity: Identity,
    projects: HashMap<String, u32>,
    chains: HashMap<String, Vec<ChainMember>>,
    /// What the journal says last of each setting, by name.
    pub settings: Settings,
    pub sinks: SinkStates,
    pub plugins: PluginStates,
    /// (offset, uuid) of the dead letters that no redrive has closed.
    pub(crate) letters: HashSet<(u64, Uuid)>,
}

/// What became of one event, for the live view.
#[derive(Debug, Clone)]
pub struct Projected {
    /// Number of its project; 0 for a token that has none.
    pub project: u32,
    pub outcome: Outcome,
    pub reason: String,
    /// Index of its row in the batch's events, when stored.
    pub event_row: Option<usize>,
    pub is_identified: bool,
}

impl Projection {
    /// Continues from what the store holds.
    pub fn restore(writer: &StoreWriter, restored: &Restored) -> Result<Self, FlowError> {
        let chains = restored
            .meta
            .iter()
            .filter_map(|(key, value)| {
                Some((key.strip_prefix(META_CHAIN)?.to_owned(), serde_json::from_str(value).ok()?))
            })
            .collect();
        // The newest of a key comes last.
        let settings = restored.meta.iter().filter_map(|(key, value)| Some((key.strip_prefix(META_SETTING)?, value)));
        Ok(Self {
            cursor: restored.cursor,
            identity: Identity::restore(writer, restored)?,
            projects: restored.projects.iter().map(|(id, token)| (token.clone(), *id)).collect(),
            chains,
            settings: settings.map(|(name, value)| (name.to_owned(), value.clone())).collect(),
            sinks: SinkStates::restore(&restored.sinks),
            plugins: PluginStates::restore(&restored.meta),
            letters: restored.dead_letters.iter().copied().collect(),
        })
    }

    pub(crate) fn keeps_recordings(&self) -> bool {
        self.settings.get(SETTING_RECORDINGS).is_some_and(|value| value == "on")
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
                self.settings.insert(name.clone(), value.clone());
                rows.meta.push((format!("{META_SETTING}{name}"), value.clone()));
            }
            ControlRecord::Sink(_) | ControlRecord::SinkCursor(_) | ControlRecord::SinkRemoved { .. } => {
                self.sinks.apply(sequence, record, &mut rows);
            }
            ControlRecord::PluginSettings { .. }
            | ControlRecord::PluginOrder { .. }
            | ControlRecord::Jobs { .. }
            | ControlRecord::JobEnded { .. }
            | ControlRecord::ScheduleRan { .. } => self.plugins.apply(record, &mut rows),
            // Kept for what-if runs, which read the journal.
            ControlRecord::Calls { .. } => {}
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
            let first_offset = batch.first_offset + index as u64;
            let mut window = Window::default();
            window.received += i64::from(record.event_count());
            window.spans(first_offset, first_offset + u64::from(record.event_count()));
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
                    is_captured: true,
                    keeps_recordings: self.keeps_recordings(),
                    rows: &mut rows,
                };
                let result = self.apply_event(&mut context, event, effect, at_hand);
                let count = if strikes(Bug::CountTwice) { 2 } else { 1 };
                self.cursor.outcomes.add(result.outcome, count);
                window.add(result.outcome, count as i64);
                let conflicts = effect.repeat == Repeat::Conflicting && result.outcome == Outcome::Deduplicated;
                if conflicts || effect.fate == (Fate::Deduplicated { conflicting: true }) {
                    self.cursor.outcomes.conflicting_duplicates += 1;
                }
                projected.push(result);
                index += 1;
            }
            rows.windows.at(record.received_at_ms).merge(window);
        }
        if index != batch.effects.len() {
            return Err(FlowError::Disagreement(format!(
                "journal record {sequence} has effects for more events than the intake"
            )));
        }
        self.apply_emitted(sequence, batch, intake, &mut rows)?;
        sabotage::rows(&mut rows);
        self.letters.extend(rows.dead_letters.iter().map(|row| (row.offset, row.event_uuid)));
        rows.plugin_logs = log_rows(sequence, batch.first_offset, &batch.logs);
        rows.storage = storage_rows(sequence, &batch.storage);
        self.plugins.ask(&batch.jobs, &mut rows);
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
                is_captured: false,
                keeps_recordings: self.keeps_recordings(),
                rows,
            };
            self.count_emitted(&mut context, &captured, &event.effect);
        }
        Ok(())
    }

    /// Applies an event that a plugin made; it counts in the window of the one it was made of.
    pub(crate) fn count_emitted(
        &mut self,
        context: &mut EventContext<'_>,
        captured: &CapturedEvent,
        effect: &EventEffect,
    ) {
        let result = self.apply_event(context, Some(captured), effect, None);
        self.cursor.outcomes.add(result.outcome, 1);
        self.cursor.outcomes.emitted += 1;
        let window = context.rows.windows.at(context.record.received_at_ms);
        window.add(result.outcome, 1);
        window.emitted += 1;
        window.spans(context.offset, context.offset + 1);
    }

    pub(crate) fn apply_event(
        &mut self,
        context: &mut EventContext<'_>,
        captured: Option<&CapturedEvent>,
        effect: &EventEffect,
        at_hand: Option<PluginEvent>,
    ) -> Projected {
        let number = self.projects.get(&context.record.token).copied();
        // A repeat ends as one, whatever else became of it.
        let ended = |outcome, reason: String| Projected {
            project: number.unwrap_or_default(),
            outcome: if effect.repeat == Repeat::First { outcome } else { Outcome::Deduplicated },
            reason,
            event_row: None,
            is_identified: false,
        };
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
                context.dead_letter(number.unwrap_or_default(), captured, reason);
                return ended(Outcome::DeadLettered, reason.clone());
            }
        }
        let Some(project) = number else {
            let reason = "the journal has no project for its token".to_owned();
            context.dead_letter(0, captured, &reason);
            return ended(Outcome::DeadLettered, reason);
        };
        match stored::store(&mut self.identity, context, captured, project, at_hand, (chain, effect)) {
            Ok(Stored { is_identified, replaces }) => Projected {
                project,
                outcome: if replaces { Outcome::Deduplicated } else { Outcome::Stored },
                reason: if replaces { "stored in place of a later event with its uuid" } else { "stored" }.into(),
                event_row: Some(context.rows.events.len() - 1),
                is_identified,
            },
            Err(Ended { outcome, reason }) => {
                if outcome == Outcome::DeadLettered && effect.repeat == Repeat::First {
                    context.dead_letter(project, captured, &reason);
                }
                ended(outcome, reason)
            }
        }
    }
}

pub(crate) fn dropped_by(chain: &[ChainMember], effect: &EventEffect) -> String {
    match effect.steps.last().and_then(|step| chain.get(usize::from(step.plugin))) {
        Some(member) => {
            format!("dropped by {} (version {}): processEvent returned nothing", member.name, member.version)
        }
        None => "dropped by a plugin".into(),
    }
}

pub(crate) fn log_rows(sequence: u64, offset: u64, logs: &[PluginLog]) -> Vec<PluginLogRow> {
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

pub(crate) fn storage_rows(sequence: u64, mutations: &[StorageMutation]) -> Vec<StorageRow> {
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
