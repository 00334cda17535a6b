//! The whole process, from the request to the row.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use crate::disk;
use crate::load;
use crate::report::{Report, grouped};
use crate::server::Server;

const BATCH: usize = 100;
const PLUGIN: &str = "sample-plugins/url-normalizer";

/// Events a second that the server stores while it is given all it takes.
fn sustained(plugins: &[&Path], seconds: u64) -> anyhow::Result<f64> {
    let dir = tempfile::tempdir_in(std::env::current_dir()?)?;
    let server = Server::start(&dir.path().join("data"), plugins, true)?;
    warm_up(&server, plugins.len())?;
    let bodies = load::bodies(2, seconds as usize * 45_000, BATCH);
    let before = server.status()?.ledger.stored;
    let started = Instant::now();
    let acked = load::closed_loop(&server.capture, bodies, BATCH, 8, Duration::from_secs(seconds));
    // The clock runs until the last acked event is a row.
    while server.status()?.ledger.in_flight > 0 {
        thread::sleep(Duration::from_millis(10));
    }
    let elapsed = started.elapsed().as_secs_f64();
    let status = server.status()?;
    anyhow::ensure!(status.ledger.unexplained == 0, "the ledger does not add up");
    anyhow::ensure!(status.ledger.stored + status.ledger.dropped >= before + acked, "events are missing");
    Ok(acked as f64 / elapsed)
}

/// The store is open, plugins are live, caches are filled.
pub fn warm_up(server: &Server, plugins: usize) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let status = server.status()?;
        let live = status.plugins.iter().filter(|plugin| !plugin.version.is_empty()).count();
        if live == plugins && status.store_state == "ready" {
            break;
        }
        anyhow::ensure!(Instant::now() < deadline, "the server is not ready: {status:?}");
        thread::sleep(Duration::from_millis(20));
    }
    load::closed_loop(&server.capture, load::bodies(1, 5_000, BATCH), BATCH, 4, Duration::from_secs(5));
    Ok(())
}

pub fn throughput(report: &mut Report, seconds: u64) -> anyhow::Result<()> {
    let bare = sustained(&[], seconds)?;
    report.add("end to end, one core, no plugin", format!("{} events/s", grouped(bare)), ">= 25,000 events/s");
    let plugin = PathBuf::from(PLUGIN);
    let one = sustained(&[&plugin], seconds)?;
    report.add(
        "end to end, one core, one JS plugin (url-normalizer)",
        format!("{} events/s", grouped(one)),
        ">= 10,000 events/s",
    );
    Ok(())
}

pub fn latency(report: &mut Report, seconds: u64) -> anyhow::Result<()> {
    let full = sustained(&[], 5)?;
    for (name, part, bar) in [("half load", 0.5, "p99 <= 250 ms"), ("90 % load", 0.9, "p99 <= 1,000 ms")] {
        let dir = tempfile::tempdir_in(std::env::current_dir()?)?;
        let server = Server::start(&dir.path().join("data"), &[], true)?;
        warm_up(&server, 0)?;
        let events = (full * part * seconds as f64 * 2.0) as usize;
        let bodies = load::bodies(3, events, 10);
        let (_, raw_p99) = disk::measure(Duration::from_secs(2))?;
        let stop = Arc::new(AtomicBool::new(false));
        let acks = load::open_loop(&server.capture, bodies, 10, 64, full * part, &stop)?;
        let ms = |quantile: f64| acks.value_at_quantile(quantile) as f64 / 1_000.0;
        report.add(
            &format!("ack at {name} ({} events/s, open loop, 64 connections, 10 events each)", grouped(full * part)),
            format!("p50 {:.1} ms, p99 {:.1} ms, {:.1}x raw", ms(0.5), ms(0.99), ms(0.99) / raw_p99),
            &format!("p99 <= 4x raw fdatasync p99 of {raw_p99:.2} ms"),
        );
        let quantile = |q: &str| server.quantile("weir_queryable_seconds", q).map(|seconds| seconds * 1_000.0);
        report.add(
            &format!("accepted to returned by SQL at {name}"),
            format!("p50 {:.0} ms, p99 {:.0} ms", quantile("0.5")?, quantile("0.99")?),
            bar,
        );
    }
    Ok(())
}

pub fn start(report: &mut Report) -> anyhow::Result<()> {
    let dir = tempfile::tempdir_in(std::env::current_dir()?)?;
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[], false)?;
    warm_up(&server, 0)?;
    let bodies = load::bodies(4, 1_700_000, 500);
    load::closed_loop(&server.capture, bodies, 500, 8, Duration::from_mins(2));
    while server.status()?.ledger.in_flight > 0 {
        thread::sleep(Duration::from_millis(50));
    }
    server.kill();
    let log_bytes: u64 = std::fs::read_dir(data.join("intake"))?
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .map(|metadata| metadata.len())
        .sum();
    let body = load::bodies(5, 1, 1).remove(0);
    let http = reqwest::blocking::Client::builder().no_proxy().build()?;
    let started = Instant::now();
    let server = Server::start(&data, &[], false)?;
    http.post(format!("{}/batch/", server.capture)).body(body).send()?.error_for_status()?;
    report.add(
        &format!("start to first accepted event after SIGKILL, {:.2} GB of log", log_bytes as f64 / 1e9),
        format!("{:.0} ms", started.elapsed().as_secs_f64() * 1_000.0),
        "<= 300 ms",
    );
    Ok(())
}
