//! Events against rules. Only rules of a config field, and without patterns that two kinds of regular expressions might
//! read differently.

use serde_json::{Map, Value, json};

use super::{Config, text};
use crate::oracle::Twin;
use crate::same::same_json;

struct SchemaEnforcer {
    rules: Map<String, Value>,
    drops: bool,
    drops_unknown: bool,
}

pub(super) fn make(config: &Config) -> Option<Box<dyn Twin>> {
    let source = Some(text(config, "rules")).filter(|text| !text.is_empty()).unwrap_or("{}");
    let rules: Map<String, Value> = serde_json::from_str(source).ok()?;
    let patterns = rules.values().flat_map(|rule| rule["properties"].as_object().into_iter().flat_map(Map::values));
    let is_plain = |rule: &Value| rule["pattern"].as_str().is_none_or(|pattern| letters_of(pattern).is_some());
    patterns.into_iter().all(is_plain).then(|| {
        let drops = text(config, "on_violation") == "drop";
        let drops_unknown = text(config, "unknown_events") == "drop";
        Box::new(SchemaEnforcer { rules, drops, drops_unknown }) as Box<dyn Twin>
    })
}

/// `^[A-Z]{n}$`, which is what codes of currencies and countries look like, is the one pattern that is understood.
fn letters_of(pattern: &str) -> Option<usize> {
    pattern.strip_prefix("^[A-Z]{")?.strip_suffix("}$")?.parse().ok()
}

impl Twin for SchemaEnforcer {
    fn process(&mut self, mut event: Map<String, Value>) -> Option<Map<String, Value>> {
        let name = event.get("event").and_then(Value::as_str).unwrap_or_default();
        let Some(rule) = self.rules.get(name) else { return (!self.drops_unknown).then_some(event) };
        let found = match event.get("properties") {
            Some(Value::Object(properties)) => violations(properties, rule),
            _ => violations(&Map::new(), rule),
        };
        if !found.is_empty() {
            if self.drops {
                return None;
            }
            event["properties"]["$schema_violations"] = json!(found);
        }
        Some(event)
    }
}

fn violations(properties: &Map<String, Value>, rule: &Value) -> Vec<String> {
    let is_there = |name: &str| properties.get(name).is_some_and(|value| !value.is_null());
    let required: Vec<&str> = rule["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut found: Vec<String> =
        required.iter().filter(|name| !is_there(name)).map(|name| format!("{name} is missing")).collect();
    let none = Map::new();
    let rules = rule["properties"].as_object().unwrap_or(&none);
    for (name, rule) in rules.iter().filter(|(name, _)| is_there(name)) {
        found.extend(broken(&properties[name], rule).into_iter().map(|what| format!("{name} {what}")));
    }
    if rule["additional"] == false {
        let is_unknown =
            |name: &&String| !name.starts_with('$') && !rules.contains_key(*name) && !required.contains(&name.as_str());
        found.extend(properties.keys().filter(is_unknown).map(|name| format!("{name} is not in the schema")));
    }
    found
}

fn broken(value: &Value, rule: &Value) -> Vec<String> {
    let types: Vec<&str> = match &rule["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|kind| is_of(value, kind)) {
        return vec![format!("is {}, not {}", type_of(value), types.join(" or "))];
    }
    let mut found = Vec::new();
    if let Some(choices) = rule["enum"].as_array()
        && !choices.iter().any(|choice| same_json(choice, value))
    {
        let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
        found.push(format!("is none of {}", choices.join(", ")));
    }
    if let Some(text) = value.as_str() {
        if let Some(pattern) = rule["pattern"].as_str()
            && let Some(letters) = letters_of(pattern)
            && !(text.len() == letters && text.bytes().all(|byte| byte.is_ascii_uppercase()))
        {
            found.push(format!("does not match {pattern}"));
        }
        if let Some(most) = rule["maxLength"].as_u64()
            && text.encode_utf16().count() as u64 > most
        {
            found.push(format!("is longer than {most}"));
        }
    }
    if let Some(number) = value.as_f64() {
        if rule["minimum"].as_f64().is_some_and(|least| number < least) {
            found.push(format!("is below {}", rule["minimum"]));
        }
        if rule["maximum"].as_f64().is_some_and(|most| number > most) {
            found.push(format!("is above {}", rule["maximum"]));
        }
    }
    found
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        kind => type_of(value) == kind,
    }
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_held() {
        let rule = json!({"required": ["a"], "additional": false, "properties": {
            "a": {"type": "integer", "minimum": 2}, "b": {"enum": ["x", 1]}, "c": {"type": "string", "pattern": "^[A-Z]{3}$"}}});
        let of = |properties: Value| violations(properties.as_object().expect("an object"), &rule);
        assert_eq!(of(json!({"a": 2, "b": 1.0, "c": "EUR", "$x": 1})), Vec::<String>::new());
        assert_eq!(
            of(json!({"a": 1, "b": "y", "c": "Eur", "d": 0})),
            ["a is below 2", "b is none of \"x\", 1", "c does not match ^[A-Z]{3}$", "d is not in the schema"]
        );
        assert_eq!(of(json!({"c": 5})), ["a is missing", "c is number, not string"]);
        assert_eq!(of(json!({"a": 1.5})), ["a is number, not integer"]);
    }
}
