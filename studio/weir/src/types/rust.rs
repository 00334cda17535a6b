//! `src/weir_types.rs`: the same for plugins in Rust.
//!
//! Events are views of the SDK's `Event`: a method for each property, which parses nothing before it is called. Each
//! answers with an `Option`, because what was seen says nothing of what a client may send tomorrow.

mod names;

use std::collections::BTreeSet;

use pipeline_core::plugins::{ConfigField, Manifest};

use super::config::about;
use super::events::{Seen, SeenEvent};
use super::shape::Type;
use super::text::one_line;
use names::Names;

/// Names that the file itself has. `Self` and the like are no names at all.
const TYPES: [&str; 12] =
    ["AnyOther", "Config", "Event", "Map", "Meta", "Option", "Seen", "Self", "Some", "None", "Value", "Attachment"];
const METHODS: [&str; 2] = ["of", "event"];

const HEAD: &str = "\
// It is read with `#[rustfmt::skip] mod weir_types;`, so that `cargo fmt` and `weir types --check` agree.
#![allow(dead_code, unused_imports, clippy::pedantic)]

use serde_json::{Map, Value};
use weir_plugin::{Attachment, Event, Meta};

/// What `plugin.json` asks for. Values are text, whatever their field is called.
#[derive(Debug, Clone, Copy)]
pub struct Config<'m>(&'m Meta);

