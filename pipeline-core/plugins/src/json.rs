//! Whether two JSON texts say the same.
//!
//! Called for every event that a plugin returned, so it walks both texts side by side, stops at the first
//! difference, and reads a value only where its text differs.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// True when the texts are equal or parse to equal values; 1 and 1.0 are the same number, as they are
/// to JavaScript. Text that is not JSON equals only itself.
pub fn same(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    if left.starts_with('{') && right.starts_with('{') {
        return match (serde_json::from_str::<Fields<'_>>(left), serde_json::from_str::<Fields<'_>>(right)) {
            (Ok(left), Ok(right)) => same_fields(&left.0, &right.0),
            _ => false,
        };
    }
    match (serde_json::from_str(left), serde_json::from_str(right)) {
        (Ok(left), Ok(right)) => equal(&left, &right),
        _ => false,
    }
}

/// An object whose values are still text.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(24);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

fn same_fields(left: &[(Cow<'_, str>, &RawValue)], right: &[(Cow<'_, str>, &RawValue)]) -> bool {
    left.len() == right.len()
        && left.iter().enumerate().all(|(place, (key, value))| {
            // Nearly always in the same place.
            let counterpart = match right.get(place) {
                Some((other, value)) if other == key => Some(value),
                _ => right.iter().find(|(other, _)| other == key).map(|(_, value)| value),
            };
            counterpart.is_some_and(|other| same(value.get(), other.get()))
        })
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn compares_by_meaning() {
        assert!(same(r#"{"a":1,"b":[1.0]}"#, r#"{ "b": [1], "a": 1.0 }"#));
        assert!(same(r#"{"a":{"b":"\u0041","c":[{"d":2}]}}"#, r#"{"a":{"c":[{"d":2.0}],"b":"A"}}"#));
        assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":null}"#));
        assert!(!same(r#"{"a":"1"}"#, r#"{"a":1}"#));
        assert!(!same(r#"{"a":{"b":1}}"#, r#"{"a":{"b":2}}"#));
    }
}
