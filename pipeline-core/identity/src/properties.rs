//! A person's properties, packed: names are numbers from one shared table, values stay JSON text.
//!
//! A million persons mostly share a few dozen names, and most are read far more often than written, so
//! a packed list costs a third of a map and is turned to JSON text by copying. Layout of an entry: name
//! as a varint, length of the value as a varint, value. Length 0 stands for a uuid in 16 bytes, because
//! every person has `$creator_event_uuid`.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value};
use uuid::Uuid;
use weir_event::js;

/// The shared table of property names.
#[derive(Debug, Default)]
pub struct Names {
    numbers: HashMap<Box<str>, u32>,
    /// Names as JSON text, quotes and colon included: `"email":`.
    texts: Vec<Box<str>>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(format!("{}:", Value::from(name)).into());
        self.numbers.insert(name.into(), number);
        number
    }

    fn known(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }
}

#[derive(Debug, Default, Clone)]
pub struct Properties(Box<[u8]>);

type Entries = Vec<(u32, String)>;

impl Properties {
    pub fn pack(object: &Map<String, Value>, names: &mut Names) -> Self {
        let entries = object.iter().map(|(name, value)| (names.number(&clean_name(name)), clean_text(value))).collect();
        Self::from_entries(&entries)
    }

    fn from_entries(entries: &Entries) -> Self {
        let mut bytes = Vec::with_capacity(entries.iter().map(|(_, value)| value.len() + 3).sum());
        for (name, value) in entries {
            write_varint(&mut bytes, *name);
            if let Some(uuid) = uuid_text(value) {
                bytes.push(0);
                bytes.extend_from_slice(uuid.as_bytes());
            } else {
                write_varint(&mut bytes, value.len() as u32);
                bytes.extend_from_slice(value.as_bytes());
            }
        }
        Self(bytes.into())
    }

    fn entries(&self) -> impl Iterator<Item = (u32, Cow<'_, str>)> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let name = read_varint(&mut rest);
            let length = read_varint(&mut rest) as usize;
            if length == 0 {
                let (uuid, after) = rest.split_at(16);
                rest = after;
                let uuid = Uuid::from_slice(uuid).expect("invariant: written by from_entries");
                return Some((name, Cow::Owned(format!("\"{uuid}\""))));
            }
            let (value, after) = rest.split_at(length);
            rest = after;
            Some((name, Cow::Borrowed(std::str::from_utf8(value).expect("invariant: values are text"))))
        })
    }

    fn get(&self, name: u32) -> Option<Cow<'_, str>> {
        self.entries().find_map(|(found, value)| (found == name).then_some(value))
    }

    pub fn json(&self, names: &Names) -> String {
        let mut text = String::with_capacity(self.0.len() * 2 + 2);
        text.push('{');
        for (name, value) in self.entries() {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&names.texts[name as usize]);
            text.push_str(&value);
        }
        text.push('}');
        text
    }

    /// The same as JSON text with `own` on top.
    pub fn json_with(&self, own: &Map<String, Value>, names: &mut Names) -> String {
        match self.edited(names, |edit, names| {
            for (name, value) in own {
                edit.set(names.number(&clean_name(name)), value);
            }
        }) {
            Some(changed) => changed.json(names),
            None => self.json(names),
        }
    }

    /// Everything of `other` that is not here.
    pub fn completed_by(&self, other: &Self) -> Self {
        let mut entries: Entries = other.entries().map(|(name, value)| (name, value.into_owned())).collect();
        for (name, value) in self.entries() {
            match entries.iter_mut().find(|(known, _)| *known == name) {
                Some(entry) => entry.1 = value.into_owned(),
                None => entries.push((name, value.into_owned())),
            }
        }
        Self::from_entries(&entries)
    }

    /// `$set_once` where nothing is yet, `$set` over everything, `$unset` last; `None` if that changes
    /// nothing. A key in both `$set` and `$set_once` ends as `$set` says.
    pub fn applied(&self, event: &Map<String, Value>, names: &mut Names) -> Option<Self> {
        let object = |key: &str| event.get(key).and_then(Value::as_object);
        let (once, set) = (object("$set_once"), object("$set"));
        let unset = unset_names(event);
        if once.is_none() && set.is_none() && unset.is_empty() {
            return None;
        }
        self.edited(names, |edit, names| {
            for (name, value) in once.into_iter().flatten() {
                edit.set_once(names.number(&clean_name(name)), value);
            }
            for (name, value) in set.into_iter().flatten() {
                edit.set(names.number(&clean_name(name)), value);
            }
            for name in unset {
                if let Some(name) = names.known(&clean_name(name)) {
                    edit.remove(name);
                }
            }
        })
    }

    fn edited(&self, names: &mut Names, change: impl FnOnce(&mut Edit<'_>, &mut Names)) -> Option<Self> {
        let mut edit = Edit { before: self, entries: None };
        change(&mut edit, names);
        // What was set and unset again is no change.
        edit.entries.filter(|entries| !self.is_same_as(entries)).map(|entries| Self::from_entries(&entries))
    }

    fn is_same_as(&self, entries: &Entries) -> bool {
        self.entries().count() == entries.len()
            && entries.iter().all(|(name, value)| self.get(*name).is_some_and(|known| same_text(&known, value)))
    }
}

