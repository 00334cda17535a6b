//! From the JSON of a request to captured events: shapes, token, distinct ids and uuids.
//!
//! Events are kept byte for byte. Only the few fields that routing needs are looked at, and of a field
//! that is there twice the last counts, as in JavaScript.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;
use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
use weir_event::normalize;

use crate::error::CaptureError;

const TOKEN_LIMIT_CHARS: usize = 64;

/// What is known about a request besides its JSON.
#[derive(Debug, Clone, Default)]
pub struct RequestFacts {
    pub received_at_ms: i64,
    pub ip: String,
    pub site_url: String,
    /// From the query (GET) or the form; wins over the body.
    pub token: Option<String>,
    /// From the query parameter `_`, in milliseconds, or the form.
    pub sent_at: Option<String>,
    /// The path was `/engage`: a nameless event is a `$identify`.
    pub engage: bool,
    /// The path was `/batch`: an empty batch is an answer, not a mistake.
    pub batch: bool,
}

/// An unpacked request; `known_events` is how many events a refusal concerns.
#[derive(Debug)]
pub struct Payload {
    pub record: IntakeRecord,
}

/// The fields of an object that capture reads; the rest is skipped unread.
#[derive(Debug, Default)]
struct Fields<'a> {
    event: Option<&'a RawValue>,
    distinct_id: Option<&'a RawValue>,
    dollar_distinct_id: Option<&'a RawValue>,
    properties: Option<&'a RawValue>,
    uuid: Option<&'a RawValue>,
    token: Option<&'a RawValue>,
    dollar_token: Option<&'a RawValue>,
    api_key: Option<&'a RawValue>,
    batch: Option<&'a RawValue>,
    sent_at: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    let slot = match &*key {
                        "event" => &mut fields.event,
                        "distinct_id" => &mut fields.distinct_id,
                        "$distinct_id" => &mut fields.dollar_distinct_id,
                        "properties" => &mut fields.properties,
                        "uuid" => &mut fields.uuid,
                        "token" => &mut fields.token,
                        "$token" => &mut fields.dollar_token,
                        "api_key" => &mut fields.api_key,
                        "batch" => &mut fields.batch,
                        "sent_at" => &mut fields.sent_at,
                        _ => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                            continue;
                        }
                    };
                    *slot = Some(map.next_value()?);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

impl<'a> Fields<'a> {
    fn own_token(&self) -> Option<String> {
        [self.dollar_token, self.token, self.api_key].into_iter().find_map(text_of)
    }

    fn properties(&self) -> Result<Option<Fields<'a>>, CaptureError> {
        self.properties.filter(|raw| raw.get() != "null").map(parse).transpose()
    }
}

/// Unpacks the JSON of one request into the record that the intake log keeps.
///
/// Fails as a whole: one bad event refuses its request, and the error says how many events that
/// concerns.
pub fn unpack(json: &[u8], facts: RequestFacts) -> Result<Payload, (CaptureError, u32)> {
    let raw: &RawValue = serde_json::from_slice(json).map_err(|error| (CaptureError::Parse(error.to_string()), 1))?;
    let (wrapper, raws) = split(raw).map_err(|error| (error, 1))?;
    let concerned = raws.len().max(1) as u32;
    let fail = |error| (error, concerned);
    if raws.is_empty() && !facts.batch {
        return Err(fail(CaptureError::Empty));
    }

    let mut token =
        facts.token.filter(|token| !token.is_empty()).or_else(|| wrapper.as_ref().and_then(Fields::own_token));
    let from_wrapper = token.is_some();
    let mut events = Vec::with_capacity(raws.len());
    for raw in raws {
        let fields: Fields<'_> = parse(raw).map_err(fail)?;
        let properties = fields.properties().map_err(fail)?;
        let own = fields.own_token().or_else(|| properties.as_ref().and_then(|p| text_of(p.token)));
        match (&token, own) {
            (None, Some(own)) => token = Some(own),
            (Some(first), Some(own)) if !from_wrapper && *first != own => return Err(fail(CaptureError::MixedTokens)),
            _ => {}
        }
        events.push(captured(raw, &fields, properties.as_ref(), facts.engage).map_err(fail)?);
    }
    let token = token.ok_or(fail(CaptureError::MissingToken))?;
    check_token(&token).map_err(fail)?;
    let body_sent_at = wrapper.as_ref().and_then(|fields| text_of(fields.sent_at));
    let record = IntakeRecord {
        received_at_ms: facts.received_at_ms,
        token,
        ip: facts.ip,
        site_url: facts.site_url,
        sent_at: facts.sent_at.or(body_sent_at),
        body: IntakeBody::Events(events),
    };
    Ok(Payload { record })
}

