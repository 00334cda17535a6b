//! How a block's acts get to the pipeline: late, twice, in another order, in requests that may be damaged.

mod order;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use uuid::Uuid;

use self::order::Sending;
use crate::knobs::{Mess, MessSet};
use crate::random::{Random, between};
use crate::request::{Content, Damage, Request, Twist};
use crate::scenario::Scenario;
use crate::story::{Act, Session, Story};
use crate::stream::BLOCK_EVENTS;
use crate::truth::{EventTruth, Fate, RequestTruth};

/// An event, in the unit in which a block's time is counted.
const EVENT: u64 = 1_000_000;
const BLOCK: u64 = BLOCK_EVENTS * EVENT;
/// What a session that was offline sends at once, at most.
const MOST_AT_ONCE: usize = 50;
/// Requests between one and its repetition, at most.
const RETRY_AFTER: u64 = 6;
/// From the last event of a request to its sending.
const CLIENT_DELAY_MS: (u64, u64) = (40, 900);
const PATHS: [&str; 4] = ["/batch/", "/batch/", "/e/", "/i/v0/e/"];

/// How a block's time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Even,
    Burst,
    SlowStart,
    Diurnal,
}

impl Pace {
    /// From a place in the block to the time at which it is its turn, in the same unit.
    fn at(self, place: u64) -> u64 {
        match self {
            Self::Even => place,
            Self::Burst => place / 10,
            // Half of the events come in the last three tenths of the time.
            Self::SlowStart => (u128::from(place) * u128::from(BLOCK)).isqrt() as u64,
            // As many more come each moment until noon as come fewer after it; half come in the middle three tenths.
            Self::Diurnal if place > BLOCK / 2 => BLOCK - Self::Diurnal.at(BLOCK - place),
            Self::Diurnal => (u128::from(place) * u128::from(BLOCK) / 2).isqrt() as u64,
        }
    }
}

/// Packs one block.
pub struct Delivery<'s> {
    scenario: &'s Scenario,
    block: u64,
    random: Random,
    pace: Pace,
    mess: MessSet,
    sessions: Vec<Session>,
    acts: Vec<Arc<Act>>,
    /// What was accepted, with its offset and payload.
    accepted: HashMap<Uuid, (u64, Twist)>,
    /// Requests that come again, each after so many others.
    retries: VecDeque<(u64, Request)>,
    requests: Vec<Request>,
    sent: u64,
}

/// All requests of a block; they send [`BLOCK_EVENTS`] events.
pub fn delivered(scenario: &Scenario, block: u64, story: Story, mut random: Random) -> Vec<Request> {
    let burst = scenario.mess.burst.happens(&mut random);
    let slow = scenario.mess.slow_start.happens(&mut random);
    let diurnal = scenario.mess.diurnal.happens(&mut random);
    let (pace, mess) = match (burst, slow, diurnal) {
        (true, ..) => (Pace::Burst, MessSet::of(Mess::Burst)),
        (_, true, _) => (Pace::SlowStart, MessSet::of(Mess::SlowStart)),
        (.., true) => (Pace::Diurnal, MessSet::of(Mess::Diurnal)),
        _ => (Pace::Even, MessSet::NONE),
    };
    let sendings = order::ordered(scenario, &story, &mut random);
    let delivery = Delivery {
        scenario,
        block,
        random,
        pace,
        mess,
        sessions: story.sessions,
        acts: story.acts.into_iter().map(Arc::new).collect(),
        accepted: HashMap::with_capacity(BLOCK_EVENTS as usize),
        retries: VecDeque::new(),
        requests: Vec::new(),
        sent: 0,
    };
    delivery.all(&sendings)
}

