//! What happens to one event by itself, whatever else has been seen: plugins, its person-profile flag, its time, its
//! columns (SPEC 4.1 steps 3 to 5). Both orderings share this; they differ only in what they make of the result.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::elements;
use crate::event::Captured;
use crate::expected::ExpectedWarning;
use crate::javascript::string;
use crate::merge::{Merge, merge_of};
use crate::normal::normalize;
use crate::nul;
use crate::oracle::Twin;
use crate::time::{event_time, iso_text};

const MAX_NAME: usize = 200;
const MAX_STORED_DISTINCT_ID: usize = 400;

/// What an event takes from the request it came in.
pub(crate) struct Request<'a> {
    pub project: u32,
    pub now_ms: i64,
    pub sent_at: Option<&'a str>,
    pub ip: &'a str,
    pub site_url: &'a str,
    pub recordings: bool,
}

pub(crate) enum Fate {
    Goes(Box<Prepared>),
    Dropped,
    DeadLettered,
}

/// An event that will be stored.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub uuid: Uuid,
    /// Capture drew the uuid, so that the one here is made up.
    pub drawn: bool,
    pub name: String,
    pub distinct_id: String,
    /// As stored, but for `$group_n`.
    pub properties: Map<String, Value>,
    pub timestamp_ms: i64,
    pub elements_chain: String,
    /// `$process_person_profile` is false: no person and no groups come of it.
    pub personless: bool,
    pub merge: Option<Merge>,
    pub set: Map<String, Value>,
    pub set_once: Map<String, Value>,
    pub unset: Vec<String>,
    pub now_ms: i64,
    pub payload_hash: [u8; 32],
}

impl Prepared {
    /// The uuid as far as it can be known.
    pub fn uuid_value(&self) -> Value {
        if self.drawn { Value::Null } else { json!(self.uuid) }
    }
}

pub(crate) fn prepare(
    captured: &Captured,
    uuid: Uuid,
    request: &Request,
    twins: &mut [Box<dyn Twin>],
) -> (Fate, Vec<ExpectedWarning>) {
    let is_recording = captured.name == "$snapshot";
    if is_recording && !request.recordings {
        return (Fate::Dropped, Vec::new());
    }
    let mut event = normalize(as_plugins_see_it(captured, uuid, request));
    // Recordings are not for plugins.
    for twin in twins.iter_mut().filter(|_| !is_recording) {
        match twin.process(event) {
            Some(result) => event = result,
            None => return (Fate::Dropped, Vec::new()),
        }
    }
    after_plugins(event, captured, uuid, request)
}

/// Fields of the outside win over those the client put in the event object (SPEC 1.8, 6.6).
fn as_plugins_see_it(captured: &Captured, uuid: Uuid, request: &Request) -> Map<String, Value> {
    let mut event = captured.data.clone();
    let ip = if captured.internal { "127.0.0.1" } else { request.ip };
    let outer = json!({
        "uuid": uuid,
        "event": captured.name,
        "distinct_id": captured.distinct_id,
        "ip": Some(ip).filter(|ip| !ip.is_empty()),
        "site_url": request.site_url,
        "team_id": request.project,
        "now": iso_text(request.now_ms),
    });
    event.extend(outer.as_object().expect("invariant: it is written as an object").clone());
    match request.sent_at {
        Some(sent_at) => event.insert("sent_at".to_owned(), json!(sent_at)),
        None => event.remove("sent_at"),
    };
    event
}