/// Copies the entries only when the first change comes.
struct Edit<'a> {
    before: &'a Properties,
    entries: Option<Entries>,
}

impl Edit<'_> {
    fn has(&self, name: u32) -> bool {
        match &self.entries {
            Some(entries) => entries.iter().any(|(known, _)| *known == name),
            None => self.before.get(name).is_some(),
        }
    }

    fn opened(&mut self) -> &mut Entries {
        self.entries
            .get_or_insert_with(|| self.before.entries().map(|(name, value)| (name, value.into_owned())).collect())
    }

    fn set_once(&mut self, name: u32, value: &Value) {
        if !self.has(name) {
            let text = clean_text(value);
            self.opened().push((name, text));
        }
    }

    fn set(&mut self, name: u32, value: &Value) {
        let text = clean_text(value);
        let is_same = {
            let known = match &self.entries {
                Some(entries) => {
                    entries.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str().into())
                }
                None => self.before.get(name),
            };
            known.is_some_and(|known| same_text(&known, &text))
        };
        if is_same {
            return;
        }
        let entries = self.opened();
        match entries.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = text,
            None => entries.push((name, text)),
        }
    }

    fn remove(&mut self, name: u32) {
        if self.has(name) {
            self.opened().retain(|(known, _)| *known != name);
        }
    }
}

/// The names that `$unset` lists: an array, or an object's keys.
pub fn unset_names(event: &Map<String, Value>) -> Vec<&str> {
    match event.get("$unset") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(Value::Object(names)) => names.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

fn same_text(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    // Only numbers and structures can be the same in two spellings.
    if left.starts_with('"') != right.starts_with('"') || left.starts_with('"') {
        return false;
    }
    match (serde_json::from_str::<Value>(left), serde_json::from_str::<Value>(right)) {
        (Ok(left), Ok(right)) => js::same(&left, &right),
        _ => false,
    }
}

fn clean_name(name: &str) -> Cow<'_, str> {
    if name.contains('\0') { js::without_nul(name.to_owned()).into() } else { name.into() }
}

/// JSON text of a value, with NUL replaced.
fn clean_text(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains("\\u0000") {
        return text;
    }
    let mut value = value.clone();
    js::value_without_nul(&mut value);
    value.to_string()
}

/// A uuid in the one spelling that reading it back gives.
fn uuid_text(value: &str) -> Option<Uuid> {
    if value.len() != 38 {
        return None;
    }
    let text = value.strip_prefix('"')?.strip_suffix('"')?;
    let uuid = Uuid::try_parse(text).ok()?;
    (uuid.to_string() == text).then_some(uuid)
}

fn write_varint(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_varint(bytes: &mut &[u8]) -> u32 {
    let (mut number, mut shift) = (0, 0);
    while let Some((first, rest)) = bytes.split_first() {
        *bytes = rest;
        number |= u32::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    number
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    #[test]
    fn what_is_packed_is_read_back() {
        let mut names = Names::default();
        let value = json!({"a": 1, "long": "x".repeat(300), "u": "0190163a-0000-7000-8000-000000000001",
            "U": "0190163A-0000-7000-8000-000000000001", "n": null, "o": {"k": [true]}, "": "", "q\"": "\""});
        let packed = Properties::pack(&object(value.clone()), &mut names);
        assert_eq!(serde_json::from_str::<Value>(&packed.json(&names)).expect("JSON"), value);
        assert_eq!(Properties::default().json(&names), "{}");
    }

    #[test]
    fn set_once_then_set_then_unset() {
        let mut names = Names::default();
        let packed = Properties::pack(&object(json!({"a": 1, "null": null})), &mut names);
        let mut apply = |event: Value| packed.applied(&object(event), &mut names).map(|p| p.json(&names));
        assert_eq!(apply(json!({"$set_once": {"a": 2, "null": 2}, "$set": {"a": 1.0}, "$unset": ["b"]})), None);
        assert_eq!(
            apply(json!({"$set_once": {"b": 2}, "$set": {"b": 3}})),
            Some(r#"{"a":1,"null":null,"b":3}"#.into())
        );
        assert_eq!(apply(json!({"$set": {"a": 5}, "$unset": ["a"]})), Some(r#"{"null":null}"#.into()));
        assert_eq!(apply(json!({"$unset": {"null": 1}})), Some(r#"{"a":1}"#.into()));
        assert_eq!(
            apply(json!({"$set": {"z\0": "\0"}})),
            Some("{\"a\":1,\"null\":null,\"z\u{fffd}\":\"\u{fffd}\"}".into())
        );
    }
}
