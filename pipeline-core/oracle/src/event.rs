//! From the JSON of a request to its events: shapes, required fields, token (SPEC 1.3 to 1.7, 1.13).

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::decode;
use crate::refusal::Refusal;
use crate::request::{RawRequest, form_field};
use crate::time::iso_text;
use crate::token;

const MAX_EVENT_BYTES: usize = 1_048_576;
const MAX_DISTINCT_ID: usize = 200;

/// An accepted request.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub token: String,
    /// As sent.
    pub sent_at: Option<String>,
    pub events: Vec<Captured>,
}

/// An event as capture hands it on.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    pub client_uuid: Option<Uuid>,
    pub name: String,
    pub distinct_id: String,
    /// The event object as sent.
    pub data: Map<String, Value>,
    /// Of the event object's text: what tells a repeat from another event under the same uuid.
    pub payload_hash: [u8; 32],
    pub internal: bool,
}

/// A refused request: why, how many events that costs, and whose they were if that is known.
#[derive(Debug)]
pub(crate) struct Refused {
    pub refusal: Refusal,
    pub events: u64,
    pub token: Option<String>,
}

/// An event object next to its text.
struct Element {
    text: String,
    object: Map<String, Value>,
}

impl Element {
    fn properties(&self) -> Option<&Map<String, Value>> {
        self.object.get("properties").and_then(Value::as_object)
    }
}

/// The checks in their order: decoding, JSON, shape, each event in turn, token. The first that fails decides, for all
/// events of the request.
pub(crate) fn read(request: &RawRequest) -> Result<Accepted, Refused> {
    let one = |refusal| Refused { refusal, events: 1, token: None };
    let payload = decode::payload(request).map_err(one)?;
    let body: Value = serde_json::from_str(&payload.json).expect("invariant: the payload has been parsed");
    let texts = element_texts(&payload.json, &body).map_err(one)?;
    let count = (texts.len() as u64).max(1);

    // Query and form come first, and only a wrapper speaks for all its events.
    let wrapper = body.as_object().filter(|object| object.get("batch").is_some_and(Value::is_array));
    let mut known = token::of_request(request, &payload.form).or_else(|| wrapper.and_then(token::of_object));
    let outcome = check(request, &body, &payload.form, &texts, &mut known);
    outcome.map_err(|refusal| {
        let token = known.filter(|token| token::checked(Some(token)).is_ok());
        let token = token.and_then(|token| token.as_str().map(str::to_owned));
        Refused { refusal, events: count, token }
    })
}

fn check(
    request: &RawRequest,
    body: &Value,
    form: &[(String, Vec<u8>)],
    texts: &[String],
    token: &mut Option<Value>,
) -> Result<Accepted, Refusal> {
    let elements = texts.iter().map(|text| element(text)).collect::<Result<Vec<_>, _>>()?;
    let sent_at = sent_at(request, body, form)?;
    if elements.is_empty() {
        return Err(Refusal::NoEvent);
    }
    let shared = token.is_some();
    let mut events = Vec::new();
    for element in &elements {
        if !shared && let Some(own) = token::of_event(&element.object) {
            match token {
                Some(token) if *token != own => return Err(Refusal::MixedTokens),
                _ => *token = Some(own),
            }
        }
        events.push(captured(element, request.is_engage())?);
    }
    Ok(Accepted { token: token::checked(token.as_ref())?, sent_at, events })
}

/// An event object of an accepted request, taken apart once more. One without a name can only have come by `/engage`.
pub(crate) fn accepted(text: &str) -> Option<Captured> {
    captured(&element(text).ok()?, true).ok()
}

/// The texts of the event objects, byte for byte.
fn element_texts(json: &str, body: &Value) -> Result<Vec<String>, Refusal> {
    #[derive(Deserialize)]
    struct Wrapper<'a>(#[serde(borrow)] std::collections::BTreeMap<String, &'a RawValue>);

    let list = |text: &str| -> Vec<String> {
        let items: Vec<&RawValue> = serde_json::from_str(text).expect("invariant: it is a JSON list");
        items.into_iter().map(|item| item.get().to_owned()).collect()
    };
    match body {
        Value::Array(_) => Ok(list(json)),
        Value::Object(object) => match object.get("batch") {
            None | Some(Value::Null) => Ok(vec![json.trim().to_owned()]),
            Some(Value::Array(_)) => {
                let wrapper: Wrapper = serde_json::from_str(json).expect("invariant: it is a JSON object");
                Ok(list(wrapper.0["batch"].get()))
            }
            Some(_) => Err(Refusal::Parse("batch is not a list".to_owned())),
        },
        _ => Err(Refusal::Parse("neither an object nor a list".to_owned())),
    }
}

