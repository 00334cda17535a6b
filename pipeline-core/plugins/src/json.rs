//! Whether two JSON texts say the same.

use serde_json::Value;

/// True when the texts are equal or parse to equal values; 1 and 1.0 are the same number, as they are
/// to JavaScript. Text that is not JSON equals only itself.
pub fn same(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    match (serde_json::from_str(left), serde_json::from_str(right)) {
        (Ok(left), Ok(right)) => equal(&left, &right),
        _ => false,
    }
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
        assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":null}"#));
        assert!(!same(r#"{"a":"1"}"#, r#"{"a":1}"#));
    }
}
