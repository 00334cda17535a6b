//! When an event happened: SPEC 2.1 with the changes of 2.2 (skew correction, offset, 23-hour clamp).

use chrono::{DateTime, Datelike};
use serde_json::{Map, Value, json};

use crate::expected::ExpectedWarning;
use crate::javascript::{string, truthy, truthy_key};
use crate::{iso, js_date};

/// An event may lie this far ahead of the server.
const FUTURE_LIMIT_MS: i64 = 23 * 3_600_000;

/// The moment of `event`, and the warnings about how it was found.
pub(crate) fn event_time(
    event: &Map<String, Value>,
    properties: &Map<String, Value>,
    now_ms: i64,
    sent_at: Option<&str>,
    event_uuid: &Value,
) -> (i64, Vec<ExpectedWarning>) {
    let mut warnings = Vec::new();
    let invalid = |field: &str, value: &Value, reason: &str| {
        let details = json!({ "eventUuid": event_uuid, "field": field, "value": value, "reason": reason });
        ExpectedWarning { kind: "ignored_invalid_timestamp".to_owned(), details }
    };
    let unreadable = |value: &Value| format!("the input \"{}\" can't be parsed as ISO 8601", string(value));
    let timestamp = truthy_key(event, "timestamp");
    let stated = timestamp.cloned().unwrap_or_else(|| json!(""));

    let ignore_sent_at = properties.get("$ignore_sent_at").is_some_and(truthy);
    let mut sent_at_ms = None;
    if let Some(text) = sent_at.filter(|text| !text.is_empty() && !ignore_sent_at) {
        sent_at_ms = iso::parse(text);
        if sent_at_ms.is_none() {
            warnings.push(invalid("sent_at", &json!(text), &unreadable(&json!(text))));
        }
    }

    let offset = event.get("offset").and_then(Value::as_f64).filter(|offset| *offset != 0.0);
    let from_offset = || offset.map(|offset| js_date::from_number(now_ms as f64 - offset));
    let found = match timestamp {
        None => from_offset().unwrap_or(Some(now_ms)),
        Some(value) => match (read_timestamp(value), sent_at_ms) {
            // A timestamp that is unreadable, or has nothing to be corrected by, ends it: no look at the offset.
            (None, _) => {
                warnings.push(invalid("timestamp", value, &unreadable(value)));
                return (now_ms, warnings);
            }
            (Some(timestamp_ms), None) => Some(timestamp_ms),
            (Some(timestamp_ms), Some(sent_at_ms)) => {
                from_offset().unwrap_or(Some(now_ms + (timestamp_ms - sent_at_ms)))
            }
        },
    };
    let Some(found_ms) = found.filter(|found_ms| found_ms.abs() <= js_date::MAX_DATE_MS) else {
        warnings.push(invalid("timestamp", &stated, "out of bounds"));
        return (now_ms, warnings);
    };

    if found_ms - now_ms > FUTURE_LIMIT_MS {
        let details = json!({
            "timestamp": stated,
            "sentAt": sent_at.unwrap_or_default(),
            "offset": event.get("offset").cloned().unwrap_or_else(|| json!("")),
            "now": iso_text(now_ms),
            "result": iso_text(found_ms),
            "eventUuid": event_uuid,
            "eventName": event.get("event"),
        });
        warnings.push(ExpectedWarning { kind: "event_timestamp_in_future".to_owned(), details });
        return (now_ms, warnings);
    }
    // Years before 0 are beyond what the store can hold.
    let year = DateTime::from_timestamp_millis(found_ms).map(|time| time.year());
    if year.is_none_or(|year| year < 0) {
        warnings.push(invalid("timestamp", &stated, "out of bounds"));
        return (0, warnings);
    }
    (found_ms, warnings)
}

/// `new Date(value)`, else ISO-8601.
fn read_timestamp(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => js_date::from_number(number.as_f64()?),
        Value::Bool(flag) => Some(i64::from(*flag)),
        other => {
            let text = string(other);
            js_date::parse(&text).or_else(|| iso::parse(&text))
        }
    }
}

/// The text form in which moments travel: UTC, milliseconds, `Z`.
pub(crate) fn iso_text(milliseconds: i64) -> String {
    DateTime::from_timestamp_millis(milliseconds)
        .map_or_else(|| milliseconds.to_string(), |time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}
