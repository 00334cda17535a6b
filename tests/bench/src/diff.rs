//! What an edit changes: how long it takes to find out, and what that costs the live stream.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use pipeline_core::api::diff::{PluginDiff, PluginDiffRequest};
use pipeline_core::api::registry;

use crate::end_to_end::warm_up;
use crate::load;
use crate::report::{Report, grouped};
use crate::server::Server;

const SAMPLE: &str = "sample-plugins/url-normalizer";
const EVENTS: u64 = 5_000;
const BATCH: usize = 100;
const RUNS: usize = 5;
/// Pairs of phases, without and with a comparison; they alternate, so that a slow minute of the machine is
/// in both.
const PAIRS: usize = 3;

/// The sample, and an edit of it that changes every event.
fn versions(root: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (live, edited) = (root.join("live/url-normalizer"), root.join("edited/url-normalizer"));
    for dir in [&live, &edited] {
        fs::create_dir_all(dir)?;
        for entry in fs::read_dir(SAMPLE)? {
            let path = entry?.path();
            if path.is_file()
                && let Some(name) = path.file_name()
            {
                fs::copy(&path, dir.join(name))?;
            }
        }
    }
    let source = fs::read_to_string(edited.join("index.ts"))?;
    fs::write(
        edited.join("index.ts"),
        source.replace("return event", "event.properties!.edited = true\n    return event"),
    )?;
    Ok((live, edited))
}

fn compare(server: &Server, edited: &Path) -> anyhow::Result<PluginDiff> {
    server.call::<registry::PluginDiff>(&PluginDiffRequest {
        id: "url-normalizer".into(),
        from: Some("live".into()),
        to: Some("folder".into()),
        dir: Some(edited.display().to_string()),
        last: Some(EVENTS),
    })
}

fn settle(server: &Server) -> anyhow::Result<()> {
    while server.status()?.ledger.in_flight > 0 {
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

pub fn measure(report: &mut Report, seconds: u64) -> anyhow::Result<()> {
    let dir = tempfile::tempdir_in(std::env::current_dir()?)?;
    let (live, edited) = versions(dir.path())?;
    let server = Server::start(&dir.path().join("data"), &[&live], false)?;
    warm_up(&server, 1)?;
    load::closed_loop(&server.capture, load::bodies(7, EVENTS as usize, BATCH), BATCH, 4, Duration::from_mins(1));
    settle(&server)?;
    let cpu_before = cpu_ms(server.pid())?;
    let mut found = (0..RUNS).map(|_| compare(&server, &edited)).collect::<anyhow::Result<Vec<_>>>()?;
    let cpu = (cpu_ms(server.pid())? - cpu_before) / RUNS as f64;
    found.sort_by(|a, b| a.took_ms.total_cmp(&b.took_ms));
    let median = &found[RUNS / 2];
    ensure!(median.events == EVENTS && median.counts.changed > 0, "nothing was compared: {median:?}");
    report.add(
        &format!("what an edit changes, {} events, TypeScript sample url-normalizer", grouped(EVENTS as f64)),
        format!(
            "{:.0} ms (median of {RUNS}; slowest {:.0} ms), {cpu:.0} ms of CPU on two threads",
            median.took_ms,
            found[RUNS - 1].took_ms
        ),
        &format!(
            "< 1,000 ms; both versions alone are {:.0} ms of CPU",
            (median.cpu_us_total.before + median.cpu_us_total.after) / 1_000.0
        ),
    );
    drop(server);
    beside_the_stream(report, dir.path(), (&live, &edited), seconds)
}

/// One core for the whole server, so that a comparison can only run where the stream leaves room.
fn beside_the_stream(
    report: &mut Report,
    root: &Path,
    (live, edited): (&Path, &Path),
    seconds: u64,
) -> anyhow::Result<()> {
    let server = Arc::new(Server::start(&root.join("busy"), &[live], true)?);
    warm_up(&server, 1)?;
    let phase = Duration::from_secs(seconds.max(2) / 2);
    let (mut alone, mut beside, mut compared) = (Vec::new(), Vec::new(), 0);
    let rate = |seed: u64| -> anyhow::Result<f64> {
        let bodies = load::bodies(seed, phase.as_secs() as usize * 25_000, BATCH);
        let started = Instant::now();
        let acked = load::closed_loop(&server.capture, bodies, BATCH, 8, phase);
        settle(&server)?;
        Ok(acked as f64 / started.elapsed().as_secs_f64())
    };
    rate(10)?;
    for pair in 0..PAIRS as u64 {
        alone.push(rate(20 + pair)?);
        let comparing = Comparing::start(&server, edited)?;
        beside.push(rate(40 + pair)?);
        compared += comparing.stop()?;
    }
    let (alone, beside) = (median(alone), median(beside));
    report.add(
        "end to end, one core, one JS plugin, while versions are compared without a pause",
        format!("{} events/s, {:+.1} % ({compared} comparisons)", grouped(beside), (beside / alone - 1.0) * 100.0),
        &format!(">= -5 %; without comparisons {} events/s", grouped(alone)),
    );

    let (mut alone_ms, mut beside_ms) = (Vec::new(), Vec::new());
    let p99 = |seed: u64| -> anyhow::Result<f64> {
        let events = (alone / 2.0 * phase.as_secs_f64()) as usize;
        let stop = Arc::new(AtomicBool::new(false));
        let acks = load::open_loop(&server.capture, load::bodies(seed, events, 10), 10, 64, alone / 2.0, &stop)?;
        settle(&server)?;
        ensure!(acks.len() * 10 >= events as u64 / 10 * 9, "the server refused events: is the disk full?");
        Ok(acks.value_at_quantile(0.99) as f64 / 1_000.0)
    };
    for pair in 0..PAIRS as u64 {
        alone_ms.push(p99(100 + pair)?);
        let comparing = Comparing::start(&server, edited)?;
        beside_ms.push(p99(200 + pair)?);
        comparing.stop()?;
    }
    let (alone_ms, beside_ms) = (median(alone_ms), median(beside_ms));
    report.add(
        "ack at half load, one core, one JS plugin, while versions are compared without a pause",
        format!("p99 {beside_ms:.2} ms, {:+.1} %", (beside_ms / alone_ms - 1.0) * 100.0),
        &format!("<= +5 %; without comparisons p99 {alone_ms:.2} ms"),
    );
    Ok(())
}

/// User and system time of a process so far.
fn cpu_ms(pid: u32) -> anyhow::Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before them is in brackets and may hold anything.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    Ok((ticks(11) + ticks(12)) / TICKS_PER_SECOND * 1_000.0)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Comparisons one after the other, until stopped.
struct Comparing {
    stop: Arc<AtomicBool>,
    running: thread::JoinHandle<anyhow::Result<u64>>,
}

impl Comparing {
    fn start(server: &Arc<Server>, edited: &Path) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (server, edited, stopping) = (Arc::clone(server), edited.to_owned(), Arc::clone(&stop));
        let running = thread::Builder::new().name("comparing".into()).spawn(move || {
            let mut compared = 0;
            while !stopping.load(Ordering::Relaxed) {
                compare(&server, &edited)?;
                compared += 1;
            }
            Ok(compared)
        })?;
        Ok(Self { stop, running })
    }

    fn stop(self) -> anyhow::Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.running.join().map_err(|_| anyhow::anyhow!("the comparing thread panicked"))?
    }
}
