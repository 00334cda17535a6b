//! From the event that the last plugin left to what is stored: name, id, uuid, time, elements, address,
//! and whether it concerns a person. Pure; groups and persons come after it.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::clock::UnixMillis;
use crate::normalize::{self, PluginEvent, RECORDING};
use crate::time::{self, TimeClaims, TimeWarning};
use crate::{elements, js};

/// A longer distinct id has no place in the tables that PostHog keeps.
const DISTINCT_ID_LIMIT_CHARS: usize = 400;
/// Events that are about a person or group and nothing else.
const PERSON_ONLY: [&str; 4] = ["$identify", "$create_alias", "$merge_dangerously", "$groupidentify"];

/// Whether an event concerns a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// It creates or updates its person.
    Full,
    /// `$process_person_profile` is false: it has no person.
    Propertyless,
}

/// An ingestion warning, under PostHog's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    pub kind: &'static str,
    pub details: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    pub uuid: Uuid,
    /// At most 200 characters.
    pub event: String,
    pub distinct_id: String,
    pub properties: Map<String, Value>,
    pub timestamp_ms: UnixMillis,
    pub elements_chain: String,
    pub profile: Profile,
}

/// Why an event is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// By a rule; nothing is wrong with the pipeline.
    Dropped(String),
    /// It cannot be processed as it is; it is kept aside.
    DeadLettered(String),
}

/// What capture knows of the event.
#[derive(Debug, Clone, Copy)]
pub struct Captured<'a> {
    pub uuid: Uuid,
    pub distinct_id: &'a str,
    pub received_at_ms: UnixMillis,
    /// Whether session recordings (`$snapshot`) are kept.
    pub keeps_recordings: bool,
}

