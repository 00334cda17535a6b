//! What happens in a block: who comes, what they do, in which order. Nothing goes wrong here yet but what people do
//! themselves.

mod gatherings;
mod session;

use std::sync::Arc;

use rand::RngExt as _;
use uuid::{Builder, Uuid};

use crate::knobs::{Mess, MessSet};
use crate::people::{Groups, Person};
use crate::random::{Domain, Random, between, random, scrambled};
use crate::scenario::Scenario;
use crate::stream::BLOCK_EVENTS;
use crate::truth::PersonId;

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    pub uuid: Uuid,
    pub event: Arc<str>,
    pub distinct_id: Arc<str>,
    /// JSON without its braces.
    pub properties: String,
    pub person: PersonId,
    pub session: usize,
    pub mess: MessSet,
}

/// What is true of all events of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Session {
    pub mess: MessSet,
    /// By how much the device's clock is ahead.
    pub skew_ms: i64,
    /// By how much local time that is sent as UTC is ahead.
    pub zone_ms: i64,
    /// How long the session lay on the device before it was sent.
    pub late_ms: Option<u64>,
}

/// A block's acts in the order in which they happened.
#[derive(Debug, Default)]
pub struct Story {
    pub acts: Vec<Act>,
    pub sessions: Vec<Session>,
}

/// Tells one block.
pub struct Teller<'s> {
    pub(crate) scenario: &'s Scenario,
    pub(crate) seed: u64,
    /// Makes uuids of another run of the same story; 0 for none.
    pub(crate) salt: u64,
    pub(crate) block: u64,
    pub(crate) groups: &'s mut Groups,
    pub(crate) random: Random,
    /// Acts with their time in the block.
    placed: Vec<(u64, Act)>,
    sessions: Vec<Session>,
    newcomers: u64,
}

/// Longest wrong clock, to either side.
const FARTHEST_SKEW_MS: u64 = 3 * 86_400_000;
const LEAST_LATE_MS: u64 = 10 * 60_000;

impl<'s> Teller<'s> {
    pub fn new(scenario: &'s Scenario, seed: u64, salt: u64, block: u64, groups: &'s mut Groups) -> Self {
        Self {
            scenario,
            seed,
            salt,
            block,
            groups,
            random: random(seed, Domain::Block, block),
            placed: Vec::with_capacity(BLOCK_EVENTS as usize),
            sessions: Vec::new(),
            newcomers: 0,
        }
    }

    /// The story, and the generator as the telling left it.
    pub fn told(mut self) -> (Story, Random) {
        let mess = self.scenario.mess;
        if mess.merge_storm.happens(&mut self.random) {
            self.merge_storm();
        }
        if mess.alias_chain.happens(&mut self.random) {
            self.alias_chain();
        }
        while self.room() > 0 {
            self.session();
        }
        // Acts of one moment stay in the order in which they were told.
        self.placed.sort_by_key(|(at_ms, _)| *at_ms);
        let acts = self.placed.into_iter().map(|(_, act)| act).collect();
        (Story { acts, sessions: self.sessions }, self.random)
    }

    pub(crate) fn room(&self) -> usize {
        (BLOCK_EVENTS as usize).saturating_sub(self.placed.len())
    }

    /// Even time of the block.
    fn window_ms(&self) -> u64 {
        BLOCK_EVENTS * 1_000_000 / self.scenario.events_per_1000_s
    }

    pub(crate) fn newcomer(&mut self) -> Person {
        let id = PersonId::newcomer(self.block, self.newcomers);
        self.newcomers += 1;
        Person::newcomer(self.scenario, self.seed, id, &mut self.random)
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        let drawn: u128 = self.random.random();
        let salt = match self.salt {
            0 => 0,
            salt => u128::from(scrambled(salt)) << 64 | u128::from(scrambled(!salt)),
        };
        Builder::from_random_bytes((drawn ^ salt).to_be_bytes()).into_uuid()
    }

    /// Facts of a new session, some of them mess.
    pub(crate) fn facts(&mut self, place: usize) -> Session {
        let mess = self.scenario.mess;
        let random = &mut self.random;
        let mut session = Session::default();
        if mess.late.happens(random) {
            session.mess = session.mess.with(Mess::Late);
            session.late_ms = Some(between(random, LEAST_LATE_MS, self.scenario.late_up_to_ms));
        }
        if mess.clock_skew.happens(random) {
            session.mess = session.mess.with(Mess::ClockSkew);
            let skew = between(random, 60_000, FARTHEST_SKEW_MS) as i64;
            session.skew_ms = if random.random() { skew } else { -skew };
        }
        let zone_hours = self.scenario.zones[place];
        if zone_hours != 0 && mess.wrong_zone.happens(random) {
            session.mess = session.mess.with(Mess::WrongZone);
            session.zone_ms = zone_hours * 3_600_000;
        }
        session
    }

    /// Puts a session's acts, each with its time since the start, somewhere in the block.
    pub(crate) fn place(&mut self, session: Session, acts: Vec<(u64, Act)>) {
        let window = self.window_ms();
        let length = acts.last().map_or(0, |(since_ms, _)| *since_ms);
        // Who would not be done in time is quicker; a block is long enough for nearly all.
        let shortened = length.min(window * 9 / 10);
        let start = between(&mut self.random, 0, window - shortened);
        let at = |since_ms: u64| {
            start
                + if length == shortened {
                    since_ms
                } else {
                    (u128::from(since_ms) * u128::from(shortened) / u128::from(length)) as u64
                }
        };
        self.placed.extend(acts.into_iter().map(|(since_ms, act)| (at(since_ms), act)));
        self.sessions.push(session);
    }

    pub(crate) fn next_session(&self) -> usize {
        self.sessions.len()
    }
}
