use std::cell::OnceCell;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON object whose values are read one by one, when they are asked for. Those that are left alone are
/// written as they came, to the last digit.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, Field)>);

#[derive(Debug)]
struct Field {
    /// As it came; gone once it may have changed.
    raw: Option<Box<RawValue>>,
    value: OnceCell<Value>,
}

impl Field {
    fn value(&self) -> &Value {
        self.value.get_or_init(|| self.raw.as_ref().map_or(Value::Null, |raw| parsed(raw)))
    }
}

fn parsed(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

impl Fields {
    /// Empty when the text is no object.
    pub(crate) fn split(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.field(key).map(Field::value)
    }

    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// To change a value in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let (_, field) = self.0.iter_mut().find(|(name, _)| name == key)?;
        if let Some(raw) = field.raw.take() {
            field.value.get_or_init(|| parsed(&raw));
        }
        field.value.get_mut()
    }

    /// Keeps the place of a key that is there.
    pub fn insert(&mut self, key: &str, value: impl Into<Value>) {
        let field = Field { raw: None, value: OnceCell::from(value.into()) };
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some((_, known)) => *known = field,
            None => self.0.push((key.to_owned(), field)),
        }
    }

    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        let (_, field) = self.0.remove(at);
        Some(field.value().clone())
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.field(key).is_some()
    }

    /// In order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// In order. Reads every value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, field)| (key.as_str(), field.value()))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text of a value that has not been changed.
    pub(crate) fn raw(&self, key: &str) -> Option<&str> {
        self.field(key).and_then(|field| field.raw.as_deref()).map(RawValue::get)
    }

    fn field(&self, key: &str) -> Option<&Field> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, field)| field)
    }

    /// Writes the object with the value of one key given as another object.
    pub(crate) fn write_with(&self, key: &str, value: &Fields) -> serde_json::Result<String> {
        serde_json::to_string(&With { fields: self, key, value })
    }
}

struct With<'a> {
    fields: &'a Fields,
    key: &'a str,
    value: &'a Fields,
}

impl Serialize for With<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, field) in &self.fields.0 {
            if key == self.key {
                map.serialize_entry(key, self.value)?;
            } else {
                map.serialize_entry(key, field)?;
            }
        }
        if !self.fields.contains_key(self.key) {
            map.serialize_entry(self.key, self.value)?;
        }
        map.end()
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.raw {
            Some(raw) => raw.serialize(serializer),
            None => self.value().serialize(serializer),
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, field)| (key, field)))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::with_capacity(24);
                while let Some((key, raw)) = map.next_entry()? {
                    fields.push((key, Field { raw: Some(raw), value: OnceCell::new() }));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}
