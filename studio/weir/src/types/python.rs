//! `weir_types.py`: the same for plugins in Python.
//!
//! Dictionaries are declared by calls, because names of properties need not be names of Python.

use pipeline_core::plugins::{ConfigField, Manifest};

use super::config::about;
use super::events::Seen;
use super::shape::python;
use super::text::one_line;

const HEAD: &str = "from typing import Any, Literal, NotRequired, TypedDict\n";

/// Of the configuration, and of the events where some were seen; `source` says where.
pub fn declarations(manifest: &Manifest, seen: Option<(&Seen, &str)>) -> String {
    let source = seen.map_or_else(|| "plugin.json".to_owned(), |(_, source)| format!("plugin.json and {source}"));
    let mut lines = vec![
        format!("# Made by `weir types` from {}; it is written anew by the next run.", one_line(&source)),
        HEAD.to_owned(),
        "# `meta.config`. Values are text, whatever their field is called.".to_owned(),
        "Config = TypedDict(".to_owned(),
        "    \"Config\",".to_owned(),
        "    {".to_owned(),
    ];
    for field in &manifest.config {
        let Some(name) = field.key.as_deref().filter(|_| field.kind() != "attachment") else { continue };
        let about = one_line(&about(field));
        if !about.is_empty() {
            lines.push(format!("        # {about}"));
        }
        let is_there = field.required || field.default_text().is_some();
        let kind = kind(field);
        let kind = if is_there { kind } else { format!("NotRequired[{kind} | None]") };
        lines.push(format!("        {}: {kind},", text(name)));
    }
    lines.push("    },\n)".to_owned());
    if let Some((seen, _)) = seen {
        lines.extend(of_events(seen));
    }
    lines.join("\n") + "\n"
}

fn of_events(seen: &Seen) -> Vec<String> {
    let mut lines = vec![
        "\n# Properties of events that were seen, by name. What did not come with each of them is not required."
            .to_owned(),
        "Events = TypedDict(\n    \"Events\",\n    {".to_owned(),
    ];
    for (name, event) in seen.events() {
        lines.push(format!("        {}: TypedDict(\n            {},\n            {{", text(name), text(name)));
        for (name, property, is_always) in event.properties() {
            let kind = python(&property.types);
            let kind = if is_always { kind } else { format!("NotRequired[{kind}]") };
            lines.push(format!("                {}: {kind},", text(name)));
        }
        lines.extend(event.rarer_properties().map(|n| format!("                # And {n} rarer ones.")));
        lines.push("            },\n        ),".to_owned());
    }
    lines.extend(seen.rarer_events().map(|n| format!("        # And {n} rarer ones.")));
    lines.push("    },\n)".to_owned());
    lines
}

fn kind(field: &ConfigField) -> String {
    if field.kind() != "choice" || field.choices.is_empty() {
        return "str".to_owned();
    }
    let choices: Vec<String> = field.choices.iter().map(|choice| text(choice)).collect();
    format!("Literal[{}]", choices.join(", "))
}

/// A literal of text: JSON's is Python's, but for what lies beyond 16 bits, which both take as it is.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn config_and_events_are_dictionaries_with_any_names() {
        let manifest = r#"{"config": [
            {"key": "host", "name": "Host", "type": "string", "required": true, "hint": "Without\nhttps://"},
            {"key": "mode", "type": "choice", "choices": ["it's on", "off"], "default": "off"},
            {"key": "api-key", "type": "string", "secret": true},
            {"key": "sheet", "type": "attachment"}
        ]}"#;
        let mut seen = Seen::default();
        for properties in
            [json!({"total": 9.5, "utm source": "mail", "items": ["a", 1]}), json!({"total": null, "items": []})]
        {
            seen.add("purchase", properties.as_object().expect("an object"));
        }
        let manifest = Manifest::parse(manifest).expect("a manifest");
        let made = declarations(&manifest, Some((&seen, "a test")));
        for line in [
            "        # Host. Without https://",
            "        \"host\": str,",
            "        \"mode\": Literal[\"it's on\", \"off\"],",
            "        \"api-key\": NotRequired[str | None],",
            "                \"total\": int | float | None,",
            "                \"utm source\": NotRequired[str],",
            "                \"items\": list[Any] | list[int | float | str],",
        ] {
            assert!(made.contains(line), "{line}\n{made}");
        }
        assert!(!made.contains("sheet"));
    }
}
