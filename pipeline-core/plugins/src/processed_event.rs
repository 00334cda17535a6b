//! A stored event in the form that PostHog's plugins are given after storage.

use serde_json::{Map, Value, json};
use weir_event::{StoredEvent, element_chain, time};

/// `ProcessedPluginEvent`: `distinct_id, ip, team_id, event, properties, timestamp, $set, $set_once,
/// uuid, elements`.
pub fn processed_event(stored: &StoredEvent) -> Value {
    let properties: Map<String, Value> = serde_json::from_str(&stored.properties).unwrap_or_default();
    let mut event = Map::new();
    let mut set = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    set("distinct_id", json!(stored.distinct_id));
    set("ip", properties.get("$ip").cloned().unwrap_or_default());
    set("team_id", json!(stored.team_id));
    set("event", json!(stored.event));
    set("timestamp", json!(time::iso(stored.timestamp_ms)));
    for name in ["$set", "$set_once"] {
        if let Some(value) = properties.get(name) {
            set(name, value.clone());
        }
    }
    set("uuid", json!(stored.uuid));
    set("elements", Value::Array(element_chain::from_chain(&stored.elements_chain)));
    set("properties", Value::Object(properties));
    Value::Object(event)
}

/// `PostHogEvent`, as `composeWebhook` is given it: `uuid, team_id, distinct_id, event, timestamp,
/// properties`.
pub fn webhook_event(stored: &StoredEvent) -> Value {
    let properties: Map<String, Value> = serde_json::from_str(&stored.properties).unwrap_or_default();
    json!({
        "uuid": stored.uuid,
        "team_id": stored.team_id,
        "distinct_id": stored.distinct_id,
        "event": stored.event,
        "timestamp": time::iso(stored.timestamp_ms),
        "properties": properties,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_fields_of_posthog() {
        let stored = StoredEvent {
            uuid: "u".into(),
            event: "$autocapture".into(),
            properties: r#"{"$ip":"10.0.0.1","$set":{"a":1},"k":2}"#.into(),
            timestamp_ms: 1_700_000_000_123,
            team_id: 3,
            distinct_id: "d".into(),
            elements_chain: r#"a.btn:nth-child="1"nth-of-type="2""#.into(),
            ..StoredEvent::default()
        };
        let event = processed_event(&stored);
        assert_eq!(event["ip"], "10.0.0.1");
        assert_eq!(event["timestamp"], "2023-11-14T22:13:20.123Z");
        assert_eq!((&event["$set"], &event["$set_once"]), (&json!({"a": 1}), &Value::Null));
        assert_eq!(event["properties"]["k"], 2);
        assert_eq!(event["elements"][0]["tag_name"], "a");
        assert_eq!((&event["team_id"], &event["uuid"], &event["distinct_id"]), (&json!(3), &json!("u"), &json!("d")));
    }
}
