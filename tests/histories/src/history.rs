//! Random histories: a handful of people on a handful of ids, over clients that are late, skewed,
//! repeating themselves and now and then wrong.

use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use weir_oracle::RawRequest;

/// When every history starts.
const START_MS: i64 = 1_700_000_000_000;
/// Stands for half a surrogate pair, which a Rust text cannot hold.
const HALF_PAIR: char = '\u{e000}';

#[derive(Debug, Clone)]
pub struct History {
    pub requests: Vec<Sent>,
}

/// One request, before it has a token.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Time since the request before it.
    pub gap_ms: i64,
    pub shape: Shape,
    pub packing: Packing,
    /// Client clock minus server clock; `None` sends no `sent_at`.
    pub skew_ms: Option<i64>,
    pub events: Vec<Event>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Single,
    List,
    Batch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Gzip,
    Base64Form,
    Query,
}

#[derive(Debug, Clone)]
pub struct Event {
    pub name: Value,
    pub distinct_id: Value,
    pub uuid: Id,
    pub timestamp: Option<When>,
    pub offset: Option<Value>,
    pub properties: Map<String, Value>,
    /// Top-level `$set`.
    pub set: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    Unique,
    /// One of a few, so that events repeat.
    Shared(u8),
    Broken,
    Absent,
}

#[derive(Debug, Clone)]
pub enum When {
    /// Relative to the client's clock at sending.
    Ago(i64, Form),
    Text(&'static str),
    Value(Value),
}

#[derive(Debug, Clone, Copy)]
pub enum Form {
    Iso,
    Spaced,
    Millis,
    Rfc2822,
}

/// Histories for one of the two orderings.
pub fn histories(by_event_time: bool) -> BoxedStrategy<History> {
    vec(sent(by_event_time), 1..9).prop_map(|requests| History { requests }).boxed()
}

fn sent(by_event_time: bool) -> impl Strategy<Value = Sent> {
    let shape = prop_oneof![2 => Just(Shape::Single), 1 => Just(Shape::List), 4 => Just(Shape::Batch)];
    let packing = prop_oneof![
        8 => Just(Packing::Plain), 2 => Just(Packing::Gzip), 1 => Just(Packing::Base64Form), 1 => Just(Packing::Query)
    ];
    let gap = prop_oneof![Just(0_i64), 1..2_000_i64, 1_000..400_000_i64];
    let skew = option::of(prop_oneof![Just(0_i64), -90_000_000..90_000_000_i64]);
    (gap, shape, packing, skew, vec(event(by_event_time), 1..5)).prop_map(
        |(gap_ms, shape, packing, skew_ms, mut events)| {
            if shape == Shape::Single {
                events.truncate(1);
            }
            Sent { gap_ms, shape, packing, skew_ms, events }
        },
    )
}

fn id() -> impl Strategy<Value = Value> {
    prop_oneof![
        20 => select(vec!["a", "b", "c", "d", "e"]).prop_map(Value::from),
        1 => select(vec!["anonymous", "0", "null", "NaN", "[object Object]", " ", "Nan", "\"x\""]).prop_map(Value::from),
        1 => select(vec![json!(7), json!(["a"]), json!(true), json!({"k": 1}), json!("é".repeat(250)), json!("n\0l")]),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (0..4_i64).prop_map(Value::from),
        1 => select(vec![json!(1.0), json!(1.5), json!(-0.0), json!(1e300), json!(18_446_744_073_709_551_615_u64)]),
        2 => select(vec![json!("x"), json!("ü🧀"), json!(""), json!("a\0b"), json!(format!("h{HALF_PAIR}f"))]),
        1 => select(vec![json!(null), json!(true), json!(false), json!([1, {"a": []}]), json!({"z": {"y": 1}})]),
    ]
}

fn few(values: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    vec((select(vec!["k", "l", "m", "utm_source", "$initial_browser"]), values), 0..3)
        .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

fn property(by_event_time: bool) -> BoxedStrategy<(String, Value)> {
    let named = |name: &'static str, values: BoxedStrategy<Value>| {
        values.prop_map(move |value| (name.to_owned(), value)).boxed()
    };
    let rare = || select(vec![json!("text"), json!(3), json!([])]);
    // A null group would be taken out of the properties when the view puts slots in.
    let group_key = if by_event_time {
        select(vec![json!("g"), json!("h"), json!(2)]).boxed()
    } else {
        select(vec![json!("g"), json!("h"), json!(2), json!(""), json!(null), json!([1, 2])]).boxed()
    };
    let kinds = || select(vec!["company", "team", "town", "club", "firm", "sixth", "we\"ird"]);
    let groups = vec((kinds(), group_key), 0..4)
        .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()));
    let profile = prop_oneof![6 => Just(json!(false)), 2 => Just(json!(true)), 1 => select(vec![json!("false"), json!(null), json!(0)])];
    let element =
        json!({"tag_name": "a", "$el_text": "go \"on\"", "attr__class": "b  a", "attr__href": "/x", "nth_child": 2});
    prop_oneof![
        8 => named("$set", few(scalar()).boxed()),
        5 => named("$set_once", few(scalar()).boxed()),
        3 => named("$unset", vec(select(vec!["k", "l", "m"]), 0..3).prop_map(Value::from).boxed()),
        1 => named("$unset", few(Just(json!(1))).boxed()),
        1 => named("$set", rare().boxed()),
        3 => named("utm_source", scalar().boxed()),
        3 => named("$browser", scalar().boxed()),
        3 => named("$current_url", Just(json!("http://x/")).boxed()),
        4 => named("$groups", groups.boxed()),
        1 => named("$groups", rare().boxed()),
        2 => named("$process_person_profile", profile.boxed()),
        1 => named("$ip", select(vec![json!("9.9.9.9"), json!(null)]).boxed()),
        1 => named("$ignore_sent_at", select(vec![json!(true), json!(false), json!("")]).boxed()),
        1 => named("capture_internal", select(vec![json!(true), json!(false), json!(null)]).boxed()),
        2 => named("$elements", select(vec![json!([element]), json!([element, {}]), json!([]), json!("no")]).boxed()),
        1 => named("$elements_chain", select(vec![json!("a:x=\"1\""), json!(""), json!(4)]).boxed()),
        3 => named("plain", scalar().boxed()),
    ]
    .boxed()
}

