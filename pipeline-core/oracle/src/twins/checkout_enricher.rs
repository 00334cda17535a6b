//! Purchases in bands, counted; bots dropped. What it keeps it keeps from the first event on: a twin that begins later
//! than its plugin counts from another number, so it is only made for a plugin that begins with it.

use serde_json::{Map, Value, json};

use super::{Config, text};
use crate::oracle::Twin;

const PURCHASES: [&str; 4] = ["purchase", "order completed", "order_completed", "checkout completed"];

struct CheckoutEnricher {
    bands: Vec<f64>,
    drops_bots: bool,
    orders: u64,
    largest: f64,
}

pub(super) fn make(config: &Config) -> Option<Box<dyn Twin>> {
    let bands: Vec<f64> =
        text(config, "bands").split(',').map(|band| band.trim().parse().ok()).collect::<Option<_>>()?;
    let rises = bands.iter().zip(std::iter::once(&0.0).chain(&bands)).all(|(band, before)| band > before);
    let drops_bots = text(config, "drop_bots") != "No";
    rises.then(|| Box::new(CheckoutEnricher { bands, drops_bots, orders: 0, largest: 0.0 }) as Box<dyn Twin>)
}

impl Twin for CheckoutEnricher {
    fn keeps_state(&self) -> bool {
        true
    }

    fn process(&mut self, mut event: Map<String, Value>) -> Option<Map<String, Value>> {
        let properties = event.get("properties").cloned().unwrap_or_default();
        if self.drops_bots && properties["$is_bot"] == true {
            return None;
        }
        let name = event.get("event").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        if !PURCHASES.contains(&name.as_str()) {
            return Some(event);
        }
        let given = ["revenue", "total", "value"].iter().map(|key| &properties[*key]).find(|value| !value.is_null());
        let Some(revenue) = given.and_then(number) else { return Some(event) };
        let own = &mut event["properties"];
        own["revenue_band"] = self.band(revenue).into();
        self.orders += 1;
        own["order_number"] = self.orders.into();
        if revenue > self.largest {
            self.largest = revenue;
            own["is_record_order"] = json!(true);
        }
        Some(event)
    }
}

impl CheckoutEnricher {
    fn band(&self, revenue: f64) -> String {
        match self.bands.iter().position(|band| revenue < *band) {
            None => format!("{}+", self.bands.last().copied().unwrap_or_default()),
            Some(0) => format!("0-{}", self.bands[0]),
            Some(above) => format!("{}-{}", self.bands[above - 1], self.bands[above]),
        }
    }
}

/// `Number(value)`, of what events hold.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.trim().is_empty() => Some(0.0),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        _ => None,
    }
}
