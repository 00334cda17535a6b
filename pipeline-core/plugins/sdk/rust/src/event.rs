use std::cell::OnceCell;

use serde_json::Value;

use crate::PluginError;
use crate::fields::Fields;

/// An event on its way through the pipeline.
///
/// It is text until something is asked of it, and only what is asked for is parsed. One that is handed on
/// unchanged is not written again either.
///
/// ```
/// # use weir_plugin::Event;
/// let mut event = Event::new(r#"{"event":"sale","distinct_id":"ada","properties":{"price":9.50}}"#);
/// assert_eq!(event.name(), "sale");
/// let price = event.property("price").and_then(|price| price.as_f64()).unwrap_or(0.0);
/// event.set_property("is_large", price > 100.0);
/// assert_eq!(event.to_string(), r#"{"event":"sale","distinct_id":"ada","properties":{"price":9.50,"is_large":false}}"#);
/// ```
#[derive(Debug)]
pub struct Event {
    text: String,
    top: OnceCell<Fields>,
    properties: OnceCell<Fields>,
    is_changed: bool,
}

const PROPERTIES: &str = "properties";
const TEAM: &str = "team_id";

impl Event {
    /// From JSON.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), top: OnceCell::new(), properties: OnceCell::new(), is_changed: false }
    }

    /// `event`: what happened.
    pub fn name(&self) -> &str {
        self.top().get_str("event").unwrap_or_default()
    }

    pub fn set_name(&mut self, name: &str) {
        self.set("event", name);
    }

    pub fn distinct_id(&self) -> &str {
        self.top().get_str("distinct_id").unwrap_or_default()
    }

    /// When it happened, as ISO 8601 text, if it says so.
    pub fn timestamp(&self) -> Option<&str> {
        self.top().get_str("timestamp")
    }

    /// The address it was sent from.
    pub fn ip(&self) -> Option<&str> {
        self.top().get_str("ip")
    }

    pub fn uuid(&self) -> Option<&str> {
        self.top().get_str("uuid")
    }

    /// A field beside `properties`, which is read with [`Self::properties`].
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.top().get(key)
    }

    /// Sets a field beside `properties`.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        if key == PROPERTIES {
            self.properties = OnceCell::from(Fields::split(&value.into().to_string()));
            self.is_changed = true;
            return;
        }
        self.top_mut().insert(key, value);
    }

    pub fn property(&self, key: &str) -> Option<&Value> {
        self.properties().get(key)
    }

    /// A property that is text.
    pub fn property_str(&self, key: &str) -> Option<&str> {
        self.properties().get_str(key)
    }

    pub fn set_property(&mut self, key: &str, value: impl Into<Value>) {
        self.properties_mut().insert(key, value);
    }

    pub fn remove_property(&mut self, key: &str) -> Option<Value> {
        if !self.properties().contains_key(key) {
            return None;
        }
        self.properties_mut().remove(key)
    }

    pub fn properties(&self) -> &Fields {
        self.properties.get_or_init(|| Fields::split(self.top().raw(PROPERTIES).unwrap_or("{}")))
    }

    /// The event counts as changed from here on.
    pub fn properties_mut(&mut self) -> &mut Fields {
        self.properties();
        self.is_changed = true;
        self.properties.get_mut().expect("has just been read")
    }

    /// The event as JSON.
    pub fn into_json(self) -> String {
        if self.is_changed { self.to_string() } else { self.text }
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// An event cannot move to another project.
    pub(crate) fn check(&self) -> Result<(), PluginError> {
        let stays = !self.is_changed
            || self.top().raw(TEAM).is_some()
            || Fields::split(&self.text).get(TEAM) == self.top().get(TEAM);
        if stays { Ok(()) } else { Err(PluginError::new("the plugin tried to change event.team_id")) }
    }

    fn top(&self) -> &Fields {
        self.top.get_or_init(|| Fields::split(&self.text))
    }

    fn top_mut(&mut self) -> &mut Fields {
        self.top();
        self.is_changed = true;
        self.top.get_mut().expect("has just been read")
    }
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.is_changed {
            return f.write_str(&self.text);
        }
        let text = self.top().write_with(PROPERTIES, self.properties());
        f.write_str(&text.map_err(|_| std::fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        r#"{"event":"e","team_id":2,"big":12345678901234567890.10,"properties":{"a":1.0,"b":{"c":[1]}}}"#;

    #[test]
    fn what_is_only_read_stays_as_it_came() {
        let event = Event::new(TEXT);
        assert_eq!((event.name(), event.property("a")), ("e", Some(&Value::from(1.0))));
        assert!(!event.is_changed());
        assert_eq!(event.into_json(), TEXT);
    }

    #[test]
    fn what_is_changed_leaves_the_rest_as_it_came() {
        let mut event = Event::new(TEXT);
        if let Some(value) = event.properties_mut().get_mut("b") {
            value["c"] = 2.into();
        }
        event.set_property("d", "new");
        event.remove_property("a");
        event.set_name("f");
        assert!(event.is_changed() && event.check().is_ok());
        let expected =
            r#"{"event":"f","team_id":2,"big":12345678901234567890.10,"properties":{"b":{"c":2},"d":"new"}}"#;
        assert_eq!(event.into_json(), expected);
    }

    #[test]
    fn another_team_is_an_error() {
        let mut event = Event::new(TEXT);
        event.set(TEAM, 3);
        assert!(event.check().is_err());
        let mut event = Event::new(TEXT);
        event.set(TEAM, 2);
        assert!(event.check().is_ok());
    }
}
