//! `types/config.d.ts`, from `plugin.json`.

use pipeline_core::plugins::{ConfigField, Manifest};

use super::text::{comment, key, string};

pub fn declarations(manifest: &Manifest) -> String {
    let fields: Vec<(&str, &ConfigField)> =
        manifest.config.iter().filter_map(|field| Some((field.key.as_deref()?, field))).collect();
    let (files, values): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(_, field)| field.kind() == "attachment");
    let mut lines = vec![
        "// Made by `weir types` from plugin.json; it is written anew by the next run.".to_owned(),
        String::new(),
        "/** `meta.config`. Values are text, whatever their field is called. */".to_owned(),
        // A type and not an interface, so that it fits where any record of values does.
        "export type Config = {".to_owned(),
    ];
    for (name, field) in values {
        lines.extend(comment(&about(field)));
        // What has a value from the start is text ever after, if perhaps empty text.
        let is_there = field.required || field.default_text().is_some();
        let (mark, or_null) = if is_there { ("", "") } else { ("?", " | null") };
        lines.push(format!("    {}{mark}: {}{or_null}", key(name), kind(field)));
    }
    lines.push("}".to_owned());
    if !files.is_empty() {
        lines.extend(["", "/** `meta.attachments`. */", "export type Attachments = {"].map(str::to_owned));
        for (name, field) in files {
            lines.extend(comment(&about(field)));
            let mark = if field.required { "" } else { "?" };
            lines.push(format!("    {}{mark}: import('@posthog/plugin-scaffold').PluginAttachment", key(name)));
        }
        lines.push("}".to_owned());
    }
    lines.join("\n") + "\n"
}

fn kind(field: &ConfigField) -> String {
    if field.kind() != "choice" || field.choices.is_empty() {
        return "string".to_owned();
    }
    field.choices.iter().map(|choice| string(choice)).collect::<Vec<_>>().join(" | ")
}

/// Name, hint and what the type alone would not say.
pub fn about(field: &ConfigField) -> String {
    let mut about = field.name.clone();
    let note = match (field.kind(), field.secret) {
        ("json", _) => "JSON as text.",
        (_, true) => "Secret.",
        _ => "",
    };
    for part in [field.hint.as_str(), note] {
        if !part.is_empty() {
            let join = if about.is_empty() {
                ""
            } else if about.ends_with(['.', '?', '!']) {
                " "
            } else {
                ". "
            };
            about = format!("{about}{join}{part}");
        }
    }
    about
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_field_has_its_own() {
        let manifest = r#"{"config": [
            {"markdown": "only text"},
            {"key": "host", "name": "Host", "type": "string", "required": true, "hint": "Without https://"},
            {"key": "mode", "type": "choice", "choices": ["it's on", "off"], "default": "off"},
            {"key": "rules", "name": "Rules", "type": "json"},
            {"key": "api-key", "type": "string", "secret": true},
            {"key": "sheet", "type": "attachment"},
            {"key": "size", "type": "number", "default": 3}
        ]}"#;
        let text = declarations(&Manifest::parse(manifest).expect("a manifest"));
        let expected = "\
export type Config = {
    /** Host. Without https:// */
    host: string
    mode: 'it\\'s on' | 'off'
    /** Rules. JSON as text. */
    rules?: string | null
    /** Secret. */
    'api-key'?: string | null
    size: string
}

/** `meta.attachments`. */
export type Attachments = {
    sheet?: import('@posthog/plugin-scaffold').PluginAttachment
}
";
        assert!(text.ends_with(expected), "{text}");
    }
}
