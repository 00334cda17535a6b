//! Equality of JSON as the pipeline means it: numbers are doubles (1 is 1.0), the order of keys says nothing.

use serde_json::{Map, Value};

pub fn same_json(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_json(left, right))
        }
        (Value::Object(left), Value::Object(right)) => same_map(left, right),
        _ => left == right,
    }
}

pub fn same_map(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    left.len() == right.len()
        && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same_json(value, other)))
}

/// The same value in the one form that `same_json` values share, so that text comparison and sorting work: keys in
/// order, whole numbers without a fraction.
pub fn canonical_json(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(double) if double.fract() == 0.0 && double.abs() < 9e15 => Value::from(double as i64),
            Some(double) => Value::from(double),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(canonical_json).collect(),
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().map(|(key, value)| (key.clone(), canonical_json(value))).collect();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(entries.into_iter().collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_doubles_and_keys_have_no_order() {
        assert!(same_json(&json!({"a": 1, "b": [2.0]}), &json!({"b": [2], "a": 1.0})));
        assert!(!same_json(&json!({"a": 1}), &json!({"a": "1"})));
        assert!(!same_json(&json!({"a": null}), &json!({})));
        assert!(!same_json(&json!([1, 2]), &json!([2, 1])));
        let (left, right) = (json!({"b": 1.0, "a": {"d": 0.5, "c": 3}}), json!({"a": {"c": 3.0, "d": 0.5}, "b": 1}));
        assert_eq!(canonical_json(&left).to_string(), canonical_json(&right).to_string());
    }
}
