//! What people watch: the newest events with their journeys, and a frame of numbers five times a second.
//!
//! Watching costs the pipeline a bounded amount: a sample of each batch is kept, old ones are forgotten,
//! and a viewer that is slow loses frames.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use weir_api::event::{EventSummary, Journey, JourneyStep, PersonView};
use weir_event::intake::{IntakeBody, IntakeRecord};
use weir_event::journal::{BatchRecord, ChainMember, EventEffect, StepEffect, StepLabel};
use weir_store::RowBatch;

use crate::handoff::Trace;
use crate::projection::Projected;

/// Journeys that can be opened.
const KEPT: usize = 2_000;
/// Summaries in one frame.
pub const FRAME_EVENTS: usize = 60;

/// A stored event as a journey shows it: a row on its way into the store, or one read from it, whose columns have
/// the same names.
macro_rules! stored_json {
    ($row:expr) => {{
        let row = $row;
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
        serde_json::json!({
            "uuid": row.uuid,
            "event": row.event,
            "distinct_id": row.distinct_id,
            "timestamp": weir_event::time::iso(row.timestamp_ms),
            "team_id": row.team_id,
            "properties": parsed(&row.properties),
            "elements_chain": row.elements_chain,
            "person_id": row.person_id,
            "person_properties": parsed(&row.person_properties),
            "plugins": parsed(&row.plugins),
            "created_at": weir_event::time::iso(row.created_at_ms),
        })
    }};
}
pub(crate) use stored_json;

#[derive(Debug, Default)]
pub struct LiveFeed {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    kept: VecDeque<Kept>,
    fresh: VecDeque<EventSummary>,
    seen: u64,
    shown: u64,
}

/// A journey in the form it arrived in; made into JSON values only when somebody opens it.
#[derive(Debug)]
struct Kept {
    summary: EventSummary,
    reason: String,
    captured: String,
    steps: Vec<(JourneyStep, Option<std::sync::Arc<str>>)>,
    stored: Option<weir_store::EventRow>,
    is_identified: bool,
}

impl LiveFeed {
    /// Takes the sampled events of a batch that was just applied.
    pub fn observe(
        &self,
        batch: &BatchRecord,
        intake: &[IntakeRecord],
        traces: &[Trace],
        projected: &[Projected],
        rows: &RowBatch,
        chain: &[ChainMember],
    ) {
        let kept: Vec<Kept> = traces
            .iter()
            .filter_map(|trace| {
                let (record, captured) = event_at(intake, trace.index)?;
                let effect = &batch.effects[trace.index];
                let result = &projected[trace.index];
                let event: Value = serde_json::from_str(&captured.data).unwrap_or_default();
                let stored = result.event_row.and_then(|row| rows.events.get(row)).cloned();
                let summary = EventSummary {
                    offset: batch.first_offset + trace.index as u64,
                    uuid: captured.uuid.to_string(),
                    event: stored.as_ref().map_or_else(
                        || event["event"].as_str().unwrap_or_default().to_owned(),
                        |row| row.event.clone(),
                    ),
                    distinct_id: captured.distinct_id.clone(),
                    project: result.project,
                    received_at_ms: record.received_at_ms,
                    outcome: result.outcome.as_str().into(),
                    label: overall(effect).into(),
                    plugin_us: effect.steps.iter().map(|step| step.cpu_us).sum(),
                };
                Some(Kept {
                    summary,
                    reason: result.reason.clone(),
                    captured: trace.captured.clone(),
                    steps: steps(effect, trace, chain),
                    stored,
                    is_identified: result.is_identified,
                })
            })
            .collect();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.seen += u64::from(batch.event_count);
        for kept in kept {
            inner.fresh.push_back(kept.summary.clone());
            inner.kept.push_back(kept);
        }
        while inner.kept.len() > KEPT {
            inner.kept.pop_front();
        }
        while inner.fresh.len() > FRAME_EVENTS {
            inner.fresh.pop_front();
        }
    }

