//! When an event happened: the timestamp rules of late 2023 (skew correction, offset, future clamp),
//! as one pure function.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::clock::UnixMillis;
use crate::sabotage::{Bug, strikes};
use crate::{iso8601, js, js_date};

/// An event further ahead of the server than this is moved to the server's time.
const FUTURE_LIMIT_MS: i64 = 23 * 60 * 60 * 1000;

/// What the client and the server said about time.
#[derive(Debug, Clone, Copy)]
pub struct TimeClaims<'a> {
    pub timestamp: Option<&'a Value>,
    pub offset: Option<&'a Value>,
    pub sent_at: Option<&'a str>,
    /// The client asked not to have its clock corrected (`$ignore_sent_at`).
    pub ignore_sent_at: bool,
    pub now_ms: UnixMillis,
}

/// Why a claim was not used as it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeWarning {
    /// `ignored_invalid_timestamp`: the field could not be read as a moment.
    Unreadable { field: &'static str, value: Value, reason: &'static str },
    /// `event_timestamp_in_future`: more than 23 hours ahead of the server.
    InFuture { result_ms: UnixMillis },
}

/// The event's time, and what the author of the client should know about it.
///
/// `now + (timestamp - sent_at)` when both are readable, so that a wrong client clock cancels out; a
/// lone `timestamp` as it is; `now - offset` when an offset is given (it overrides a corrected
/// timestamp); `now` otherwise and for an unreadable timestamp.
pub fn resolve(claims: TimeClaims<'_>) -> (UnixMillis, Vec<TimeWarning>) {
    let mut warnings = Vec::new();
    let mut unreadable = |field, value: Value, reason| {
        warnings.push(TimeWarning::Unreadable { field, value, reason });
    };

    let believes_client = claims.ignore_sent_at || strikes(Bug::IgnoreSentAt);
    let sent_at_ms = claims.sent_at.filter(|text| !believes_client && !text.is_empty()).and_then(|text| {
        let parsed = iso8601::parse(text);
        if parsed.is_none() {
            unreadable("sent_at", text.into(), NOT_A_TIME);
        }
        parsed
    });
    let given = claims.timestamp.filter(|value| is_truthy(value));
    let timestamp_ms = given.and_then(|value| {
        let parsed = parse_value(value);
        if parsed.is_none() {
            unreadable("timestamp", value.clone(), NOT_A_TIME);
        }
        parsed
    });
    let offset_ms =
        claims.offset.and_then(Value::as_f64).filter(|offset| *offset != 0.0).map(|offset| offset.ceil() as i64);

    let result_ms = match (given.is_some(), timestamp_ms, sent_at_ms) {
        (true, None, _) => claims.now_ms,
        (true, Some(timestamp_ms), None) => timestamp_ms,
        (_, timestamp_ms, sent_at_ms) => match (offset_ms, timestamp_ms, sent_at_ms) {
            (Some(offset_ms), _, _) => claims.now_ms.saturating_sub(offset_ms),
            (None, Some(timestamp_ms), Some(sent_at_ms)) => {
                claims.now_ms.saturating_add(timestamp_ms.saturating_sub(sent_at_ms))
            }
            _ => claims.now_ms,
        },
    };
    let in_range = result_ms.abs() <= js_date::RANGE_MS;
    if in_range && result_ms > claims.now_ms.saturating_add(FUTURE_LIMIT_MS) {
        warnings.push(TimeWarning::InFuture { result_ms });
        return (claims.now_ms, warnings);
    }
    if !in_range || result_ms < YEAR_0_MS {
        let value = claims.timestamp.filter(|value| !value.is_null()).cloned().unwrap_or_else(|| "".into());
        warnings.push(TimeWarning::Unreadable { field: "timestamp", value, reason: "out of bounds" });
        return (if in_range { 0 } else { claims.now_ms }, warnings);
    }
    (result_ms, warnings)
}

const NOT_A_TIME: &str = "not a date or time";

