//! What a client is told when its request is refused. Texts and statuses are those of PostHog's
//! current capture service, so that client libraries react as they do in production.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::intake::IntakeRefusal;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    #[error("failed to decode request: {0}")]
    Decode(String),
    #[error("failed to parse request: {0}")]
    Parse(String),
    #[error("request holds no event")]
    Empty,
    #[error("event submitted with an empty event name")]
    EmptyEventName,
    #[error("event submitted with an empty distinct_id")]
    EmptyDistinctId,
    #[error("event submitted without a distinct_id")]
    MissingDistinctId,
    #[error("replay event submitted without snapshot data")]
    MissingSnapshotData,
    #[error("maximum event size exceeded")]
    EventTooLarge,
    #[error("event name is longer than 200 characters")]
    EventNameTooLong,
    #[error("distinct_id is longer than 200 characters")]
    DistinctIdTooLong,
    #[error("timestamp is not RFC 3339")]
    InvalidTimestamp,
    #[error("the batch holds this uuid twice")]
    DuplicateUuid,
    #[error("event submitted without an api_key")]
    MissingToken,
    #[error("batch submitted with inconsistent api_key values")]
    MixedTokens,
    #[error("API key is not valid: {0}")]
    InvalidToken(&'static str),
    #[error("request too large: the limit is {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    #[error("the request body did not arrive in time")]
    SlowBody,
    #[error("failed to decode request: the body ended early")]
    ClientGone,
    #[error("transient error, please retry")]
    Crowded,
    #[error("transient error, please retry")]
    Unavailable(IntakeRefusal),
}

impl CaptureError {
    /// The rule that refused, as the ledger names it.
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Decode(_) => "undecodable_body",
            Self::Parse(_) => "unparseable_body",
            Self::Empty => "no_event",
            Self::EmptyEventName => "empty_event_name",
            Self::EmptyDistinctId => "empty_distinct_id",
            Self::MissingDistinctId => "missing_distinct_id",
            Self::MissingSnapshotData => "missing_snapshot_data",
            Self::EventTooLarge => "event_too_large",
            Self::EventNameTooLong => "event_name_too_long",
            Self::DistinctIdTooLong => "distinct_id_too_long",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::DuplicateUuid => "duplicate_uuid",
            Self::MissingToken => "missing_token",
            Self::MixedTokens => "mixed_tokens",
            Self::InvalidToken(_) => "invalid_token",
            Self::TooLarge { .. } => "too_large",
            Self::SlowBody => "slow_body",
            Self::ClientGone => "client_gone",
            Self::Crowded => "crowded",
            Self::Unavailable(_) => "unavailable",
        }
    }

    pub const fn status(&self) -> StatusCode {
        match self {
            Self::MissingToken | Self::MixedTokens | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::Crowded | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Seconds after which a retry is worth it.
    const fn retry_after(&self) -> Option<&'static str> {
        match self {
            Self::Unavailable(IntakeRefusal::DiskReserve { .. }) => Some("30"),
            Self::Unavailable(_) => Some("5"),
            Self::Crowded => Some("1"),
            _ => None,
        }
    }
}

impl IntoResponse for CaptureError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.to_string()).into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}

/// A refused request with what the ledger notes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub error: CaptureError,
    /// The project, when the request got far enough to name one; else empty. Never a key that is not a
    /// project token: a personal key is a secret.
    pub token: String,
    /// How many events were in the request; one when nobody can tell.
    pub events: u32,
}

impl Refusal {
    pub fn of_one(error: CaptureError) -> Self {
        Self { error, token: String::new(), events: 1 }
    }
}