fn event(by_event_time: bool) -> impl Strategy<Value = Event> {
    let properties =
        vec(property(by_event_time), 0..4).prop_map(|pairs| pairs.into_iter().collect::<Map<String, Value>>()).boxed();
    let name = prop_oneof![
        8 => Just(json!("view")),
        8 => Just(json!("$identify")),
        4 => Just(json!("$create_alias")),
        3 => Just(json!("$merge_dangerously")),
        4 => Just(json!("$groupidentify")),
        1 => Just(json!("$snapshot")),
        1 => select(vec![json!(12), json!({"a": 1}), json!("x".repeat(300)), json!("a\0")]),
    ];
    let uuid = if by_event_time {
        prop_oneof![6 => Just(Id::Unique), 3 => (0..3_u8).prop_map(Id::Shared)].boxed()
    } else {
        prop_oneof![
            20 => Just(Id::Unique), 6 => (0..3_u8).prop_map(Id::Shared), 3 => Just(Id::Absent), 1 => Just(Id::Broken)
        ]
        .boxed()
    };
    let form = || select(vec![Form::Iso, Form::Spaced, Form::Millis, Form::Rfc2822]);
    let timestamp = option::weighted(
        0.8,
        prop_oneof![
            12 => (-100_000..200_000_i64, form()).prop_map(|(ago, form)| When::Ago(ago, form)),
            1 => select(vec![-200_000_000_i64, 100_000_000_000]).prop_map(|ago| When::Ago(ago, Form::Iso)),
            2 => select(vec![
                "2023-11-14", "2023-W46-2", "2023-318", "20231114", "2023-11-14T22:13:20+0130", "Nov 14, 2023 22:13", "yesterday", "",
                "2023-02-31", "0000-00-00", "-000001-01-01T00:00:00Z", "2023-11-14T22:13:20.123456789Z", "14 Nov 2023 10:00 PM",
                "Tue Nov 14 2023 23:13:20 GMT+0100 (CET)", "2023-11", "5", "2023-11-14T25:00", "2023/11/14 22:13",
            ]).prop_map(When::Text),
            1 => select(vec![json!(0), json!(true), json!([]), json!(1e20), json!(null), json!({"a": 1})]).prop_map(When::Value),
        ],
    );
    let offset = option::weighted(0.15, select(vec![json!(1_500), json!(0), json!("7"), json!(-50), json!(2.5)]));
    let set = option::weighted(0.15, few(scalar()));
    let wrong_id = prop_oneof![40 => Just(None), 1 => select(vec![json!(""), json!(null)]).prop_map(Some)];
    let other = prop_oneof![9 => id().prop_map(Some), 1 => Just(None)];
    (name, (id(), wrong_id), uuid, timestamp, offset, properties, set, other, few(scalar())).prop_map(
        |(name, (id, wrong_id), uuid, timestamp, offset, mut properties, set, other, group_set)| {
            let about = name.as_str().unwrap_or_default().to_owned();
            match about.as_str() {
                "$identify" => drop(other.map(|other| properties.insert("$anon_distinct_id".into(), other))),
                "$create_alias" | "$merge_dangerously" => {
                    drop(other.map(|other| properties.insert("alias".into(), other)));
                }
                "$groupidentify" => {
                    properties.insert("$group_type".into(), json!("company"));
                    properties.insert("$group_key".into(), other.unwrap_or(json!("")));
                    properties.insert("$group_set".into(), group_set);
                }
                "$snapshot" => drop(properties.insert("$snapshot_data".into(), json!({}))),
                _ => {}
            }
            Event { name, distinct_id: wrong_id.unwrap_or(id), uuid, timestamp, offset, properties, set }
        },
    )
}

