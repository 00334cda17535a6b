//! What differs between an expectation and what was, by JSON path.
//!
//! `"*"` stands for any value, `*` in a text for any run of characters (`\*` for a star itself),
//! `{"$contains": …}` for a part of an object, a list or a text, `{"$absent": true}` for a field that is not
//! there. Numbers are equal when they are the same number, however they are written.

use serde::Serialize;
use serde_json::{Map, Value};

/// One place that is not as expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// `events[0].properties.$current_url`
    pub path: String,
    /// Absent when nothing was expected there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// Absent when nothing was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
}

pub fn differences(path: &str, expected: &Value, actual: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(path, expected, actual, &mut found);
    found
}

/// Whether a value is as a pattern says.
pub fn fits(expected: &Value, actual: &Value) -> bool {
    differences("", expected, actual).is_empty()
}

/// Whether the pattern fits as a part.
pub fn contains(expected: &Value, actual: &Value) -> bool {
    let mut found = Vec::new();
    part("", expected, actual, &mut found);
    found.is_empty()
}

fn compare(path: &str, expected: &Value, actual: &Value, found: &mut Vec<Difference>) {
    if let Some(wanted) = operator(expected, "$contains") {
        let is_in_text = |wanted: &str| actual.as_str().is_some_and(|text| text.contains(wanted));
        if !wanted.as_str().is_some_and(is_in_text) {
            part(path, wanted, actual, found);
        }
        return;
    }
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            fields(path, expected, actual, compare, found);
            for (key, value) in actual.iter().filter(|(key, _)| !expected.contains_key(*key)) {
                found.push(Difference { path: below(path, key), expected: None, actual: Some(value.clone()) });
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            for place in 0..expected.len().max(actual.len()) {
                let path = format!("{path}[{place}]");
                match (expected.get(place), actual.get(place)) {
                    (Some(expected), Some(actual)) => compare(&path, expected, actual, found),
                    (expected, actual) => {
                        found.push(Difference { path, expected: expected.cloned(), actual: actual.cloned() });
                    }
                }
            }
        }
        _ if same(expected, actual) => {}
        _ => found.push(Difference {
            path: path.to_owned(),
            expected: Some(expected.clone()),
            actual: Some(actual.clone()),
        }),
    }
}

fn part(path: &str, expected: &Value, actual: &Value, found: &mut Vec<Difference>) {
    let differs = || Difference {
        path: path.to_owned(),
        expected: Some(Value::Object(Map::from_iter([("$contains".to_owned(), expected.clone())]))),
        actual: Some(actual.clone()),
    };
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => fields(path, expected, actual, part, found),
        (Value::Array(expected), Value::Array(actual)) => {
            let mut left = actual.iter();
            if !expected.iter().all(|wanted| left.any(|value| contains(wanted, value))) {
                found.push(differs());
            }
        }
        _ if operator(expected, "$contains").is_some() => compare(path, expected, actual, found),
        _ if same(expected, actual) => {}
        _ => found.push(differs()),
    }
}

/// What differs between two values in which nothing stands for anything but itself.
pub fn changes(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    exact("", before, after, &mut found);
    found
}

fn exact(path: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                match after.get(key) {
                    Some(other) => exact(&below(path, key), value, other, found),
                    None => {
                        found.push(Difference { path: below(path, key), expected: Some(value.clone()), actual: None });
                    }
                }
            }
            for (key, value) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                found.push(Difference { path: below(path, key), expected: None, actual: Some(value.clone()) });
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for place in 0..before.len().max(after.len()) {
                let path = format!("{path}[{place}]");
                match (before.get(place), after.get(place)) {
                    (Some(before), Some(after)) => exact(&path, before, after, found),
                    (before, after) => {
                        found.push(Difference { path, expected: before.cloned(), actual: after.cloned() });
                    }
                }
            }
        }
        (Value::Number(one), Value::Number(other)) if one == other || one.as_f64() == other.as_f64() => {}
        _ if before == after => {}
        _ => found.push(Difference {
            path: path.to_owned(),
            expected: Some(before.clone()),
            actual: Some(after.clone()),
        }),
    }
}

type Compare = fn(&str, &Value, &Value, &mut Vec<Difference>);

/// The fields that are expected.
fn fields(
    path: &str,
    expected: &Map<String, Value>,
    actual: &Map<String, Value>,
    compare: Compare,
    found: &mut Vec<Difference>,
) {
    for (key, wanted) in expected {
        let path = below(path, key);
        let is_absent = operator(wanted, "$absent") == Some(&Value::Bool(true));
        match actual.get(key) {
            Some(value) if is_absent => {
                found.push(Difference { path, expected: Some(wanted.clone()), actual: Some(value.clone()) });
            }
            Some(value) => compare(&path, wanted, value, found),
            None if is_absent => {}
            None => found.push(Difference { path, expected: Some(wanted.clone()), actual: None }),
        }
    }
}

