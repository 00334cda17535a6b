//! What goes into a lane and what comes out.

use std::borrow::Cow;
use std::sync::Arc;

use uuid::Uuid;
use weir_api::plugin::RuntimeFailure;
use weir_event::journal::{Fate, HostCall, PluginLog, StepEffect, StorageMutation};

use crate::state::JobRequest;

#[derive(Debug, Clone)]
pub struct BatchEvent<'a> {
    pub offset: u64,
    pub team_id: u32,
    pub uuid: Uuid,
    /// Events with the same key keep their order even where others may overtake: (project, distinct id).
    pub order_key: u64,
    /// The event as plugins see it.
    pub json: Cow<'a, str>,
}

/// One plugin's part in one event.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutput {
    pub effect: StepEffect,
    /// JSON after this plugin when it changed the event.
    pub after: Option<Arc<str>>,
    /// WebAssembly instructions that the plugin executed for it, when they are counted.
    pub instructions: Option<u64>,
    /// Why, for the label `error`.
    pub failure: Option<RuntimeFailure>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct EventResult {
    pub fate: Fate,
    /// JSON after the last plugin when any plugin changed the event.
    pub output: Option<String>,
    /// One entry per plugin that saw the event, in chain order.
    pub steps: Vec<StepOutput>,
}

/// Effects of one batch; `events` has one entry per event, in order.
#[derive(Debug, Default)]
pub struct BatchResult {
    pub events: Vec<EventResult>,
    pub storage: Vec<StorageMutation>,
    pub logs: Vec<PluginLog>,
    /// (offset of the parent, id of the plugin, JSON of the new event), in order of making.
    pub emitted: Vec<(u64, String, String)>,
    /// Jobs that plugins asked for, in order of asking.
    pub jobs: Vec<JobRequest>,
    /// Calls to other machines, with the offsets of the events they were made for.
    pub calls: Vec<HostCall>,
    /// Plugins whose newest version met its first event in this batch.
    pub first_on_new_version: Vec<String>,
}

/// What happened outside batches.
#[derive(Debug, Default)]
pub struct ControlEffects {
    pub logs: Vec<PluginLog>,
    pub storage: Vec<StorageMutation>,
    pub jobs: Vec<JobRequest>,
    pub calls: Vec<HostCall>,
}