/// Before it the store's TIMESTAMP and every client's date type disagree, so the epoch is taken.
const YEAR_0_MS: i64 = -62_167_219_200_000;

/// Truth in the sense of JavaScript, in which the rules are written.
pub fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

fn parse_value(value: &Value) -> Option<UnixMillis> {
    match value {
        Value::Number(number) => number.as_f64().filter(|ms| ms.abs() <= js_date::RANGE_MS as f64).map(|ms| ms as i64),
        Value::String(text) => js_date::parse(text),
        Value::Bool(flag) => Some(i64::from(*flag)),
        // JavaScript's Date reads a list as its text.
        Value::Array(_) => js_date::parse(&js::string(value)),
        Value::Null | Value::Object(_) => None,
    }
}

/// ISO 8601 in UTC with millisecond digits, as JavaScript's `toISOString` writes it.
pub fn iso(at_ms: UnixMillis) -> String {
    DateTime::<Utc>::from_timestamp_millis(at_ms)
        .map_or_else(|| at_ms.to_string(), |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_700_000_000_000;
    const NOTHING: TimeClaims<'_> =
        TimeClaims { timestamp: None, offset: None, sent_at: None, ignore_sent_at: false, now_ms: NOW };

    fn at(timestamp: &Value, sent_at: Option<&str>, offset: &Value) -> (i64, usize) {
        let (ms, warnings) = resolve(TimeClaims {
            timestamp: Some(timestamp),
            offset: Some(offset),
            sent_at,
            ignore_sent_at: false,
            now_ms: NOW,
        });
        (ms, warnings.len())
    }

    #[test]
    fn a_wrong_client_clock_cancels_out() {
        let (ms, warnings) = at(&json!("2001-01-01T00:00:05Z"), Some("2001-01-01T00:00:10Z"), &Value::Null);
        assert_eq!((ms, warnings), (NOW - 5_000, 0));
    }

    #[test]
    fn each_lone_claim_is_taken_as_it_is() {
        assert_eq!(at(&json!("2023-01-01T00:00:00Z"), None, &Value::Null).0, 1_672_531_200_000);
        assert_eq!(at(&json!("2023-01-01"), None, &Value::Null).0, 1_672_531_200_000);
        assert_eq!(at(&json!(1_672_531_200_000_i64), None, &Value::Null).0, 1_672_531_200_000);
        assert_eq!(at(&Value::Null, None, &json!(1_500)).0, NOW - 1_500);
        assert_eq!(at(&Value::Null, Some("2020-01-01T00:00:00Z"), &Value::Null).0, NOW);
    }

    #[test]
    fn the_unreadable_and_the_far_future_become_now_and_say_so() {
        assert_eq!(at(&json!("yesterday"), None, &Value::Null), (NOW, 1));
        assert_eq!(at(&json!("2123-01-01T00:00:00Z"), None, &Value::Null), (NOW, 1));
        assert_eq!(at(&json!("2023-11-14T22:00:00Z"), Some("soon"), &Value::Null).1, 1);
    }

    #[test]
    fn what_no_date_can_hold_becomes_now() {
        assert_eq!(at(&Value::Null, None, &json!(1e17)), (NOW, 1));
        assert_eq!(at(&Value::Null, None, &json!(-1e17)), (NOW, 1));
        assert_eq!(at(&json!(1e17), None, &Value::Null), (NOW, 1));
        assert_eq!(at(&json!("-000001-01-01"), None, &Value::Null), (0, 1), "a year before 0 is the epoch");
        let claims = TimeClaims { timestamp: None, offset: Some(&json!(1e17)), ..NOTHING };
        let said = TimeWarning::Unreadable { field: "timestamp", value: "".into(), reason: "out of bounds" };
        assert_eq!(resolve(claims).1, [said]);
    }

    #[test]
    fn iso_has_milliseconds() {
        assert_eq!(iso(NOW), "2023-11-14T22:13:20.000Z");
    }
}
