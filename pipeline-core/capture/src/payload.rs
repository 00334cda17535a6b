//! From the JSON of a request to captured events: shapes, token, distinct ids and uuids.
//!
//! A request is accepted or refused as a whole. The order of the checks decides which of several faults
//! a client is told: JSON, then the shape of everything, then each event in turn, then the token.

use std::borrow::Cow;

use serde_json::value::RawValue;
use uuid::Uuid;
use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};
use weir_event::normalize;

use crate::error::{CaptureError, Refusal};
use crate::fields::{Fields, present, string, text_of};
use crate::scan;
use crate::token::Claim;

/// Of one event's JSON.
pub const EVENT_LIMIT_BYTES: usize = 1 << 20;
/// What events of PostHog's own services are given as address.
const INTERNAL_IP: &str = "127.0.0.1";

/// What is known about a request besides its JSON.
#[derive(Debug, Clone, Default)]
pub struct RequestFacts {
    pub received_at_ms: i64,
    pub ip: String,
    pub site_url: String,
    /// From the query (GET) or the form; wins over the body.
    pub token: Option<String>,
    /// From the query parameter `_`; wins over the body.
    pub query_sent_at: Option<String>,
    /// Counts if the body has none.
    pub form_sent_at: Option<String>,
    /// The path was `/engage`: a nameless event is a `$identify`.
    pub engage: bool,
}

/// An event of a request, read once.
struct Event<'a> {
    raw: &'a RawValue,
    fields: Fields<'a>,
    properties: Fields<'a>,
}

/// Unpacks the JSON of one request into what the intake log keeps: one record, or several where events
/// next to each other have different addresses.
pub fn unpack(json: &[u8], facts: RequestFacts) -> Result<Vec<IntakeRecord>, Refusal> {
    let json = scan::check(json).map_err(|error| known_only_by_request(error, &facts))?;
    match serde_json::from_slice::<&RawValue>(&json) {
        Ok(root) => read(root, facts),
        Err(error) => {
            let refused = |facts: &_| known_only_by_request(CaptureError::Parse(error.to_string()), facts);
            let Some(repaired) = scan::without_bare_constants(&json) else { return Err(refused(&facts)) };
            match serde_json::from_slice::<&RawValue>(&repaired) {
                Ok(root) => read(root, facts),
                Err(_) => Err(refused(&facts)),
            }
        }
    }
}

/// A refusal before anything could be read from the body.
pub fn known_only_by_request(error: CaptureError, facts: &RequestFacts) -> Refusal {
    let token = facts.token.as_deref().and_then(Claim::of_text);
    Refusal { error, token: valid(token.as_ref()), events: 1 }
}

fn read(root: &RawValue, facts: RequestFacts) -> Result<Vec<IntakeRecord>, Refusal> {
    let requests = facts.token.as_deref().and_then(Claim::of_text);
    let (wrapper, raws) = split(root).map_err(|error| known_only_by_request(error, &facts))?;
    let count = raws.len().max(1) as u32;
    let mut claim = requests.or_else(|| wrapper.as_ref().and_then(|fields| Claim::of_object(fields, None)));
    let refused = |error, claim: Option<&Claim<'_>>| Refusal { error, token: valid(claim), events: count };
    let refused_shape = |error| {
        let first = raws.first().and_then(|raw| Event::read(raw).ok());
        let own = first.and_then(|event| event.claim());
        refused(error, claim.as_ref().or(own.as_ref()))
    };

    let sent_at = sent_at(wrapper.as_ref().and_then(|fields| fields.sent_at)).map_err(refused_shape)?;
    if raws.is_empty() {
        return Err(refused_shape(CaptureError::Empty));
    }
    let events: Result<Vec<_>, _> = raws.iter().map(|raw| Event::read(raw)).collect();
    let events = events.map_err(refused_shape)?;
    // A single event is its own wrapper, but its properties may name the project too.
    let of_request = claim.is_some();
    let mut captured = Vec::with_capacity(events.len());
    for event in &events {
        let own = if of_request { None } else { event.claim() };
        match (&claim, own) {
            (None, Some(own)) => claim = Some(own),
            (Some(first), Some(own)) if *first != own => {
                return Err(refused(CaptureError::MixedTokens, claim.as_ref()));
            }
            _ => {}
        }
        captured.push(event.capture(facts.engage).map_err(|error| {
            let later = events.iter().find_map(Event::claim);
            refused(error, claim.as_ref().or(later.as_ref()))
        })?);
    }
    let Some(claim) = claim else { return Err(refused(CaptureError::MissingToken, None)) };
    let token = claim.check().map_err(|error| refused(error, None))?;
    let record = |ip: &str, events| IntakeRecord {
        received_at_ms: facts.received_at_ms,
        token: token.to_owned(),
        ip: ip.to_owned(),
        site_url: facts.site_url.clone(),
        sent_at: facts.query_sent_at.clone().or(sent_at.clone()).or(facts.form_sent_at.clone()),
        body: IntakeBody::Events(events),
    };
    let internal: Vec<bool> = events.iter().map(Event::is_internal).collect();
    let address = |internal| if internal { INTERNAL_IP } else { &facts.ip };
    if internal.iter().all(|flag| *flag == internal[0]) {
        return Ok(vec![record(address(internal[0]), captured)]);
    }
    let mut records: Vec<IntakeRecord> = Vec::new();
    let mut captured = captured.into_iter();
    for run in internal.chunk_by(|left, right| left == right) {
        records.push(record(address(run[0]), captured.by_ref().take(run.len()).collect()));
    }
    Ok(records)
}

