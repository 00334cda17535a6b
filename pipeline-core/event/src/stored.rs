//! An event as the store holds it, on its way to a sink.
//!
//! It is what was known when the event was stored: person and group properties are of that moment. The
//! JSON form is the one that every built-in sink writes; its names are the columns of the `events` view.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::clock::UnixMillis;
use crate::time;

/// How many groups an event can belong to.
pub const GROUP_SLOTS: usize = 5;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct StoredEvent {
    /// Intake offset; an event that a plugin made has its parent's.
    pub offset: u64,
    pub uuid: String,
    pub event: String,
    /// JSON text.
    pub properties: String,
    pub timestamp_ms: UnixMillis,
    pub team_id: i64,
    pub distinct_id: String,
    pub elements_chain: String,
    pub created_at_ms: UnixMillis,
    pub person_id: String,
    pub person_created_at_ms: UnixMillis,
    /// JSON text.
    pub person_properties: String,
    pub person_mode: String,
    /// JSON text and time of creation by slot; `{}` and the epoch where there is no group.
    pub groups: [(String, UnixMillis); GROUP_SLOTS],
    /// JSON text: the plugins that saw the event.
    pub plugins: String,
    /// When its request was received.
    pub received_at_ms: UnixMillis,
}

impl StoredEvent {
    /// Bytes of its texts: what a batch is bounded by.
    pub fn size(&self) -> usize {
        let texts = [
            &self.event,
            &self.properties,
            &self.distinct_id,
            &self.elements_chain,
            &self.person_properties,
            &self.plugins,
        ];
        texts.iter().map(|text| text.len()).sum::<usize>()
            + self.groups.iter().map(|(text, _)| text.len()).sum::<usize>()
            + 256
    }
}

impl Serialize for StoredEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("uuid", &self.uuid)?;
        fields.serialize_entry("event", &self.event)?;
        fields.serialize_entry("properties", &Verbatim(&self.properties))?;
        fields.serialize_entry("timestamp", &time::iso(self.timestamp_ms))?;
        fields.serialize_entry("team_id", &self.team_id)?;
        fields.serialize_entry("distinct_id", &self.distinct_id)?;
        fields.serialize_entry("elements_chain", &self.elements_chain)?;
        fields.serialize_entry("created_at", &time::iso(self.created_at_ms))?;
        fields.serialize_entry("person_id", &self.person_id)?;
        fields.serialize_entry("person_created_at", &time::iso(self.person_created_at_ms))?;
        fields.serialize_entry("person_properties", &Verbatim(&self.person_properties))?;
        fields.serialize_entry("person_mode", &self.person_mode)?;
        for (slot, (properties, created_at_ms)) in self.groups.iter().enumerate() {
            fields.serialize_entry(&format!("group{slot}_properties"), &Verbatim(properties))?;
            fields.serialize_entry(&format!("group{slot}_created_at"), &time::iso(*created_at_ms))?;
        }
        fields.serialize_entry("plugins", &Verbatim(&self.plugins))?;
        fields.serialize_entry("_timestamp", &time::iso(self.received_at_ms))?;
        fields.serialize_entry("_offset", &self.offset)?;
        fields.end()
    }
}

/// JSON text that goes out as it is: a number of forty digits stays one.
struct Verbatim<'t>(&'t str);

impl Serialize for Verbatim<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(self.0) {
            Ok(raw) => raw.serialize(serializer),
            Err(_) => self.0.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_columns_go_out_as_they_are() {
        let event = StoredEvent {
            offset: 7,
            properties: r#"{"big":123456789012345678901234567890}"#.into(),
            person_properties: "not JSON".into(),
            ..StoredEvent::default()
        };
        let text = serde_json::to_string(&event).expect("JSON");
        assert!(text.contains(r#""properties":{"big":123456789012345678901234567890},"timestamp":"1970"#), "{text}");
        assert!(text.contains(r#""person_properties":"not JSON""#) && text.ends_with(r#""_offset":7}"#), "{text}");
    }
}