    /// Summaries since the last call, oldest first, and how many events are not among them.
    pub fn take_fresh(&self) -> (Vec<EventSummary>, u64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh: Vec<_> = inner.fresh.drain(..).collect();
        let skipped = inner.seen.saturating_sub(inner.shown).saturating_sub(fresh.len() as u64);
        inner.shown = inner.seen;
        (fresh, skipped)
    }

    /// The newest summaries, oldest first: what a viewer that just connected starts with.
    pub fn newest(&self, count: usize) -> Vec<EventSummary> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = inner.kept.len().saturating_sub(count);
        inner.kept.iter().skip(skip).map(|kept| kept.summary.clone()).collect()
    }

    /// What was kept of these is no longer what became of them; the logs and the store know.
    pub fn forget(&self, offsets: &BTreeSet<u64>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.kept.retain(|kept| !offsets.contains(&kept.summary.offset));
    }

    pub fn journey(&self, offset: u64) -> Option<Journey> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.kept.iter().rev().find(|kept| kept.summary.offset == offset).map(Kept::journey)
    }
}

impl Kept {
    fn journey(&self) -> Journey {
        let parse = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        let steps = self
            .steps
            .iter()
            .map(|(step, after)| JourneyStep { after: after.as_deref().map(parse), ..step.clone() })
            .collect();
        let person = self.stored.as_ref().map(|row| PersonView {
            uuid: row.person_id.to_string(),
            is_identified: self.is_identified,
            properties: parse(&row.person_properties),
        });
        Journey {
            summary: self.summary.clone(),
            captured: parse(&self.captured),
            steps,
            stored: self.stored.as_ref().map(|row| stored_json!(row)),
            reason: self.reason.clone(),
            person,
        }
    }
}

/// What a step says of itself; the event after it is added by who has it.
pub(crate) fn step_view(member: &ChainMember, step: &StepEffect) -> JourneyStep {
    JourneyStep {
        plugin_id: member.plugin_id.clone(),
        name: member.name.clone(),
        version: member.version.clone(),
        label: step.label.as_str().into(),
        cpu_us: step.cpu_us,
        wait_us: step.wait_us,
        error: step.error.clone(),
        after: None,
        is_after_lost: false,
    }
}

/// Steps without JSON, and beside each the text of the event after it.
fn steps(
    effect: &EventEffect,
    trace: &Trace,
    chain: &[ChainMember],
) -> Vec<(JourneyStep, Option<std::sync::Arc<str>>)> {
    let mut after: Option<std::sync::Arc<str>> = Some(trace.captured.as_str().into());
    effect
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, step)| {
            let member = chain.get(usize::from(step.plugin))?;
            if let Some(changed) = trace.after.get(index).and_then(Option::as_ref) {
                after = Some(changed.clone());
            }
            if step.label == StepLabel::Dropped {
                after = None;
            }
            Some((step_view(member, step), after.clone()))
        })
        .collect()
}

pub(crate) fn event_at(
    intake: &[IntakeRecord],
    index: usize,
) -> Option<(&IntakeRecord, &weir_event::intake::CapturedEvent)> {
    let mut first = 0;
    for record in intake {
        let count = record.event_count() as usize;
        if index < first + count {
            return match &record.body {
                IntakeBody::Events(events) => events.get(index - first).map(|event| (record, event)),
                IntakeBody::EdgeRejections { .. } => None,
            };
        }
        first += count;
    }
    None
}

/// One label for the whole chain: the gravest of its steps.
pub(crate) fn overall(effect: &EventEffect) -> &'static str {
    let has = |label| effect.steps.iter().any(|step| step.label == label);
    if has(StepLabel::Dropped) {
        "dropped"
    } else if has(StepLabel::Error) {
        "error"
    } else if has(StepLabel::Modified) {
        "modified"
    } else if effect.steps.is_empty() {
        "skipped"
    } else {
        "unmodified"
    }
}
