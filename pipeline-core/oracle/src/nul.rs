//! The reference's database cannot hold U+0000 in text; what goes there has U+FFFD in its place.

use serde_json::{Map, Value};

pub(crate) fn replaced(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// In every text of an object, keys included.
pub(crate) fn replaced_in_map(object: &Map<String, Value>) -> Map<String, Value> {
    object.iter().map(|(key, value)| (replaced(key), replaced_in(value))).collect()
}

pub(crate) fn replaced_in(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(replaced(text)),
        Value::Array(items) => items.iter().map(replaced_in).collect(),
        Value::Object(object) => Value::Object(replaced_in_map(object)),
        other => other.clone(),
    }
}
