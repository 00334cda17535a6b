//! Secret values of a plugin's configuration, kept off screens and out of logs, errors and recordings.
//!
//! A secret leaves a plugin in more spellings than its own: in a JSON body, in a query, in the base64 of
//! an Authorization header, where it begins at any of three places inside a group. All of them are looked
//! for at once, so that text without a secret costs one pass and no copy. Values shorter than
//! [`SHORTEST_SECRET_CHARACTERS`] are left alone: replacing every `ab` would make logs unreadable and hide
//! nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// What a screen shows for a secret that is set. Saving it back means: keep the value.
pub const SECRET_MASK: &str = "**************** POSTHOG SECRET FIELD ****************";

/// What stands for a secret in logs, errors and recordings.
pub const SECRET_PLACEHOLDER: &str = "(secret)";

pub const SHORTEST_SECRET_CHARACTERS: usize = 4;

/// A line of a longer secret, such as a private key, is one too from this length on.
const SHORTEST_LINE_BYTES: usize = 16;

/// A piece of base64 without its first and last letters is only telling from this length on.
const SHORTEST_BASE64_LETTERS: usize = 6;

/// Finds the secrets of one plugin in text.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Option<AhoCorasick>);

impl Secrets {
    /// `values` are the values of the fields that the manifest calls secret.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut spellings = BTreeSet::new();
        for value in values {
            if value.chars().count() >= SHORTEST_SECRET_CHARACTERS {
                add_spellings(value, &mut spellings);
            }
        }
        if spellings.is_empty() {
            return Self(None);
        }
        let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&spellings);
        // Fails only beyond two thousand million states.
        Self(built.inspect_err(|error| tracing::error!(%error, "secrets cannot be looked for")).ok())
    }

    /// Of a configuration and the names of its secret fields. Values that are no text count as their JSON.
    pub fn of_config<'a>(config: &Map<String, Value>, secret_keys: impl IntoIterator<Item = &'a str>) -> Self {
        let values: Vec<Cow<'_, str>> = secret_keys
            .into_iter()
            .filter_map(|key| match config.get(key)? {
                Value::Null | Value::Bool(_) => None,
                Value::String(text) => Some(Cow::Borrowed(text.as_str())),
                other => Some(Cow::Owned(other.to_string())),
            })
            .collect();
        Self::new(values.iter().map(AsRef::as_ref))
    }

    /// The text with each secret replaced by [`SECRET_PLACEHOLDER`].
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(finder) = &self.0 else { return Cow::Borrowed(text) };
        let mut found = finder.find_iter(text).peekable();
        if found.peek().is_none() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut after = 0;
        for secret in found {
            out.push_str(&text[after..secret.start()]);
            // Two spellings side by side are one secret, such as the lines of a key.
            if secret.start() != after || after == 0 {
                out.push_str(SECRET_PLACEHOLDER);
            }
            after = secret.end();
        }
        out.push_str(&text[after..]);
        Cow::Owned(out)
    }

    /// Every text in the value, and every name in it.
    pub fn redact_json(&self, value: &mut Value) {
        if self.0.is_none() {
            return;
        }
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.redact(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            Value::Object(fields) => {
                let old = std::mem::take(fields);
                for (name, mut field) in old {
                    self.redact_json(&mut field);
                    fields.insert(self.redact(&name).into_owned(), field);
                }
            }
            Value::Number(number) => {
                if let Cow::Owned(clean) = self.redact(&number.to_string()) {
                    *value = Value::String(clean);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

/// The configuration as a screen may show it.
pub fn masked<'a>(config: &Map<String, Value>, secret_keys: impl IntoIterator<Item = &'a str>) -> Map<String, Value> {
    let mut shown = config.clone();
    for key in secret_keys {
        if let Some(value) = shown.get_mut(key)
            && !value.is_null()
            && value != ""
        {
            *value = Value::String(SECRET_MASK.to_owned());
        }
    }
    shown
}

/// What to save when a screen sends `new`: a secret that is null or masked keeps its old value.
pub fn with_kept_secrets<'a>(
    old: &Map<String, Value>,
    mut new: Map<String, Value>,
    secret_keys: impl IntoIterator<Item = &'a str>,
) -> Map<String, Value> {
    for key in secret_keys {
        let kept = match new.get(key) {
            None => false,
            Some(value) => value.is_null() || value == SECRET_MASK,
        };
        if kept {
            match old.get(key) {
                Some(value) => new.insert(key.to_owned(), value.clone()),
                // The mask itself must never become the value.
                None => new.remove(key),
            };
        }
    }
    new
}

fn add_spellings(value: &str, spellings: &mut BTreeSet<String>) {
    add_text(value, spellings);
    if value.contains('\n') {
        for line in value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE_BYTES) {
            add_text(line, spellings);
        }
    }
    for skipped in 0..3 {
        for alphabet in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let mut bytes = vec![0; skipped];
            bytes.extend_from_slice(value.as_bytes());
            let letters = alphabet.encode(&bytes);
            // Letters that also hold bits of what stands before or after the secret.
            let first = [0, 2, 3][skipped];
            let last = letters.len() - usize::from(bytes.len() % 3 != 0);
            let certain = &letters[first..last];
            if certain.len() >= SHORTEST_BASE64_LETTERS {
                spellings.insert(certain.to_owned());
            }
            if skipped == 0 {
                // By itself, with what ends it: the whole of it goes.
                spellings.insert(letters.clone());
                spellings.insert(format!("{letters}{}", "=".repeat((3 - value.len() % 3) % 3)));
            }
        }
    }
}

