//! `weir profile`: a scenario of an export.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::ExitCode;

use anyhow::Context as _;
use pipeline_core::generator::Profile as Profiled;
use serde_json::{Value, json};

use crate::generate_args::Profile;
use crate::output::print_json;
use crate::say::say;
use crate::types::write;

pub fn run(profile: &Profile) -> anyhow::Result<ExitCode> {
    let profiled = read(profile)?;
    let text = profiled.scenario().with_context(|| profile.export.display().to_string())?;
    if profile.out.as_os_str() == "-" {
        say!("{}", text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    write(&profile.out, &text)?;
    let out = profile.out.display();
    if profile.json {
        print_json(
            &json!({"events": profiled.events(), "event_names": profiled.event_names(), "out": out.to_string()}),
        )?;
    } else {
        say!("{out}: {} kinds of events, of {} events", profiled.event_names(), profiled.events());
        say!("names of events and properties are as they were; look over them before you pass the file on");
        say!("weir generate --scenario {out} --events 1000 --out -");
    }
    Ok(ExitCode::SUCCESS)
}

/// JSON lines (events, or batches of them), or one JSON list.
fn read(profile: &Profile) -> anyhow::Result<Profiled> {
    let path = profile.export.display();
    let mut profiled = Profiled::default();
    let file = fs::File::open(&profile.export).with_context(|| format!("cannot read {path}"))?;
    let mut lines = BufReader::new(file);
    let is_list = lines.fill_buf()?.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if is_list {
        let rows: Vec<Value> = serde_json::from_reader(lines).with_context(|| format!("{path} is no JSON list"))?;
        for (at, row) in rows.iter().enumerate() {
            profiled.add(row).with_context(|| format!("{path}, row {}", at + 1))?;
        }
        return Ok(profiled);
    }
    for (at, line) in lines.lines().enumerate() {
        let place = || format!("{path}, line {}", at + 1);
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        let value: Value = serde_json::from_str(&line)
            .with_context(|| format!("{} is no JSON; the file needs one JSON object a line, or one list", place()))?;
        let batch = value.get("batch").and_then(Value::as_array);
        for row in batch.map_or(std::slice::from_ref(&value), Vec::as_slice) {
            profiled.add(row).with_context(place)?;
        }
    }
    Ok(profiled)
}
