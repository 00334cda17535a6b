//! Properties from JSON text, packed without looking into the values.
//!
//! What comes back from the store was written by [`Properties::json`](super::Properties::json), and a
//! million objects of one shape follow each other. So the names of one object are expected to be those of
//! the one before, and values to be plain; an object that is otherwise is left to the parser.

use serde::de::{DeserializeSeed, Deserializer as _, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::names::Names;
use super::values::write_varint;

/// The object with the names of the one before; `None` if it has others, or a value that is nested or
/// escaped.
pub fn pack_plain(text: &str, names: &mut Names, bytes: &mut Vec<u8>) -> Option<()> {
    let mut rest = text.strip_prefix('{')?;
    for at in 0.. {
        let Some(name) = names.last_object.get(at).copied() else {
            return (rest == "}").then_some(());
        };
        rest = rest.strip_prefix(if at == 0 { "" } else { "," })?.strip_prefix(names.json_name(name))?;
        let length = plain_length(rest)?;
        write_varint(bytes, name);
        names.pack(&rest[..length], bytes);
        rest = &rest[length..];
    }
    None
}

/// Bytes of a string that is not escaped, a number, `true`, `false` or `null` at the start of `text`.
fn plain_length(text: &str) -> Option<usize> {
    if let Some(inside) = text.strip_prefix('"') {
        let end = inside.find('"')?;
        return (!inside[..end].contains('\\')).then_some(end + 2);
    }
    if let Some(word) = ["null", "true", "false"].into_iter().find(|word| text.starts_with(word)) {
        return Some(word.len());
    }
    let is_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    text.bytes().position(|byte| !is_number(byte)).filter(|length| *length > 0)
}

/// Any object.
pub fn pack(text: &str, names: &mut Names, bytes: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    names.last_object.clear();
    reader.deserialize_map(Packing { names, bytes })?;
    reader.end()
}

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
            self.names.last_object.push(name);
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
