//! JavaScript's view of a JSON value, in which PostHog's rules are written.

use serde_json::{Number, Value};

/// `String(value)`.
pub fn string(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number_text(number),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let item = |item: &Value| if item.is_null() { String::new() } else { string(item) };
            items.iter().map(item).collect::<Vec<_>>().join(",")
        }
        Value::Object(_) => "[object Object]".into(),
    }
}

fn number_text(number: &Number) -> String {
    const EXACT: f64 = 1e21;
    const SMALL: f64 = 1e-6;
    let Some(float) = number.as_f64() else { return number.to_string() };
    if float == 0.0 {
        return "0".into();
    }
    if float.abs() >= EXACT || float.abs() < SMALL {
        let text = format!("{float:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
            _ => text,
        };
    }
    format!("{float}")
}

/// Whether nothing is left of a text when it is trimmed: the byte order mark is white space, NEL is not.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}'))
}

/// Whether two values are the same to JavaScript once both are parsed: numbers as doubles, objects
/// whatever the order of their keys.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

/// Puts U+FFFD where a text holds NUL, which some databases and most tools cannot take.
pub fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// The same in every text of a value, keys too.
pub fn value_without_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{fffd}"),
        Value::Array(items) => items.iter_mut().for_each(value_without_nul),
        Value::Object(object) => {
            object.values_mut().for_each(value_without_nul);
            if object.keys().any(|key| key.contains('\0')) {
                let entries = std::mem::take(object);
                object.extend(entries.into_iter().map(|(key, value)| (without_nul(key), value)));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_become_text_as_in_javascript() {
        let cases = [
            (json!(123), "123"),
            (json!(1.0), "1"),
            (json!(-0.0), "0"),
            (json!(0.1), "0.1"),
            (json!(1e21), "1e+21"),
            (json!(1.5e-7), "1.5e-7"),
            (json!(true), "true"),
            (json!([1, [2, null], "x"]), "1,2,,x"),
            (json!({"a": 1}), "[object Object]"),
        ];
        for (value, text) in cases {
            assert_eq!(string(&value), text);
        }
    }

    #[test]
    fn blank_is_what_javascript_trims() {
        assert!(["", " ", "\t\n\u{a0}\u{feff}\u{2028}\u{3000}"].into_iter().all(is_blank));
        assert!(!["-", "\u{85}", "\u{200b}"].into_iter().any(is_blank));
    }

    #[test]
    fn equality_is_of_values_not_of_spelling() {
        assert!(same(&json!({"a": 1, "b": [2.0]}), &json!({"b": [2], "a": 1.0})));
        assert!(!same(&json!({"a": 1}), &json!({"a": 1, "b": null})));
        assert!(!same(&json!("1"), &json!(1)));
    }

    #[test]
    fn nul_is_replaced_at_every_depth() {
        let mut value = json!({"a\0": ["b\0", {"c": "\0"}]});
        value_without_nul(&mut value);
        assert_eq!(value, json!({"a\u{fffd}": ["b\u{fffd}", {"c": "\u{fffd}"}]}));
    }
}