/// `event` must be normalised. Warnings come whether it is stored or not.
pub fn prepare(
    mut event: PluginEvent,
    captured: Captured<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Prepared, Refusal> {
    let uuid = uuid_of(&event, captured.uuid, warnings)?;
    let name = event.get("event").filter(|name| !name.is_null()).map(normalize::name_text).unwrap_or_default();
    let name = js::without_nul(name);
    let is_recording = name == RECORDING;
    if is_recording && !captured.keeps_recordings {
        return Err(Refusal::Dropped("session recording is off".into()));
    }
    let distinct_id = distinct_id_of(&event, captured.distinct_id, uuid, warnings)?;
    let ip = event.get("ip").and_then(Value::as_str).filter(|ip| !ip.is_empty()).map(Value::from);
    let Some(Value::Object(mut properties)) = event.shift_remove("properties") else {
        return Err(Refusal::DeadLettered("the event has no properties object".into()));
    };
    let profile = if is_recording {
        without_person(&mut properties);
        Profile::Propertyless
    } else {
        profile_of(&mut properties, &name, &distinct_id, uuid, warnings)?
    };
    let ignore_sent_at = properties.get("$ignore_sent_at").is_some_and(time::is_truthy);
    let timestamp_ms = timestamp_of(&event, ignore_sent_at, uuid, captured.received_at_ms, warnings);
    let elements_chain = elements::take_chain(&mut properties);
    if let Some(ip) = ip {
        properties.entry("$ip").or_insert(ip);
    }
    Ok(Prepared { uuid, event: name, distinct_id, properties, timestamp_ms, elements_chain, profile })
}

fn uuid_of(event: &PluginEvent, captured: Uuid, warnings: &mut Vec<Warning>) -> Result<Uuid, Refusal> {
    let text = match event.get("uuid") {
        None | Some(Value::Null) => return Ok(captured),
        Some(value) => js::string(value),
    };
    Uuid::try_parse(&text).map_err(|_| {
        warnings.push(Warning { kind: "skipping_event_invalid_uuid", details: json!({"eventUuid": text}) });
        Refusal::DeadLettered(format!("the uuid {text:?} is not a UUID"))
    })
}

fn distinct_id_of(
    event: &PluginEvent,
    captured: &str,
    uuid: Uuid,
    warnings: &mut Vec<Warning>,
) -> Result<String, Refusal> {
    let given = event.get("distinct_id").filter(|id| time::is_truthy(id)).map(js::string);
    let id = js::without_nul(given.unwrap_or_else(|| captured.to_owned()));
    let length = id.chars().count();
    if length > DISTINCT_ID_LIMIT_CHARS {
        warnings.push(Warning {
            kind: "skipping_event_invalid_distinct_id",
            details: json!({
                "eventUuid": uuid,
                "distinctId": id.chars().take(100).collect::<String>(),
                "distinctIdLength": length,
                "maxLength": DISTINCT_ID_LIMIT_CHARS,
            }),
        });
        return Err(Refusal::Dropped(format!(
            "its distinct id has {length} characters, {DISTINCT_ID_LIMIT_CHARS} are allowed"
        )));
    }
    Ok(id)
}

fn timestamp_of(
    event: &PluginEvent,
    ignore_sent_at: bool,
    uuid: Uuid,
    now_ms: UnixMillis,
    warnings: &mut Vec<Warning>,
) -> UnixMillis {
    let (timestamp_ms, found) = time::resolve(TimeClaims {
        timestamp: event.get("timestamp"),
        offset: event.get("offset"),
        sent_at: event.get("sent_at").and_then(Value::as_str),
        ignore_sent_at,
        now_ms,
    });
    let given = |key: &str| event.get(key).filter(|value| !value.is_null()).cloned().unwrap_or_else(|| "".into());
    warnings.extend(found.into_iter().map(|warning| match warning {
        TimeWarning::Unreadable { field, value, reason } => Warning {
            kind: "ignored_invalid_timestamp",
            details: json!({"eventUuid": uuid, "field": field, "value": value, "reason": reason}),
        },
        TimeWarning::InFuture { result_ms } => Warning {
            kind: "event_timestamp_in_future",
            details: json!({
                "timestamp": given("timestamp"),
                "sentAt": given("sent_at"),
                "offset": given("offset"),
                "now": time::iso(now_ms),
                "result": time::iso(result_ms),
                "eventUuid": uuid,
                "eventName": given("event"),
            }),
        },
    }));
    timestamp_ms
}

fn profile_of(
    properties: &mut Map<String, Value>,
    name: &str,
    distinct_id: &str,
    uuid: Uuid,
    warnings: &mut Vec<Warning>,
) -> Result<Profile, Refusal> {
    const KEY: &str = "$process_person_profile";
    match properties.get(KEY) {
        None => return Ok(Profile::Full),
        Some(Value::Bool(false)) => {}
        Some(given) => {
            if *given != Value::Bool(true) {
                warnings.push(Warning {
                    kind: "invalid_process_person_profile",
                    details: json!({"eventUuid": uuid, "event": name, "distinctId": distinct_id, KEY: given}),
                });
            }
            properties.shift_remove(KEY);
            return Ok(Profile::Full);
        }
    }
    if PERSON_ONLY.contains(&name) {
        warnings.push(Warning {
            kind: "invalid_event_when_process_person_profile_is_false",
            details: json!({"eventUuid": uuid, "event": name, "distinctId": distinct_id}),
        });
        return Err(Refusal::Dropped(format!("{name} is about a person, and $process_person_profile is false")));
    }
    without_person(properties);
    Ok(Profile::Propertyless)
}

fn without_person(properties: &mut Map<String, Value>) {
    for key in ["$set", "$set_once", "$unset", "$group_0", "$group_1", "$group_2", "$group_3", "$group_4"] {
        properties.shift_remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTURED: Captured<'_> = Captured {
        uuid: Uuid::from_u128(1),
        distinct_id: "d",
        received_at_ms: 1_700_000_000_000,
        keeps_recordings: false,
    };

    fn prepared(event: Value) -> (Result<Prepared, Refusal>, Vec<&'static str>) {
        let Value::Object(event) = event else { panic!("an object") };
        let mut warnings = Vec::new();
        let result = prepare(event, CAPTURED, &mut warnings);
        (result, warnings.into_iter().map(|warning| warning.kind).collect())
    }

    #[test]
    fn the_address_is_kept_unless_the_client_gave_one() {
        let (event, _) = prepared(json!({"event": "e", "ip": "1.2.3.4", "properties": {}}));
        assert_eq!(event.expect("stored").properties["$ip"], "1.2.3.4");
        let (event, _) = prepared(json!({"event": "e", "ip": "1.2.3.4", "properties": {"$ip": null}}));
        assert_eq!(event.expect("stored").properties["$ip"], Value::Null);
    }

    #[test]
    fn a_broken_uuid_is_kept_aside_and_said() {
        let (event, warnings) = prepared(json!({"event": "e", "uuid": "nonsense", "properties": {}}));
        assert!(matches!(event, Err(Refusal::DeadLettered(_))));
        assert_eq!(warnings, ["skipping_event_invalid_uuid"]);
    }

    #[test]
    fn a_personless_event_loses_what_only_a_person_has() {
        let (event, warnings) = prepared(json!({"event": "e", "properties": {
            "$process_person_profile": false, "$set": {"a": 1}, "$set_once": {}, "$unset": [], "$group_3": "x",
            "$groups": {"a": "b"}}}));
        let event = event.expect("stored");
        assert_eq!(event.profile, Profile::Propertyless);
        assert_eq!(Value::Object(event.properties), json!({"$process_person_profile": false, "$groups": {"a": "b"}}));
        assert!(warnings.is_empty());
    }

    #[test]
    fn the_profile_switch_is_a_boolean_and_forbids_events_about_persons() {
        let (event, warnings) = prepared(json!({"event": "e", "properties": {"$process_person_profile": "no"}}));
        let event = event.expect("stored");
        assert_eq!((event.profile, event.properties.len()), (Profile::Full, 0));
        assert_eq!(warnings, ["invalid_process_person_profile"]);
        for name in PERSON_ONLY {
            let (event, warnings) = prepared(json!({"event": name, "properties": {"$process_person_profile": false}}));
            assert!(matches!(event, Err(Refusal::Dropped(_))), "{name}");
            assert_eq!(warnings, ["invalid_event_when_process_person_profile_is_false"]);
        }
    }

    #[test]
    fn recordings_are_kept_if_they_are_wanted_and_have_no_person() {
        let recording =
            json!({"event": RECORDING, "properties": {"$snapshot_data": {}, "$set": {"a": 1}, "$group_0": "x"}});
        assert!(matches!(prepared(recording.clone()).0, Err(Refusal::Dropped(_))));
        let Value::Object(event) = recording else { panic!("an object") };
        let mut warnings = Vec::new();
        let event = prepare(event, Captured { keeps_recordings: true, ..CAPTURED }, &mut warnings).expect("stored");
        assert_eq!(event.profile, Profile::Propertyless);
        assert_eq!(Value::Object(event.properties), json!({"$snapshot_data": {}}));
        assert!(warnings.is_empty());
    }

    #[test]
    fn names_are_made_text() {
        let (event, _) = prepared(json!({"event": {"a": 1}, "distinct_id": 12, "properties": {}}));
        let event = event.expect("stored");
        assert_eq!((event.event.as_str(), event.distinct_id.as_str()), (r#"{"a":1}"#, "12"));
        let (event, _) = prepared(json!({"event": "a\0b", "distinct_id": "x\0", "properties": {}}));
        let event = event.expect("stored");
        assert_eq!((event.event.as_str(), event.distinct_id.as_str()), ("a\u{fffd}b", "x\u{fffd}"));
    }

    #[test]
    fn a_distinct_id_that_no_table_holds_is_dropped_and_said() {
        let (event, warnings) = prepared(json!({"event": "e", "distinct_id": "x".repeat(401), "properties": {}}));
        assert!(matches!(event, Err(Refusal::Dropped(_))));
        assert_eq!(warnings, ["skipping_event_invalid_distinct_id"]);
    }
}
