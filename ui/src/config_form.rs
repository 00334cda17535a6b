//! A plugin's configuration while it is being edited: what is shown, what is wrong, what is sent.
//!
//! The server's values are the base; a draft holds only what the user has changed, so an answer that comes
//! in while someone types changes nothing under their hands.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use weir_api::plugin::{AttachmentUpload, ConfigFieldView, PluginConfigure};

/// Of all attachments of a plugin; the server refuses more.
pub const ATTACHMENT_BYTES: u64 = 10 << 20;

#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    Text(String),
    /// Back to the default; for an attachment: none.
    Default,
    File {
        upload: AttachmentUpload,
        size_bytes: u64,
    },
}

pub type Draft = BTreeMap<String, Edit>;

/// Takes an edit of a text; one that gives what is saved is none.
pub fn edit(draft: &mut Draft, field: &ConfigFieldView, text: String) {
    if field.value.as_deref().unwrap_or_default() == text && !field.secret {
        draft.remove(&field.key);
    } else {
        draft.insert(field.key.clone(), Edit::Text(text));
    }
}

/// A field's value if the draft were saved; empty for none.
pub fn value_of<'a>(field: &'a ConfigFieldView, draft: &'a Draft) -> &'a str {
    match draft.get(&field.key) {
        Some(Edit::Text(text)) => text,
        Some(Edit::Default) => field.default.as_deref().unwrap_or_default(),
        Some(Edit::File { upload, .. }) => &upload.file_name,
        None => field.value.as_deref().unwrap_or_default(),
    }
}

/// Whether `visible_if` lets it be seen: any of its pairs is enough.
pub fn is_visible(field: &ConfigFieldView, fields: &[ConfigFieldView], draft: &Draft) -> bool {
    let holds = |(key, wanted): &(String, String)| {
        fields.iter().find(|other| other.key == *key).is_some_and(|other| value_of(other, draft) == wanted)
    };
    field.visible_if.is_empty() || field.visible_if.iter().any(holds)
}

/// What keeps a value from being saved.
pub fn problem(field: &ConfigFieldView, draft: &Draft) -> Option<String> {
    match draft.get(&field.key)? {
        Edit::Text(text) if field.kind == "json" && !text.trim().is_empty() => json_problem(text),
        Edit::File { size_bytes, .. } if *size_bytes > ATTACHMENT_BYTES => {
            Some("This file is too large: all attachments together may have 10 MiB.".into())
        }
        _ => None,
    }
}

/// Why a text is no JSON, with the place.
pub fn json_problem(text: &str) -> Option<String> {
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    let what = error.to_string();
    let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what).to_owned();
    Some(format!("No JSON yet, at line {}, column {}: {what}.", error.line(), error.column()))
}

/// A required field that nothing is given for.
pub fn lacks_value(field: &ConfigFieldView, draft: &Draft) -> bool {
    field.required && !field.key.is_empty() && value_of(field, draft).trim().is_empty()
}

/// What saving the draft asks for.
pub fn request(draft: &Draft, fields: &[ConfigFieldView]) -> PluginConfigure {
    let mut request = PluginConfigure::default();
    for (key, edit) in draft {
        let field = fields.iter().find(|field| field.key == *key);
        let is_attachment = field.is_some_and(|field| field.kind == "attachment");
        let is_secret = field.is_some_and(|field| field.secret);
        match edit {
            // "Replace" was pressed and nothing typed: that must not wipe out the one there is.
            Edit::Text(text) if is_secret && text.is_empty() => {}
            Edit::File { upload, .. } => drop(request.attachments.insert(key.clone(), Some(upload.clone()))),
            Edit::Default if is_attachment => drop(request.attachments.insert(key.clone(), None)),
            Edit::Default => drop(request.values.insert(key.clone(), None)),
            Edit::Text(text) => drop(request.values.insert(key.clone(), Some(text.clone()))),
        }
    }
    request
}

