//! Samples that change or drop events.

use serde_json::{Value, json};
use weir_event::journal::Fate;
use weir_plugins::{Called, Settings, Task};

use super::{Sample, attachment, named, settings};
use crate::support::{error, event, output, run};

fn properties(event: &weir_plugins::EventResult) -> Value {
    output(event)["properties"].clone()
}

#[test]
fn url_normalizer() {
    let sample = Sample::new("url-normalizer", &[]);
    let mut lane = sample.lane();
    let cases = [
        ("HTTPS://Shop.example.com:443/Shoes/", "https://shop.example.com/shoes"),
        ("https://shop.example.com/", "https://shop.example.com"),
        ("https://shop.example.com/shoes?utm_source=mail&size=42", "https://shop.example.com/shoes?size=42"),
        ("https://shop.example.com/shoes#prices", "https://shop.example.com/shoes#prices"),
    ];
    let events: Vec<_> = cases.iter().map(|(url, _)| named("$pageview", json!({ "$current_url": url }))).collect();
    let result = run(&mut lane, &events);
    for ((before, after), event) in cases.iter().zip(&result.events) {
        assert_eq!(properties(event)["$current_url"], *after);
        assert_eq!(properties(event)["$plugin_url_normalized"], before != after);
    }
    let untouched = run(&mut lane, &[named("x", json!({})), named("x", json!({ "$current_url": "no url" }))]);
    assert!(untouched.events.iter().all(|event| event.output.is_none()));
}

#[test]
fn checkout_enricher() {
    let sample = Sample::new("checkout-enricher", &[]);
    let events = [
        named("purchase", json!({ "revenue": 30 })),
        named("Order Completed", json!({ "total": "9.5" })),
        named("purchase", json!({ "revenue": 1000 })),
        named("$pageview", json!({ "$is_bot": true })),
        named("$pageview", json!({})),
        named("purchase", json!({ "revenue": "much" })),
    ];
    let result = run(&mut sample.lane(), &events);
    let bands = ["25-100", "0-25", "500+"];
    for (at, band) in bands.iter().enumerate() {
        let properties = properties(&result.events[at]);
        assert_eq!(properties["revenue_band"], *band);
        assert_eq!(properties["order_number"], at + 1);
        assert_eq!(properties["is_record_order"], if at == 1 { Value::Null } else { true.into() });
    }
    assert_eq!(result.events[3].fate, Fate::Dropped);
    assert!(result.events[4].output.is_none() && result.events[5].output.is_none());
    assert_eq!(result.logs.len(), 1);
}

fn from(ip: &str, properties: Value) -> Value {
    let mut event = named("$pageview", properties);
    event["ip"] = ip.into();
    event
}

#[test]
fn geoip_enricher() {
    let sample = Sample::new("geoip-enricher", &[]);
    let events = [
        from("198.51.100.7", json!({ "$set": { "$geoip_city_name": "own" } })),
        from("10.0.0.1", json!({})),
        from("198.51.100.7", json!({ "$geoip_disable": true })),
        from("10.0.0.1", json!({ "$ip": "203.0.113.9" })),
    ];
    let result = run(&mut sample.lane(), &events);
    let london = properties(&result.events[0]);
    assert_eq!(london["$geoip_country_code"], "GB");
    assert_eq!(london["$geoip_city_name"], "London");
    assert_eq!(london["$geoip_time_zone"], "Europe/London");
    assert_eq!(london["$geoip_latitude"], Value::Null, "not at this precision");
    assert_eq!(london["$set"]["$geoip_country_code"], "GB");
    assert_eq!(london["$set"]["$geoip_city_name"], "own", "what a client sets wins");
    assert_eq!(london["$set_once"]["$initial_geoip_city_name"], "London");
    assert!(result.events[1].output.is_none() && result.events[2].output.is_none());
    assert_eq!(properties(&result.events[3])["$geoip_city_name"], "San Francisco", "$ip wins");
}

