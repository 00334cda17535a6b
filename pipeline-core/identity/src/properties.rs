//! A person's properties, packed: names are numbers from one shared table, values stay JSON text or are
//! numbers from another.
//!
//! A million persons share a few dozen names, and most of their values: plans, browsers, campaigns,
//! referrers. They are read far more often than written. So a packed list costs a fraction of a map, is
//! turned to JSON text by copying, and an event that changes nothing (nearly all do) allocates nothing
//! to find that out. Layout of an entry: name as a varint, then the value as [`values`] packs it.

mod edit;
mod names;
mod values;

use serde::de::{DeserializeSeed, Deserializer as _, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;
use weir_event::js;

use edit::Edit;
pub use names::Names;
pub use values::canonical_uuid;
use values::{read_varint, write_varint};

#[derive(Debug, Default, Clone)]
pub struct Properties(Box<[u8]>);

impl Properties {
    /// Of the person that an event creates: `$set` beats `$set_once`, and the event is named.
    pub fn created(event: &Map<String, Value>, creator: Uuid, names: &mut Names) -> Self {
        let empty = Self::default();
        let mut edit = Edit::open(&empty.0, names);
        for key in ["$set_once", "$set"] {
            for (name, value) in event.get(key).and_then(Value::as_object).into_iter().flatten() {
                edit.put(name, value);
            }
        }
        edit.put("$creator_event_uuid", &creator.to_string().into());
        edit.finish().unwrap_or_default()
    }

    /// Reads what [`Properties::json`] wrote.
    pub fn from_json(text: &str, names: &mut Names) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(text);
        // In memory that is used again, so that what stays is as large as it must be.
        let mut bytes = names.work_space.take_bytes();
        reader.deserialize_map(Packing { names: &mut *names, bytes: &mut bytes })?;
        reader.end()?;
        let packed = Self(bytes.as_slice().into());
        names.work_space.put_bytes(bytes);
        Ok(packed)
    }

    /// (number of the name, packed value)
    fn entries(&self) -> impl Iterator<Item = (u32, &[u8])> {
        entries(&self.0).map(|(name, start, end)| (name, &self.0[start..end]))
    }

    pub fn json(&self, names: &Names) -> String {
        let length = |(name, value)| names.json_name(name).len() + names.json_length(value) + 1;
        let mut text = Vec::with_capacity(self.entries().map(length).sum::<usize>() + 2);
        text.push(b'{');
        for (name, value) in self.entries() {
            if text.len() > 1 {
                text.push(b',');
            }
            text.extend_from_slice(names.json_name(name).as_bytes());
            names.write_json(value, &mut text);
        }
        text.push(b'}');
        String::from_utf8(text).expect("invariant: names and values are texts")
    }

    /// The same as JSON text with `own` on top.
    pub fn json_with(&self, own: &Map<String, Value>, names: &mut Names) -> String {
        let mut edit = Edit::open(&self.0, names);
        own.iter().for_each(|(name, value)| edit.set(name, value));
        match edit.finish() {
            Some(changed) => changed.json(names),
            None => self.json(names),
        }
    }

    /// Everything of `other` that is not here.
    pub fn completed_by(&self, other: &Self) -> Self {
        let mut entries: Vec<(u32, &[u8])> = other.entries().collect();
        for (name, value) in self.entries() {
            match entries.iter_mut().find(|(known, _)| *known == name) {
                Some(entry) => entry.1 = value,
                None => entries.push((name, value)),
            }
        }
        let mut bytes = Vec::with_capacity(self.0.len() + other.0.len());
        for (name, value) in entries {
            write_varint(&mut bytes, name);
            bytes.extend_from_slice(value);
        }
        Self(bytes.into())
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
        let mut edit = Edit::open(&self.0, names);
        once.into_iter().flatten().for_each(|(name, value)| edit.set_once(name, value));
        set.into_iter().flatten().for_each(|(name, value)| edit.set(name, value));
        unset.into_iter().for_each(|name| edit.remove(name));
        edit.finish()
    }
}

/// (number of the name, start and end of the packed value) of every entry.
fn entries(packed: &[u8]) -> impl Iterator<Item = (u32, usize, usize)> {
    let mut rest = packed;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let name = read_varint(&mut rest);
        let start = packed.len() - rest.len();
        values::skip(&mut rest);
        Some((name, start, packed.len() - rest.len()))
    })
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

/// Packs an object as it is parsed: its values are not looked into.
struct Packing<'a> {
    names: &'a mut Names,
    bytes: &'a mut Vec<u8>,
}

impl<'de> Visitor<'de> for Packing<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(NameSeed(self.names))? {
            write_varint(self.bytes, name);
            let value: &RawValue = map.next_value()?;
            self.names.pack(value.get(), self.bytes);
        }
        Ok(())
    }
}

struct NameSeed<'a>(&'a mut Names);

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = u32;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = u32;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<u32, E> {
        Ok(self.0.number(name))
    }
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
        // The second time values are shared.
        for _ in 0..3 {
            let packed = Properties::default().applied(&object(json!({"$set": value})), &mut names).expect("a change");
            assert_eq!(serde_json::from_str::<Value>(&packed.json(&names)).expect("JSON"), value);
            let restored = Properties::from_json(&packed.json(&names), &mut names).expect("JSON");
            assert_eq!(restored.json(&names), packed.json(&names));
            assert_eq!(restored.applied(&object(json!({"$set": value})), &mut names).map(|p| p.json(&names)), None);
        }
        assert_eq!(Properties::default().json(&names), "{}");
    }

    #[test]
    fn set_once_then_set_then_unset() {
        let mut names = Names::default();
        let packed = Properties::from_json(r#"{"a":1,"null":null}"#, &mut names).expect("JSON");
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