impl<'m> Config<'m> {
    pub fn of(meta: &'m Meta) -> Self {
        Self(meta)
    }
";

/// Of the configuration, and of the events where some were seen; `source` says where.
pub fn declarations(manifest: &Manifest, seen: Option<(&Seen, &str)>) -> String {
    let source = seen.map_or_else(|| "plugin.json".to_owned(), |(_, source)| format!("plugin.json and {source}"));
    let mut file = format!("// Made by `weir types` from {}; it is written anew by the next run.\n", one_line(&source));
    file.push_str(HEAD);
    let mut types = Names::taken(&TYPES);
    let mut methods = Names::taken(&METHODS);
    let mut choices = String::new();
    for field in &manifest.config {
        let Some(key) = field.key.as_deref() else { continue };
        let method = methods.snake(key, "field");
        if field.kind() == "choice" && !field.choices.is_empty() {
            let name = types.camel(key, "Choice");
            file.push_str(&chosen(field, key, &method, &name));
            choices.push_str(&choice(field, key, &name));
        } else {
            file.push_str(&read(field, key, &method));
        }
    }
    file.push_str("}\n");
    file.push_str(&choices);
    if let Some((seen, _)) = seen {
        file.push_str(&of_events(seen, &mut types));
    }
    file
}

/// The method of a field that is text or a file.
fn read(field: &ConfigField, key: &str, method: &str) -> String {
    let key = text(key);
    let (kind, body) = match (field.kind(), field.default_text()) {
        ("attachment", _) => ("Option<&'m Attachment>", format!("self.0.attachment({key})")),
        (_, Some(default)) => ("&'m str", format!("self.0.config({key}).unwrap_or({})", text(&default))),
        (_, None) if field.required => ("&'m str", format!("self.0.config({key}).unwrap_or_default()")),
        (_, None) => ("Option<&'m str>", format!("self.0.config({key})")),
    };
    this_method(&about(field), method, kind, &body)
}

/// The method of a field with choices.
fn chosen(field: &ConfigField, key: &str, method: &str, name: &str) -> String {
    let body = format!("self.0.config({}).and_then({name}::of)", text(key));
    let default = field.default_text().and_then(|default| field.choices.iter().position(|choice| *choice == default));
    match default {
        Some(index) => {
            let variant = &variants(field)[index];
            this_method(&about(field), method, name, &format!("{body}.unwrap_or({name}::{variant})"))
        }
        None => this_method(&about(field), method, &format!("Option<{name}>"), &body),
    }
}

fn choice(field: &ConfigField, key: &str, name: &str) -> String {
    let variants = variants(field);
    let listed = lines(variants.iter().map(|variant| format!("    {variant},")));
    let arms = lines(
        field
            .choices
            .iter()
            .zip(&variants)
            .map(|(choice, variant)| format!("            {} => Some(Self::{variant}),", text(choice))),
    );
    format!(
        "\n/// A choice of {}.\n#[derive(Debug, Clone, Copy, PartialEq, Eq)]\npub enum {name} {{\n{listed}}}\n\n\
         impl {name} {{\n    fn of(chosen: &str) -> Option<Self> {{\n        match chosen {{\n{arms}            \
         _ => None,\n        }}\n    }}\n}}\n",
        code(key),
    )
}

fn variants(field: &ConfigField) -> Vec<String> {
    let mut names = Names::taken(&["Self"]);
    field.choices.iter().map(|choice| names.camel(choice, "Choice")).collect()
}

fn of_events(seen: &Seen, types: &mut Names) -> String {
    let mut events = seen.events();
    events.sort_by_key(|(name, _)| plain_first(name));
    let events: Vec<(&String, &SeenEvent, String)> =
        events.into_iter().map(|(name, event)| (name, event, types.camel(name, "Event"))).collect();
    let listed = lines(events.iter().map(|(_, _, name)| format!("    {name}({name}<'e>),")));
    let arms =
        lines(events.iter().map(|(_, _, name)| format!("            {name}::NAME => Self::{name}({name}(event)),")));
    let rarer = seen.rarer_events().map(|n| format!("    // And {n} rarer ones.\n")).unwrap_or_default();
    let mut text = format!(
        "\n/// An event by its name, if it is one of those that were seen.\n#[derive(Debug, Clone, Copy)]\n\
         pub enum Seen<'e> {{\n{listed}{rarer}    /// Any other.\n    AnyOther(&'e Event),\n}}\n\n\
         impl<'e> Seen<'e> {{\n    pub fn of(event: &'e Event) -> Self {{\n        match event.name() {{\n{arms}            \
         _ => Self::AnyOther(event),\n        }}\n    }}\n}}\n"
    );
    for (name, event, type_name) in events {
        text.push_str(&of_event(name, event, &type_name));
    }
    text
}

fn of_event(name: &str, event: &SeenEvent, type_name: &str) -> String {
    let mut methods = Names::taken(&METHODS);
    let mut made = format!(
        "\n/// {}, with the properties that were seen.\n#[derive(Debug, Clone, Copy)]\n\
         pub struct {type_name}<'e>(&'e Event);\n\nimpl<'e> {type_name}<'e> {{\n    \
         pub const NAME: &'static str = {};\n\n    /// Nothing if the event has another name.\n    \
         pub fn of(event: &'e Event) -> Option<Self> {{\n        (event.name() == Self::NAME).then_some(Self(event))\n    }}\n\n    \
         pub fn event(self) -> &'e Event {{\n        self.0\n    }}\n",
        code(name),
        text(name),
    );
    let mut properties: Vec<_> = event.properties().collect();
    properties.sort_by_key(|(name, _, _)| plain_first(name));
    for (name, property, is_always) in properties {
        let kind = Read::of(&property.types);
        let note = if is_always { "came with each" } else { "came with some" };
        let about = format!("{}{}: {note}.", code(name), kind.note(&property.types));
        made.push_str(&this_method(&about, &methods.snake(name, "property"), kind.kind(), &kind.body(name)));
    }
    made.push_str(&event.rarer_properties().map(|n| format!("    // And {n} rarer ones.\n")).unwrap_or_default());
    made.push_str("}\n");
    made
}

/// Those without a `$` come first, so that theirs is the plain name.
fn plain_first(name: &str) -> (bool, &str) {
    (name.starts_with('$'), name)
}

fn this_method(about: &str, name: &str, kind: &str, body: &str) -> String {
    let about = one_line(about);
    let about = if about.is_empty() { String::new() } else { format!("    /// {about}\n") };
    format!("\n{about}    pub fn {name}(self) -> {kind} {{\n        {body}\n    }}\n")
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// How a property is read.
#[derive(Clone, Copy)]
enum Read {
    Text,
    Number,
    Boolean,
    List,
    Object,
    /// What was of several types, or of none.
    Value,
}

impl Read {
    fn of(types: &BTreeSet<Type>) -> Self {
        let mut kinds = types.iter().filter(|one| **one != Type::Null).map(|one| match one {
            Type::Text => Self::Text,
            Type::Number => Self::Number,
            Type::Boolean => Self::Boolean,
            Type::Object => Self::Object,
            Type::List(_) => Self::List,
            Type::Anything | Type::Null => Self::Value,
        });
        let Some(first) = kinds.next() else { return Self::Value };
        if kinds.all(|kind| std::mem::discriminant(&kind) == std::mem::discriminant(&first)) {
            first
        } else {
            Self::Value
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Text => "Option<&'e str>",
            Self::Number => "Option<f64>",
            Self::Boolean => "Option<bool>",
            Self::List => "Option<&'e [Value]>",
            Self::Object => "Option<&'e Map<String, Value>>",
            Self::Value => "Option<&'e Value>",
        }
    }

    fn body(self, name: &str) -> String {
        let name = text(name);
        match self {
            Self::Text => format!("self.0.property_str({name})"),
            Self::Number => format!("self.0.property({name})?.as_f64()"),
            Self::Boolean => format!("self.0.property({name})?.as_bool()"),
            Self::List => format!("self.0.property({name})?.as_array().map(Vec::as_slice)"),
            Self::Object => format!("self.0.property({name})?.as_object()"),
            Self::Value => format!("self.0.property({name})"),
        }
    }

    /// What the type of Rust leaves unsaid.
    fn note(self, types: &BTreeSet<Type>) -> String {
        match self {
            Self::List | Self::Value => format!(", {}", words(types)),
            Self::Text | Self::Number | Self::Boolean | Self::Object => String::new(),
        }
    }
}

/// Types in words.
fn words(types: &BTreeSet<Type>) -> String {
    let word = |one: &Type| match one {
        Type::Anything => "anything".to_owned(),
        Type::Boolean => "a boolean".to_owned(),
        Type::Null => "null".to_owned(),
        Type::Number => "a number".to_owned(),
        Type::Object => "an object".to_owned(),
        Type::Text => "text".to_owned(),
        Type::List(elements) if elements.is_empty() => "an empty list".to_owned(),
        Type::List(elements) => format!("a list with {}", words(elements)),
    };
    types.iter().map(word).collect::<Vec<_>>().join(" or ")
}

/// A name inside a comment, as code that it cannot end.
fn code(name: &str) -> String {
    format!("`{}`", one_line(name).replace('`', "'"))
}

/// A literal of text.
fn text(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn config_and_events_are_views_with_a_method_for_each_name() {
        let manifest = r#"{"config": [
            {"key": "host", "name": "Host", "type": "string", "required": true, "hint": "Without\nhttps://"},
            {"key": "mode", "type": "choice", "choices": ["it's on", "off"], "default": "off"},
            {"key": "api-key", "type": "string", "secret": true},
            {"key": "size", "type": "number", "default": 3},
            {"key": "sheet", "type": "attachment"}
        ]}"#;
        let mut seen = Seen::default();
        for properties in [
            json!({"total": 9.5, "utm source": "mail", "items": ["a", 1], "$set": {}, "set": true, "type": "x"}),
            json!({"total": null, "items": [], "set": "no"}),
        ] {
            seen.add("$order placed", properties.as_object().expect("an object"));
        }
        seen.add("config", &serde_json::Map::new());
        let manifest = Manifest::parse(manifest).expect("a manifest");
        let made = declarations(&manifest, Some((&seen, "a test")));
        for part in [
            "    /// Host. Without https://\n    pub fn host(self) -> &'m str {\n        self.0.config(\"host\").unwrap_or_default()",
            "pub fn mode(self) -> Mode {\n        self.0.config(\"mode\").and_then(Mode::of).unwrap_or(Mode::Off)",
            "            \"it's on\" => Some(Self::ItSOn),",
            "    pub fn api_key(self) -> Option<&'m str> {",
            "self.0.config(\"size\").unwrap_or(\"3\")",
            "    pub fn sheet(self) -> Option<&'m Attachment> {",
            "    OrderPlaced(OrderPlaced<'e>),",
            "    Config2(Config2<'e>),",
            "    pub const NAME: &'static str = \"$order placed\";",
            "    /// `total`: came with each.\n    pub fn total(self) -> Option<f64> {",
            "    pub fn utm_source(self) -> Option<&'e str> {",
            "    /// `items`, an empty list or a list with a number or text: came with each.\n    pub fn items(self)",
            "    pub fn set(self) -> Option<&'e Value> {",
            "    pub fn set_2(self) -> Option<&'e Map<String, Value>> {\n        self.0.property(\"$set\")?",
            "    pub fn r#type(self)",
        ] {
            assert!(made.contains(part), "{part}\n{made}");
        }
    }
}
