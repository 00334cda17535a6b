//! A small web shop: people arrive unknown, look around, some sign up, some buy, a few are bots.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::{Builder, Uuid};
use weir_event::clock::UnixMillis;
use weir_event::time;

use crate::visitor::Visitor;

/// People in the shop at one time.
const VISITORS: usize = 60;

/// An event as a client library would send it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShopEvent {
    pub uuid: Uuid,
    pub event: &'static str,
    pub distinct_id: String,
    pub properties: Map<String, Value>,
    /// ISO 8601.
    pub timestamp: String,
}

#[derive(Debug)]
pub struct Shop {
    random: ChaCha8Rng,
    visitors: Vec<Visitor>,
}

impl Shop {
    pub fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let visitors = (0..VISITORS).map(|_| Visitor::arrive(&mut random)).collect();
        Self { random, visitors }
    }

    /// The next event of the stream, made for the moment `at_ms`.
    pub fn next_event(&mut self, at_ms: UnixMillis) -> ShopEvent {
        let place = self.random.random_range(0..self.visitors.len());
        let deed = self.visitors[place].act(&mut self.random);
        if self.visitors[place].has_left() {
            self.visitors[place] = Visitor::arrive(&mut self.random);
        }
        ShopEvent {
            uuid: Builder::from_random_bytes(self.random.random()).into_uuid(),
            event: deed.event,
            distinct_id: deed.distinct_id,
            properties: deed.properties,
            timestamp: time::iso(at_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn stream(seed: u64, count: usize) -> Vec<ShopEvent> {
        let mut shop = Shop::new(seed);
        (0..count).map(|index| shop.next_event(index as i64)).collect()
    }

    #[test]
    fn one_seed_gives_one_stream() {
        assert_eq!(stream(7, 2_000), stream(7, 2_000));
        assert_ne!(stream(7, 50), stream(8, 50));
    }

    #[test]
    fn the_story_is_whole() {
        let events = stream(1, 5_000);
        let uuids: HashSet<_> = events.iter().map(|event| event.uuid).collect();
        assert_eq!(uuids.len(), events.len());
        let count = |name: &str| events.iter().filter(|event| event.event == name).count();
        for name in ["$pageview", "product added", "$identify", "purchase"] {
            assert!(count(name) > 50, "{name}: {}", count(name));
        }
        let identified = events.iter().find(|event| event.event == "$identify").expect("somebody signs up");
        assert!(identified.distinct_id.starts_with("user_"));
        assert!(identified.properties["$anon_distinct_id"].is_string());
        assert!(
            events
                .iter()
                .filter(|event| event.event == "purchase")
                .all(|event| { event.properties["revenue"].as_f64().is_some_and(|revenue| revenue > 0.0) })
        );
    }
}