#[test]
fn geoip_enricher_is_as_precise_as_it_is_told() {
    let values = [("precision", "country"), ("language", "de"), ("forget_ip", "Yes"), ("person_properties", "No")];
    let sample = Sample::new("geoip-enricher", &values);
    let result = run(&mut sample.lane(), &[from("198.51.100.7", json!({ "$ip": "198.51.100.7" }))]);
    let event = output(&result.events[0]);
    assert_eq!(event["ip"], Value::Null);
    let wanted = json!({
        "$geoip_continent_code": "EU", "$geoip_continent_name": "Europa",
        "$geoip_country_code": "GB", "$geoip_country_name": "Vereinigtes Königreich",
    });
    assert_eq!(event["properties"], wanted);
    let sample = Sample::new("geoip-enricher", &[("precision", "coordinates")]);
    let result = run(&mut sample.lane(), &[from("198.51.100.7", json!({}))]);
    assert_eq!(properties(&result.events[0])["$geoip_latitude"], 51.5142);
    assert_eq!(properties(&result.events[0])["$geoip_postal_code"], "EC1A");
}

#[test]
fn schema_enforcer() {
    let events = [
        named("purchase", json!({ "revenue": 19.95, "currency": "EUR" })),
        named("purchase", json!({ "revenue": "19.95", "currency": "eur" })),
        named("purchase", json!({ "currency": "EUR" })),
        named("anything", json!({})),
    ];
    let sample = Sample::new("schema-enforcer", &[]);
    let result = run(&mut sample.lane(), &events);
    assert!(result.events[0].output.is_none() && result.events[3].output.is_none());
    let found = |at: usize| properties(&result.events[at])["$schema_violations"].clone();
    assert_eq!(found(1), json!(["revenue is string, not number", "currency does not match ^[A-Z]{3}$"]));
    assert_eq!(found(2), json!(["revenue is missing"]));

    let sample = Sample::new("schema-enforcer", &[("on_violation", "drop"), ("unknown_events", "drop")]);
    let result = run(&mut sample.lane(), &events);
    let fates: Vec<_> = result.events.iter().map(|event| event.fate.clone()).collect();
    assert_eq!(fates, [Fate::Passed, Fate::Dropped, Fate::Dropped, Fate::Dropped]);
    assert!(result.logs.iter().any(|line| line.message.contains("revenue is missing")));
}

#[test]
fn schema_enforcer_takes_rules_from_an_attachment() {
    let rules = r#"{"signup": {"additional": false, "properties": {
        "plan": {"enum": ["free", "paid"]}, "seats": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
        "name": {"maxLength": 3}}}}"#;
    let given = Settings { attachments: vec![attachment("rules_file", rules)], ..settings(&[]) };
    let sample = Sample::restored("schema-enforcer", given);
    let events = [
        named("signup", json!({ "plan": "free", "seats": 2, "$lib": "web" })),
        named("signup", json!({ "plan": "gold", "seats": 1.5, "extra": 1, "name": "long" })),
        named("signup", json!({ "seats": 0 })),
        named("purchase", json!({})),
    ];
    let result = run(&mut sample.lane(), &events);
    assert!(result.events[0].output.is_none());
    let wanted = json!([
        r#"plan is none of "free", "paid""#,
        "seats is number, not integer or null",
        "name is longer than 3",
        "extra is not in the schema"
    ]);
    assert_eq!(properties(&result.events[1])["$schema_violations"], wanted);
    assert_eq!(properties(&result.events[2])["$schema_violations"], json!(["seats is below 1"]));
    assert!(result.events[3].output.is_none(), "the file wins over the field");

    let changed = Settings { attachments: vec![attachment("rules_file", "{}")], ..settings(&[]) };
    sample.bench.host.configure("schema-enforcer", changed).unwrap();
    assert!(run(&mut sample.lane(), &events[1..2]).events[0].output.is_none(), "another attachment, other rules");
}