fn valid(claim: Option<&Claim<'_>>) -> String {
    claim.and_then(|claim| claim.check().ok()).unwrap_or_default().to_owned()
}

/// The wrapper object, if there is one, and the events.
fn split(root: &RawValue) -> Result<(Option<Fields<'_>>, Vec<&RawValue>), CaptureError> {
    if root.get().starts_with('[') {
        return Ok((None, list(root)?));
    }
    let fields = Fields::read(root)?;
    match present(fields.batch) {
        Some(batch) => Ok((Some(fields), list(batch)?)),
        None => Ok((Some(fields), vec![root])),
    }
}

fn list(raw: &RawValue) -> Result<Vec<&RawValue>, CaptureError> {
    serde_json::from_str(raw.get()).map_err(|error| CaptureError::Parse(error.to_string()))
}

/// As it was sent: what cannot be read as a time is a matter of the time rules, not of the request.
fn sent_at(raw: Option<&RawValue>) -> Result<Option<String>, CaptureError> {
    let Some(raw) = present(raw) else { return Ok(None) };
    let text =
        string(raw.get()).ok_or_else(|| CaptureError::Parse("invalid type: \"sent_at\" is not a string".into()))?;
    Ok(Some(text.into_owned()).filter(|text| !text.is_empty()))
}

impl<'a> Event<'a> {
    fn read(raw: &'a RawValue) -> Result<Self, CaptureError> {
        let fields = Fields::read(raw)?;
        let properties = match present(fields.properties) {
            Some(properties) => Fields::read(properties)?,
            None => Fields::default(),
        };
        Ok(Self { raw, fields, properties })
    }

    fn claim(&self) -> Option<Claim<'a>> {
        Claim::of_object(&self.fields, Some(&self.properties))
    }

    fn is_internal(&self) -> bool {
        present(self.properties.capture_internal).is_some_and(|raw| raw.get() != "false")
    }

    fn capture(&self, engage: bool) -> Result<CapturedEvent, CaptureError> {
        let name = text_of(self.fields.event);
        if name.is_none() && !engage {
            return Err(CaptureError::EmptyEventName);
        }
        let distinct_id = normalize::truncate(self.distinct_id()?.into_owned());
        let client_uuid = self.uuid()?;
        if name.as_deref() == Some("$snapshot") && present(self.properties.snapshot_data).is_none() {
            return Err(CaptureError::MissingSnapshotData);
        }
        if self.raw.get().len() > EVENT_LIMIT_BYTES {
            return Err(CaptureError::EventTooLarge);
        }
        let mut data = self.raw.get().to_owned();
        if name.is_none() {
            // The last key of a name counts, so the name is put last.
            data.truncate(data.trim_end().len() - 1);
            let separator = if data.trim_end().ends_with('{') { "" } else { "," };
            data.push_str(separator);
            data.push_str(r#""event":"$identify"}"#);
        }
        Ok(CapturedEvent {
            uuid: client_uuid.unwrap_or_else(Uuid::now_v7),
            client_uuid: client_uuid.is_some(),
            distinct_id,
            data,
        })
    }

    fn distinct_id(&self) -> Result<Cow<'a, str>, CaptureError> {
        let places = [self.fields.distinct_id, self.fields.dollar_distinct_id, self.properties.distinct_id];
        match places.into_iter().find_map(text_of) {
            Some(id) => Ok(id),
            None if places.into_iter().any(|place| present(place).is_some()) => Err(CaptureError::EmptyDistinctId),
            None => Err(CaptureError::MissingDistinctId),
        }
    }

    fn uuid(&self) -> Result<Option<Uuid>, CaptureError> {
        let invalid = || CaptureError::Parse("event field \"uuid\" is not a valid UUID".into());
        let Some(raw) = present(self.fields.uuid) else { return Ok(None) };
        let text = string(raw.get()).ok_or_else(invalid)?;
        if text.is_empty() { Ok(None) } else { parse_uuid(&text).map(Some).ok_or_else(invalid) }
    }
}

/// Every form that Python's `uuid` reads: 32 hexadecimal digits, with hyphens anywhere, braces and the
/// `urn:uuid:` in front.
fn parse_uuid(text: &str) -> Option<Uuid> {
    let text = text.replace("urn:", "").replace("uuid:", "");
    let digits: String = text.trim_matches(['{', '}']).chars().filter(|character| *character != '-').collect();
    let is_hex = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u128::from_str_radix(&digits, 16).ok().map(Uuid::from_u128)).flatten()
}

#[cfg(test)]
mod tests;
