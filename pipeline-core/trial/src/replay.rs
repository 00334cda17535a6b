//! Repeats what the journal says plugins did, to see that they do it again.
//!
//! A batch of the journal is run with the clock at which it was processed and the answers that its calls got.
//! What is compared is what the journal keeps: fates, outputs, labels and errors of steps, log lines, storage
//! writes, jobs, and events that plugins made. Times are not compared; they are never the same.

use weir_event::intake::IntakeRecord;
use weir_event::journal::{BatchRecord, EventEffect, Fate, StepLabel};

use crate::input::inputs_of;
use crate::trial::{Outcome, Trial, Tried};

/// A batch of the journal with the requests that it covers.
#[derive(Debug, Clone)]
pub struct RecordedBatch {
    pub intake: Vec<IntakeRecord>,
    pub batch: BatchRecord,
}

/// Runs one batch and says in what it differs from its record, in words.
pub fn differences(trial: &mut Trial, recorded: &RecordedBatch, project_of: impl Fn(&str) -> u32) -> Vec<String> {
    let batch = &recorded.batch;
    let mut offset = batch.first_offset;
    let mut inputs = Vec::new();
    for record in &recorded.intake {
        let events = u64::from(record.event_count());
        inputs.extend(inputs_of(record.clone(), offset, project_of(&record.token)));
        offset += events;
    }
    // Live, these never came to a plugin.
    let effect_of = |offset: u64| batch.effects.get(usize::try_from(offset - batch.first_offset).ok()?);
    let met_plugins = |effect: &EventEffect| !matches!(effect.fate, Fate::Deduplicated { .. } | Fate::Rejected);
    inputs
        .retain(|input| effect_of(input.offset).is_some_and(|effect| met_plugins(effect) || !effect.steps.is_empty()));

    trial.clock().set(batch.processed_at_ms);
    let mut outcome = Outcome::default();
    trial.process_batch(&inputs, &mut outcome);

    let mut found = Vec::new();
    for tried in &outcome.events {
        match effect_of(tried.offset) {
            Some(effect) => event(&format!("event {}", tried.offset), tried, effect, &mut found),
            None => found.push(format!("event {} is not in the record", tried.offset)),
        }
    }
    if outcome.made.len() == batch.emitted.len() {
        for (made, emitted) in outcome.made.iter().zip(&batch.emitted) {
            let what = format!("event {} made for {}", emitted.uuid, emitted.parent_offset);
            differ(&format!("{what}: uuid"), &made.tried.uuid, &emitted.uuid, &mut found);
            differ(&format!("{what}: content"), &made.data, &emitted.data, &mut found);
            event(&what, &made.tried, &emitted.effect, &mut found);
        }
    } else {
        found.push(format!("{} events were made, {} are recorded", outcome.made.len(), batch.emitted.len()));
    }
    let line = |log: &weir_event::journal::PluginLog| {
        format!("{} {} {} {}: {}", log.plugin_id, log.version, log.source.as_str(), log.level.as_str(), log.message)
    };
    let lines = |logs: &[weir_event::journal::PluginLog]| logs.iter().map(line).collect::<Vec<_>>();
    differ("log lines", &lines(&outcome.logs), &lines(&batch.logs), &mut found);
    differ("storage writes", &outcome.storage, &batch.storage, &mut found);
    let jobs: Vec<_> = outcome.jobs.iter().map(|job| (&job.plugin_id, &job.name, &job.payload)).collect();
    let recorded: Vec<_> = batch.jobs.iter().map(|job| (&job.plugin_id, &job.name, &job.payload)).collect();
    differ("jobs", &jobs, &recorded, &mut found);
    found
}

fn event(what: &str, tried: &Tried, effect: &EventEffect, found: &mut Vec<String>) {
    // A duplicate by a plugin's new uuid is found by what was before, which a trial does not know.
    if !matches!(effect.fate, Fate::Deduplicated { .. }) {
        differ(&format!("{what}: fate"), &tried.fate, &effect.fate, found);
    }
    differ(&format!("{what}: output"), &tried.output, &effect.output, found);
    let steps: Vec<(u16, StepLabel, Option<&str>)> =
        tried.steps.iter().map(|step| (step.effect.plugin, step.effect.label, step.effect.error.as_deref())).collect();
    let recorded: Vec<_> = effect.steps.iter().map(|step| (step.plugin, step.label, step.error.as_deref())).collect();
    differ(&format!("{what}: steps"), &steps, &recorded, found);
}

fn differ<T: PartialEq + std::fmt::Debug>(what: &str, now: &T, then: &T, found: &mut Vec<String>) {
    if now != then {
        found.push(format!("{what}: now {now:?}, recorded {then:?}"));
    }
}
