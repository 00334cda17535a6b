//! From events as clients send them to what the plugin stage is given: capture's own unpacking, and the facts
//! of a request that a trial makes up.

use serde_json::value::RawValue;
use uuid::Uuid;
use weir_capture::{RequestFacts, unpack};
use weir_event::clock::UnixMillis;
use weir_event::ids;
use weir_event::intake::{CapturedEvent, IntakeBody, IntakeRecord};

/// The project of trials: the first one.
pub const PROJECT: u32 = 1;
const TOKEN: &str = "phc_weir_test";
/// From the networks for documentation, where the small GeoIP database knows a city.
pub const DEFAULT_IP: &str = "198.51.100.7";
pub const SITE_URL: &str = "http://127.0.0.1:8010";

/// An event in the hands of the plugin stage.
#[derive(Debug, Clone)]
pub struct Input {
    /// Intake offset; in a trial without a log, its place.
    pub offset: u64,
    pub project: u32,
    /// Its request, without events.
    pub record: IntakeRecord,
    pub captured: CapturedEvent,
}

/// The request that brings events.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub received_at_ms: UnixMillis,
    pub ip: &'a str,
    pub site_url: &'a str,
    /// What the client says when it sent it.
    pub sent_at: Option<&'a str>,
    /// Uuids of events that bring none are derived from this and their place.
    pub name: &'a str,
    pub first_offset: u64,
}

/// Sends events through capture. The error is what capture would have answered, for the event as a whole.
pub fn capture(events: &[&RawValue], request: &Request<'_>) -> Result<Vec<Input>, (usize, String)> {
    let mut inputs = Vec::with_capacity(events.len());
    for (place, event) in events.iter().enumerate() {
        let body = format!("{{\"api_key\":\"{TOKEN}\",\"batch\":[{}]}}", event.get());
        let facts = RequestFacts {
            received_at_ms: request.received_at_ms,
            ip: request.ip.to_owned(),
            site_url: request.site_url.to_owned(),
            query_sent_at: request.sent_at.map(str::to_owned),
            ..RequestFacts::default()
        };
        let records = unpack(body.as_bytes(), facts).map_err(|refusal| (place, refusal.error.to_string()))?;
        for record in records {
            let offset = request.first_offset + inputs.len() as u64;
            inputs.extend(inputs_of(record, offset, PROJECT).into_iter().map(|input| named(input, request.name)));
        }
    }
    Ok(inputs)
}

/// What capture has drawn by chance is derived instead.
fn named(mut input: Input, name: &str) -> Input {
    if !input.captured.client_uuid {
        input.captured.uuid = event_uuid(name, input.offset);
    }
    input
}

pub fn event_uuid(name: &str, offset: u64) -> Uuid {
    ids::row_uuid(&format!("trial:{name}"), offset, 0)
}

/// The events of one record of the intake log, which begin at an offset.
pub fn inputs_of(record: IntakeRecord, first_offset: u64, project: u32) -> Vec<Input> {
    let IntakeRecord { body, .. } = record;
    let events = match body {
        IntakeBody::Events(events) => events,
        IntakeBody::EdgeRejections { .. } => return Vec::new(),
    };
    let record = IntakeRecord { body: IntakeBody::Events(Vec::new()), ..record };
    let input = |(offset, captured)| Input { offset, project, record: record.clone(), captured };
    (first_offset..).zip(events).map(input).collect()
}

/// Events that a plugin made outside `processEvent`, as they enter the intake log.
pub fn made_by_call(events: Vec<CapturedEvent>, now_ms: UnixMillis, first_offset: u64) -> Vec<Input> {
    let record = IntakeRecord {
        received_at_ms: now_ms,
        token: TOKEN.to_owned(),
        ip: String::new(),
        site_url: String::new(),
        sent_at: None,
        body: IntakeBody::Events(events),
    };
    inputs_of(record, first_offset, PROJECT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Request<'_> =
        Request { received_at_ms: 0, ip: DEFAULT_IP, site_url: SITE_URL, sent_at: None, name: "n", first_offset: 5 };

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    #[test]
    fn events_are_taken_as_capture_takes_them() {
        let events =
            [raw(r#"{"event":"a","properties":{"distinct_id":"d"}}"#), raw(r#"{"event":"b","distinct_id":7}"#)];
        let events: Vec<&RawValue> = events.iter().map(|event| &**event).collect();
        let inputs = capture(&events, &REQUEST).expect("taken");
        let told: Vec<_> = inputs.iter().map(|input| (input.offset, input.captured.distinct_id.as_str())).collect();
        assert_eq!(told, [(5, "d"), (6, "7")]);
        assert_ne!(inputs[0].captured.uuid, inputs[1].captured.uuid);
        let again = capture(&events, &REQUEST).expect("taken");
        assert_eq!(inputs[0].captured, again[0].captured, "uuids are derived");
        let nobody = raw(r#"{"event":"a"}"#);
        let refused = capture(&[&nobody], &REQUEST).expect_err("no distinct id");
        assert_eq!(refused, (0, "event submitted without a distinct_id".to_owned()));
    }
}
