//! An event in a row of an export, under any of the names that its parts have.

use std::borrow::Cow;

use serde_json::{Map, Value};
use weir_event::clock::UnixMillis;
use weir_event::js_date;

use super::ProfileError;

#[derive(Debug)]
pub struct Row<'r> {
    pub event: &'r str,
    pub uuid: Option<&'r str>,
    pub distinct_id: Cow<'r, str>,
    pub at_ms: Option<UnixMillis>,
    pub properties: Cow<'r, Map<String, Value>>,
}

/// Columns are called by the API, by the store and by exports of the event list.
const EVENT: [&str; 2] = ["event", "event_name"];
const UUID: [&str; 3] = ["uuid", "id", "event_uuid"];
const DISTINCT_ID: [&str; 5] = ["distinct_id", "$distinct_id", "properties.distinct_id", "person_id", "person.id"];
const TIME: [&str; 4] = ["timestamp", "time", "created_at", "_timestamp"];
/// Columns of single properties.
const PREFIX: &str = "properties.";

impl<'r> Row<'r> {
    pub fn read(row: &'r Value) -> Result<Self, ProfileError> {
        let find = |names: &[&str]| names.iter().find_map(|name| row.get(*name)).filter(|value| !value.is_null());
        let event = find(&EVENT).and_then(Value::as_str).filter(|name| !name.is_empty()).ok_or(ProfileError::NoName)?;
        let mut properties = match row.get("properties") {
            None | Some(Value::Null) => Cow::Owned(Map::new()),
            Some(Value::Object(properties)) => Cow::Borrowed(properties),
            // The store's JSON columns come as text.
            Some(Value::String(text)) => Cow::Owned(
                serde_json::from_str(text).map_err(|_| ProfileError::Properties { event: event.to_owned() })?,
            ),
            Some(_) => return Err(ProfileError::Properties { event: event.to_owned() }),
        };
        for (name, value) in row.as_object().into_iter().flatten() {
            if let Some(name) = name.strip_prefix(PREFIX) {
                properties.to_mut().insert(name.to_owned(), value.clone());
            }
        }
        let distinct_id = match find(&DISTINCT_ID).or_else(|| properties.get("distinct_id")) {
            Some(Value::String(text)) => Cow::Owned(text.clone()),
            Some(other) => Cow::Owned(other.to_string()),
            None => Cow::Borrowed(""),
        };
        let at_ms = match find(&TIME) {
            Some(Value::String(text)) => js_date::parse(text),
            Some(Value::Number(number)) => number.as_i64(),
            _ => None,
        };
        Ok(Self { event, uuid: find(&UUID).and_then(Value::as_str), distinct_id, at_ms, properties })
    }
}