/// The wrapper object, if there is one, and the events.
fn split(raw: &RawValue) -> Result<(Option<Fields<'_>>, Vec<&RawValue>), CaptureError> {
    if raw.get().trim_start().starts_with('[') {
        return Ok((None, parse_list(raw)?));
    }
    let fields: Fields<'_> = parse(raw)?;
    if let Some(batch) = fields.batch.filter(|batch| batch.get() != "null") {
        let events = parse_list(batch)?;
        Ok((Some(fields), events))
    } else {
        let sent_at = Fields { sent_at: fields.sent_at, ..Fields::default() };
        Ok((Some(sent_at), vec![raw]))
    }
}

fn captured(
    raw: &RawValue,
    fields: &Fields<'_>,
    properties: Option<&Fields<'_>>,
    engage: bool,
) -> Result<CapturedEvent, CaptureError> {
    let mut data = raw.get().to_owned();
    if text_of(fields.event).is_none_or(|name| name.is_empty()) {
        if !engage {
            return Err(CaptureError::EmptyEventName);
        }
        // The last key of a name counts, so the name is put last.
        data.truncate(data.trim_end().len() - 1);
        let separator = if data.trim_end().ends_with('{') { "" } else { "," };
        data.push_str(separator);
        data.push_str(r#""event":"$identify"}"#);
    }
    let candidates = [
        fields.distinct_id,
        fields.dollar_distinct_id,
        properties.and_then(|p| p.distinct_id),
        properties.and_then(|p| p.dollar_distinct_id),
    ];
    let present = candidates.iter().flatten().any(|raw| raw.get() != "null");
    let distinct_id = candidates.into_iter().find_map(id_text).map(normalize::truncate);
    let distinct_id =
        distinct_id.ok_or(if present { CaptureError::EmptyDistinctId } else { CaptureError::MissingDistinctId })?;
    let client_uuid = match text_of(fields.uuid) {
        None => None,
        Some(text) => Some(
            Uuid::try_parse(text.trim())
                .map_err(|error| CaptureError::Parse(format!("event field \"uuid\" is not a valid UUID: {error}")))?,
        ),
    };
    Ok(CapturedEvent {
        uuid: client_uuid.unwrap_or_else(Uuid::now_v7),
        client_uuid: client_uuid.is_some(),
        distinct_id,
        data,
    })
}

fn check_token(token: &str) -> Result<(), CaptureError> {
    let reason = if token.is_empty() {
        "empty"
    } else if token.chars().count() > TOKEN_LIMIT_CHARS {
        "too_long"
    } else if !token.is_ascii() {
        "not_ascii"
    } else if token.starts_with("phx_") {
        "personal_api_key"
    } else {
        return Ok(());
    };
    Err(CaptureError::InvalidToken(reason))
}

fn parse(raw: &RawValue) -> Result<Fields<'_>, CaptureError> {
    serde_json::from_str(raw.get()).map_err(|error| CaptureError::Parse(error.to_string()))
}

