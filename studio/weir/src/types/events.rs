//! What events were seen to look like, and that as TypeScript.
//!
//! Bounded, whatever comes: of names and of properties only so many are kept while reading, and only the most frequent
//! are written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::text::key;

/// Most events that are written, and most properties of each.
const EVENTS: usize = 200;
const PROPERTIES: usize = 300;
/// Most that are kept while reading; the rest would have to be rarer than all of these to be missed.
const KEPT_EVENTS: usize = 10_000;
const KEPT_PROPERTIES: usize = 5_000;

const OBJECT: &str = "Record<string, unknown>";
const ANYTHING: &str = "unknown";

#[derive(Debug, Default)]
pub struct Seen(BTreeMap<String, SeenEvent>);

#[derive(Debug, Default)]
struct SeenEvent {
    count: u64,
    properties: BTreeMap<String, SeenProperty>,
}

#[derive(Debug, Default)]
struct SeenProperty {
    count: u64,
    types: BTreeSet<String>,
}

impl Seen {
    pub fn add(&mut self, event: &str, properties: &Map<String, Value>) {
        self.count(event, 1, properties, type_of);
    }

    /// `count` events of one shape: an object of property to the type that the database names.
    pub fn add_shape(&mut self, event: &str, count: u64, shape: &Map<String, Value>) {
        self.count(event, count, shape, type_in_shape);
    }

    /// Events of this name beyond those whose shapes were added: nothing is known of their properties.
    pub fn add_unknown(&mut self, event: &str, count: u64) {
        if let Some(seen) = self.0.get_mut(event) {
            seen.count += count;
        }
    }

    fn count(&mut self, event: &str, count: u64, of: &Map<String, Value>, type_of: impl Fn(&Value) -> String) {
        if self.0.len() >= KEPT_EVENTS && !self.0.contains_key(event) {
            return;
        }
        let seen = self.0.entry(event.to_owned()).or_default();
        seen.count += count;
        for (name, value) in of {
            if seen.properties.len() >= KEPT_PROPERTIES && !seen.properties.contains_key(name) {
                continue;
            }
            let property = seen.properties.entry(name.clone()).or_default();
            property.count += count;
            property.types.insert(type_of(value));
        }
    }
}

fn type_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Object(_) => OBJECT.to_owned(),
        Value::Array(elements) => list(elements.iter().map(type_of).collect()),
    }
}

fn type_in_shape(shape: &Value) -> String {
    match shape {
        Value::Object(_) => OBJECT.to_owned(),
        Value::Array(elements) => {
            // A list without elements has a shape of NULL, as one of nulls has.
            list(elements.iter().map(type_in_shape).filter(|element| element != "null").collect())
        }
        Value::String(name) => match name.as_str() {
            "NULL" => "null",
            "BOOLEAN" => "boolean",
            "VARCHAR" => "string",
            "BIGINT" | "UBIGINT" | "HUGEINT" | "UHUGEINT" | "DOUBLE" => "number",
            _ => ANYTHING,
        }
        .to_owned(),
        _ => ANYTHING.to_owned(),
    }
}

fn list(elements: BTreeSet<String>) -> String {
    let elements: Vec<String> = elements.into_iter().collect();
    match elements.as_slice() {
        [] => format!("{ANYTHING}[]"),
        [one] => format!("{one}[]"),
        several => format!("({})[]", several.join(" | ")),
    }
}

/// The most frequent first, names deciding ties; then in order of names.
fn most<T>(all: &BTreeMap<String, T>, count: impl Fn(&T) -> u64, limit: usize) -> Vec<(&String, &T)> {
    let mut all: Vec<_> = all.iter().collect();
    all.sort_by(|a, b| count(b.1).cmp(&count(a.1)).then_with(|| a.0.cmp(b.0)));
    all.truncate(limit);
    all.sort_by(|a, b| a.0.cmp(b.0));
    all
}

/// What follows the events.
const WAYS_TO_USE_THEM: &str = "
export type EventName = keyof Events

/** An event of one name, as `processEvent` gets it. */
export type EventOf<Name extends EventName> = Omit<PluginEvent, 'event' | 'properties'> & {
    event: Name
    properties: Events[Name]
}

/** Any of them: `switch (seen.event)` tells their properties apart. */
export type SeenEvent = { [Name in EventName]: EventOf<Name> }[EventName]
";