impl Delivery<'_> {
    /// A story has as many acts as a block sends events, so they last; whoever is still around when the events are used
    /// up has left.
    fn all(mut self, mut sendings: &[Sending]) -> Vec<Request> {
        while self.sent < BLOCK_EVENTS {
            self.retry();
            let room = (BLOCK_EVENTS - self.sent) as usize;
            if room == 0 {
                break;
            }
            let count = self.together(sendings).min(room);
            let (now, later) = sendings.split_at(count);
            sendings = later;
            self.request(now);
        }
        self.requests
    }

    /// How many of what comes next go into one request.
    fn together(&mut self, sendings: &[Sending]) -> usize {
        let wanted = between(&mut self.random, self.scenario.batch.0, self.scenario.batch.1) as usize;
        let session = |sending: &Sending| self.acts[sending.act].session;
        let is_own = |sending: &Sending| self.sessions[session(sending)].is_own();
        let Some(first) = sendings.first() else { return 0 };
        if is_own(first) {
            // A device sends its own events with its own clock.
            let of_device = |sending: &&Sending| session(sending) == session(first);
            return sendings.iter().take(MOST_AT_ONCE).take_while(of_device).count();
        }
        sendings.iter().take(wanted).take_while(|sending| !is_own(sending)).count().max(1)
    }

    fn request(&mut self, sendings: &[Sending]) {
        let rates = self.scenario.mess;
        let mut mess = self.mess;
        let mut damage = None;
        let mut first = Twist::None;
        let mut refused: Option<(u16, &'static str)> = None;
        if rates.malformed.happens(&mut self.random) {
            mess = mess.with(Mess::Malformed);
            let (what, twist, status, rule) = malformed(&mut self.random);
            (damage, first, refused) = (what, twist, Some((status, rule)));
        } else if rates.oversize.happens(&mut self.random) {
            mess = mess.with(Mess::Oversize);
            (first, refused) = (Twist::Oversize, Some((400, "event_too_large")));
        }
        let session = self.acts[sendings[0].act].session;
        let skew_ms = if self.sessions[session].is_own() { self.sessions[session].skew_ms } else { 0 };
        let last_key = sendings.iter().map(|sending| sending.key).max().unwrap_or_default();
        let delay_ms = between(&mut self.random, CLIENT_DELAY_MS.0, CLIENT_DELAY_MS.1) as i64;
        let true_sent_ms = self.clock_ms(last_key) + delay_ms;
        let (mut events, mut contents) = (Vec::with_capacity(sendings.len()), Vec::with_capacity(sendings.len()));
        for (place, sending) in sendings.iter().enumerate() {
            let twist = if place == 0 && first != Twist::None { first } else { sending.twist };
            let offset = self.block * BLOCK_EVENTS + self.sent + place as u64;
            events.push(self.truth(sending, twist, offset, refused.is_some()));
            contents.push(Content { act: Arc::clone(&self.acts[sending.act]), twist });
        }
        let counted = match damage {
            Some(Damage::CutShort | Damage::NotGzip | Damage::EmptyBatch) => 1,
            _ => events.len() as u64,
        };
        let path = PATHS[between(&mut self.random, 0, PATHS.len() as u64 - 1) as usize];
        let gzip = self.scenario.gzip.happens(&mut self.random) && damage.is_none();
        let (status, rule) = refused.map_or((200, None), |(status, rule)| (status, Some(Cow::Borrowed(rule))));
        let truth = RequestTruth {
            due: 0,
            true_sent_ms,
            sent_at_ms: true_sent_ms + skew_ms,
            mess,
            status,
            rule,
            counted,
            events,
        };
        let request = Request { path, truth, contents, token: Arc::from(self.scenario.token.as_str()), gzip, damage };
        self.push(request);
    }

    /// Sends it, and perhaps once more: then its client has not seen the answer.
    fn push(&mut self, mut request: Request) {
        self.sent += request.contents.len() as u64;
        request.truth.due = self.block * BLOCK + self.pace.at(self.sent * EVENT);
        if request.is_accepted() && self.scenario.mess.retry.happens(&mut self.random) {
            let after = self.requests.len() as u64 + between(&mut self.random, 1, RETRY_AFTER);
            self.retries.push_back((after, request.clone()));
        }
        self.requests.push(request);
    }

    /// Repeats what is due, if there is room for all of it.
    fn retry(&mut self) {
        let due = self.retries.iter().position(|(after, _)| *after <= self.requests.len() as u64);
        let Some((_, mut request)) = due.and_then(|at| self.retries.remove(at)) else { return };
        if request.contents.len() as u64 > BLOCK_EVENTS - self.sent {
            return;
        }
        request.truth.mess = request.truth.mess.with(Mess::Retry);
        let events = request.truth.events.iter_mut().zip(&request.contents);
        for (place, (event, content)) in events.enumerate() {
            event.offset = self.block * BLOCK_EVENTS + self.sent + place as u64;
            event.fate = fate_of(&mut self.accepted, event.uuid, event.offset, content.twist);
        }
        self.push(request);
    }

    fn truth(&mut self, sending: &Sending, twist: Twist, offset: u64, is_refused: bool) -> EventTruth {
        let act = Arc::clone(&self.acts[sending.act]);
        let session = self.sessions[act.session];
        let uuid = sending.uuid.unwrap_or(act.uuid);
        let fate = if is_refused { Fate::Rejected } else { fate_of(&mut self.accepted, uuid, offset, twist) };
        let true_ms = self.clock_ms(sending.act as u64 * EVENT) - session.late_ms.unwrap_or_default() as i64;
        EventTruth {
            offset,
            intended: self.block * BLOCK_EVENTS + sending.act as u64,
            uuid,
            event: Arc::clone(&act.event),
            distinct_id: Arc::clone(&act.distinct_id),
            person: act.person,
            true_ms,
            timestamp_ms: true_ms + session.skew_ms + session.zone_ms,
            mess: sending.mess.iter().fold(act.mess, MessSet::with),
            fate,
        }
    }

    /// Even time to the time on a right clock.
    fn clock_ms(&self, key: u64) -> i64 {
        let events = u128::from(self.block) * u128::from(BLOCK) + u128::from(self.pace.at(key));
        let even_ms = events / u128::from(self.scenario.events_per_1000_s);
        self.scenario.season.clock_ms(self.scenario.start_ms, even_ms as u64)
    }
}

fn fate_of(accepted: &mut HashMap<Uuid, (u64, Twist)>, uuid: Uuid, offset: u64, twist: Twist) -> Fate {
    match accepted.get(&uuid) {
        Some((of, known)) if *known == twist => Fate::Duplicate { of: *of },
        Some((of, _)) => Fate::Conflicting { of: *of },
        None => {
            accepted.insert(uuid, (offset, twist));
            Fate::Stored
        }
    }
}

/// What is wrong, and how it is answered.
fn malformed(random: &mut Random) -> (Option<Damage>, Twist, u16, &'static str) {
    match between(random, 0, 7) {
        0 => (Some(Damage::CutShort), Twist::None, 400, "unparseable_body"),
        1 => (Some(Damage::NotGzip), Twist::None, 400, "undecodable_body"),
        2 => (Some(Damage::NoToken), Twist::None, 401, "missing_token"),
        3 => (Some(Damage::PersonalKey), Twist::None, 401, "invalid_token"),
        4 => (Some(Damage::EmptyBatch), Twist::None, 400, "no_event"),
        5 => (None, Twist::NoDistinctId, 400, "missing_distinct_id"),
        6 => (None, Twist::NoName, 400, "empty_event_name"),
        _ => (None, Twist::BadUuid, 400, "unparseable_body"),
    }
}