fn parse_list(raw: &RawValue) -> Result<Vec<&RawValue>, CaptureError> {
    serde_json::from_str(raw.get()).map_err(|error| CaptureError::Parse(error.to_string()))
}

/// A string as it is, another scalar or structure as JSON text, null and "" as nothing.
fn text_of(raw: Option<&RawValue>) -> Option<String> {
    id_text(raw)
}

fn id_text(raw: Option<&RawValue>) -> Option<String> {
    let text = raw?.get();
    let text = if text.starts_with('"') {
        serde_json::from_str(text).unwrap_or_else(|_| text.to_owned())
    } else {
        text.to_owned()
    };
    (!text.is_empty() && text != "null").then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn unpacked(body: &Value) -> Result<IntakeRecord, CaptureError> {
        unpack(body.to_string().as_bytes(), RequestFacts::default()).map(|p| p.record).map_err(|(error, _)| error)
    }

    fn events(record: &IntakeRecord) -> &[CapturedEvent] {
        match &record.body {
            IntakeBody::Events(events) => events,
            IntakeBody::EdgeRejections { .. } => &[],
        }
    }

    #[test]
    fn single_list_and_batch_are_the_same() {
        let event = json!({"event": "e", "distinct_id": "d", "api_key": "t"});
        for body in [event.clone(), json!([event]), json!({"api_key": "t", "batch": [event]})] {
            let record = unpacked(&body).expect("a valid body");
            assert_eq!(record.token, "t");
            assert_eq!(events(&record).len(), 1);
            assert_eq!(events(&record)[0].data, event.to_string());
        }
    }

    #[test]
    fn the_top_level_distinct_id_wins_and_everything_has_a_text() {
        let id = |event: Value| {
            unpacked(&json!({"api_key": "t", "batch": [event]})).map(|r| events(&r)[0].distinct_id.clone())
        };
        assert_eq!(id(json!({"event": "e", "distinct_id": "a", "properties": {"distinct_id": "b"}})), Ok("a".into()));
        assert_eq!(id(json!({"event": "e", "properties": {"distinct_id": "b"}})), Ok("b".into()));
        assert_eq!(id(json!({"event": "e", "distinct_id": 12})), Ok("12".into()));
        assert_eq!(id(json!({"event": "e", "distinct_id": ""})), Err(CaptureError::EmptyDistinctId));
        assert_eq!(id(json!({"event": "e"})), Err(CaptureError::MissingDistinctId));
        assert_eq!(id(json!({"event": "", "distinct_id": "a"})), Err(CaptureError::EmptyEventName));
    }

    #[test]
    fn tokens_are_found_and_compared() {
        let event = |token: &str| json!({"event": "e", "distinct_id": "d", "properties": {"token": token}});
        assert_eq!(unpacked(&json!([event("a"), event("a")])).map(|r| r.token), Ok("a".into()));
        assert_eq!(unpacked(&json!([event("a"), event("b")])), Err(CaptureError::MixedTokens));
        assert_eq!(unpacked(&json!({"event": "e", "distinct_id": "d"})), Err(CaptureError::MissingToken));
        assert_eq!(unpacked(&event("phx_1")), Err(CaptureError::InvalidToken("personal_api_key")));
    }

    #[test]
    fn of_a_field_given_twice_the_last_counts() {
        let body = br#"{"event":"a","event":"b","distinct_id":"x","distinct_id":"y","api_key":"t"}"#;
        let payload = unpack(body, RequestFacts::default()).expect("a valid body");
        assert_eq!(events(&payload.record)[0].distinct_id, "y");
    }

    #[test]
    fn engage_names_the_nameless() {
        let facts = RequestFacts { engage: true, ..RequestFacts::default() };
        let payload = unpack(br#"{"distinct_id":"x","api_key":"t"}"#, facts).expect("a valid body");
        let data: Value = serde_json::from_str(&events(&payload.record)[0].data).expect("still JSON");
        assert_eq!(data["event"], "$identify");
    }
}
