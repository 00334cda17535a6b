//! A million persons: what the whole process takes, and how long it takes to be back with them.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pipeline_core::api::query::QueryRequest;
use pipeline_core::api::registry;
use serde_json::{Value, json};

use crate::load;
use crate::memory;
use crate::report::{Report, grouped};
use crate::server::Server;

const PERSONS: usize = 1_000_000;
const BATCH: usize = 1_000;
const PLANS: [&str; 4] = ["free", "starter", "team", "enterprise"];
const SITES: [&str; 6] = ["$direct", "www.google.com", "news.ycombinator.com", "t.co", "www.bing.com", "github.com"];

/// Events that make one person each; every other one of two distinct ids.
fn bodies(persons: usize) -> Vec<Vec<u8>> {
    let event = |number: usize| {
        let uuid = format!("0190163b-{:04x}-7000-8000-{number:012x}", number & 0xffff);
        let anonymous = format!("0190163a-{:04x}-7000-8000-{number:012x}", number & 0xffff);
        let site = SITES[number % SITES.len()];
        let mut properties = json!({
            "$set": {"email": format!("visitor.{number}@example{}.com", number % 900), "plan": PLANS[number % 4]},
            "$set_once": {
                "$initial_referring_domain": site,
                "$initial_referrer": if site == "$direct" { site.to_owned() } else { format!("https://{site}/") },
                "$initial_current_url": format!("https://shop.example.com/p/{}?ref={}", number % 700, number % 31),
            },
        });
        if number.is_multiple_of(2) {
            properties["$anon_distinct_id"] = anonymous.into();
            json!({"uuid": uuid, "event": "$identify", "distinct_id": format!("user_{number}"), "properties": properties})
        } else {
            json!({"uuid": uuid, "event": "$set", "distinct_id": anonymous, "properties": properties})
        }
    };
    (0..persons)
        .step_by(BATCH)
        .map(|first| {
            let events: Vec<Value> = (first..(first + BATCH).min(persons)).map(event).collect();
            json!({"api_key": "phc_bench", "batch": events}).to_string().into_bytes()
        })
        .collect()
}

/// What a start was measured to be.
struct Start {
    server: Server,
    query_s: f64,
    stored_s: f64,
}

fn start(data: &Path) -> anyhow::Result<Start> {
    let started = Instant::now();
    let server = Server::start(data, &[], false)?;
    let deadline = started + Duration::from_mins(2);
    let ask = |sql: &str| -> anyhow::Result<Value> {
        let answer = server.call::<registry::Query>(&QueryRequest { sql: sql.into(), ..QueryRequest::default() })?;
        answer.rows.first().and_then(|row| row.first()).cloned().context("no row")
    };
    while ask("SELECT count(*) FROM events").is_err() {
        anyhow::ensure!(Instant::now() < deadline, "no query is answered");
        thread::sleep(Duration::from_millis(5));
    }
    let query_s = started.elapsed().as_secs_f64();
    let before = server.status()?.ledger.stored;
    let event = json!({"api_key": "phc_bench", "event": "back", "distinct_id": "user_2", "properties": {}});
    load::closed_loop(&server.capture, vec![event.to_string().into_bytes()], 1, 1, Duration::from_mins(1));
    while server.status()?.ledger.stored == before {
        anyhow::ensure!(Instant::now() < deadline, "the event is not stored");
        thread::sleep(Duration::from_millis(5));
    }
    let stored_s = started.elapsed().as_secs_f64();
    let properties = ask("SELECT person_properties FROM events WHERE event = 'back' LIMIT 1")?;
    anyhow::ensure!(properties["email"] == "visitor.2@example2.com", "the person is not what it was: {properties}");
    Ok(Start { server, query_s, stored_s })
}

pub fn million(report: &mut Report, persons: Option<usize>) -> anyhow::Result<()> {
    let persons = persons.unwrap_or(PERSONS);
    let dir = tempfile::tempdir_in(std::env::current_dir()?)?;
    let data = dir.path().join("data");
    let named = grouped(persons as f64);
    let mut server = Server::start(&data, &[], false)?;
    let empty = memory::of_process(server.pid());
    let filling = Instant::now();
    let acked = load::closed_loop(&server.capture, bodies(persons), BATCH, 4, Duration::from_mins(5));
    anyhow::ensure!(acked >= persons as u64, "{acked} events were accepted");
    while server.status()?.ledger.in_flight > 0 {
        thread::sleep(Duration::from_millis(20));
    }
    let filled_s = filling.elapsed().as_secs_f64();
    let live = memory::of_process(server.pid());
    server.kill();

    let megabytes = |bytes: u64| format!("{:.0} MB", bytes as f64 / 1e6);
    let mut killed = start(&data)?;
    thread::sleep(Duration::from_secs(1));
    let after_kill = memory::of_process(killed.server.pid());
    killed.server.stop();
    let mut stopped = start(&data)?;
    thread::sleep(Duration::from_secs(1));
    let after_stop = memory::of_process(stopped.server.pid());
    stopped.server.stop();
    let (rows, scan_s) = scan(&data.join("store.duckdb"))?;

    report.add(
        &format!("{named} persons, {rows} rows: RSS of the whole process after a restart"),
        format!("{} after a stop, {} after SIGKILL", megabytes(after_stop), megabytes(after_kill)),
        &format!("<= 300 MB; an empty server: {}", megabytes(empty)),
    );
    report.add(
        &format!("the same in the process that made them ({filled_s:.0} s)"),
        format!("{}, DuckDB's write buffers included", megabytes(live)),
        "",
    );
    let raw = format!("< 2 s; DuckDB opens and scans the same rows in {scan_s:.2} s");
    for (how, start) in [("a stop", &stopped), ("SIGKILL", &killed)] {
        report.add(
            &format!("start with {named} persons after {how}"),
            format!("first query {:.2} s, first event stored {:.2} s", start.query_s, start.stored_s),
            &raw,
        );
    }
    Ok(())
}

/// Person and id rows, and the time to read every column of them.
fn scan(path: &Path) -> anyhow::Result<(String, f64)> {
    let started = Instant::now();
    let config = duckdb::Config::default().access_mode(duckdb::AccessMode::ReadOnly)?.threads(2)?;
    let connection = duckdb::Connection::open_with_flags(path, config)?;
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u64>(0));
    let persons = count(
        "SELECT count(*) FROM person_rows WHERE hash(team_id, id, properties, created_at, is_identified, version) <> 0",
    )?;
    let ids = count("SELECT count(*) FROM distinct_id_rows WHERE hash(team_id, distinct_id, person_id, version) <> 0")?;
    Ok((grouped((persons + ids) as f64), started.elapsed().as_secs_f64()))
}
