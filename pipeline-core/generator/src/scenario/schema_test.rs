//! What is published names the fields that the code reads, and no others.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::source::{
    DeliverySource, EventSource, GroupSource, JourneySource, PersonaSource, ScenarioSource, SeasonalitySource,
    StateSource,
};
use super::{BUILT_IN, Scenario};
use crate::faker::{Faker, Locale};
use crate::knobs::{KNOBS, MessRates};
use crate::template::GENERATORS;
use crate::truth::RequestTruth;

fn document(name: &str) -> String {
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    std::fs::read_to_string(package.join("../../docs").join(name)).expect("a document")
}

fn schema() -> Value {
    serde_json::from_str(&document("scenario.schema.json")).expect("JSON")
}

/// Asks the reader itself: it lists what it knows when it meets what it does not.
fn known<'t, T: Deserialize<'t>>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>(r#"{"?": 1}"#) else { panic!("it takes any field") };
    let message = error.to_string();
    message.split('`').skip(1).step_by(2).skip(1).map(str::to_owned).collect()
}

fn published(part: &Value) -> BTreeSet<String> {
    part["properties"].as_object().expect("a list of fields").keys().cloned().collect()
}

#[test]
fn the_schema_has_the_fields_of_the_code() {
    let schema = schema();
    let of = |name: &str| published(&schema["$defs"][name]);
    assert_eq!(published(&schema), known::<ScenarioSource>());
    assert_eq!(of("seasonality"), known::<SeasonalitySource>());
    assert_eq!(of("delivery"), known::<DeliverySource>());
    assert_eq!(of("mess"), known::<MessRates>());
    assert_eq!(of("group"), known::<GroupSource>());
    assert_eq!(of("event"), known::<EventSource>());
    assert_eq!(of("persona"), known::<PersonaSource>());
    assert_eq!(of("journey"), known::<JourneySource>());
    assert_eq!(of("state"), known::<StateSource>());
}

#[test]
fn the_schema_has_the_names_of_the_code() {
    let schema = schema();
    for (key, beside) in GENERATORS {
        let expected: BTreeSet<String> = [key].iter().chain(beside).map(|name| (*name).to_owned()).collect();
        assert_eq!(published(&schema["$defs"][key]), expected);
    }
    let objects = &schema["$defs"]["value"]["anyOf"].as_array().expect("a list").last().expect("objects");
    let reserved: Vec<&str> = GENERATORS.iter().map(|(key, _)| *key).collect();
    assert_eq!(objects["propertyNames"]["not"]["enum"], serde_json::json!(reserved));
    assert_eq!(schema["$defs"]["fake"]["properties"]["fake"]["enum"], serde_json::json!(Faker::NAMES));
    assert_eq!(schema["$defs"]["item"]["properties"]["locale"]["enum"], serde_json::json!(Locale::NAMES));
}

/// The page for people is true, too.
#[test]
fn the_page_has_the_kinds_of_mess_and_a_scenario_that_can_be_told() {
    let page = document("scenarios.md");
    for knob in KNOBS {
        let row = format!("| `{}` | {}s |", knob.name, knob.of);
        assert!(page.contains(&row), "{row}");
    }
    for built_in in BUILT_IN {
        assert!(page.contains(&format!("| `{}` |", built_in.name)), "{}", built_in.name);
    }
    let example = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let scenario = Scenario::read(example, "the example").unwrap_or_else(|error| panic!("{error}: {}", error.hint));
    assert_eq!(scenario.title, "Little shop");
    let truth = page.split("```json").nth(1).and_then(|rest| rest.split("```").next()).expect("a line of truth");
    let truth = truth.replace("\"…\"", "\"00000000-0000-4000-8000-000000000001\"");
    serde_json::from_str::<RequestTruth>(&truth).expect("a truth");
}