fn element(text: &str) -> Result<Element, Refusal> {
    let Ok(Value::Object(object)) = serde_json::from_str(text) else {
        return Err(Refusal::Parse("an event is not an object".to_owned()));
    };
    match object.get("properties") {
        None | Some(Value::Null | Value::Object(_)) => Ok(Element { text: text.to_owned(), object }),
        Some(_) => Err(Refusal::Parse("properties is not an object".to_owned())),
    }
}

/// Query `_`, then the body's, then the form's; one for the whole request. A list has none of its own.
fn sent_at(request: &RawRequest, body: &Value, form: &[(String, Vec<u8>)]) -> Result<Option<String>, Refusal> {
    let in_body = match body.get("sent_at") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()).filter(|text| !text.is_empty()),
        Some(_) => return Err(Refusal::Parse("sent_at is not a string".to_owned())),
    };
    let in_form = || form_field(form, "sent_at").map(|text| String::from_utf8_lossy(&text).into_owned());
    Ok(request.query_sent_at_ms().map(iso_text).or(in_body).or_else(in_form).filter(|text| !text.is_empty()))
}

fn captured(element: &Element, engage: bool) -> Result<Captured, Refusal> {
    let name = match element.object.get("event") {
        Some(Value::String(name)) if !name.is_empty() => name.clone(),
        None | Some(Value::Null | Value::String(_)) if engage => "$identify".to_owned(),
        None | Some(Value::Null | Value::String(_)) => return Err(Refusal::EmptyName),
        Some(other) => other.to_string(),
    };
    let distinct_id = distinct_id(element)?;
    let client_uuid = match element.object.get("uuid") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(python_uuid(text).ok_or_else(|| Refusal::Parse("invalid uuid".to_owned()))?),
        Some(_) => return Err(Refusal::Parse("uuid is not a string".to_owned())),
    };
    let property = |key: &str| element.properties().and_then(|properties| properties.get(key));
    if name == "$snapshot" && property("$snapshot_data").is_none_or(Value::is_null) {
        return Err(Refusal::NoSnapshotData);
    }
    if element.text.len() > MAX_EVENT_BYTES {
        return Err(Refusal::EventTooLarge);
    }
    Ok(Captured {
        client_uuid,
        name,
        distinct_id,
        internal: property("capture_internal").is_some_and(|flag| !matches!(flag, Value::Null | Value::Bool(false))),
        data: element.object.clone(),
        payload_hash: Sha256::digest(&element.text).into(),
    })
}

/// The top level beats the one inside properties (SPEC 1.13); a number or object becomes its JSON text.
fn distinct_id(element: &Element) -> Result<String, Refusal> {
    let places = [
        element.object.get("distinct_id"),
        element.object.get("$distinct_id"),
        element.properties().and_then(|properties| properties.get("distinct_id")),
    ];
    let present: Vec<String> = places
        .into_iter()
        .flatten()
        .filter(|value| !value.is_null())
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect();
    match present.iter().find(|text| !text.is_empty()) {
        Some(text) => Ok(text.chars().take(MAX_DISTINCT_ID).collect()),
        None if present.is_empty() => Err(Refusal::NoDistinctId),
        None => Err(Refusal::EmptyDistinctId),
    }
}

