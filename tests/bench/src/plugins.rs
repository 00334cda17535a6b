//! From the save to the first event on the new code, under load.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::load;
use crate::report::Report;
use crate::server::Server;

const SAMPLE: &str = "sample-plugins/url-normalizer";
const SAVES: usize = 100;
const EVENTS_PER_SECOND: f64 = 5_000.0;

pub fn reload(report: &mut Report) -> anyhow::Result<()> {
    let dir = tempfile::tempdir_in(std::env::current_dir()?)?;
    let plugin = dir.path().join("edited");
    fs::create_dir(&plugin)?;
    for entry in fs::read_dir(SAMPLE)? {
        let path = entry?.path();
        // Its fixtures are no part of it.
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            fs::copy(&path, plugin.join(name))?;
        }
    }
    let base = fs::read_to_string(plugin.join("index.ts"))?;
    let save = |number: usize| fs::write(plugin.join("index.ts"), format!("{base}\n// save {number}\n"));
    save(0)?;
    let server = Server::start(&dir.path().join("data"), &[&plugin], false)?;
    let stop = Arc::new(AtomicBool::new(false));
    let sender = {
        let (capture, stop) = (server.capture.clone(), Arc::clone(&stop));
        thread::Builder::new()
            .name("pace".into())
            .spawn(move || load::open_loop(&capture, load::bodies(6, 600_000, 50), 50, 4, EVENTS_PER_SECOND, &stop))?
    };
    let generation = || -> anyhow::Result<(u64, Option<f64>)> {
        let status = server.status()?;
        Ok(status.plugins.first().map_or((0, None), |plugin| (plugin.generation, plugin.reload_ms)))
    };
    let mut times = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(100);
    while server.status()?.ledger.stored == 0 {
        anyhow::ensure!(Instant::now() < deadline, "no event was stored");
        thread::sleep(Duration::from_millis(20));
    }
    for number in 1..=SAVES {
        let (before, _) = generation()?;
        save(number)?;
        let milliseconds = loop {
            anyhow::ensure!(Instant::now() < deadline, "save {number} did not become live");
            thread::sleep(Duration::from_millis(25));
            if let (now, Some(milliseconds)) = generation()?
                && now > before
            {
                break milliseconds;
            }
        };
        times.push(milliseconds);
    }
    stop.store(true, Ordering::Relaxed);
    sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))??;
    times.sort_by(f64::total_cmp);
    let at = |quantile: f64| times[((times.len() - 1) as f64 * quantile).round() as usize];
    report.add(
        &format!("save to first event on the new code, TypeScript, {EVENTS_PER_SECOND:.0} events/s, {SAVES} saves"),
        format!("p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", at(0.5), at(0.99), at(1.0)),
        "p99 < 50 ms",
    );
    Ok(())
}
