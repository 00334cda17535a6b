//! What the plugin stage writes to the journal besides batches, and how everything it writes reaches the
//! projection: the stage is the journal's only writer.

use std::time::Instant;

use weir_event::ids;
use weir_event::journal::{BatchRecord, ChainMember, ControlRecord, Job, JournalRecord, SinkRecord};
use weir_plugins::JobRequest;

use crate::codec;
use crate::error::FlowError;
use crate::handoff::Handoff;
use crate::ledger::shift;
use crate::plugin_stage::PluginStage;
use crate::sink_wanted::first_cursor;
use crate::stage_times::Stage;

impl PluginStage {
    pub(crate) fn launch_sinks(&mut self, records: Vec<SinkRecord>) -> Result<(), FlowError> {
        for record in records {
            self.journal_control(ControlRecord::Sink(record.clone()))?;
            let cursor = first_cursor(&record);
            self.sinks.launch(record, cursor);
        }
        Ok(())
    }

    /// A plugin that wants stored events is sent those from the batch on that its version runs first on.
    pub(crate) fn launch_plugin_sinks(&mut self) -> Result<(), FlowError> {
        let generation = self.host.generation();
        if self.plugins_seen == Some(generation) {
            return Ok(());
        }
        self.plugins_seen = Some(generation);
        let records = self.sinks.of_plugins(self.intake.next_offset());
        self.launch_sinks(records)
    }

    pub(crate) fn journal_chain(&mut self, hash: &str, members: &[ChainMember]) -> Result<(), FlowError> {
        if self.journalled_chain == hash {
            return Ok(());
        }
        self.journal_control(ControlRecord::Chain { hash: hash.to_owned(), plugins: members.to_vec() })?;
        hash.clone_into(&mut self.journalled_chain);
        Ok(())
    }

    /// What plugins logged and stored outside batches (loading, set-up, reloading), and what sinks record.
    pub(crate) fn journal_control_effects(&mut self) -> Result<(), FlowError> {
        let effects = self.host.drain_control();
        if !effects.logs.is_empty() {
            self.journal_control(ControlRecord::Logs { logs: effects.logs })?;
        }
        if !effects.storage.is_empty() {
            self.journal_control(ControlRecord::Storage { mutations: effects.storage })?;
        }
        if !effects.jobs.is_empty() {
            let jobs = self.jobs(effects.jobs);
            self.journal_control(ControlRecord::Jobs { jobs: jobs.clone() })?;
            self.tasks.add(&jobs);
        }
        if !effects.calls.is_empty() {
            self.setup_calls.remember(&effects.calls);
            self.journal_control(ControlRecord::Calls { calls: effects.calls })?;
        }
        while let Some(request) = self.control_requests.next() {
            self.journal_control(request.record.clone())?;
            request.answer();
        }
        Ok(())
    }

    /// Jobs as they are journalled.
    pub(crate) fn jobs(&mut self, requests: Vec<JobRequest>) -> Vec<Job> {
        let now_ms = self.clock.now_ms();
        let job = |request: JobRequest| {
            self.jobs_made = self.jobs_made.wrapping_add(1);
            Job {
                id: ids::row_uuid("job", now_ms.unsigned_abs(), self.jobs_made),
                plugin_id: request.plugin_id,
                name: request.name,
                payload: request.payload,
                at_ms: request.at_ms as i64,
            }
        };
        requests.into_iter().map(job).collect()
    }

    pub(crate) fn journal_control(&mut self, record: ControlRecord) -> Result<(), FlowError> {
        let payload = codec::encode_journal(&JournalRecord::Control(record.clone()))?;
        let durable = self.journal.append_blocking(payload, 0)?;
        self.hand_off(Handoff::Control { sequence: durable.sequence, record });
        Ok(())
    }

    pub(crate) fn journal_batch(&mut self, record: &BatchRecord, event_count: u32) -> Result<u64, FlowError> {
        let started = Instant::now();
        let payload = codec::encode_journal(&JournalRecord::Batch(record.clone()))?;
        let durable = self.journal.append_blocking(payload, event_count)?;
        if durable.offset != record.first_offset {
            return Err(FlowError::Disagreement(format!(
                "the journal is at offset {}, the intake batch starts at {}",
                durable.offset, record.first_offset
            )));
        }
        self.ledger.step(|positions| {
            shift(&positions.plugins_in_hand, -i64::from(event_count));
            shift(&positions.journalled, i64::from(event_count));
        });
        self.times.record(Stage::Journal, started.elapsed(), u64::from(event_count));
        Ok(durable.sequence)
    }

    /// Waits when the projection is behind. One that is gone reads the journal when it comes back.
    pub(crate) fn hand_off(&self, handoff: Handoff) {
        self.handoff.send(handoff).ok();
    }
}
