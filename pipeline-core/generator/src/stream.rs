//! The stream: blocks of requests, one after the other, from any offset.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::delivery::delivered;
use crate::people::Groups;
use crate::request::Request;
use crate::scenario::Scenario;
use crate::story::Teller;

/// Events of a block. Long enough for sessions to cross each other, short enough to be made for the sake of one event.
pub const BLOCK_EVENTS: u64 = 1_000;

/// The requests of a scenario and a seed, without an end.
#[derive(Debug)]
pub struct Stream {
    scenario: Arc<Scenario>,
    seed: u64,
    salt: u64,
    groups: Groups,
    next_block: u64,
    ready: VecDeque<Request>,
}

impl Stream {
    pub fn new(scenario: Arc<Scenario>, seed: u64) -> Self {
        Self { scenario, seed, salt: 0, groups: Groups::default(), next_block: 0, ready: VecDeque::new() }
    }

    /// The same story with other uuids, so that a second telling is not taken for retries of the first.
    #[must_use]
    pub fn salted(mut self, salt: u64) -> Self {
        self.salt = salt;
        self
    }

    /// Goes on at an event. A request that has begun by then is sent without what came before.
    #[must_use]
    pub fn from_offset(mut self, offset: u64) -> Self {
        self.next_block = offset / BLOCK_EVENTS;
        self.ready.clear();
        let mut requests: VecDeque<Request> = self.block(self.next_block).into();
        let mut before = offset % BLOCK_EVENTS;
        self.next_block += 1;
        while let Some(request) = requests.pop_front() {
            let count = request.truth.events.len() as u64;
            if before < count {
                requests.push_front(request.part(before as usize..count as usize));
                break;
            }
            before -= count;
        }
        self.ready = requests;
        self
    }

    /// The requests that send the first `events` events from here; the last may be cut.
    pub fn events(self, events: u64) -> impl Iterator<Item = Request> {
        let mut left = events;
        self.map_while(move |request| {
            let count = left.min(request.truth.events.len() as u64);
            left -= count;
            (count > 0).then(|| request.part(0..count as usize))
        })
    }

    pub const fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// All requests of one block, whichever were made before.
    fn block(&mut self, block: u64) -> Vec<Request> {
        let teller = Teller::new(&self.scenario, self.seed, self.salt, block, &mut self.groups);
        let (story, random) = teller.told();
        delivered(&self.scenario, block, story, random)
    }
}

impl Iterator for Stream {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        if self.ready.is_empty() {
            self.ready = self.block(self.next_block).into();
            self.next_block += 1;
        }
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests;
