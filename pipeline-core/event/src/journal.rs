//! The payload of a record in the journal: what the plugin stage did, so that it is never done again.
//!
//! Everything after the journal (persons, store, plugin storage, ledger) is a projection of the two
//! logs. An event that no plugin touched costs a few bytes here; its content stays in the intake log.
//! On disk: one version byte, then the postcard form of [`JournalRecord`].

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::UnixMillis;

/// The version byte that leads a payload.
pub const JOURNAL_VERSION: u8 = 2;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum JournalRecord {
    Batch(BatchRecord),
    Control(ControlRecord),
    Redrive(RedriveRecord),
}

/// The effects of one batch of intake events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchRecord {
    /// First intake offset of the batch.
    pub first_offset: u64,
    /// Intake offsets covered; `effects` has one entry each.
    pub event_count: u32,
    /// When the batch was processed; the `created_at` of its rows.
    pub processed_at_ms: UnixMillis,
    /// Hash over the chain that ran; a [`ControlRecord::Chain`] before it says what that was.
    pub chain_hash: String,
    pub effects: Vec<EventEffect>,
    /// Events plugins made with `posthog.capture`, in order of making.
    pub emitted: Vec<EmittedEvent>,
    pub storage: Vec<StorageMutation>,
    pub logs: Vec<PluginLog>,
    pub calls: Vec<HostCall>,
    pub jobs: Vec<Job>,
}

/// Dead letters that went through the plugins once more. It takes no offset: their events have theirs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RedriveRecord {
    pub processed_at_ms: UnixMillis,
    pub chain_hash: String,
    /// By offset.
    pub entries: Vec<RedriveEntry>,
    /// Events that plugins made meanwhile.
    pub emitted: Vec<EmittedEvent>,
    pub storage: Vec<StorageMutation>,
    pub logs: Vec<PluginLog>,
    pub calls: Vec<HostCall>,
    pub jobs: Vec<Job>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RedriveEntry {
    /// Intake offset of the event.
    pub offset: u64,
    pub effect: EventEffect,
}

/// What became of one event in the plugin stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EventEffect {
    pub fate: Fate,
    /// Whether its uuid was seen before, where such events are processed all the same.
    pub repeat: Repeat,
    /// The event after the last plugin, as JSON; `None` when no plugin changed it.
    pub output: Option<String>,
    /// One entry per plugin that saw the event, in chain order.
    pub steps: Vec<StepEffect>,
}

/// What is known of an event's (project, uuid).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Repeat {
    #[default]
    First,
    /// Seen with the same content.
    Same,
    /// Seen with other content.
    Conflicting,
}

/// Where the event goes next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// On to identity and store.
    #[default]
    Passed,
    /// A plugin returned nothing; the last step says which.
    Dropped,
    /// Kept aside, with the reason.
    DeadLettered { reason: String },
    /// The (project, uuid) was seen before; plugins did not run.
    Deduplicated { conflicting: bool },
    /// Refused at the edge.
    Rejected,
}

/// One plugin's result on one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepEffect {
    /// Position in the chain that `chain_hash` names.
    pub plugin: u16,
    pub label: StepLabel,
    /// Message of the failure, with file, line and column where the engine gave them.
    pub error: Option<String>,
    /// CPU time inside the plugin, microseconds.
    pub cpu_us: u32,
    /// Time the event waited in the plugin for answers (timers, HTTP), microseconds.
    pub wait_us: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepLabel {
    Modified,
    Unmodified,
    Dropped,
    Skipped,
    Error,
}

/// A write to a plugin's durable storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageMutation {
    /// Stable id of the plugin configuration.
    pub plugin_id: String,
    pub key: String,
    /// JSON text; `None` deletes the key.
    pub value: Option<String>,
}

/// A call of a plugin to its host whose answer is not the host's to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCall {
    /// Intake offset of the event it was made for; `None` outside `processEvent`.
    pub offset: Option<u64>,
    pub plugin_id: String,
    /// `http_mock` or `http_live`.
    pub kind: String,
    /// Finds the same call again; nothing of the request can be read from it.
    pub request_digest: String,
    /// One line for people, without secrets: `GET https://api.example.com/rates`.
    pub summary: String,
    /// The status of the answer, or the code of what went wrong.
    pub status: String,
    /// From the call to its answer, microseconds, waiting in the queue included.
    pub duration_us: u64,
    /// Of the body, decompressed.
    pub response_bytes: u64,
    /// The answer as JSON, when it is small enough to keep.
    pub answer: Option<String>,
}

/// Work that a plugin wants done later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub id: Uuid,
    pub plugin_id: String,
    /// Name of the function in the plugin's `jobs`.
    pub name: String,
    /// JSON.
    pub payload: String,
    /// When it is due.
    pub at_ms: UnixMillis,
}

/// How a job or a scheduled function ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEnd {
    pub plugin_id: String,
    /// Name of the function.
    pub name: String,
    pub at_ms: UnixMillis,
    pub took_ms: u32,
    /// The error, if there was one.
    pub error: Option<String>,
}

