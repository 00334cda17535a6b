//! What the disk can do: the floor under every ack.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::report::Report;

pub fn fdatasync(report: &mut Report) -> anyhow::Result<()> {
    let (p50, p99) = measure(Duration::from_secs(3))?;
    report.add("raw append of 4 KiB + fdatasync", format!("p50 {p50:.2} ms, p99 {p99:.2} ms"), "raw limit");
    Ok(())
}

/// p50 and p99 in milliseconds.
pub fn measure(time: Duration) -> anyhow::Result<(f64, f64)> {
    let dir = tempfile::tempdir_in(std::env::current_dir()?)?;
    let mut file = File::create(dir.path().join("raw"))?;
    let mut histogram = Histogram::<u64>::new(3)?;
    let started = Instant::now();
    while started.elapsed() < time {
        let one = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        histogram.record(one.elapsed().as_micros() as u64)?;
    }
    Ok((histogram.value_at_quantile(0.5) as f64 / 1_000.0, histogram.value_at_quantile(0.99) as f64 / 1_000.0))
}