fn add_text(value: &str, spellings: &mut BTreeSet<String>) {
    let json = Value::String(value.to_owned()).to_string();
    spellings.insert(json[1..json.len() - 1].to_owned());
    // `encodeURIComponent`, what forms send, and `encodeURI`.
    for keep in ["-_.!~*'()", "-_.*", "-_.!~*'();/?:@&=+$,#", "-_.~"] {
        for upper in [true, false] {
            let encoded = percent_encoded(value, keep, upper);
            spellings.insert(encoded.replace("%20", "+"));
            spellings.insert(encoded);
        }
    }
    spellings.insert(value.to_owned());
}

fn percent_encoded(value: &str, keep: &str, upper: bool) -> String {
    let digits: &[u8; 16] = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let mut out = String::with_capacity(value.len() * 3);
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || (byte.is_ascii() && keep.contains(byte as char)) {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push(digits[usize::from(byte >> 4)] as char);
            out.push(digits[usize::from(byte & 15)] as char);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("no object") };
        map
    }

    #[test]
    fn every_spelling_of_a_secret_is_replaced() {
        let secret = "p@ss \"wörd\"/\\+1\n&=?";
        let secrets = Secrets::new([secret]);
        let json = json!({ "key": secret }).to_string();
        assert_eq!(secrets.redact(&json), r#"{"key":"(secret)"}"#);
        assert_eq!(secrets.redact(&format!("it was {secret}.")), "it was (secret).");
        for encoded in [
            "p%40ss%20%22w%C3%B6rd%22%2F%5C%2B1%0A%26%3D%3F",
            "p%40ss%20%22w%c3%b6rd%22%2f%5c%2b1%0a%26%3d%3f",
            "p%40ss+%22w%C3%B6rd%22%2F%5C%2B1%0A%26%3D%3F",
            "p@ss%20%22w%C3%B6rd%22/%5C+1%0A&=?",
        ] {
            assert_eq!(secrets.redact(&format!("?a={encoded}#b")), "?a=(secret)#b", "{encoded}");
        }
        assert_eq!(secrets.redact(&format!("X {} Y", STANDARD.encode(secret))), "X (secret) Y");
    }

    #[test]
    fn a_secret_inside_base64_is_found_wherever_it_begins() {
        let secret = "hunter2-and-more";
        let secrets = Secrets::new([secret]);
        for user in ["", "a", "ab", "abc", "someone@example.com"] {
            for tail in ["", ":", ":x", "::x"] {
                let header = STANDARD.encode(format!("{user}:{secret}{tail}"));
                let clean = secrets.redact(&header);
                assert!(clean.contains(SECRET_PLACEHOLDER), "{header} became {clean}");
                // What is left holds no run of the secret's bytes worth having.
                for piece in clean.split(SECRET_PLACEHOLDER) {
                    let text = String::from_utf8_lossy(&STANDARD_NO_PAD.decode(piece).unwrap_or_default()).into_owned();
                    assert!(!text.contains("hunter") && !text.contains("more"), "{piece}: {text}");
                }
            }
        }
    }

    #[test]
    fn lines_of_a_key_are_secret_and_join_to_one() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIBAQ\n-----END KEY-----";
        let secrets = Secrets::new([key]);
        assert_eq!(secrets.redact("line MIIEvQIBADANBgkqhkiG9w0BAQ!"), "line (secret)!");
        assert_eq!(secrets.redact(&key.replace('\n', "")), "(secret)");
    }

    #[test]
    fn short_values_and_clean_text_are_left_alone() {
        let secrets = Secrets::new(["abc", ""]);
        assert!(matches!(secrets.redact("abc abc"), Cow::Borrowed("abc abc")));
        let secrets = Secrets::new(["s3cr"]);
        assert!(matches!(secrets.redact("nothing here"), Cow::Borrowed(_)));
        assert_eq!(secrets.redact("as3cr3t"), "a(secret)3t");
        assert_eq!(secrets.redact("s3cr and s3cr"), "(secret) and (secret)");
    }

    #[test]
    fn json_is_redacted_in_names_texts_and_numbers() {
        let secrets = Secrets::of_config(
            &map(json!({ "pin": 123_456, "token": "tok-42", "on": true, "plain": "hello" })),
            ["pin", "token", "on", "missing"],
        );
        let mut value = json!({ "tok-42": [123_456, "hello", true], "x": { "y": "a tok-42 b" } });
        secrets.redact_json(&mut value);
        assert_eq!(value, json!({ "(secret)": ["(secret)", "hello", true], "x": { "y": "a (secret) b" } }));
    }

    #[test]
    fn a_screen_shows_the_mask_and_saving_it_changes_nothing() {
        let old = map(json!({ "key": "real", "empty": "", "name": "n" }));
        let shown = masked(&old, ["key", "empty", "absent"]);
        assert_eq!(Value::Object(shown.clone()), json!({ "key": SECRET_MASK, "empty": "", "name": "n" }));
        assert_eq!(with_kept_secrets(&old, shown, ["key", "empty", "absent"]), old);
        let nulled = map(json!({ "key": null, "name": "other" }));
        assert_eq!(Value::Object(with_kept_secrets(&old, nulled, ["key"])), json!({ "key": "real", "name": "other" }));
        let changed = map(json!({ "key": "new" }));
        assert_eq!(Value::Object(with_kept_secrets(&old, changed, ["key"])), json!({ "key": "new" }));
        let mask_for_nothing = map(json!({ "key": SECRET_MASK }));
        assert_eq!(Value::Object(with_kept_secrets(&Map::new(), mask_for_nothing, ["key"])), json!({}));
    }
}
