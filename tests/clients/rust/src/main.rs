//! The calls that an application makes; the suite checks what arrives.

use posthog_rs::{ClientOptionsBuilder, Event};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = std::env::var("WEIR_CAPTURE")?;
    let options = ClientOptionsBuilder::default().api_key("phc_rust".to_owned()).host(host).build()?;
    let client = posthog_rs::client(options);
    let mut looked = Event::new("looked", "anon-1");
    looked.insert_prop("nested", json!({"list": [1, null, "x"]}))?;
    client.capture_immediate(looked)?;
    client.alias("anon-1", "user-1");
    let mut identify = Event::new("$identify", "user-1");
    identify.insert_prop("$set", json!({"email": "user-1@example.com"}))?;
    identify.insert_prop("$set_once", json!({"source": "first"}))?;
    client.capture(identify);
    let mut bought = Event::new("bought", "user-1");
    bought.insert_prop("price", 12.5)?;
    bought.insert_prop("title", "Käse & 🧀")?;
    bought.insert_prop("$set", json!({"plan": "pro"}))?;
    bought.insert_prop("$set_once", json!({"source": "second"}))?;
    bought.add_group("company", "acme");
    client.capture(bought);
    client.group_identify("company", "acme", json!({"seats": 3}))?;
    client.flush();
    client.shutdown();
    Ok(())
}