fn operator<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.get(name))
}

fn same(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::String(pattern), _) if pattern == "*" => true,
        (Value::String(pattern), Value::String(text)) => matches(pattern, text),
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => expected == actual,
    }
}

/// A text with `*` for any run of characters.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pieces = pieces(pattern);
    let [first, between @ .., last] = pieces.as_slice() else {
        return pieces.first().is_none_or(|piece| piece == text);
    };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for piece in between {
        let Some(at) = rest.find(piece.as_str()) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last.as_str())
}

/// What stands before, between and after the stars.
fn pieces(pattern: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut characters = pattern.chars().peekable();
    let mut current = String::new();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&'*') => {
                characters.next();
                current.push('*');
            }
            '*' => pieces.push(std::mem::take(&mut current)),
            other => current.push(other),
        }
    }
    pieces.push(current);
    pieces
}

/// A text as a pattern that fits it and nothing else.
pub fn literal(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('*', "\\*")),
        Value::Array(list) => Value::Array(list.iter().map(literal).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), literal(value))).collect())
        }
        other => other.clone(),
    }
}

fn below(path: &str, key: &str) -> String {
    let is_plain = !key.is_empty()
        && key.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '$' | '-'));
    let separator = if path.is_empty() || !is_plain { "" } else { "." };
    if is_plain { format!("{path}{separator}{key}") } else { format!("{path}[{}]", Value::from(key)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(expected: Value, actual: Value) -> Vec<String> {
        differences("e", &expected, &actual).into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn differences_name_their_place() {
        let actual = json!({"a": 1.0, "b": {"c d": [1, 2]}, "extra": null});
        assert_eq!(paths(json!({"a": 1, "b": {"c d": [1, 2]}, "extra": null}), actual.clone()), Vec::<String>::new());
        assert_eq!(
            paths(json!({"a": 2, "b": {"c d": [1, 3, 4]}, "gone": 1}), actual),
            ["e.a", "e.b[\"c d\"][1]", "e.b[\"c d\"][2]", "e.gone", "e.extra"]
        );
        assert_eq!(paths(json!(null), json!({})), ["e"]);
    }

    #[test]
    fn in_changes_nothing_stands_for_anything_else() {
        let told = |before: Value, after: Value| {
            let side = |value: Option<Value>| value.map_or("-".to_owned(), |value| value.to_string());
            let told = changes(&before, &after).into_iter();
            told.map(|change| format!("{} {} {}", change.path, side(change.expected), side(change.actual)))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            told(json!({"a": "*", "b": [1, 2], "c": {"$absent": true}}), json!({"a": "x", "b": [1.0], "d": null})),
            ["a \"*\" \"x\"", "b[1] 2 -", "c {\"$absent\":true} -", "d - null"]
        );
        assert_eq!(told(json!({"a": {"b": [{"c": 1}]}}), json!({"a": {"b": [{"c": 2}]}})), ["a.b[0].c 1 2"]);
    }

    #[test]
    fn stars_stand_for_runs_of_characters() {
        for (pattern, text, wanted) in [
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "abcd", false),
            ("*", "", true),
            ("*b*", "abc", true),
            ("a**c", "axc", true),
            ("*ab", "aab", true),
            ("a*b*a", "aba", true),
            ("a*ba", "aba", true),
            ("ab*ba", "aba", false),
            ("5 \\* 3", "5 * 3", true),
            ("5 \\* 3", "5 x 3", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} on {text}");
            assert!(matches(&text.replace('*', "\\*"), text));
        }
        assert!(fits(&json!("*"), &json!([1])) && fits(&json!({"a": "*"}), &json!({"a": null})));
        assert!(!fits(&json!({"a": "*"}), &json!({})), "any value, but one");
        assert!(fits(&literal(&json!({"a": ["*"]})), &json!({"a": ["*"]})));
        assert!(!fits(&literal(&json!({"a": ["*"]})), &json!({"a": ["x"]})));
    }

    #[test]
    fn parts_and_absences() {
        let actual = json!({"a": {"b": 1, "c": [1, 2, 3]}, "t": "hello"});
        assert!(fits(&json!({"$contains": {"a": {"c": [1, 3]}}}), &actual));
        assert!(!fits(&json!({"$contains": {"a": {"c": [3, 1]}}}), &actual), "lists keep their order");
        assert!(fits(&json!({"a": {"$contains": {"b": 1}}, "t": {"$contains": "ell"}}), &actual));
        assert!(fits(&json!({"$contains": {"a": {"x": {"$absent": true}}}}), &actual));
        assert_eq!(paths(json!({"$contains": {"t": {"$absent": true}}}), actual.clone()), ["e.t"]);
        assert_eq!(paths(json!({"$contains": {"a": {"b": 2}}}), actual), ["e.a.b"]);
    }
}
