//! A steady share of people.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Config, list, text};
use crate::javascript::string;
use crate::oracle::Twin;

struct Sampler {
    share: f64,
    /// All, when empty.
    events: Vec<String>,
    salt: String,
}

pub(super) fn make(config: &Config) -> Option<Box<dyn Twin>> {
    let percentage: f64 = text(config, "percentage").trim().parse().ok()?;
    let events = list(text(config, "events"));
    (0.0..=100.0).contains(&percentage).then(|| {
        let salt = text(config, "salt").to_owned();
        Box::new(Sampler { share: percentage / 100.0, events, salt }) as Box<dyn Twin>
    })
}

impl Twin for Sampler {
    fn process(&mut self, mut event: Map<String, Value>) -> Option<Map<String, Value>> {
        let name = event.get("event").and_then(Value::as_str).unwrap_or_default();
        if !self.events.is_empty() && !self.events.iter().any(|wanted| wanted == name) {
            return Some(event);
        }
        let distinct_id = string(event.get("distinct_id").unwrap_or(&Value::Null));
        let digest = Sha256::digest(format!("{}:{distinct_id}", self.salt));
        let place = f64::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])) / 2_f64.powi(32);
        if place >= self.share {
            return None;
        }
        event["properties"]["$sample_rate"] = json!(self.share);
        Some(event)
    }
}
