//! The oracle beside a running pipeline: what the store must hold, and where it holds something else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Starts or stops the oracle; absent fields change nothing, so that an empty request asks how things stand.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OracleRequest {
    #[serde(default)]
    pub running: Option<bool>,
    /// With `running: true`: everything that is in the logs is looked at, from the first event. Otherwise the oracle
    /// begins with what comes next, and with projects that come next, because it knows nothing of other persons.
    #[serde(default)]
    pub from_start: bool,
}

/// What the oracle has found so far. Events are those of the offsets from `from_offset` to `through_offset`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OracleState {
    /// `off`, `watching` or `ended`.
    pub state: String,
    /// Why it ended by itself, or why it cannot run.
    pub reason: Option<String>,
    pub from_offset: u64,
    pub through_offset: u64,
    /// Committed events that it has not looked at yet.
    pub behind_events: u64,
    /// Events of projects that were there before it began.
    pub skipped: u64,
    /// Events that the store must hold.
    pub expected: u64,
    /// Events that it holds.
    pub stored: u64,
    pub missing: u64,
    pub extra: u64,
    /// Stored with another content.
    pub wrong: u64,
    /// Stored with another time; part of `wrong`.
    pub timestamps_off: u64,
    /// Ended otherwise than they must have.
    pub outcomes_off: i64,
    pub persons_right: u64,
    pub persons_wrong: u64,
    pub merges_right: u64,
    pub merges_wrong: u64,
    /// Distinct ids that point to the person they must point to, and those that do not.
    pub distinct_ids_right: u64,
    pub distinct_ids_wrong: u64,
    pub duplicates_removed: u64,
    pub conflicting_duplicates: u64,
    /// Events that came after a later one of their distinct id, and are stored under their own time.
    pub out_of_order_repaired: u64,
    pub dropped: u64,
    /// Events whose plugins the oracle has twins of, and those for which it takes the journal's word.
    pub predicted: u64,
    pub taken_as_said: u64,
    /// The store against what the generator knows, of events that it sent while the oracle watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<TruthState>,
    /// Newest last; the first hundred of each kind.
    pub mismatches: Vec<Mismatch>,
    /// How many of each kind, also beyond those that are kept.
    pub kinds: Vec<MismatchCount>,
}

impl OracleState {
    /// How much is wrong, whatever it is.
    pub fn mismatch_count(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.count).sum()
    }
}

/// How near the store comes to what truly happened, which no pipeline can know: a measure, and no alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TruthState {
    /// Stored events whose true time is known.
    pub times: u64,
    /// Of these, stored within a second of it.
    pub times_right: u64,
    /// The others, by what was done to them on their way (`wrong_zone`), or `nothing`.
    pub times_off: BTreeMap<String, u64>,
    /// People of the story of whom something is stored.
    pub people: u64,
    /// Of these, those that are one person, and alone in it.
    pub people_right: u64,
    /// Those that are several persons.
    pub people_split: u64,
    /// Persons that are several people.
    pub persons_mixed: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MismatchCount {
    pub kind: String,
    pub field: String,
    pub count: u64,
}

/// One difference between the model and the store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Mismatch {
    /// `missing`, `extra`, `event`, `person`, `merge`, `distinct_id`, `group`, `outcome` or `lost`.
    pub kind: String,
    /// The field that differs, with its path: `properties.price`.
    pub field: String,
    /// Intake offset; its journey shows the event.
    pub offset: u64,
    pub project: u32,
    /// uuid of the event or the person.
    pub uuid: String,
    pub distinct_id: String,
    /// JSON, or words.
    pub expected: String,
    pub found: String,
    pub at_ms: i64,
}