/// Any form that Python's `uuid.UUID` reads: `urn:uuid:`, braces and dashes are taken off wherever they are.
fn python_uuid(text: &str) -> Option<Uuid> {
    let bare = text.replace("urn:", "").replace("uuid:", "");
    let digits = bare.trim_matches(['{', '}']).replace('-', "");
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(Uuid::from_u128)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn post(path: &str, body: &str) -> RawRequest {
        RawRequest { method: "POST".to_owned(), path: path.to_owned(), body: body.into(), ..RawRequest::default() }
    }

    fn refusal(path: &str, body: &Value) -> String {
        read(&post(path, &body.to_string())).unwrap_err().refusal.to_string()
    }

    #[test]
    fn distinct_ids() {
        for (event, expected) in [
            (json!({"distinct_id": "a", "$distinct_id": "b", "properties": {"distinct_id": "c"}}), "a"),
            (json!({"distinct_id": "", "$distinct_id": null, "properties": {"distinct_id": "c"}}), "c"),
            (json!({"distinct_id": null, "$distinct_id": "b"}), "b"),
            (json!({"distinct_id": 12}), "12"),
            (json!({"distinct_id": false}), "false"),
            (json!({"distinct_id": {"b": [1.0]}}), r#"{"b":[1.0]}"#),
        ] {
            let mut event = event;
            event["event"] = json!("x");
            event["token"] = json!("t");
            let accepted = read(&post("/e", &event.to_string())).unwrap();
            assert_eq!(accepted.events[0].distinct_id, expected);
        }
        let long = json!({"event": "x", "token": "t", "distinct_id": "ü".repeat(201)});
        assert_eq!(read(&post("/e", &long.to_string())).unwrap().events[0].distinct_id, "ü".repeat(200));
    }

    #[test]
    fn refusals() {
        let event = |extra: Value| {
            let mut event = json!({"event": "x", "distinct_id": "d", "token": "t"});
            for (key, value) in extra.as_object().unwrap() {
                event[key] = value.clone();
            }
            event
        };
        for (body, expected) in [
            (json!([]), "request holds no event"),
            (json!({"batch": [], "token": "t"}), "request holds no event"),
            (json!({"batch": {}, "token": "t"}), "failed to parse request: batch is not a list"),
            (json!("x"), "failed to parse request: neither an object nor a list"),
            (json!([event(json!({})), 1]), "failed to parse request: an event is not an object"),
            (event(json!({"event": ""})), "event submitted with an empty event name"),
            (event(json!({"event": null})), "event submitted with an empty event name"),
            (event(json!({"distinct_id": ""})), "event submitted with an empty distinct_id"),
            (event(json!({"distinct_id": null})), "event submitted without a distinct_id"),
            (event(json!({"properties": []})), "failed to parse request: properties is not an object"),
            (event(json!({"uuid": "no"})), "failed to parse request: invalid uuid"),
            (event(json!({"uuid": 5})), "failed to parse request: uuid is not a string"),
            (event(json!({"sent_at": 5})), "failed to parse request: sent_at is not a string"),
            (event(json!({"event": "$snapshot"})), "replay event submitted without snapshot data"),
            (event(json!({"x": "y".repeat(MAX_EVENT_BYTES)})), "maximum event size exceeded"),
            (event(json!({"token": null})), "event submitted without an api_key"),
            (event(json!({"token": 5})), "API key is not valid: not_string"),
            (event(json!({"token": "t".repeat(65)})), "API key is not valid: too_long"),
            (event(json!({"token": "tü"})), "API key is not valid: not_ascii"),
            (event(json!({"token": "phx_t"})), "API key is not valid: personal_api_key"),
            (
                json!([event(json!({})), event(json!({"token": "u"}))]),
                "batch submitted with inconsistent api_key values",
            ),
            // The first event's fault comes before the second's token.
            (
                json!([event(json!({"distinct_id": ""})), event(json!({"token": "u"}))]),
                "event submitted with an empty distinct_id",
            ),
        ] {
            assert_eq!(refusal("/e", &body), expected, "{body}");
        }
    }

    #[test]
    fn engage_names_the_nameless() {
        let body = json!({"batch": [{"distinct_id": "d"}, {"event": "x", "distinct_id": "d"}], "token": "t"});
        let accepted = read(&post("/engage/", &body.to_string())).unwrap();
        assert_eq!(accepted.events[0].name, "$identify");
        assert_eq!(accepted.events[1].name, "x");
    }

    #[test]
    fn uuids_in_any_form_of_python() {
        let expected = Uuid::parse_str("0189c2d4-0000-7000-8000-00000000000a").unwrap();
        for text in [
            "0189c2d4-0000-7000-8000-00000000000a",
            "0189C2D400007000800000000000000A",
            "{0189c2d4-0000-7000-8000-00000000000a}",
            "urn:uuid:0189c2d4-0000-7000-8000-00000000000a",
            "0189-c2d400007000800000000000-000a",
        ] {
            assert_eq!(python_uuid(text), Some(expected), "{text}");
        }
        assert_eq!(python_uuid("0189c2d4-0000-7000-8000-00000000000"), None);
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        let body = r#"{"batch":[1],"token":"t","batch":[{"event":"a","event":"b","distinct_id":"d"}]}"#;
        let accepted = read(&post("/e", body)).unwrap();
        assert_eq!(accepted.events.len(), 1);
        assert_eq!(accepted.events[0].name, "b");
    }
}
