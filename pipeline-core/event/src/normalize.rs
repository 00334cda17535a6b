//! From what a client sent to the event that plugins see, and the rules that run before and after them.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::ProjectId;
use crate::intake::{CapturedEvent, IntakeRecord};
use crate::time;

/// An event as plugins see it: a JSON object.
pub type PluginEvent = Map<String, Value>;

/// Longest event name and distinct id, in characters.
pub const NAME_LIMIT_CHARS: usize = 200;

const CAMPAIGN: [&str; 8] =
    ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_name", "utm_term", "gclid", "fbclid"];
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

/// Merges the client's event object under the fields that capture vouches for, which win.
///
/// Fails when `data` is not a JSON object, which capture never accepts: the log was written by
/// something else.
pub fn plugin_event(
    record: &IntakeRecord,
    event: &CapturedEvent,
    project: ProjectId,
) -> Result<PluginEvent, serde_json::Error> {
    let mut object: PluginEvent = serde_json::from_str(&event.data)?;
    for key in ["token", "api_key", "$token", "$distinct_id"] {
        object.shift_remove(key);
    }
    // A name is a text from here on; what is missing was refused at the edge.
    if let Some(name) = object.get_mut("event").filter(|name| !name.is_string() && !name.is_null()) {
        *name = name.to_string().into();
    }
    object.insert("distinct_id".into(), event.distinct_id.as_str().into());
    object.insert("uuid".into(), event.uuid.to_string().into());
    object.insert("team_id".into(), project.0.into());
    object.insert("now".into(), time::iso(record.received_at_ms).into());
    object.insert("site_url".into(), record.site_url.as_str().into());
    object.insert("ip".into(), address(record, &object));
    match &record.sent_at {
        Some(sent_at) => object.insert("sent_at".into(), sent_at.as_str().into()),
        None => object.shift_remove("sent_at"),
    };
    normalize(&mut object);
    Ok(object)
}

/// The client's address, unless the event says that a server inside sent it.
fn address(record: &IntakeRecord, event: &PluginEvent) -> Value {
    let internal = event.get("properties").and_then(|properties| properties.get("capture_internal"));
    if internal.is_some_and(time::is_truthy) {
        return "127.0.0.1".into();
    }
    if record.ip.is_empty() { Value::Null } else { record.ip.as_str().into() }
}

/// Session recordings: they concern no person, and plugins do not process them.
pub const RECORDING: &str = "$snapshot";

pub fn is_recording(event: &PluginEvent) -> bool {
    event.get("event").and_then(Value::as_str) == Some(RECORDING)
}

/// The uuid that a plugin has given an event, when it is another than it came with; the reason when it is none.
pub fn new_uuid(event: &PluginEvent, captured: Uuid) -> Result<Option<Uuid>, String> {
    let text = match event.get("uuid") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match Uuid::try_parse(&text) {
        Ok(uuid) => Ok(Some(uuid).filter(|uuid| *uuid != captured)),
        Err(_) => Err(format!("a plugin set the uuid to {text:?}, which is not a UUID")),
    }
}

/// PostHog's `normalizeEvent`. It runs before plugins, so that they see `$set` filled in, and after
/// them, so that what they add counts.
pub fn normalize(event: &mut PluginEvent) {
    let top_level = ["$set", "$set_once"].map(|key| (key, event.get(key).and_then(Value::as_object).cloned()));
    let is_recording = is_recording(event);
    let properties = properties_mut(event);
    for (key, values) in top_level {
        if let Some(values) = values {
            object_mut(properties, key).extend(values);
        }
    }
    if is_recording {
        return;
    }
    let picked = |names: &[&str], properties: &PluginEvent| -> Vec<(String, Value)> {
        names.iter().filter_map(|name| Some(((*name).to_owned(), properties.get(*name)?.clone()))).collect()
    };
    let campaign = picked(&CAMPAIGN, properties);
    let initial = picked(&INITIAL, properties);
    if campaign.is_empty() && initial.is_empty() {
        return;
    }
    let first_seen: Vec<_> = campaign
        .iter()
        .chain(&initial)
        .map(|(name, value)| (format!("$initial_{}", name.replacen('$', "", 1)), value.clone()))
        .collect();
    if !campaign.is_empty() {
        object_mut(properties, "$set").extend(campaign);
    }
    object_mut(properties, "$set_once").extend(first_seen);
}

/// The event's properties, made an object if they are not one.
pub fn properties_mut(event: &mut PluginEvent) -> &mut PluginEvent {
    object_mut(event, "properties")
}

