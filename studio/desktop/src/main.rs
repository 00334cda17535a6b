//! The desktop window: the same server in this process, and its page in a native window.
//!
//! The window is a browser of the control port like any other. It gets in with a one-time code and has
//! no bridge to native commands, so the page can do here what it can do anywhere and nothing more.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use pipeline_core::event::Ordering;
use tauri::{RunEvent, WebviewUrl, WebviewWindowBuilder};
use tokio::runtime::Runtime;
use weir_studio::{ServeConfig, Server};

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let runtime = Runtime::new().context("cannot start the runtime")?;
    let plugins = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let server = runtime.block_on(Server::start(ServeConfig {
        data_dir: data_dir(),
        ordering: Ordering::Arrival,
        capture: ([127, 0, 0, 1], 0).into(),
        control: ([127, 0, 0, 1], 0).into(),
        demo: true,
        demo_rate: 50,
        demo_seed: 7,
        plugins,
        sinks: Vec::new(),
        checks: Vec::new(),
        store_probe: None,
        geoip_database: None,
        recordings: false,
        notify: true,
        restarts: None,
    }))?;
    let link = server.open_link().parse().context("the server's address is no URL")?;
    tracing::info!(capture = server.capture_url, "clients can send events here");

    let app = tauri::Builder::default()
        .setup(move |app| {
            WebviewWindowBuilder::new(app, "main", WebviewUrl::External(link))
                .title("Weir")
                .inner_size(1440.0, 920.0)
                .min_inner_size(900.0, 600.0)
                .build()?;
            Ok(())
        })
        .build(tauri::generate_context!())
        .context("cannot open a window; `weir serve` needs none")?;
    let server = Arc::new(Mutex::new(Some(server)));
    app.run(move |app, event| {
        if let RunEvent::Exit = event {
            let server = server.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(server) = server {
                runtime.block_on(server.stop());
            }
            app.cleanup_before_exit();
        }
    });
    Ok(())
}

/// A directory of its own, so that a headless server may run beside the window.
fn data_dir() -> PathBuf {
    let home = || std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    std::env::var_os("XDG_DATA_HOME").map_or_else(|| home().join(".local/share"), PathBuf::from).join("weir-desktop")
}
