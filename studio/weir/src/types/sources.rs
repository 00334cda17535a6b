//! Where the events come from: a file, a running server, or the store that a stopped one has left.

use std::path::Path;

use anyhow::{anyhow, bail};
use pipeline_core::api::query::{QueryRequest, QueryResult};
use pipeline_core::api::registry;
use pipeline_core::store::{QueryLimits, open_read_only};
use serde_json::{Map, Value};

use super::events::Seen;
use crate::client::Client;
use crate::export::each_event;
use crate::new_args::Types;

pub enum Source {
    Seen {
        seen: Seen,
        /// For the head of the file. Without paths or numbers, which would change it from run to run.
        name: String,
    },
    /// With the reason.
    Nothing(String),
}

/// Most rows asked for, and longest wait.
const MAX_ROWS: u64 = 100_000;
const TIMEOUT_MS: u64 = 60_000;

pub fn find(types: &Types) -> anyhow::Result<Source> {
    if let Some(path) = &types.from {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok(Source::Seen { seen: read_file(path)?, name: format!("the events in {name}") });
    }
    let sql = sql(types.project);
    let store = types.target.data.join("store.duckdb");
    let result = match Client::find(&types.target) {
        Ok(client) => client.call::<registry::Query>(&QueryRequest {
            sql,
            max_rows: Some(MAX_ROWS),
            timeout_ms: Some(TIMEOUT_MS),
        })?,
        Err(error) if types.target.url.is_some() => return Err(error),
        Err(_) if store.exists() => {
            let limits = QueryLimits { max_rows: MAX_ROWS, timeout_ms: TIMEOUT_MS };
            open_read_only(&store, 1)?.run(&sql, limits)?
        }
        Err(_) => {
            return Ok(Source::Nothing(format!(
                "no server runs on {}, so the types of events stay as they are; start one with `weir serve --demo`, or \
                 name a file of events with --from",
                types.target.data.display()
            )));
        }
    };
    let seen = read_shapes(&result)?;
    Ok(Source::Seen { seen, name: "the events in the store".to_owned() })
}

/// The shapes of the newest events, each with how many have it. Of one event the most frequent shapes come; how many
/// events it has in all comes beside them, so that nothing looks as if it were always there.
fn sql(project: Option<u32>) -> String {
    let only = project.map(|project| format!("WHERE team_id = {project}")).unwrap_or_default();
    format!(
        "WITH newest AS (SELECT event, properties FROM events {only} ORDER BY _offset DESC LIMIT 200000),
         shapes AS (SELECT event, json_structure(properties)::VARCHAR AS shape, count(*) AS n FROM newest GROUP BY ALL)
         SELECT event, shape, n, sum(n) OVER (PARTITION BY event)::BIGINT AS of_all FROM shapes
         QUALIFY row_number() OVER (PARTITION BY event ORDER BY n DESC, shape) <= 100
         ORDER BY event, shape"
    )
}

fn read_shapes(result: &QueryResult) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    // Of the event whose rows are read: how many were seen, and how many there are.
    let mut current: Option<(&str, u64, u64)> = None;
    for row in &result.rows {
        let [Value::String(event), shape, n, of_all] = row.as_slice() else {
            bail!("the server's answer is of another version")
        };
        let (n, of_all) = (number(n)?, number(of_all)?);
        let shape: Map<String, Value> =
            shape.as_str().and_then(|shape| serde_json::from_str(shape).ok()).unwrap_or_default();
        seen.add_shape(event, n, &shape);
        match &mut current {
            Some((name, known, _)) if *name == event.as_str() => *known += n,
            other => {
                if let Some((name, known, all)) = other.replace((event.as_str(), n, of_all)) {
                    seen.add_unknown(name, all.saturating_sub(known));
                }
            }
        }
    }
    if let Some((name, known, all)) = current {
        seen.add_unknown(name, all.saturating_sub(known));
    }
    Ok(seen)
}

/// Large numbers come as text.
fn number(value: &Value) -> anyhow::Result<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str()?.parse().ok())
        .ok_or_else(|| anyhow!("the server's answer is of another version: {value} is no count"))
}

/// As clients send them, or as `weir query --json` prints them.
fn read_file(path: &Path) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    each_event(path, |event| add(&mut seen, event))?;
    Ok(seen)
}

fn add(seen: &mut Seen, event: &Value) -> anyhow::Result<()> {
    let Some(name) = event.get("event").and_then(Value::as_str) else {
        bail!("an event needs its name: {{\"event\": \"purchase\", \"properties\": {{…}}}}")
    };
    match event.get("properties") {
        None | Some(Value::Null) => seen.add(name, &Map::new()),
        Some(Value::Object(properties)) => seen.add(name, properties),
        Some(other) => bail!("the properties of {name:?} are {other} and no object"),
    }
    Ok(())
}
