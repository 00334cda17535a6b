//! Plugins as the studio shows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diff::DiffSummary;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginsRequest {}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginList {
    pub plugins: Vec<PluginView>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginAdd {
    /// Absolute path of a folder with `plugin.json` and `index.ts` or `index.js`.
    pub dir: String,
}

/// Where a plugin is in its reload cycle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginState {
    #[default]
    Watching,
    Building,
    Validating,
    Live,
    /// A new version is built and waits to be promoted; the one before it serves.
    Waiting,
    /// The newest save does not work; the last good version (if any) still serves.
    Failed,
}

impl PluginState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watching => "watching",
            Self::Building => "building",
            Self::Validating => "validating",
            Self::Live => "live",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginView {
    /// Stable id: the folder's name, made unique.
    pub id: String,
    pub name: String,
    pub dir: String,
    pub state: PluginState,
    /// Version that serves now (12 hex digits); empty when none ever loaded.
    pub version: String,
    /// How many versions have been live since start.
    pub generation: u64,
    /// Last write to first event on the new code, milliseconds; `None` before the first reload.
    pub reload_ms: Option<f64>,
    /// The new version's `setupPlugin`, milliseconds; not part of `reload_ms`.
    pub setup_ms: Option<f64>,
    /// Why the newest save is not live.
    pub load_error: Option<Diagnostic>,
    /// The newest failure while processing an event.
    pub last_error: Option<RuntimeFailure>,
    pub processed: u64,
    pub modified: u64,
    pub dropped: u64,
    pub errors: u64,
    /// Instances thrown away after a trap, time-out or memory kill.
    pub instances_lost: u64,
    /// CPU per event over the newest batches, microseconds.
    pub cpu_us_p50: f64,
    pub cpu_us_p99: f64,
    /// The dearest event since this version went live.
    pub worst: Option<WorstEvent>,
    /// Waiting per event (timers, HTTP) over the newest batches, microseconds.
    pub wait_us_p50: f64,
    pub wait_us_p99: f64,
    /// WebAssembly instructions per event over the newest batches; absent when they are not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<InstructionFigures>,
    pub memory_bytes: u64,
    /// False when the user has switched it off.
    pub enabled: bool,
    /// `javascript`, `typescript`, `rust`, `python` or `component`.
    pub language: String,
    /// Functions it exports, schedules and jobs included.
    pub methods: Vec<String>,
    /// Required config fields without a value.
    pub missing: Vec<String>,
    /// `mock`, `record` or `live`.
    pub http_mode: String,
    /// Numbers the plugin keeps about itself (`meta.metrics`).
    pub metrics: BTreeMap<String, f64>,
    /// The version that is built and waits to be promoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
    /// What its newest version changes for the newest events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<DiffSummary>,
}

/// What events had a plugin execute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InstructionFigures {
    pub p50: u64,
    pub p99: u64,
    /// The event with the most since this version went live.
    pub worst: Option<WorstEvent>,
}

/// An event by what it cost a plugin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorstEvent {
    /// Intake offset; `journey` shows the event.
    pub offset: u64,
    pub cpu_us: u32,
    pub wait_us: u32,
    /// When they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
}

/// A problem in source text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub message: String,
    pub file: String,
    /// 1-based; 0 when unknown.
    pub line: u32,
    /// 1-based; 0 when unknown.
    pub column: u32,
    /// The source line, when known.
    #[serde(default)]
    pub excerpt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RuntimeFailure {
    pub at_ms: i64,
    pub version: String,
    /// `exception`, `timeout`, `instructions`, `waiting`, `memory`, `calls`, `output` or `trap`.
    pub kind: String,
    pub message: String,
    /// uuid of the event in hand.
    pub event_uuid: String,
    /// What production would have done.
    #[serde(default)]
    pub consequence: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginLogsRequest {
    pub id: String,
    /// Newest lines to return; 200 when absent.
    #[serde(default)]
    pub limit: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginLogs {
    /// Oldest first.
    pub lines: Vec<PluginLogLine>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginLogLine {
    pub at_ms: i64,
    pub version: String,
    /// `SYSTEM`, `PLUGIN` or `CONSOLE`.
    pub source: String,
    /// `DEBUG`, `LOG`, `INFO`, `WARN` or `ERROR`.
    pub level: String,
    pub message: String,
}

/// Names one plugin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginRequest {
    pub id: String,
}

/// Everything about a plugin that can be set or looked into.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginDetail {
    pub view: PluginView,
    /// In the order of `plugin.json`.
    pub fields: Vec<ConfigFieldView>,
    pub limits: PluginLimits,
    pub presets: Vec<LimitPreset>,
    pub http: PluginHttp,
    /// `continue`, `drop` or `dead_letter`: what becomes of an event whose processing failed.
    pub on_error: String,
    /// The least level of console lines that are kept: `debug`, `log`, `info`, `warn` or `error`.
    pub log_level: String,
    /// `auto`: a new version goes live; `ask`: it waits to be promoted.
    pub reload: String,
    pub schedules: Vec<PluginSchedule>,
    /// Jobs that have not run yet, the next one first; at most 100.
    pub jobs: Vec<PluginJob>,
    /// How schedules and jobs ended since the server started, newest last.
    pub runs: Vec<PluginRun>,
}

/// A config field of `plugin.json` and its value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfigFieldView {
    /// Empty for a block of text between fields.
    pub key: String,
    pub name: String,
    /// `string`, `json`, `attachment` or `choice`.
    #[serde(rename = "type")]
    pub kind: String,
    pub hint: String,
    pub description: String,
    pub markdown: String,
    pub default: Option<String>,
    pub required: bool,
    /// Its value is never shown.
    pub secret: bool,
    pub choices: Vec<String>,
    /// Each `[field, value]`: shown when any of them holds; always when empty.
    pub visible_if: Vec<(String, String)>,
    /// A mask for secrets; the name of the file for attachments.
    pub value: Option<String>,
}

