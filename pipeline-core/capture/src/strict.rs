//! The newest endpoint, `/i/v1/analytics/events`: a strict shape, and an answer for each event.
//!
//! The shape is all or nothing: a field of a wrong type refuses the request. Within it each event is
//! judged alone: a fault drops that event, the answer says why under its uuid, and the others are
//! stored. What the wire holds beside the properties is put where the rest of the pipeline looks for it.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
use weir_event::iso8601;

use crate::error::{CaptureError, Refusal};
use crate::payload::{EVENT_LIMIT_BYTES, RequestFacts, known_only_by_request};
use crate::scan;
use crate::token::Claim;
use crate::unpacking::Unpacked;

const LIMIT_CHARS: usize = 200;
/// Ids that many people share by mistake. They are stored, and the client is warned.
const SHARED_IDS: [&str; 20] = [
    "0",
    "00000000-0000-0000-0000-000000000000",
    "[object object]",
    "anonymous",
    "anonymous-user",
    "backend",
    "distinct_id",
    "distinctid",
    "email",
    "false",
    "guest",
    "id",
    "nan",
    "none",
    "not_authenticated",
    "null",
    "system",
    "true",
    "undefined",
    "user",
];

#[derive(Deserialize)]
struct Envelope<'a> {
    /// Required, and of no further use: the moment of sending is in a header.
    #[serde(rename = "created_at")]
    _created_at: String,
    #[serde(borrow)]
    batch: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct StrictEvent {
    event: String,
    uuid: Uuid,
    distinct_id: String,
    timestamp: String,
    session_id: Option<String>,
    window_id: Option<String>,
    #[serde(default)]
    options: Options,
    #[serde(default)]
    properties: Map<String, Value>,
}

#[derive(Deserialize, Default)]
struct Options {
    cookieless_mode: Option<bool>,
    disable_skew_correction: Option<bool>,
    product_tour_id: Option<String>,
    process_person_profile: Option<bool>,
}

/// `facts` hold the bearer token; `sdk` is `name/version` of the library.
pub fn unpack(json: &[u8], facts: RequestFacts, sdk: &str) -> Result<Unpacked, Refusal> {
    let refused = |error| known_only_by_request(error, &facts);
    let unreadable = |error: serde_json::Error| refused(CaptureError::Parse(error.to_string()));
    let json = scan::check(json).map_err(refused)?;
    let envelope: Envelope<'_> = serde_json::from_slice(&json).map_err(unreadable)?;
    let of_all = |error| Refusal { events: envelope.batch.len().max(1) as u32, ..refused(error) };
    if envelope.batch.is_empty() {
        return Err(of_all(CaptureError::Empty));
    }
    let events: Result<Vec<StrictEvent>, _> =
        envelope.batch.iter().map(|raw| serde_json::from_str(raw.get())).collect();
    let events = events.map_err(|error| of_all(CaptureError::Parse(error.to_string())))?;
    let claim = facts.token.as_deref().and_then(Claim::of_text).ok_or_else(|| of_all(CaptureError::MissingToken))?;
    let token = claim.check().map_err(of_all)?;

    let mut results = Map::new();
    let mut captured = Vec::with_capacity(events.len());
    let mut dropped = Vec::new();
    let mut seen = HashSet::with_capacity(events.len());
    for (event, raw) in events.into_iter().zip(&envelope.batch) {
        let uuid = event.uuid;
        // The first one of a uuid has its own result already.
        let fault = if seen.insert(uuid) { event.fault(raw) } else { Some(CaptureError::DuplicateUuid) };
        if let Some(error) = fault {
            results.entry(uuid.to_string()).or_insert_with(|| json!({"result": "drop", "details": error.rule()}));
            dropped.push(error);
        } else {
            results.insert(uuid.to_string(), event.verdict());
            captured.push(event.captured(sdk));
        }
    }
    let record = |events| IntakeRecord {
        received_at_ms: facts.received_at_ms,
        token: token.to_owned(),
        ip: facts.ip.clone(),
        site_url: facts.site_url.clone(),
        sent_at: facts.query_sent_at.clone(),
        body: IntakeBody::Events(events),
    };
    Ok(Unpacked {
        records: if captured.is_empty() { Vec::new() } else { vec![record(captured)] },
        answer: Some(json!({"results": results}).to_string()),
        refused: dropped,
    })
}