/// What a user has set for a plugin. Values of secret fields are not here but in a file of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginSettings {
    /// Config values that win over the manifest's defaults.
    pub values: Vec<(String, Option<String>)>,
    pub attachments: Vec<PluginAttachment>,
    pub is_disabled: bool,
    /// JSON of everything else (HTTP, limits), so that a new setting needs no new format.
    pub other: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginAttachment {
    pub key: String,
    pub content_type: String,
    pub file_name: String,
    pub contents: Vec<u8>,
}

/// An event made by a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmittedEvent {
    /// Intake offset of the event whose processing made it.
    pub parent_offset: u64,
    pub uuid: Uuid,
    /// As the plugin made it; the same kind of object that a client sends.
    pub data: String,
    pub distinct_id: String,
    /// The chain that it ran through in turn, which may be newer than its parent's.
    pub chain_hash: String,
    pub effect: EventEffect,
}

/// A line that a plugin (or the host on its behalf) logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginLog {
    pub plugin_id: String,
    pub version: String,
    pub at_ms: UnixMillis,
    pub source: LogSource,
    pub level: LogLevel,
    pub message: String,
}

/// Who wrote a plugin log line (the names of PostHog's `plugin_log_entries`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogSource {
    System,
    Plugin,
    Console,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    Debug,
    Log,
    Info,
    Warn,
    Error,
}

macro_rules! names {
    ($type:ty { $($variant:ident => $name:literal),* $(,)? }) => {
        impl $type {
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}
names!(StepLabel {
    Modified => "modified",
    Unmodified => "unmodified",
    Dropped => "dropped",
    Skipped => "skipped",
    Error => "error",
});
names!(LogSource { System => "SYSTEM", Plugin => "PLUGIN", Console => "CONSOLE" });
impl LogLevel {
    /// In any case of letters.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Debug, Self::Log, Self::Info, Self::Warn, Self::Error];
        all.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(name))
    }
}

names!(LogLevel { Debug => "DEBUG", Log => "LOG", Info => "INFO", Warn => "WARN", Error => "ERROR" });

/// Decisions that are not about one event but must survive the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ControlRecord {
    /// A token seen for the first time got its project number.
    Project { token: String, project: u32 },
    /// The chain changed; batches that follow name it by `hash`.
    Chain { hash: String, plugins: Vec<ChainMember> },
    /// A plugin logged outside a batch (load, setup, reload).
    Logs { logs: Vec<PluginLog> },
    /// A plugin wrote storage outside a batch (`setupPlugin`).
    Storage { mutations: Vec<StorageMutation> },
    /// A named setting changed, e.g. `ordering`.
    Setting { name: String, value: String },
    /// A sink was added.
    Sink(SinkRecord),
    /// How far a sink came. Durable before its next batch is delivered.
    SinkCursor(SinkCursor),
    /// A sink was taken away, and its cursor with it.
    SinkRemoved { sink: String },
    /// A plugin was configured.
    PluginSettings { plugin_id: String, settings: PluginSettings },
    /// The order of the chain; plugins that are not named follow in order of adding.
    PluginOrder { plugin_ids: Vec<String> },
    /// Plugins asked for work outside a batch.
    Jobs { jobs: Vec<Job> },
    /// A job was done, or failed for good.
    JobEnded { id: Uuid, end: TaskEnd },
    /// A scheduled function ran for the moment it was due at.
    ScheduleRan { due_ms: UnixMillis, end: TaskEnd },
    /// Calls that plugins made outside a batch.
    Calls { calls: Vec<HostCall> },
}

/// The configuration of a sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkRecord {
    pub name: String,
    /// Drawn once: two sinks of one name, or of two servers, never share an idempotency key or a file.
    pub id: Uuid,
    /// `jsonl`, `parquet`, `http`, `plugin_on_event` or `plugin_export_events`.
    pub kind: String,
    /// A directory, a URL or the id of a plugin.
    pub target: String,
    /// First intake offset that it is sent.
    pub start: u64,
    /// Deliveries tried before a batch is given up; `None` tries for ever.
    pub max_attempts: Option<u32>,
}

/// How far a sink came. All counts are since it was added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkCursor {
    pub sink: String,
    /// Everything before this intake offset is delivered or given up.
    pub offset: u64,
    /// End of the batch that is delivered next, not included; equal to `offset` when that is not
    /// decided. It makes a repetition after a crash the same batch under the same key.
    pub until: u64,
    pub delivered: u64,
    pub failed: u64,
    /// Deliveries that were tried again.
    pub retried: u64,
    /// What was given up since the record before.
    pub failures: Vec<SinkFailure>,
}

/// Events that a sink did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkFailure {
    pub at_ms: UnixMillis,
    pub first_offset: u64,
    /// Not included.
    pub until_offset: u64,
    pub events: u64,
    pub attempts: u32,
    pub reason: String,
}

/// One plugin of a chain, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChainMember {
    pub plugin_id: String,
    /// Display name from the manifest.
    pub name: String,
    /// Hash of source, config, engine and contract: what a stored event names.
    pub version: String,
    /// It is given stored events too (`onEvent`, `exportEvents`).
    pub is_deferred: bool,
}