/// What one plugin may use. In requests, absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginLimits {
    /// Name of a preset, or `custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms_per_event: Option<u64>,
    /// Timers and HTTP, for each event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms_per_event: Option<u64>,
    /// WebAssembly instructions, for each event; 0 does not count them, which is faster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions_per_event: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// JSON of one event after the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_kib: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_lines_per_second: Option<u64>,
    /// HTTP requests of one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_calls_per_event: Option<u64>,
}

/// The limits of a platform, with where and when they were published.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LimitPreset {
    pub name: String,
    pub title: String,
    pub source: String,
    pub limits: PluginLimits,
}

/// What becomes of a plugin's requests to other machines. In requests, absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginHttp {
    /// `mock` (answers from `mocks/*.json`), `live`, or `record` (live, and kept as mocks).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Host patterns that live requests may go to: `api.example.com`, `*.example.com`, `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
    /// Addresses inside (loopback, private networks) that are allowed all the same: `127.0.0.1:8080`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Vec<String>>,
    /// How many mocks the plugin's folder holds. Ignored in requests.
    #[serde(default)]
    pub mocks: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginSchedule {
    /// `runEveryMinute`, `runEveryHour` or `runEveryDay`.
    pub name: String,
    /// When it runs next, milliseconds since the Unix epoch.
    pub next_ms: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginJob {
    pub id: String,
    pub name: String,
    pub payload: Value,
    pub at_ms: i64,
}

/// How a schedule or job ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginRun {
    pub name: String,
    pub at_ms: i64,
    pub took_ms: u32,
    pub error: Option<String>,
}

/// Sets what is given and leaves the rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginConfigure {
    pub id: String,
    /// Config values by key; null goes back to the default. The mask of a secret keeps its value.
    #[serde(default)]
    pub values: BTreeMap<String, Option<String>>,
    /// Files by key; null takes one away.
    #[serde(default)]
    pub attachments: BTreeMap<String, Option<AttachmentUpload>>,
    #[serde(default)]
    pub enabled: Option<bool>,
    #[serde(default)]
    pub on_error: Option<String>,
    /// `auto` or `ask`.
    #[serde(default)]
    pub reload: Option<String>,
    #[serde(default)]
    pub log_level: Option<String>,
    #[serde(default)]
    pub http: Option<PluginHttp>,
    #[serde(default)]
    pub limits: Option<PluginLimits>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AttachmentUpload {
    pub file_name: String,
    pub content_type: String,
    /// Base64.
    pub contents: String,
}

/// The chain in its new order; plugins that are left out follow in their old one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginOrder {
    pub ids: Vec<String>,
}

/// Runs a schedule or job now, and waits for its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginRunRequest {
    pub id: String,
    /// A schedule, or the name of a job.
    pub name: String,
    #[serde(default)]
    pub payload: Value,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginStorageRequest {
    pub id: String,
    /// `storage` or `cache`; storage when absent.
    #[serde(default)]
    pub kind: String,
    /// Only keys that contain this.
    #[serde(default)]
    pub filter: String,
}

/// What a plugin keeps; at most 500 entries, by key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginStorage {
    pub entries: Vec<StorageEntry>,
    /// How many there are in all that fit the filter.
    pub total: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StorageEntry {
    pub key: String,
    /// JSON text (for the cache: as the plugin stored it).
    pub value: String,
    /// Of cache entries that expire, milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginStorageSet {
    pub id: String,
    /// `storage` or `cache`; storage when absent.
    #[serde(default)]
    pub kind: String,
    pub key: String,
    /// JSON text; null deletes the key.
    pub value: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginCallsRequest {
    pub id: String,
    /// Newest calls to return; 50 when absent, at most 200.
    #[serde(default)]
    pub limit: Option<u64>,
}

/// What a plugin asked other machines (or its mocks) for, oldest first. Secrets are replaced.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginCalls {
    pub calls: Vec<PluginCall>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginCall {
    pub at_ms: i64,
    /// `http_mock` or `http_live`.
    pub kind: String,
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// The status of the answer, or the code of what went wrong.
    pub status: String,
    /// The beginning of the answer, or why there is none.
    pub answer: String,
    pub duration_us: u64,
}
