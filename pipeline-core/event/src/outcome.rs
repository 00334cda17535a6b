//! How an event ends. Exactly one of these for every event that was received or emitted.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A row in `events`.
    Stored,
    /// A plugin returned nothing for it.
    Dropped,
    /// Refused at the edge: the answer to the client said so.
    Rejected,
    /// Could not be processed; kept whole in `dead_letters`.
    DeadLettered,
    /// Its (project, uuid) was seen before.
    Deduplicated,
}

impl Outcome {
    pub const ALL: [Self; 5] = [Self::Stored, Self::Dropped, Self::Rejected, Self::DeadLettered, Self::Deduplicated];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Dropped => "dropped",
            Self::Rejected => "rejected",
            Self::DeadLettered => "dead_lettered",
            Self::Deduplicated => "deduplicated",
        }
    }
}

/// How many events ended in each way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCounts {
    pub stored: u64,
    pub dropped: u64,
    pub rejected: u64,
    pub dead_lettered: u64,
    pub deduplicated: u64,
    /// Of the deduplicated: same uuid, other payload. Already inside `deduplicated`.
    pub conflicting_duplicates: u64,
    /// Events that plugins made. A source, not an outcome: it is on the other side of the equation.
    pub emitted: u64,
}

impl OutcomeCounts {
    pub fn add(&mut self, outcome: Outcome, count: u64) {
        *match outcome {
            Outcome::Stored => &mut self.stored,
            Outcome::Dropped => &mut self.dropped,
            Outcome::Rejected => &mut self.rejected,
            Outcome::DeadLettered => &mut self.dead_lettered,
            Outcome::Deduplicated => &mut self.deduplicated,
        } += count;
    }

    pub const fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Stored => self.stored,
            Outcome::Dropped => self.dropped,
            Outcome::Rejected => self.rejected,
            Outcome::DeadLettered => self.dead_lettered,
            Outcome::Deduplicated => self.deduplicated,
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.stored += other.stored;
        self.dropped += other.dropped;
        self.rejected += other.rejected;
        self.dead_lettered += other.dead_lettered;
        self.deduplicated += other.deduplicated;
        self.conflicting_duplicates += other.conflicting_duplicates;
        self.emitted += other.emitted;
    }

    /// Sum over the five outcomes.
    pub fn total(&self) -> u64 {
        self.stored + self.dropped + self.rejected + self.dead_lettered + self.deduplicated
    }
}
