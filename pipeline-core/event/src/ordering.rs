//! How identity orders events.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ordering {
    /// In the order of the log, as PostHog does.
    #[default]
    Arrival,
    /// By their own time: the order of arrival makes no difference.
    EventTime,
}

impl Ordering {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arrival => "arrival",
            Self::EventTime => "event-time",
        }
    }
}