#[test]
fn schema_enforcer_refuses_rules_that_make_no_sense() {
    for (rules, wanted) in [
        ("{", "the field \"Rules\" is not JSON"),
        (r#"{"a": {"require": []}}"#, r#""a": "require" is none of required, properties, additional"#),
        (r#"{"a": {"properties": {"b": {"type": "text"}}}}"#, r#".properties.b.type: "text" is none of string"#),
        (r#"{"a": {"properties": {"b": {"pattern": "("}}}}"#, ".properties.b.pattern: "),
    ] {
        let refusal = Sample::refusal("schema-enforcer", &[("rules", rules)]);
        assert!(refusal.contains(wanted), "{refusal}");
    }
}

#[test]
fn sampler() {
    let people: Vec<Value> = (0..2000).map(event).collect();
    let kept = |percentage: &str, salt: &str| {
        let sample = Sample::new("sampler", &[("percentage", percentage), ("salt", salt)]);
        let result = run(&mut sample.lane(), &people);
        let passed = result.events.iter().map(|event| event.fate == Fate::Passed).collect::<Vec<_>>();
        let rates = result.events.iter().filter(|event| event.fate == Fate::Passed);
        for event in rates {
            assert_eq!(properties(event)["$sample_rate"].as_f64().unwrap() * 100.0, percentage.parse::<f64>().unwrap());
        }
        passed
    };
    let ten = kept("10", "weir");
    let count = ten.iter().filter(|kept| **kept).count();
    // Five standard deviations of a fair draw.
    assert!((133..=267).contains(&count), "{count} of 2000");
    assert_eq!(ten, kept("10", "weir"), "another run keeps the same people");
    assert_ne!(ten, kept("10", "other"));
    let twenty = kept("20", "weir");
    assert!(ten.iter().zip(&twenty).all(|(ten, twenty)| !ten || *twenty), "more keeps the same people and others");
    assert!(kept("0", "weir").iter().all(|kept| !kept) && kept("100", "weir").iter().all(|kept| *kept));

    let sample = Sample::new("sampler", &[("percentage", "0"), ("events", "noise, hum")]);
    let result = run(&mut sample.lane(), &[named("noise", json!({})), named("other", json!({}))]);
    assert_eq!(result.events[0].fate, Fate::Dropped);
    assert!(result.events[1].output.is_none());
    assert!(Sample::refusal("sampler", &[("percentage", "many")]).contains("from 0 to 100; got \"many\""));
}

#[test]
fn sessionizer() {
    let sample = Sample::new("sessionizer", &[]);
    let at = |time: &str, properties: Value| {
        let mut event = named("x", properties);
        event["timestamp"] = format!("2026-01-02T{time}:00.000Z").into();
        event
    };
    let events = [
        at("10:00", json!({})),
        at("10:20", json!({})),
        at("10:10", json!({})),
        at("11:05", json!({})),
        at("11:06", json!({ "$session_id": "own" })),
    ];
    let result = run(&mut sample.lane(), &events);
    let of = |at: usize| properties(&result.events[at]);
    assert_eq!(of(0)["is_session_start"], true);
    assert_eq!((&of(1)["session_event_number"], &of(1)["session_seconds"]), (&json!(2), &json!(1200)));
    assert_eq!(of(1)["$session_id"], of(0)["$session_id"]);
    assert_eq!(of(2)["$session_id"], of(0)["$session_id"], "held up on its way");
    assert_ne!(of(3)["$session_id"], of(0)["$session_id"]);
    assert_eq!((&of(3)["session_event_number"], &of(3)["is_session_start"]), (&json!(1), &json!(true)));
    assert!(result.events[4].output.is_none());
    assert!(of(0)["$session_id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok());

    // The next lane goes on where this one ended.
    let result_2 = run(&mut sample.lane(), &[at("11:10", json!({}))]);
    assert_eq!(properties(&result_2.events[0])["$session_id"], of(3)["$session_id"]);
    assert_eq!(properties(&result_2.events[0])["session_event_number"], 2);

    let long = Sample::new("sessionizer", &[("longest_hours", "0.5")]);
    let result = run(&mut long.lane(), &[at("10:00", json!({})), at("10:20", json!({})), at("10:40", json!({}))]);
    assert_eq!(properties(&result.events[1])["is_session_start"], false);
    assert_eq!(properties(&result.events[2])["is_session_start"], true, "it has lasted long enough");
    assert!(Sample::refusal("sessionizer", &[("pause_minutes", "0")]).contains("\"Pause\" must be a number above 0"));
}

const SECRET: &str = "a secret of some length";

#[test]
fn pii_scrubber() {
    let sample = Sample::new("pii-scrubber", &[("secret", SECRET)]);
    let mut event = named(
        "x",
        json!({
            "email": "Ada@Example.com",
            "deep": [{ "user_id": 7, "text": "write to ada@example.com" }],
            "message": "mail ada@example.com or +44 20 7946 0000",
            "us": "(415) 555-0132",
            "note": "paid with 4111 1111 1111 1111",
            "order": "1234567890123",
            "date": "2024-05-01 10:00:00",
            "at": "2024-05-01T10:00:00.000Z",
            "n": 4111111111111111_u64,
            "$ip": "2001:db8:44::1",
        }),
    );
    event["ip"] = "203.0.113.77".into();
    event["$set"] = json!({ "email": "ada@example.com ", "name": "Ada" });
    let result = run(&mut sample.lane(), &[event.clone()]);
    let clean = output(&result.events[0]);
    let properties = &clean["properties"];
    let pseudonym = properties["email"].as_str().unwrap();
    assert!(pseudonym.starts_with("p_") && pseudonym.len() == 26, "{pseudonym}");
    assert_eq!(clean["$set"], json!({ "email": pseudonym, "name": "Ada" }), "one spelling or another");
    assert!(properties["deep"][0]["user_id"].as_str().unwrap().starts_with("p_"));
    assert_eq!(properties["deep"][0]["text"], "write to [email]");
    assert_eq!(properties["message"], "mail [email] or [phone]");
    assert_eq!(properties["us"], "[phone]");
    assert_eq!(properties["note"], "paid with [card]");
    for same in ["order", "date", "at", "n"] {
        assert_eq!(properties[same], event["properties"][same], "{same}");
    }
    assert_eq!((&clean["ip"], &properties["$ip"]), (&json!("203.0.113.0"), &json!("2001:db8:44::")));

    let other = Sample::new("pii-scrubber", &[("secret", "another secret, as long"), ("keep_ip", "No")]);
    let other = output(&run(&mut other.lane(), &[event]).events[0]);
    assert_ne!(other["properties"]["email"], pseudonym);
    assert_eq!(other["ip"], Value::Null);

    let refusal = Sample::refusal("pii-scrubber", &[("secret", "hunter2hunter2")]);
    assert!(refusal.contains("at least 16 characters") && !refusal.contains("hunter2"), "{refusal}");
}

#[test]
fn currency_converter() {
    let sample = Sample::new("currency-converter", &[]);
    let events: Vec<Value> = (0..4)
        .zip([("USD", json!(54)), ("eur", json!("20")), ("XXX", json!(5)), ("GBP", json!("much"))])
        .map(|(number, (currency, revenue))| {
            let mut event = event(number);
            event["properties"] = json!({ "revenue": revenue, "currency": currency });
            event
        })
        .collect();
    let mut lane = sample.lane();
    let result = run(&mut lane, &events);
    let dollars = properties(&result.events[0]);
    assert_eq!((&dollars["revenue_eur"], &dollars["exchange_rate"]), (&json!(50), &json!(1.08)));
    assert_eq!(properties(&result.events[1])["revenue_eur"], 20);
    assert!(result.events[2].output.is_none() && result.events[3].output.is_none());
    assert!(result.logs.iter().any(|line| line.message == "No rate for XXX"));
    assert_eq!(result.calls.len(), 1, "the events share one request: {:?}", result.calls);
    assert!(run(&mut lane, &events).calls.is_empty(), "and what it brought is kept");

    // Hours later the schedule, in an instance of its own, brings them through the cache.
    sample.bench.host.set_cache("currency-converter", "rates", None);
    let called = sample.bench.host.caller("currency-converter").run(&Task::Schedule("runEveryHour".into()));
    assert_eq!(called, Called::Done(None));
    assert!(sample.log().iter().any(|line| line == "3 rates against EUR"));
    let mut other_lane = sample.lane();
    let result = run(&mut other_lane, &events[..1]);
    assert_eq!((properties(&result.events[0])["revenue_eur"].clone(), result.calls.len()), (json!(50), 0));
}

#[test]
fn currency_converter_without_rates() {
    let sample = Sample::new("currency-converter", &[("rates_url", "https://down.example.com/latest")]);
    let mut event = named("x", json!({ "revenue": 1, "currency": "USD" }));
    event["properties"]["kept"] = true.into();
    let result = run(&mut sample.lane(), &[event]);
    assert!(result.events[0].output.is_none(), "passes unchanged");
    assert!(error(&result.events[0]).contains("down.example.com answered 503 instead of rates"));
    assert!(Sample::refusal("currency-converter", &[("target", "Euro")]).contains("three capital letters"));
}