fn object_mut<'a>(parent: &'a mut PluginEvent, key: &str) -> &'a mut PluginEvent {
    let slot = parent.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(object) => object,
        _ => unreachable!("made an object just above"),
    }
}

/// Text of an event name or distinct id: a string as it is, anything else as JSON; cut to 200 characters.
pub fn name_text(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    truncate(text)
}

/// Cuts to the first 200 characters, on a character boundary.
pub fn truncate(mut text: String) -> String {
    if text.len() > NAME_LIMIT_CHARS
        && let Some((end, _)) = text.char_indices().nth(NAME_LIMIT_CHARS)
    {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn normalized(event: Value) -> Value {
        let Value::Object(mut event) = event else { panic!("the case is an object") };
        normalize(&mut event);
        Value::Object(event)
    }

    #[test]
    fn what_capture_knows_goes_over_what_the_event_says() {
        let data = json!({"event": "e", "distinct_id": "said", "uuid": "said", "team_id": 9, "now": "said", "ip": "said",
            "site_url": "said", "sent_at": "said", "token": "t", "own": 1});
        let event = CapturedEvent {
            uuid: Uuid::from_u128(7),
            client_uuid: true,
            distinct_id: "known".into(),
            data: data.to_string(),
        };
        let record = IntakeRecord {
            received_at_ms: 0,
            token: "t".into(),
            ip: "1.2.3.4".into(),
            site_url: "http://x".into(),
            sent_at: None,
            body: crate::intake::IntakeBody::Events(Vec::new()),
        };
        let seen = plugin_event(&record, &event, ProjectId(2)).expect("an object");
        assert_eq!(
            Value::Object(seen),
            json!({"event": "e", "distinct_id": "known", "uuid": "00000000-0000-0000-0000-000000000007", "team_id": 2,
                "now": "1970-01-01T00:00:00.000Z", "ip": "1.2.3.4", "site_url": "http://x", "own": 1, "properties": {}})
        );
    }

    #[test]
    fn top_level_set_wins_over_the_one_in_properties() {
        let event = normalized(json!({"$set": {"a": 1}, "properties": {"$set": {"a": 0, "b": 2}}}));
        assert_eq!(event["properties"]["$set"], json!({"a": 1, "b": 2}));
    }

    #[test]
    fn campaign_and_first_seen_values_reach_the_person() {
        let event = normalized(json!({"properties": {"utm_source": "mail", "$browser": "Firefox"}}));
        assert_eq!(event["properties"]["$set"], json!({"utm_source": "mail"}));
        assert_eq!(
            event["properties"]["$set_once"],
            json!({"$initial_utm_source": "mail", "$initial_browser": "Firefox"})
        );
        assert_eq!(normalized(json!({"properties": {"gclid": null}}))["properties"]["$set"], json!({"gclid": null}));
        let again = normalized(event.clone());
        assert_eq!(again, event, "running it twice changes nothing");
    }

    #[test]
    fn what_is_filled_in_goes_over_what_was_sent() {
        let event = normalized(json!({"properties": {
            "fbclid": "real", "$os": "Linux", "$set": {"fbclid": "sent", "k": 1}, "$set_once": {"$initial_os": "sent"}}}));
        assert_eq!(event["properties"]["$set"], json!({"fbclid": "real", "k": 1}));
        assert_eq!(event["properties"]["$set_once"], json!({"$initial_os": "Linux", "$initial_fbclid": "real"}));
        for later in ["msclkid", "gad_source", "$app_version", "$os_version", "$screen_width"] {
            let event = normalized(json!({"properties": {later: 1}}));
            assert_eq!(event["properties"], json!({later: 1}), "the list is that of 2022");
        }
    }

    #[test]
    fn what_is_no_object_sets_nothing_and_stays() {
        let event = normalized(json!({"$set": 5, "$set_once": [], "properties": {"$set": "x", "$set_once": 7}}));
        assert_eq!(event["properties"], json!({"$set": "x", "$set_once": 7}));
        assert_eq!(normalized(json!({}))["properties"], json!({}));
    }

    #[test]
    fn snapshots_are_left_alone() {
        let event = normalized(json!({"event": "$snapshot", "properties": {"$browser": "Firefox"}}));
        assert_eq!(event["properties"], json!({"$browser": "Firefox"}));
    }

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(truncate("é".repeat(300)).chars().count(), 200);
        assert_eq!(name_text(&json!(12)), "12");
    }
}
