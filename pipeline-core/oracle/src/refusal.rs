//! Why a request is refused, and the answer that says so.

use crate::request::Answer;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Request too large.")]
    TooLarge,
    #[error("failed to decode request: {0}")]
    Decode(String),
    #[error("failed to parse request: {0}")]
    Parse(String),
    #[error("request holds no event")]
    NoEvent,
    #[error("event submitted with an empty event name")]
    EmptyName,
    #[error("event submitted with an empty distinct_id")]
    EmptyDistinctId,
    #[error("event submitted without a distinct_id")]
    NoDistinctId,
    #[error("replay event submitted without snapshot data")]
    NoSnapshotData,
    #[error("maximum event size exceeded")]
    EventTooLarge,
    #[error("batch submitted with inconsistent api_key values")]
    MixedTokens,
    #[error("event submitted without an api_key")]
    NoToken,
    #[error("API key is not valid: {0}")]
    BadToken(&'static str),
}

impl Refusal {
    /// Short name, for counting.
    pub(crate) fn rule(&self) -> &'static str {
        match self {
            Self::TooLarge => "request_too_large",
            Self::Decode(_) => "decode",
            Self::Parse(_) => "parse",
            Self::NoEvent => "no_event",
            Self::EmptyName => "empty_event_name",
            Self::EmptyDistinctId => "empty_distinct_id",
            Self::NoDistinctId => "no_distinct_id",
            Self::NoSnapshotData => "no_snapshot_data",
            Self::EventTooLarge => "event_too_large",
            Self::MixedTokens => "mixed_tokens",
            Self::NoToken => "no_token",
            Self::BadToken(_) => "bad_token",
        }
    }

    pub(crate) fn answer(&self) -> Answer {
        let status = match self {
            Self::TooLarge => 413,
            Self::MixedTokens | Self::NoToken | Self::BadToken(_) => 401,
            _ => 400,
        };
        Answer { status, body: self.to_string() }
    }
}
