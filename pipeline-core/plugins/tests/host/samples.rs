//! The sample plugins do what their READMEs say.

use std::path::PathBuf;

use serde_json::{Value, json};
use weir_api::plugin::PluginState;
use weir_event::journal::Fate;
use weir_plugins::Lane;

use crate::support::{Bench, event, run};

/// Asked for at run time: clones share a build folder, so the path at compile time may be another's.
fn crate_dir() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

fn sample(name: &str) -> (Bench, Lane) {
    let bench = Bench::new();
    let dir = crate_dir().join("../../sample-plugins").join(name);
    let view = bench.host.add(&dir).unwrap();
    assert_eq!(view.state, PluginState::Live, "{:?}", view.load_error);
    let lane = bench.host.lane();
    (bench, lane)
}

fn named(name: &str, properties: Value) -> Value {
    let mut event = event(1);
    event["event"] = name.into();
    event["properties"] = properties;
    event
}

#[test]
fn url_normalizer() {
    let (_bench, mut lane) = sample("url-normalizer");
    let cases = [
        ("HTTPS://Shop.example.com:443/Shoes/", "https://shop.example.com/shoes"),
        ("https://shop.example.com/", "https://shop.example.com"),
        ("https://shop.example.com/shoes?utm_source=mail&size=42", "https://shop.example.com/shoes?size=42"),
        ("https://shop.example.com/shoes#prices", "https://shop.example.com/shoes#prices"),
    ];
    let events: Vec<_> = cases.iter().map(|(url, _)| named("$pageview", json!({ "$current_url": url }))).collect();
    let result = run(&mut lane, &events);
    for ((before, after), event) in cases.iter().zip(&result.events) {
        let properties = &crate::support::output(event)["properties"];
        assert_eq!(properties["$current_url"], *after);
        assert_eq!(properties["$plugin_url_normalized"], before != after);
    }
    let untouched = run(&mut lane, &[named("x", json!({})), named("x", json!({ "$current_url": "no url" }))]);
    assert!(untouched.events.iter().all(|event| event.output.is_none()));
}

#[test]
fn checkout_enricher() {
    let (_bench, mut lane) = sample("checkout-enricher");
    let events = [
        named("purchase", json!({ "revenue": 30 })),
        named("Order Completed", json!({ "total": "9.5" })),
        named("purchase", json!({ "revenue": 1000 })),
        named("$pageview", json!({ "$is_bot": true })),
        named("$pageview", json!({})),
        named("purchase", json!({ "revenue": "much" })),
    ];
    let result = run(&mut lane, &events);
    let bands = ["25-100", "0-25", "500+"];
    for (at, band) in bands.iter().enumerate() {
        let properties = &crate::support::output(&result.events[at])["properties"];
        assert_eq!(properties["revenue_band"], *band);
        assert_eq!(properties["order_number"], at + 1);
        assert_eq!(properties["is_record_order"], if at == 1 { Value::Null } else { true.into() });
    }
    assert_eq!(result.events[3].fate, Fate::Dropped);
    assert!(result.events[4].output.is_none() && result.events[5].output.is_none());
    assert_eq!(result.logs.len(), 1);
}
