//! In which order a block's acts arrive, and which of them more than once.

use uuid::{Builder, Uuid};

use super::{BLOCK, EVENT};
use crate::knobs::{Mess, MessSet};
use crate::poison::Poison;
use crate::random::{Random, between, scrambled};
use crate::request::Twist;
use crate::scenario::Scenario;
use crate::story::{Session, Story};

/// Places by which an event is delayed or repeated later, at least and at most.
const DELAY: (u64, u64) = (5, 200);

/// An act on its way.
#[derive(Debug, Clone)]
pub struct Sending {
    /// When it arrives, in the block's time.
    pub key: u64,
    pub act: usize,
    pub twist: Twist,
    pub mess: MessSet,
    /// If it is not the act's own.
    pub uuid: Option<Uuid>,
}

impl Session {
    /// Whether its events travel in requests of their own.
    pub fn is_own(&self) -> bool {
        self.skew_ms != 0 || self.zone_ms != 0 || self.late_ms.is_some()
    }
}

/// By arrival.
pub fn ordered(scenario: &Scenario, story: &Story, random: &mut Random) -> Vec<Sending> {
    let rates = scenario.mess;
    let mut last_of_session = vec![0; story.sessions.len()];
    for (place, act) in story.acts.iter().enumerate() {
        last_of_session[act.session] = place as u64;
    }
    let mut sendings = Vec::with_capacity(story.acts.len() * 5 / 4);
    for (at, act) in story.acts.iter().enumerate() {
        let is_late = story.sessions[act.session].late_ms.is_some();
        let mut mess = MessSet::NONE;
        // What was collected without a network is sent when the session is over.
        let mut key = if is_late { last_of_session[act.session] * EVENT } else { at as u64 * EVENT };
        let mut twist = Twist::None;
        if rates.poison.happens(random) {
            mess = mess.with(Mess::Poison);
            twist = Twist::Poison(Poison::draw(random));
        }
        if rates.out_of_order.happens(random) {
            mess = mess.with(Mess::OutOfOrder);
            key = later(key, random);
        }
        let first = Sending { key, act: at, twist, mess, uuid: None };
        sendings.push(first.clone());
        for kind in [Mess::Duplicate, Mess::Conflicting, Mess::Copied] {
            if !rates.of(kind).happens(random) {
                continue;
            }
            let uuid = (kind == Mess::Copied).then(|| other_than(act.uuid));
            let twist = if kind == Mess::Conflicting { Twist::Changed } else { twist };
            sendings.push(Sending { key: later(key, random), mess: mess.with(kind), uuid, twist, ..first.clone() });
        }
    }
    // What arrives together keeps the order of the story.
    sendings.sort_by_key(|sending| sending.key);
    sendings
}

/// A while later, between the places of other events, but inside the block.
fn later(key: u64, random: &mut Random) -> u64 {
    let delay = between(random, DELAY.0 * EVENT, DELAY.1 * EVENT);
    (key + delay).min(BLOCK - 1)
}

/// Follows from the first, so that another run of the story has another one, too.
fn other_than(uuid: Uuid) -> Uuid {
    let (high, low) = uuid.as_u64_pair();
    Builder::from_random_bytes((u128::from(scrambled(high)) << 64 | u128::from(scrambled(low))).to_be_bytes())
        .into_uuid()
}
