//! `weir serve`: the headless server.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use weir_studio::{ServeConfig, Server};

use crate::args::Serve;
use crate::coded::coded;
use crate::{sink, supervise};

pub fn run(serve: Serve) -> anyhow::Result<ExitCode> {
    log_to_stderr("info");
    if serve.supervise {
        return supervise::run(&serve.data);
    }
    if let Some(parent) = serve.supervised_by {
        supervise::end_with(parent)?;
    }
    runtime()?.block_on(serve_until_stopped(serve))
}

/// What both ports run on.
pub fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .thread_name("http")
        .build()
        .context("cannot start the runtime")
}

async fn serve_until_stopped(serve: Serve) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let config = ServeConfig {
        data_dir: serve.data,
        ordering: serve.ordering.into(),
        geoip_database: serve.geoip,
        recordings: serve.recordings,
        notify: serve.notify,
        restarts: serve.restarts,
        capture: serve.capture,
        control: serve.control,
        demo: serve.demo,
        demo_rate: serve.demo_rate,
        demo_seed: serve.demo_seed,
        plugins: serve.plugins,
        sinks: serve.sinks.iter().map(|text| sink::wanted(text)).collect::<anyhow::Result<_>>()?,
        checks: check_folders(&serve.checks)?,
        store_probe: Some(Arc::new(probe_in_child)),
    };
    let server = Server::start(config).await.map_err(|error| coded(&error, error.code(), error.hint()))?;
    let ready = serde_json::json!({
        "ready": true,
        "capture": server.capture_url,
        "control": server.control_url,
        "token": server.token,
        "pid": std::process::id(),
    });
    // Whoever started the server may read this one line and close the pipe.
    writeln!(std::io::stdout(), "{ready}").ok();
    std::io::stdout().flush().ok();
    eprintln!("weir: studio  {}", server.open_link());
    eprintln!("weir: capture {}", server.capture_url);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Folders of `--checks`, as whole paths.
pub fn check_folders(dirs: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let whole = |dir: &PathBuf| {
        let is_there = std::fs::metadata(dir).is_ok_and(|metadata| metadata.is_dir());
        anyhow::ensure!(is_there, "--checks {} is no folder; make it, or give another", dir.display());
        std::path::absolute(dir).with_context(|| format!("{} is no path", dir.display()))
    };
    dirs.iter().map(whole).collect()
}

/// `WEIR_LOG` wins over the level.
pub fn log_to_stderr(level: &str) {
    let filter = EnvFilter::try_from_env("WEIR_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// Lets a child process open the store first: an abort inside the database library ends the child.
pub fn probe_in_child(path: &Path) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = std::process::Command::new(program)
        .arg("probe-store")
        .arg(path)
        .output()
        .map_err(|error| format!("cannot start the child: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{} ({})", said.trim().lines().last().unwrap_or("it said nothing"), output.status))
}

pub fn probe_store(path: &Path) -> anyhow::Result<ExitCode> {
    pipeline_core::store::probe(path)?;
    Ok(ExitCode::SUCCESS)
}