impl History {
    /// The requests as they come off the wire.
    pub fn raw(&self, token: &str) -> Vec<RawRequest> {
        let mut at_ms = START_MS;
        let mut requests = Vec::with_capacity(self.requests.len());
        for (number, sent) in self.requests.iter().enumerate() {
            at_ms += sent.gap_ms;
            requests.push(sent.raw(token, at_ms, number as u128));
        }
        requests
    }
}

impl Sent {
    fn raw(&self, token: &str, at_ms: i64, number: u128) -> RawRequest {
        let client_ms = at_ms + self.skew_ms.unwrap_or_default();
        let mut events: Vec<Value> = self
            .events
            .iter()
            .enumerate()
            .map(|(place, event)| event.json(client_ms, number * 100 + place as u128))
            .collect();
        let sent_at = self.skew_ms.map(|_| iso(client_ms));
        let payload = match self.shape {
            Shape::Single => {
                let mut event = events.remove(0);
                event["api_key"] = token.into();
                if let Some(sent_at) = sent_at {
                    event["sent_at"] = sent_at.into();
                }
                event
            }
            Shape::List => {
                for event in &mut events {
                    event["properties"]["token"] = token.into();
                }
                Value::Array(events)
            }
            Shape::Batch => {
                let mut wrapper = json!({"api_key": token, "batch": events});
                if let Some(sent_at) = sent_at {
                    wrapper["sent_at"] = sent_at.into();
                }
                wrapper
            }
        };
        let text = payload.to_string().replace(HALF_PAIR, "\\uD83e");
        let mut request = RawRequest {
            received_at_ms: at_ms,
            peer_ip: "10.1.2.3".into(),
            method: "POST".into(),
            path: "/e/".into(),
            query: String::new(),
            headers: vec![("host".into(), "weir.test".into()), ("content-type".into(), "application/json".into())],
            body: text.clone().into_bytes(),
        };
        match self.packing {
            Packing::Plain => {}
            Packing::Gzip => {
                request.body = gzip(text.as_bytes());
                request.headers.push(("content-encoding".into(), "gzip".into()));
            }
            Packing::Base64Form => {
                request.headers[1].1 = "application/x-www-form-urlencoded".into();
                let data: String =
                    url::form_urlencoded::byte_serialize(BASE64_STANDARD.encode(&text).as_bytes()).collect();
                request.body = format!("data={data}&compression=base64").into_bytes();
            }
            Packing::Query => {
                request.method = "GET".into();
                let data: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
                request.query = format!("data={data}");
                request.body = Vec::new();
            }
        }
        request
    }
}

impl Event {
    fn json(&self, client_ms: i64, number: u128) -> Value {
        let mut event = json!({"event": self.name, "distinct_id": self.distinct_id, "properties": self.properties});
        match self.uuid {
            Id::Unique => event["uuid"] = Uuid::from_u128((1 << 100) + number).to_string().into(),
            Id::Shared(which) => event["uuid"] = Uuid::from_u128((2 << 100) + u128::from(which)).to_string().into(),
            Id::Broken => event["uuid"] = "not-a-uuid".into(),
            Id::Absent => {}
        }
        match &self.timestamp {
            None => {}
            Some(When::Ago(ago_ms, form)) => event["timestamp"] = form.write(client_ms - ago_ms),
            Some(When::Text(text)) => event["timestamp"] = (*text).into(),
            Some(When::Value(value)) => event["timestamp"] = value.clone(),
        }
        for (key, value) in [("offset", &self.offset), ("$set", &self.set)] {
            if let Some(value) = value {
                event[key] = value.clone();
            }
        }
        event
    }
}

impl Form {
    fn write(self, at_ms: i64) -> Value {
        match self {
            Self::Iso => iso(at_ms).into(),
            Self::Spaced => iso(at_ms).replace('T', " ").replace('Z', "+00:00").into(),
            Self::Millis => at_ms.into(),
            Self::Rfc2822 => {
                let iso = iso(at_ms);
                let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
                    [iso[5..7].parse::<usize>().expect("a month") - 1];
                format!("{} {month} {} {} GMT", &iso[8..10], &iso[..4], &iso[11..19]).into()
            }
        }
    }
}

fn iso(at_ms: i64) -> String {
    pipeline_core::event::time::iso(at_ms)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("a Vec takes everything");
    encoder.finish().expect("a Vec takes everything")
}