impl StrictEvent {
    fn fault(&self, raw: &RawValue) -> Option<CaptureError> {
        if self.event.is_empty() {
            Some(CaptureError::EmptyEventName)
        } else if self.event.chars().count() > LIMIT_CHARS {
            Some(CaptureError::EventNameTooLong)
        } else if self.distinct_id.is_empty() {
            Some(CaptureError::EmptyDistinctId)
        } else if self.distinct_id.chars().count() > LIMIT_CHARS {
            Some(CaptureError::DistinctIdTooLong)
        } else if !is_rfc3339(&self.timestamp) {
            Some(CaptureError::InvalidTimestamp)
        } else if self.event == "$snapshot" && self.properties.get("$snapshot_data").is_none_or(Value::is_null) {
            Some(CaptureError::MissingSnapshotData)
        } else if raw.get().len() > EVENT_LIMIT_BYTES {
            Some(CaptureError::EventTooLarge)
        } else {
            None
        }
    }

    fn verdict(&self) -> Value {
        if SHARED_IDS.contains(&self.distinct_id.to_lowercase().as_str()) {
            json!({"result": "warning", "details": "illegal_distinct_id"})
        } else {
            json!({"result": "ok"})
        }
    }

    /// The event as every other endpoint would have received it.
    fn captured(self, sdk: &str) -> CapturedEvent {
        let mut properties = self.properties;
        let text = |text: Option<String>| text.map(Value::String);
        let (library, version) = sdk.split_once('/').unwrap_or((sdk, ""));
        let named = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(Value::from);
        for (name, value) in [
            ("$session_id", text(self.session_id)),
            ("$window_id", text(self.window_id)),
            ("$cookieless_mode", self.options.cookieless_mode.map(Value::Bool)),
            ("$ignore_sent_at", self.options.disable_skew_correction.map(Value::Bool)),
            ("$product_tour_id", text(self.options.product_tour_id)),
            ("$process_person_profile", self.options.process_person_profile.map(Value::Bool)),
            ("$lib", named(library)),
            ("$lib_version", named(version)),
        ] {
            if let Some(value) = value {
                properties.insert(name.to_owned(), value);
            }
        }
        let data = json!({
            "event": self.event,
            "uuid": self.uuid,
            "distinct_id": self.distinct_id,
            "timestamp": self.timestamp,
            "properties": properties,
        });
        CapturedEvent { uuid: self.uuid, client_uuid: true, distinct_id: self.distinct_id, data: data.to_string() }
    }
}

/// `2026-01-02T03:04:05.678+01:00`, with a zone.
fn is_rfc3339(text: &str) -> bool {
    let shape = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                other => byte.eq_ignore_ascii_case(&other),
            })
    };
    let exists = |zone: &str| &zone[1..3] <= "23" && &zone[4..] <= "59";
    let Some((moment, rest)) = text.split_at_checked(19) else { return false };
    let fraction = rest.strip_prefix('.').map_or(0, |digits| 1 + digits.bytes().take_while(u8::is_ascii_digit).count());
    let zone = rest.get(fraction..).unwrap_or_default();
    shape(moment, "0000-00-00T00:00:00")
        && fraction != 1
        && (zone.eq_ignore_ascii_case("z") || ((shape(zone, "+00:00") || shape(zone, "-00:00")) && exists(zone)))
        && iso8601::parse(&text.to_ascii_uppercase()).is_some()
}

#[cfg(test)]
mod tests;
