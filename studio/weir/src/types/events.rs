//! What events were seen to look like, and that as TypeScript.
//!
//! Bounded, whatever comes: of names and of properties only so many are kept while reading, and only the most frequent
//! are written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::shape::{Type, typescript};
use super::text::key;

/// Most events that are written, and most properties of each.
const EVENTS: usize = 200;
const PROPERTIES: usize = 300;
/// Most that are kept while reading; the rest would have to be rarer than all of these to be missed.
const KEPT_EVENTS: usize = 10_000;
const KEPT_PROPERTIES: usize = 5_000;

#[derive(Debug, Default)]
pub struct Seen(BTreeMap<String, SeenEvent>);

#[derive(Debug, Default)]
pub struct SeenEvent {
    count: u64,
    properties: BTreeMap<String, SeenProperty>,
}

#[derive(Debug, Default)]
pub struct SeenProperty {
    count: u64,
    pub types: BTreeSet<Type>,
}

impl SeenEvent {
    /// The most frequent, in order of names, each with whether it came with all events.
    pub fn properties(&self) -> impl Iterator<Item = (&String, &SeenProperty, bool)> {
        let all = most(&self.properties, |property| property.count, PROPERTIES);
        all.into_iter().map(|(name, property)| (name, property, property.count >= self.count))
    }

    pub fn rarer_properties(&self) -> Option<usize> {
        left_out(self.properties.len(), PROPERTIES)
    }
}

impl Seen {
    /// The most frequent events, in order of names.
    pub fn events(&self) -> Vec<(&String, &SeenEvent)> {
        most(&self.0, |event| event.count, EVENTS)
    }

    pub fn rarer_events(&self) -> Option<usize> {
        left_out(self.0.len(), EVENTS)
    }

    pub fn add(&mut self, event: &str, properties: &Map<String, Value>) {
        self.count(event, 1, properties, Type::of);
    }

    /// `count` events of one shape: an object of property to the type that the database names.
    pub fn add_shape(&mut self, event: &str, count: u64, shape: &Map<String, Value>) {
        self.count(event, count, shape, Type::in_shape);
    }

    /// Events of this name beyond those whose shapes were added: nothing is known of their properties.
    pub fn add_unknown(&mut self, event: &str, count: u64) {
        if let Some(seen) = self.0.get_mut(event) {
            seen.count += count;
        }
    }

    fn count(&mut self, event: &str, count: u64, of: &Map<String, Value>, type_of: impl Fn(&Value) -> Type) {
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
    for (name, event) in seen.events() {
        lines.push(format!("    {}: {{", key(name)));
        for (name, property, is_always) in event.properties() {
            let mark = if is_always { "" } else { "?" };
            lines.push(format!("        {}{mark}: {}", key(name), typescript(&property.types)));
        }
        lines.extend(event.rarer_properties().map(|n| format!("        // And {n} rarer ones.")));
        lines.push("    }".to_owned());
    }
    lines.extend(seen.rarer_events().map(|n| format!("    // And {n} rarer ones.")));
    lines.push("}".to_owned());
    lines.join("\n") + "\n" + WAYS_TO_USE_THEM
}

fn left_out(all: usize, limit: usize) -> Option<usize> {
    all.checked_sub(limit).filter(|more| *more > 0)
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
