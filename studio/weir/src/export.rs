//! Events in files, as the world writes them: one a line, whole batches, or one list.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

/// Hands over each event in turn; an error says in which line or row it stands.
pub fn each_event(path: &Path, mut take: impl FnMut(&Value) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
    let mut lines = BufReader::new(file);
    let start = lines.fill_buf().with_context(|| format!("cannot read {shown}"))?;
    if start.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        let rows: Vec<Value> = serde_json::from_reader(lines).with_context(|| format!("{shown} is no JSON list"))?;
        let mut rows = rows.iter().enumerate();
        return rows.try_for_each(|(at, row)| take(row).with_context(|| format!("{shown}, row {}", at + 1)));
    }
    for (at, line) in lines.lines().enumerate() {
        let place = || format!("{shown}, line {}", at + 1);
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        let value: Value = serde_json::from_str(&line)
            .with_context(|| format!("{} is no JSON; the file needs one JSON object a line, or one list", place()))?;
        let batch = value.get("batch").and_then(Value::as_array);
        for event in batch.map_or(std::slice::from_ref(&value), Vec::as_slice) {
            take(event).with_context(place)?;
        }
    }
    Ok(())
}
