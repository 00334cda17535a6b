//! What all persons share: the names of properties, the values that many have, and the work space of an
//! edit.

use std::borrow::Cow;

use hashbrown::HashMap;
use serde_json::Value;
use uuid::Uuid;

use super::edit::WorkSpace;
use super::same_text;
use super::values::{Packed, SharedValues};
use weir_event::js;

/// The shared tables.
#[derive(Debug, Default)]
pub struct Names {
    numbers: HashMap<Box<str>, u32>,
    /// Names as JSON text, quotes and colon included: `"email":`.
    texts: Vec<Box<str>>,
    values: SharedValues,
    pub(super) work_space: WorkSpace,
    /// Names of the object that was parsed last.
    pub(super) last_object: Vec<u32>,
}

impl Names {
    /// NUL in a name is replaced; no name that is known has one.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        if name.contains('\0') {
            return self.number(&js::without_nul(name.to_owned()));
        }
        let number = self.texts.len() as u32;
        self.texts.push(format!("{}:", Value::from(name)).into());
        self.numbers.insert(name.into(), number);
        number
    }

    pub(super) fn known(&self, name: &str) -> Option<u32> {
        self.numbers.get(&*clean_name(name)).copied()
    }

    pub(super) fn count(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn json_name(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }

    pub(super) fn pack(&mut self, text: &str, out: &mut Vec<u8>) {
        self.values.pack(text, out);
    }

    pub(super) fn json_length(&self, packed: &[u8]) -> usize {
        match Packed::read(packed) {
            Packed::Uuid(_) => 38,
            Packed::Text(text) => text.len(),
            Packed::Shared(number) => self.values.text(number).len(),
        }
    }

    pub(super) fn write_json(&self, packed: &[u8], out: &mut Vec<u8>) {
        match Packed::read(packed) {
            Packed::Uuid(uuid) => {
                out.push(b'"');
                out.extend_from_slice(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
                out.push(b'"');
            }
            Packed::Text(text) => out.extend_from_slice(text),
            Packed::Shared(number) => out.extend_from_slice(self.values.text(number).as_bytes()),
        }
    }

    /// Whether a packed value is `value`; `text` is work space.
    pub(super) fn is_same(&self, packed: &[u8], value: &Value, text: &mut String) -> bool {
        let known = match Packed::read(packed) {
            Packed::Uuid(uuid) => {
                return value.as_str() == Some(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
            }
            Packed::Text(text) => std::str::from_utf8(text).expect("invariant: values are texts"),
            Packed::Shared(number) => self.values.text(number),
        };
        if let Value::String(value) = value {
            // Where nothing is escaped the text is the string in quotes.
            let is_plain = !known.contains('\\');
            if known.strip_prefix('"').and_then(|known| known.strip_suffix('"')) == Some(value) {
                return is_plain;
            }
            if is_plain && !value.contains('\0') {
                return false;
            }
        }
        write_text(value, text);
        same_text(known, text)
    }
}

fn clean_name(name: &str) -> Cow<'_, str> {
    if name.contains('\0') { js::without_nul(name.to_owned()).into() } else { name.into() }
}

/// JSON text of a value, with NUL replaced.
pub(super) fn write_text(value: &Value, text: &mut String) {
    text.clear();
    if let Value::String(value) = value
        && value.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        text.push('"');
        text.push_str(value);
        text.push('"');
        return;
    }
    // Writing to a String cannot fail.
    std::fmt::Write::write_fmt(text, format_args!("{value}")).ok();
    if text.contains("\\u0000") {
        let mut value = value.clone();
        js::value_without_nul(&mut value);
        *text = value.to_string();
    }
}
