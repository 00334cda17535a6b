//! `normalizeEvent` (SPEC 5.4): where a person's properties come from. It runs before and after plugins.

use serde_json::{Map, Value};

use crate::javascript::string;

/// Copied to `$set` under their own name, and to `$set_once` as `$initial_…`.
const CAMPAIGN: [&str; 8] =
    ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_name", "utm_term", "gclid", "fbclid"];

/// Copied to `$set_once` only.
const INITIAL: [&str; 8] = [
    "$browser",
    "$browser_version",
    "$device_type",
    "$current_url",
    "$pathname",
    "$os",
    "$referring_domain",
    "$referrer",
];

pub(crate) fn normalize(mut event: Map<String, Value>) -> Map<String, Value> {
    let distinct_id = event.get("distinct_id").map(string).unwrap_or_default();
    let mut properties = match event.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    };
    for key in ["$set", "$set_once"] {
        if let Some(Value::Object(values)) = event.get(key) {
            put_over(&mut properties, key, values.clone());
        }
    }
    if event.get("event").and_then(Value::as_str) != Some("$snapshot") {
        let mut set = Map::new();
        let mut set_once = Map::new();
        for (key, value) in &properties {
            let campaign = CAMPAIGN.contains(&key.as_str());
            if campaign {
                set.insert(key.clone(), value.clone());
            }
            if campaign || INITIAL.contains(&key.as_str()) {
                set_once.insert(format!("$initial_{}", key.replacen('$', "", 1)), value.clone());
            }
        }
        if !set.is_empty() {
            put_over(&mut properties, "$set", set);
        }
        if !set_once.is_empty() {
            put_over(&mut properties, "$set_once", set_once);
        }
    }
    event.insert("distinct_id".to_owned(), Value::String(distinct_id));
    event.insert("properties".to_owned(), Value::Object(properties));
    event
}

/// `properties[key] = { ...properties[key], ...values }`, where what is no object counts as absent.
fn put_over(properties: &mut Map<String, Value>, key: &str, values: Map<String, Value>) {
    if let Some(Value::Object(present)) = properties.get_mut(key) {
        present.extend(values);
    } else {
        properties.insert(key.to_owned(), Value::Object(values));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn normal(event: Value) -> Value {
        let Value::Object(event) = event else { panic!("not an object") };
        Value::Object(normalize(event))["properties"].clone()
    }

    #[test]
    fn top_level_goes_over_properties_and_campaigns_over_both() {
        let event = json!({
            "event": "x", "distinct_id": "d",
            "$set": {"a": 2, "utm_source": "explicit"},
            "$set_once": {"$initial_os": "explicit"},
            "properties": {"$set": {"a": 1, "b": 1}, "utm_source": null, "$os": "", "$os_version": "5"},
        });
        assert_eq!(
            normal(event),
            json!({
                "$set": {"a": 2, "b": 1, "utm_source": null},
                "$set_once": {"$initial_os": "", "$initial_utm_source": null},
                "utm_source": null, "$os": "", "$os_version": "5",
            })
        );
    }

    #[test]
    fn what_is_no_object_stays_in_properties_and_says_nothing() {
        let event = json!({"event": "x", "distinct_id": "d", "$set": [1], "properties": {"$set": "s", "$set_once": 5}});
        assert_eq!(normal(event), json!({"$set": "s", "$set_once": 5}));
        let event = json!({"event": "x", "distinct_id": "d", "$set": {}, "properties": {"$set": "s"}});
        assert_eq!(normal(event), json!({"$set": {}}));
    }

    #[test]
    fn running_twice_changes_nothing() {
        let event = json!({
            "event": "x", "distinct_id": 5, "$set": {"gclid": 1}, "$set_once": {"z": 1},
            "properties": {"gclid": 2, "$pathname": "/", "$set": {"gclid": 3}},
        });
        let Value::Object(event) = event else { panic!("not an object") };
        let once = normalize(event);
        assert_eq!(normalize(once.clone()), once);
    }
}
