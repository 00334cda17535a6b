//! `weir dev`: a plugin live in the studio, and what each save does told in the terminal.
//!
//! It joins the server that runs on the data directory; where none runs it is the server itself, with the demo stream,
//! until it is interrupted. What it tells it asks the server for, like the page does.

mod told;
mod watch;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use pipeline_core::api::plugin::{PluginAdd, PluginView};
use pipeline_core::api::registry;
use pipeline_core::api::session::OpenLinkRequest;
use pipeline_core::event::Ordering;
use tokio::signal::unix::{SignalKind, signal};
use weir_studio::{RunFile, RunFileError, ServeConfig, Server};

use crate::args::Dev;
use crate::client::Client;
use crate::coded::coded;
use crate::serve;
use told::Told;
use watch::Watch;

const DEMO_SEED: u64 = 7;
/// Between two looks at the plugin.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

pub fn run(dev: &Dev) -> anyhow::Result<ExitCode> {
    let dir = std::path::absolute(&dev.dir).with_context(|| format!("{} is no path", dev.dir.display()))?;
    let runtime = serve::runtime()?;
    let stopping = Arc::new(AtomicBool::new(false));
    let interrupted = Arc::clone(&stopping);
    let _signals = runtime.enter();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    runtime.spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        interrupted.store(true, Release);
    });
    let own = if runs(dev)? { None } else { Some(runtime.block_on(start(dev))?) };
    let followed = thread::scope(|scope| {
        let follow = || follow(dev, &dir, own.is_some(), &stopping);
        let thread = thread::Builder::new().name("dev".into()).spawn_scoped(scope, follow);
        thread.context("no thread").and_then(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("it panicked")))
    });
    if let Some(server) = own {
        runtime.block_on(server.stop());
    }
    followed
}

/// Whether there is a server to join.
fn runs(dev: &Dev) -> anyhow::Result<bool> {
    if dev.target.url.is_some() {
        return Ok(true);
    }
    match RunFile::read(&dev.target.data) {
        Ok(_) => Ok(true),
        Err(RunFileError::NoServer { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn start(dev: &Dev) -> anyhow::Result<Server> {
    serve::log_to_stderr("warn");
    let config = ServeConfig {
        data_dir: dev.target.data.clone(),
        capture: dev.capture,
        control: dev.control,
        demo: dev.demo_rate > 0,
        demo_rate: dev.demo_rate.max(1),
        demo_seed: DEMO_SEED,
        plugins: Vec::new(),
        sinks: Vec::new(),
        checks: serve::check_folders(&dev.checks)?,
        store_probe: Some(Arc::new(serve::probe_in_child)),
        ordering: Ordering::Arrival,
        geoip_database: None,
        recordings: false,
        notify: false,
        restarts: None,
    };
    Server::start(config).await.map_err(|error| coded(&error, error.code(), error.hint()))
}

fn follow(dev: &Dev, dir: &Path, is_own: bool, stopping: &AtomicBool) -> anyhow::Result<ExitCode> {
    let client = Client::find(&dev.target)?;
    let told = Told::new(dev.target.json);
    let view = client.call::<registry::PluginAdd>(&PluginAdd { dir: dir.display().to_string() })?;
    let link = client.call::<registry::OpenLink>(&OpenLinkRequest::default())?;
    told.begun(&view, &link.url, is_own);
    let mut watch = Watch::new(&view.id);
    while !stopping.load(Acquire) {
        let Some(now) = watch.look(&client)? else { anyhow::bail!("{} was taken out of the chain", view.id) };
        for news in watch.news(&client, now)? {
            told.news(&news);
        }
        thread::sleep(LOOK_INTERVAL);
    }
    Ok(ExitCode::SUCCESS)
}

/// What a look at the plugin can bring.
#[derive(Debug)]
pub enum News {
    /// A version is live.
    Live(PluginView),
    /// A save is not live, and why.
    Failed(PluginView),
    /// An event whose processing failed.
    Error(PluginView),
    /// A version waits to be promoted.
    Waits(PluginView),
    /// What the newest version changed.
    Diff(Box<pipeline_core::api::diff::PluginDiff>),
    /// It could not be found out.
    NoDiff(String),
}