/// `types/events.d.ts`; `source` says where the events come from.
pub fn declarations(seen: &Seen, source: &str) -> String {
    let source = source.replace(['\n', '\r'], " ");
    let mut lines = vec![
        format!("// Made by `weir types` from {source}; it is written anew by the next run."),
        String::new(),
        "import type { PluginEvent } from '@posthog/plugin-scaffold'".to_owned(),
        String::new(),
        "/** Events that were seen, with their properties. What did not come with each of them is optional. */"
            .to_owned(),
        "export interface Events {".to_owned(),
    ];
    for (name, event) in most(&seen.0, |event| event.count, EVENTS) {
        lines.push(format!("    {}: {{", key(name)));
        for (name, property) in most(&event.properties, |property| property.count, PROPERTIES) {
            let mark = if property.count < event.count { "?" } else { "" };
            lines.push(format!("        {}{mark}: {}", key(name), union(&property.types)));
        }
        lines.extend(left_out(event.properties.len(), PROPERTIES).map(|n| format!("        // And {n} rarer ones.")));
        lines.push("    }".to_owned());
    }
    lines.extend(left_out(seen.0.len(), EVENTS).map(|n| format!("    // And {n} rarer ones.")));
    lines.push("}".to_owned());
    lines.join("\n") + "\n" + WAYS_TO_USE_THEM
}

fn left_out(all: usize, limit: usize) -> Option<usize> {
    all.checked_sub(limit).filter(|more| *more > 0)
}

fn union(types: &BTreeSet<String>) -> String {
    if types.contains(ANYTHING) {
        return ANYTHING.to_owned();
    }
    // What is absent comes last, as people write it.
    let (nothing, something): (Vec<_>, Vec<_>) = types.iter().map(String::as_str).partition(|name| *name == "null");
    something.into_iter().chain(nothing).collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seen(events: &[(&str, Value)]) -> Seen {
        let mut seen = Seen::default();
        for (name, properties) in events {
            seen.add(name, properties.as_object().expect("an object"));
        }
        seen
    }

    #[test]
    fn types_are_what_was_seen() {
        let events = [
            ("purchase", json!({"total": 9.5, "coupon": null, "items": ["mug"], "utm source": "mail"})),
            ("purchase", json!({"total": "9.5", "coupon": "spring", "items": [1, "mug"], "card": {"last": 4}})),
            ("$pageview", json!({"tags": [], "is_new": true})),
        ];
        let text = declarations(&seen(&events), "a test");
        let expected = "\
export interface Events {
    $pageview: {
        is_new: boolean
        tags: unknown[]
    }
    purchase: {
        card?: Record<string, unknown>
        coupon: string | null
        items: (number | string)[] | string[]
        total: number | string
        'utm source'?: string
    }
}
";
        assert!(text.contains(expected), "{text}");
        let backwards: Vec<_> = events.into_iter().rev().collect();
        assert_eq!(text, declarations(&seen(&backwards), "a test"));
    }

    #[test]
    fn shapes_give_what_events_give() {
        let mut shapes = Seen::default();
        let shape = json!({"a": "UBIGINT", "b": ["VARCHAR"], "c": {"d": "DOUBLE"}, "e": "NULL", "f": ["NULL"]});
        shapes.add_shape("x", 2, shape.as_object().expect("an object"));
        shapes.add_shape("x", 1, json!({"a": "DOUBLE"}).as_object().expect("an object"));
        let events = [
            ("x", json!({"a": 1, "b": ["t"], "c": {"d": 1.5}, "e": null, "f": []})),
            ("x", json!({"a": 1, "b": ["t"], "c": {"d": 1.5}, "e": null, "f": []})),
            ("x", json!({"a": 1.5})),
        ];
        assert_eq!(declarations(&shapes, "t"), declarations(&seen(&events), "t"));
    }

    #[test]
    fn what_is_known_of_some_events_only_is_optional() {
        let mut shapes = Seen::default();
        shapes.add_shape("x", 1, json!({"a": "DOUBLE"}).as_object().expect("an object"));
        shapes.add_unknown("x", 1);
        assert!(declarations(&shapes, "t").contains("a?: number"));
    }

    #[test]
    fn the_rarest_are_left_out() {
        let mut many = Seen::default();
        for index in 0..EVENTS + 3 {
            many.add(&format!("event {index:03}"), &Map::new());
        }
        many.add("event 202", &Map::new());
        let wide: Map<_, _> = (0..=PROPERTIES).map(|index| (format!("p{index:03}"), json!(index))).collect();
        many.add("event 202", &wide);
        let text = declarations(&many, "t");
        assert!(text.contains("\n    // And 3 rarer ones."));
        assert!(text.contains("'event 202'") && !text.contains("'event 201'"));
        assert!(text.contains("\n        // And 1 rarer ones."));
    }
}
