use serde_json::{Map, Value};

use crate::bindings::weir::plugin::report::emit;

/// Makes a new event, which goes through the pipeline like one that was sent.
///
/// ```no_run
/// weir_plugin::capture("session ended").distinct_id("ada").property("minutes", 12).send();
/// ```
pub fn capture(event: &str) -> Captured {
    Captured { event: event.to_owned(), fields: Map::new(), properties: Map::new() }
}

#[must_use = "nothing is made before `send`"]
#[derive(Debug, Clone)]
pub struct Captured {
    event: String,
    fields: Map<String, Value>,
    properties: Map<String, Value>,
}

impl Captured {
    /// Without it the event is the plugin's own.
    pub fn distinct_id(mut self, distinct_id: &str) -> Self {
        self.fields.insert("distinct_id".to_owned(), distinct_id.into());
        self
    }

    /// ISO 8601; now when absent.
    pub fn timestamp(mut self, timestamp: &str) -> Self {
        self.fields.insert("timestamp".to_owned(), timestamp.into());
        self
    }

    pub fn property(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.properties.insert(key.to_owned(), value.into());
        self
    }

    pub fn send(mut self) {
        self.fields.insert("event".to_owned(), self.event.into());
        self.fields.insert("properties".to_owned(), self.properties.into());
        emit(&Value::Object(self.fields).to_string());
    }
}
