//! What one version of a plugin does otherwise than another, for events that were; and the versions
//! themselves: kept, promoted, discarded, accepted.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which two versions are compared, over what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginDiffRequest {
    pub id: String,
    /// `live`, `waiting`, `folder`, or the name of an archived version (its beginning is enough). When absent,
    /// what serves or served last and is another than `to`.
    #[serde(default)]
    pub from: Option<String>,
    /// The same; when absent `folder`.
    #[serde(default)]
    pub to: Option<String>,
    /// Absolute path of a folder that stands for `folder`; the plugin's own when absent.
    #[serde(default)]
    pub dir: Option<String>,
    /// Newest events to compare; 1,000 when absent, at most 20,000.
    #[serde(default)]
    pub last: Option<u64>,
}

/// A version that is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRef {
    /// 12 hex digits over everything that decides how it behaves.
    pub version: String,
    /// `live`, `waiting`, `folder` or `archived`.
    pub place: String,
}

/// What changes. An event counts in each of the counts that fit it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginDiff {
    pub id: String,
    pub from: VersionRef,
    pub to: VersionRef,
    pub at_ms: i64,
    /// Events that both versions were given, those of samples included.
    pub events: u64,
    /// Of `events`, those of the plugin's samples (its fixtures).
    pub sample_events: u64,
    /// First and last intake offset; `None` when no live event was there.
    pub offsets: Option<(u64, u64)>,
    pub counts: DiffCounts,
    /// Events that would not go on as they do, by what becomes of them: `newly_dropped`, `undropped`,
    /// `newly_dead_lettered`, `no_longer_dead_lettered`.
    pub fates: Vec<DiffGroup>,
    /// Events that would go on with other content, by JSON path; `[]` stands for any place of a list.
    pub fields: Vec<DiffGroup>,
    /// Errors that only one of the versions gives, by their message without its place: `error_new`, `error_gone`.
    pub errors: Vec<DiffGroup>,
    /// Events that the plugins make while they process others.
    pub made: Delta,
    /// Jobs that the plugin asks for.
    pub jobs: Delta,
    pub logs: LogDelta,
    pub storage: StorageDelta,
    /// CPU of the plugin for one event, microseconds.
    pub cpu_us_p50: Delta,
    pub cpu_us_p99: Delta,
    /// Of all events, microseconds.
    pub cpu_us_total: Delta,
    /// Of the plugin's instance at the end.
    pub memory_bytes: Delta,
    /// Where the new version leaves what was recorded: from there on, what it does is a guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divergence: Option<Divergence>,
    /// What production would do, in a sentence.
    pub consequence: String,
    /// What a reader should know of how this was found.
    pub notes: Vec<String>,
    pub took_ms: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffCounts {
    /// Passed with both, with other content.
    pub changed: u64,
    pub newly_dropped: u64,
    pub undropped: u64,
    pub newly_dead_lettered: u64,
    pub no_longer_dead_lettered: u64,
    pub errors_new: u64,
    pub errors_gone: u64,
    /// Events for which the plugins make other events.
    pub made_changed: u64,
}

/// Events with the same difference.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DiffGroup {
    /// `changed`, `added` or `removed` of a field; else what the list of groups says.
    pub kind: String,
    /// A JSON path, or the message of an error.
    pub path: String,
    pub count: u64,
    /// The first few.
    pub examples: Vec<DiffExample>,
    /// Intake offsets of the events, the first 100.
    pub offsets: Vec<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DiffExample {
    /// Of a live event; `journey` shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Of an event of a sample: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    pub uuid: String,
    /// Its name.
    pub event: String,
    /// Absent when there is nothing: the field, or the whole event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    pub before: f64,
    pub after: f64,
}

/// Lines that the plugins log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LogDelta {
    pub lines: Delta,
    /// Messages that are not logged as often as before, at most 20.
    pub messages: Vec<MessageDelta>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageDelta {
    pub level: String,
    pub message: String,
    pub count: Delta,
}

/// What the plugin keeps after all events, both versions having begun with the same.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StorageDelta {
    /// Keys with another value, or only on one side.
    pub changed: u64,
    /// The first 20 by key; values are JSON text.
    pub entries: Vec<EntryDelta>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryDelta {
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The first call whose answer nobody has recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// Intake offset of the event it was made for; `None` in `setupPlugin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// `GET https://api.example.com/rates`
    pub call: String,
    /// `before` when already the old version makes it.
    pub side: String,
}

impl PluginDiff {
    /// Whether the versions do anything differently that can be seen from outside.
    pub fn is_empty(&self) -> bool {
        self.counts == DiffCounts::default()
            && self.storage.changed == 0
            && self.logs.messages.is_empty()
            && self.jobs.before.to_bits() == self.jobs.after.to_bits()
    }
}

/// A difference in a line, for the plugin's card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffSummary {
    pub from: String,
    pub to: String,
    /// `running`, `done` or `failed`.
    pub state: String,
    /// `3 changed, 1 newly dropped`, or why it failed.
    pub text: String,
    pub is_empty: bool,
}

/// The newest automatic comparison of a plugin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginDiffLatest {
    /// Absent before the first reload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<DiffSummary>,
    /// Present when it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<PluginDiff>,
}

/// Versions that were live, newest first, and the one that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginVersions {
    pub versions: Vec<PluginVersion>,
    /// How many the archive keeps of each plugin.
    pub kept: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginVersion {
    pub version: String,
    pub language: String,
    /// When it last went live; 0 for one that waits.
    pub live_at_ms: i64,
    pub is_live: bool,
    pub is_waiting: bool,
    pub files: u64,
    pub bytes: u64,
}

/// What became of a plugin's samples when their expectations were written anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginAccept {
    /// Files of the plugin's folder with new expectations.
    pub written: Vec<String>,
    /// Samples that now pass.
    pub passing: u64,
    /// Samples that do not, with the reason.
    pub failing: Vec<String>,
}

/// Saves events as a sample: a fixture in the plugin's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleSave {
    /// The plugin whose sample it is.
    pub id: String,
    /// Its file is `fixtures/NAME.json`, with what is no letter or digit as a dash.
    pub name: String,
    /// Intake offsets, in the order in which the sample has them.
    pub offsets: Vec<u64>,
    /// Over a sample of this name.
    #[serde(default)]
    pub replace: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleSaved {
    /// Absolute path.
    pub path: String,
    pub events: u64,
    /// Answers to requests that it holds.
    pub mocks: u64,
    /// Secret config fields, which are left out.
    pub secrets_left_out: Vec<String>,
    /// What could not be saved as it was.
    pub notes: Vec<String>,
    /// Whether the plugin as it is now does what is written there as expected.
    pub passes: bool,
}
