//! What a client sends: the head, the body, and beside it the truth.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use weir_event::clock::UnixMillis;
use weir_event::time;

use crate::poison::Poison;
use crate::story::Act;
use crate::telling::Telling;
use crate::template::quoted;
use crate::truth::{EventTruth, Fate, RequestTruth};

pub type Header = (&'static str, &'static str);

/// More than capture takes of one event.
const OVERSIZE_BYTES: usize = (1 << 20) + 4_096;
/// A secret of a person, which is no project token.
const PERSONAL_KEY: &str = "phx_not_a_project_token";

/// What is wrong with one sending of an event; the same for a repetition that is the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Twist {
    #[default]
    None,
    Poison(Poison),
    /// Another payload than the first sending had.
    Changed,
    Oversize,
    NoDistinctId,
    NoName,
    BadUuid,
}

/// What is wrong with a whole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    CutShort,
    NotGzip,
    NoToken,
    PersonalKey,
    EmptyBatch,
}

/// What an event is made of; its truth is with the request's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    pub act: Arc<Act>,
    pub twist: Twist,
}

/// An event of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct SentEvent<'r> {
    pub truth: Cow<'r, EventTruth>,
    content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// All are sent by POST.
    pub path: &'static str,
    pub truth: RequestTruth,
    /// Of each event of the truth.
    pub(crate) contents: Vec<Content>,
    pub(crate) token: Arc<str>,
    pub(crate) gzip: bool,
    pub(crate) damage: Option<Damage>,
}

impl SentEvent<'_> {
    /// As it stands in a body, at the story's own time.
    pub fn json(&self) -> String {
        let mut json = String::with_capacity(self.content.act.properties.len() + 256);
        self.content.write(&self.truth, self.truth.timestamp_ms, &mut json);
        json
    }

    /// As its client meant them: a JSON object.
    pub fn properties(&self) -> String {
        format!("{{{}}}", self.content.act.properties)
    }
}

impl Content {
    fn write(&self, truth: &EventTruth, timestamp_ms: UnixMillis, json: &mut String) {
        match self.twist {
            Twist::BadUuid => json.push_str("{\"uuid\":\"not-a-uuid\""),
            // Writing to a String cannot fail.
            _ => write!(json, "{{\"uuid\":\"{}\"", truth.uuid).unwrap_or_default(),
        }
        if self.twist != Twist::NoName {
            json.push_str(",\"event\":");
            quoted(&self.act.event, json);
        }
        if self.twist != Twist::NoDistinctId {
            json.push_str(",\"distinct_id\":");
            quoted(&self.act.distinct_id, json);
        }
        json.push_str(",\"properties\":{");
        json.push_str(&self.act.properties);
        let further = match self.twist {
            Twist::Poison(poison) => poison.properties(),
            Twist::Changed => "\"$retry_count\":1".to_owned(),
            Twist::Oversize => format!("\"padding\":\"{}\"", "x".repeat(OVERSIZE_BYTES)),
            _ => String::new(),
        };
        if !further.is_empty() && !self.act.properties.is_empty() {
            json.push(',');
        }
        json.push_str(&further);
        let timestamp = match self.twist {
            Twist::Poison(poison) if poison.is_no_time() => "a while ago".to_owned(),
            _ => time::iso(timestamp_ms),
        };
        write!(json, "}},\"timestamp\":\"{timestamp}\"}}").unwrap_or_default();
    }
}

impl Request {
    /// Of the project that it belongs to.
    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn headers(&self) -> Vec<Header> {
        let mut headers = vec![("content-type", "application/json")];
        if self.gzip || self.damage == Some(Damage::NotGzip) {
            headers.push(("content-encoding", "gzip"));
        }
        headers
    }

    pub fn body(&self, telling: &Telling) -> Vec<u8> {
        let json = self.body_json(telling);
        match self.damage {
            Some(Damage::CutShort) => json.as_bytes()[..json.len() * 3 / 4].to_vec(),
            _ if self.gzip => gzipped(&json),
            _ => json.into_bytes(),
        }
    }

    fn body_json(&self, telling: &Telling) -> String {
        let bytes: usize = self.contents.iter().map(|content| content.act.properties.len() + 200).sum();
        let mut json = String::with_capacity(bytes + 128);
        json.push('{');
        match self.damage {
            Some(Damage::NoToken) => {}
            Some(Damage::PersonalKey) => write!(json, "\"api_key\":\"{PERSONAL_KEY}\",").unwrap_or_default(),
            _ => {
                json.push_str("\"api_key\":");
                quoted(&self.token, &mut json);
                json.push(',');
            }
        }
        write!(json, "\"sent_at\":\"{}\",", time::iso(telling.sent_at_ms(&self.truth))).unwrap_or_default();
        json.push_str("\"batch\":[");
        if self.damage != Some(Damage::EmptyBatch) {
            for (place, (content, truth)) in self.contents.iter().zip(&self.truth.events).enumerate() {
                json.push_str(if place > 0 { "," } else { "" });
                content.write(truth, telling.timestamp_ms(&self.truth, truth), &mut json);
            }
        }
        json.push_str("]}");
        json
    }

    /// Some of its events, in a request of their own.
    #[must_use]
    pub(crate) fn part(mut self, range: Range<usize>) -> Self {
        if range == (0..self.contents.len()) {
            return self;
        }
        // Where every event was counted, those that are left are.
        let counts_each = self.truth.counted == self.contents.len() as u64;
        self.contents = self.contents.drain(range.clone()).collect();
        self.truth.events = self.truth.events.drain(range).collect();
        if counts_each {
            self.truth.counted = self.contents.len() as u64;
        }
        self
    }

    pub fn events(&self) -> impl Iterator<Item = SentEvent<'_>> {
        let truths = self.truth.events.iter().map(Cow::Borrowed);
        truths.zip(&self.contents).map(|(truth, content)| SentEvent { truth, content: content.clone() })
    }

    pub fn into_events(self) -> impl Iterator<Item = SentEvent<'static>> {
        let truths = self.truth.events.into_iter().map(Cow::Owned);
        truths.zip(self.contents).map(|(truth, content)| SentEvent { truth, content })
    }

    pub fn is_accepted(&self) -> bool {
        self.truth.is_accepted()
    }

    /// Whether an event of it is new to the pipeline.
    pub fn has_news(&self) -> bool {
        self.truth.events.iter().any(|event| event.fate == Fate::Stored)
    }
}

fn gzipped(json: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(json.len() / 4), Compression::fast());
    encoder.write_all(json.as_bytes()).and_then(|()| encoder.finish()).expect("memory takes it")
}
