//! What can be generated.

use pipeline_core::generator::{BUILT_IN, KNOBS};
use serde_json::{Value, json};

use crate::output::print_json;
use crate::say::say;

pub fn print(as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let scenarios: Vec<Value> = BUILT_IN
            .iter()
            .map(|built_in| {
                let scenario = built_in.scenario();
                json!({
                    "name": built_in.name,
                    "title": scenario.title,
                    "description": scenario.description,
                    "events_per_second": scenario.events_per_1000_s as f64 / 1_000.0,
                    "mess": scenario.mess.by_name(),
                })
            })
            .collect();
        let knobs: Vec<Value> =
            KNOBS.iter().map(|knob| json!({"name": knob.name, "of": knob.of, "summary": knob.summary})).collect();
        return print_json(&json!({"scenarios": scenarios, "mess": knobs}));
    }
    for built_in in BUILT_IN {
        say!("{:<12} {}", built_in.name, built_in.scenario().description);
    }
    say!();
    say!("mess (--mess KIND=SHARE)");
    for knob in KNOBS {
        say!("{:<14} {:<8} {}", knob.name, knob.of, knob.summary);
    }
    Ok(())
}