/// The field that a refusal is about: the first one it names as a word.
pub fn blamed(message: &str, fields: &[ConfigFieldView]) -> Option<String> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    let mut words = message.split(|letter| !is_part(letter)).filter(|word| !word.is_empty());
    words.find(|word| fields.iter().any(|field| field.key == *word)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(key: &str, kind: &str, value: Option<&str>) -> ConfigFieldView {
        ConfigFieldView {
            key: key.into(),
            kind: kind.into(),
            value: value.map(str::to_owned),
            ..ConfigFieldView::default()
        }
    }

    fn typed(key: &str, text: &str) -> Draft {
        Draft::from([(key.to_owned(), Edit::Text(text.to_owned()))])
    }

    #[test]
    fn an_edit_back_to_what_is_saved_is_none() {
        let name = field("name", "string", Some("a"));
        let mut draft = Draft::new();
        edit(&mut draft, &name, "b".into());
        assert_eq!(value_of(&name, &draft), "b");
        edit(&mut draft, &name, "a".into());
        assert!(draft.is_empty());
        let secret = ConfigFieldView { secret: true, ..name };
        edit(&mut draft, &secret, "a".into());
        assert_eq!(draft.len(), 1, "what a secret is cannot be known, so any text is a change");
    }

    #[test]
    fn visibility_follows_what_is_typed() {
        let mode = field("mode", "choice", Some("off"));
        let mut url = field("url", "string", None);
        url.visible_if = vec![("mode".into(), "on".into()), ("mode".into(), "test".into())];
        let fields = [mode, url.clone()];
        assert!(!is_visible(&url, &fields, &Draft::new()));
        assert!(is_visible(&url, &fields, &typed("mode", "test")));
        assert!(is_visible(&fields[0], &fields, &Draft::new()), "without a condition always");
    }

    #[test]
    fn json_is_checked_with_its_place() {
        let list = field("list", "json", None);
        assert_eq!(problem(&list, &typed("list", "[1, 2]")), None);
        assert_eq!(problem(&list, &typed("list", " ")), None, "empty is no value");
        let said = problem(&list, &typed("list", "[1,\n2,]")).expect("nothing after the comma");
        assert_eq!(said, "No JSON yet, at line 2, column 3: expected value.");
        assert_eq!(problem(&field("list", "string", None), &typed("list", "[1,")), None);
    }

    #[test]
    fn what_is_required_and_missing_is_known_before_saving() {
        let key = ConfigFieldView { required: true, ..field("key", "string", Some("x")) };
        assert!(!lacks_value(&key, &Draft::new()));
        assert!(lacks_value(&key, &typed("key", " ")));
        let back = Draft::from([("key".to_owned(), Edit::Default)]);
        assert!(lacks_value(&key, &back), "there is no default");
        let with_default = ConfigFieldView { default: Some("d".into()), ..key };
        assert!(!lacks_value(&with_default, &back));
    }

    #[test]
    fn a_request_holds_only_what_was_changed() {
        let fields = [field("a", "string", Some("1")), field("b", "string", None), field("f", "attachment", None)];
        let upload = AttachmentUpload { file_name: "x.csv".into(), ..AttachmentUpload::default() };
        let mut draft = typed("a", "2");
        draft.insert("f".into(), Edit::File { upload: upload.clone(), size_bytes: 3 });
        let sent = request(&draft, &fields);
        assert_eq!(sent.values, BTreeMap::from([("a".to_owned(), Some("2".to_owned()))]));
        assert_eq!(sent.attachments, BTreeMap::from([("f".to_owned(), Some(upload))]));
        let gone = Draft::from([("a".to_owned(), Edit::Default), ("f".to_owned(), Edit::Default)]);
        let sent = request(&gone, &fields);
        assert_eq!((sent.values.get("a"), sent.attachments.get("f")), (Some(&None), Some(&None)));
    }

    #[test]
    fn a_secret_is_not_replaced_by_nothing() {
        let secret = ConfigFieldView { secret: true, ..field("key", "string", Some("***")) };
        assert_eq!(request(&typed("key", ""), std::slice::from_ref(&secret)), PluginConfigure::default());
        assert_eq!(request(&typed("key", "x"), &[secret]).values.len(), 1);
    }

    #[test]
    fn a_refusal_finds_its_field() {
        let fields = [field("key", "string", None), field("api_key", "choice", None)];
        let find = |message: &str| blamed(message, &fields);
        assert_eq!(find("api_key is \"x\"; its choices are a, b").as_deref(), Some("api_key"));
        assert_eq!(find("the contents of key are no base64").as_deref(), Some("key"));
        assert_eq!(find("the plugin keyboard does not load"), None);
    }
}
