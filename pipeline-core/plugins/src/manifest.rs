//! `plugin.json`.

use serde::Deserialize;
use serde_json::{Map, Value};
use weir_api::plugin::Diagnostic;

use crate::positions::excerpt;

pub const MANIFEST: &str = "plugin.json";

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    pub name: Option<String>,
    pub main: Option<String>,
    pub config: Vec<ConfigField>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct ConfigField {
    /// Absent for a block of text between fields.
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub default: Option<Value>,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub secret: bool,
    #[serde(default)]
    pub choices: Vec<String>,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub hint: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub markdown: String,
    #[serde(default)]
    pub order: Option<f64>,
    /// `[field, value]` pairs.
    #[serde(default)]
    pub visible_if: Vec<(String, Value)>,
    #[serde(default)]
    pub required_if: Vec<(String, Value)>,
}

impl ConfigField {
    /// `string`, `json`, `attachment` or `choice`. Published plugins name others too (`selection`,
    /// `boolean`), which PostHog shows as text.
    pub fn kind(&self) -> &str {
        match self.kind.as_deref() {
            Some(kind @ ("json" | "attachment" | "choice")) => kind,
            Some("selection") if !self.choices.is_empty() => "choice",
            _ => "string",
        }
    }

    pub fn default_text(&self) -> Option<String> {
        match &self.default {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    main: Option<String>,
    #[serde(default)]
    config: RawConfig,
}

/// A list of fields, or in older plugins an object keyed by field name.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum RawConfig {
    List(Vec<ConfigField>),
    Keyed(Map<String, Value>),
    #[default]
    Nothing,
}

impl Manifest {
    pub fn parse(text: &str) -> Result<Self, Box<Diagnostic>> {
        let wrong = |error: serde_json::Error| {
            let line = error.line() as u32;
            Box::new(Diagnostic {
                message: format!("Could not load \"plugin.json\": {error}"),
                file: MANIFEST.to_owned(),
                line,
                column: error.column() as u32,
                excerpt: excerpt(text, line),
                hint: Some("The file has to be one JSON object.".to_owned()),
            })
        };
        let raw: Raw = serde_json::from_str(text).map_err(wrong)?;
        let config = match raw.config {
            RawConfig::List(fields) => fields,
            RawConfig::Keyed(fields) => fields
                .into_iter()
                .map(|(key, value)| {
                    let mut field: ConfigField = serde_json::from_value(value).map_err(wrong)?;
                    field.key = Some(key);
                    Ok(field)
                })
                .collect::<Result<_, Box<Diagnostic>>>()?,
            RawConfig::Nothing => Vec::new(),
        };
        Ok(Self { name: raw.name, main: raw.main, config })
    }

    pub fn secret_keys(&self) -> impl Iterator<Item = &str> {
        self.config.iter().filter(|field| field.secret).filter_map(|field| field.key.as_deref())
    }

    /// Required fields that have no value.
    pub fn missing(&self, values: &Map<String, Value>, has_attachment: impl Fn(&str) -> bool) -> Vec<String> {
        let is_set = |key: &str| match values.get(key) {
            None | Some(Value::Null) => has_attachment(key),
            Some(Value::String(text)) => !text.is_empty(),
            Some(_) => true,
        };
        let holds = |(key, wanted): &(String, Value)| values.get(key).is_some_and(|value| value == wanted);
        let is_required = |field: &&ConfigField| field.required || field.required_if.iter().any(holds);
        self.config
            .iter()
            .filter(is_required)
            .filter_map(|field| field.key.clone())
            .filter(|key| !is_set(key))
            .collect()
    }

    /// What a new configuration starts with, as JSON: every default, as text.
    pub fn default_values(&self) -> Map<String, Value> {
        let mut values = Map::new();
        for field in &self.config {
            let Some(key) = &field.key else { continue };
            if let Some(text) = field.default_text() {
                values.insert(key.clone(), Value::String(text));
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_may_be_a_list_or_keyed() {
        let list = r#"{"name":"a","config":[{"markdown":"hello"},{"key":"n","type":"string","default":3}]}"#;
        let keyed = r#"{"name":"a","config":{"n":{"type":"string","default":"3"}}}"#;
        for text in [list, keyed] {
            let manifest = Manifest::parse(text).expect("valid");
            assert_eq!(manifest.default_values().get("n"), Some(&Value::String("3".into())));
        }
    }

    #[test]
    fn broken_json_names_its_place() {
        let error = Manifest::parse("{\n  \"name\": oops\n}").expect_err("broken");
        assert_eq!((error.file.as_str(), error.line), ("plugin.json", 2));
        assert!(error.message.starts_with("Could not load \"plugin.json\""));
    }
}
