//! The few fields of a JSON object that capture looks at; the rest is skipped unread, so that an event
//! is kept byte for byte.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::CaptureError;

/// Of an event, of a wrapper around events, and of an event's properties: what is asked for differs, not
/// how it is read. Of a field that is there twice the last counts, as in JavaScript.
#[derive(Debug, Default, Clone, Copy)]
pub struct Fields<'a> {
    pub event: Option<&'a RawValue>,
    pub distinct_id: Option<&'a RawValue>,
    pub dollar_distinct_id: Option<&'a RawValue>,
    pub properties: Option<&'a RawValue>,
    pub uuid: Option<&'a RawValue>,
    pub token: Option<&'a RawValue>,
    pub dollar_token: Option<&'a RawValue>,
    pub api_key: Option<&'a RawValue>,
    pub batch: Option<&'a RawValue>,
    pub sent_at: Option<&'a RawValue>,
    pub snapshot_data: Option<&'a RawValue>,
    pub capture_internal: Option<&'a RawValue>,
}

impl<'a> Fields<'a> {
    pub fn read(raw: &'a RawValue) -> Result<Self, CaptureError> {
        serde_json::from_str(raw.get()).map_err(|error| CaptureError::Parse(error.to_string()))
    }
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
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
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
                        "$snapshot_data" => &mut fields.snapshot_data,
                        "capture_internal" => &mut fields.capture_internal,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
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

/// Neither absent nor null.
pub fn present(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != "null")
}

/// A string as it is, anything else as compact JSON text; absent, null and "" are nothing.
pub fn text_of(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let raw = present(raw)?.get();
    let text = if raw.starts_with('"') { string(raw)? } else { Cow::Owned(compact(raw)) };
    (!text.is_empty()).then_some(text)
}

/// The value of a JSON string, borrowed unless it holds escapes.
pub fn string(raw: &str) -> Option<Cow<'_, str>> {
    // `Cow` itself would be read as owned.
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

fn compact(raw: &str) -> String {
    serde_json::from_str::<Value>(raw).map_or_else(|_| raw.to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    #[test]
    fn every_value_has_a_text() {
        for (json, text) in [
            ("\"a\"", Some("a")),
            ("\"a\\n\\u00e4\"", Some("a\nä")),
            ("12", Some("12")),
            ("1.50", Some("1.5")),
            ("false", Some("false")),
            ("{ \"a\" : [ 1 ] }", Some("{\"a\":[1]}")),
            ("\"\"", None),
            ("null", None),
        ] {
            assert_eq!(text_of(Some(&raw(json))).as_deref(), text, "{json}");
        }
        assert_eq!(text_of(None), None);
    }

    #[test]
    fn of_a_field_given_twice_the_last_counts() {
        let raw = raw(r#"{"event":"a","ev\u0065nt":"b"}"#);
        assert_eq!(text_of(Fields::read(&raw).expect("an object").event).as_deref(), Some("b"));
    }

    #[test]
    fn only_objects_have_fields() {
        for json in ["1", "[]", "\"a\"", "null"] {
            assert!(matches!(Fields::read(&raw(json)), Err(CaptureError::Parse(_))), "{json}");
        }
    }
}