fn after_plugins(
    event: Map<String, Value>,
    captured: &Captured,
    uuid: Uuid,
    request: &Request,
) -> (Fate, Vec<ExpectedWarning>) {
    let warning = |kind: &str, details: Value| ExpectedWarning { kind: kind.to_owned(), details };
    let event = normalize(event);
    let text = |key: &str| event.get(key).and_then(Value::as_str);

    let distinct_id = nul::replaced(text("distinct_id").unwrap_or_default());
    let length = distinct_id.chars().count();
    if length > MAX_STORED_DISTINCT_ID {
        let first: String = distinct_id.chars().take(100).collect();
        let details = json!({ "distinctId": first, "distinctIdLength": length, "maxLength": MAX_STORED_DISTINCT_ID });
        return (Fate::Dropped, vec![warning("skipping_event_invalid_distinct_id", details)]);
    }
    let Some(final_uuid) = text("uuid").and_then(dashed_uuid) else {
        let details = json!({ "eventUuid": event.get("uuid") });
        return (Fate::DeadLettered, vec![warning("skipping_event_invalid_uuid", details)]);
    };
    let drawn = captured.client_uuid.is_none() && final_uuid == uuid;
    let uuid_value = if drawn { Value::Null } else { json!(final_uuid) };

    let mut warnings = Vec::new();
    let name = match event.get("event") {
        Some(Value::String(name)) => name.clone(),
        other => other.unwrap_or(&Value::Null).to_string(),
    };
    let name: String = nul::replaced(&name).chars().take(MAX_NAME).collect();
    let Some(Value::Object(mut properties)) = event.get("properties").cloned() else {
        unreachable!("invariant: a normalised event has properties")
    };

    let mut personless = name == "$snapshot";
    if !personless {
        match properties.get("$process_person_profile").cloned() {
            Some(Value::Bool(false)) => personless = true,
            flag => {
                properties.shift_remove("$process_person_profile");
                if let Some(value) = flag.filter(|value| *value != Value::Bool(true)) {
                    let details = json!({ "eventUuid": uuid_value, "event": name, "distinctId": distinct_id,
                        "$process_person_profile": value });
                    warnings.push(warning("invalid_process_person_profile", details));
                }
            }
        }
    }
    if personless {
        if ["$identify", "$create_alias", "$merge_dangerously", "$groupidentify"].contains(&name.as_str()) {
            let details = json!({ "eventUuid": uuid_value, "event": name, "distinctId": distinct_id });
            warnings.push(warning("invalid_event_when_process_person_profile_is_false", details));
            return (Fate::Dropped, warnings);
        }
        for key in ["$set", "$set_once", "$unset", "$group_0", "$group_1", "$group_2", "$group_3", "$group_4"] {
            properties.shift_remove(key);
        }
    }

    let (timestamp_ms, about_time) = event_time(&event, &properties, request.now_ms, request.sent_at, &uuid_value);
    warnings.extend(about_time);

    let mut merge = None;
    if !personless {
        match merge_of(&name, &distinct_id, &properties) {
            Ok(found) => merge = found,
            Err(illegal) => warnings.push(illegal),
        }
    }
    let object =
        |key: &str| properties.get(key).and_then(Value::as_object).map(nul::replaced_in_map).unwrap_or_default();
    let (set, set_once, unset) = (object("$set"), object("$set_once"), unset_names(properties.get("$unset")));

    let elements_chain = elements::take_chain(&mut properties);
    if let Some(ip) = text("ip").filter(|ip| !ip.is_empty())
        && !properties.contains_key("$ip")
    {
        properties.insert("$ip".to_owned(), json!(ip));
    }
    let prepared = Prepared {
        uuid: final_uuid,
        drawn,
        name,
        distinct_id,
        properties,
        timestamp_ms,
        elements_chain,
        personless,
        merge,
        set,
        set_once,
        unset,
        now_ms: request.now_ms,
        payload_hash: captured.payload_hash,
    };
    (Fate::Goes(Box::new(prepared)), warnings)
}

/// A list of names, or an object whose keys they are.
fn unset_names(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(names)) => names.iter().map(|name| nul::replaced(&string(name))).collect(),
        Some(Value::Object(names)) => names.keys().map(|name| nul::replaced(name)).collect(),
        _ => Vec::new(),
    }
}

/// 8-4-4-4-12 hex digits, and nothing else that might be read as a uuid.
fn dashed_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok())?
}
