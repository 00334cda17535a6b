//! Starting and stopping the process's two ports around one pipeline.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pipeline_core::api::oracle::OracleRequest;
use pipeline_core::capture::{self, CaptureDeps};
use pipeline_core::event::{Clock, Ordering, SystemClock};
use pipeline_core::flow::{AckedEvent, Flow, FlowConfig, SinkWanted, StoreProbe, TrueEvent};
use pipeline_core::generator::truth::Fate;
use pipeline_core::log::RealFilesystem;
use pipeline_core::plugins::Limits;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::control;
use crate::error::ServeError;
use crate::exported::Exported;
use crate::generator::Generator;
use crate::guard::Guard;
use crate::handlers::Studio;
use crate::listener::{Connections, Port};
use crate::notices;
use crate::run_file::RunFile;
use crate::sender::OnAck;

/// Refused requests are written to the ledger, and the disk is measured, this often.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// A request that has not ended by then is cut off at a stop.
const GRACE: Duration = Duration::from_secs(5);

/// A demo with more events than this is watched from its next one on.
const WATCHED_FROM_START: u64 = 200_000;

/// Connections that the kernel holds while others are accepted; beyond it a client waits a second.
const WAITING_CONNECTIONS: u32 = 4_096;

pub struct ServeConfig {
    pub data_dir: PathBuf,
    pub capture: SocketAddr,
    pub control: SocketAddr,
    /// Whether the demo stream runs from the start.
    pub demo: bool,
    pub demo_rate: u32,
    pub demo_seed: u64,
    pub plugins: Vec<PathBuf>,
    pub sinks: Vec<SinkWanted>,
    /// Folders of SQL checks, besides those of plugins.
    pub checks: Vec<PathBuf>,
    pub store_probe: Option<StoreProbe>,
    pub ordering: Ordering,
    /// A MaxMind City database for plugins.
    pub geoip_database: Option<PathBuf>,
    /// Whether session recordings are stored.
    pub recordings: bool,
    /// Whether alerts are shown as notifications of the desktop.
    pub notify: bool,
    /// How often the process was started again after it had ended by itself; `None` when nobody would do that.
    pub restarts: Option<u64>,
}

/// A running server.
pub struct Server {
    pub capture_url: String,
    pub control_url: String,
    pub token: String,
    studio: Arc<Studio>,
    data_dir: PathBuf,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Binds both ports, starts the pipeline and accepts.
    pub async fn start(config: ServeConfig) -> Result<Self, ServeError> {
        if !config.control.ip().is_loopback() {
            return Err(ServeError::PublicControl(config.control));
        }
        // Who was connected before goes on where it was.
        let before =
            config.restarts.filter(|restarts| *restarts > 0).and_then(|_| RunFile::left_behind(&config.data_dir));
        let address =
            |asked, url: fn(&RunFile) -> &str| before.as_ref().map_or(asked, |before| same_port(asked, url(before)));
        let (capture_listener, capture_url) = bind("capture", address(config.capture, |before| &before.capture))?;
        let (control_listener, control_url) = bind("control", address(config.control, |before| &before.control))?;
        let control_address = control_listener.local_addr().unwrap_or(config.control);

        // Before the pipeline, whose queues count from when they are made.
        let exported = Exported::install();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let generator = Arc::new(Generator::new(capture_url.clone(), config.demo_seed, config.demo, config.demo_rate));
        let flow_config = FlowConfig {
            data_dir: config.data_dir.clone(),
            filesystem: Arc::new(RealFilesystem),
            clock: Arc::clone(&clock),
            plugin_limits: Limits::default(),
            geoip_database: config.geoip_database,
            recordings: config.recordings,
            ordering: config.ordering,
            plugins: config.plugins,
            sinks: config.sinks,
            checks: config.checks,
            store_probe: config.store_probe,
            demo: Some(Arc::clone(&generator) as _),
            drain_timeout: GRACE,
            restarts: config.restarts,
        };
        let flow = tokio::task::spawn_blocking(move || Flow::start(&flow_config))
            .await
            .map_err(|error| ServeError::Client(error.to_string()))??;
        let flow = Arc::new(flow);
        if config.demo {
            watch_demo(&flow);
        }
        let (stop, stopping) = watch::channel(false);
        let guard = Guard::new(control_address, before.map(|before| (before.token, before.session)));
        let (token, guard_session) = (guard.token.clone(), guard.session.clone());
        let studio = Arc::new(Studio {
            flow: Arc::clone(&flow),
            generator: Arc::clone(&generator),
            guard,
            control_url: control_url.clone(),
            exported,
            stopping: stopping.clone(),
        });
        let run_file = RunFile {
            pid: std::process::id(),
            capture: capture_url.clone(),
            control: control_url.clone(),
            token: token.clone(),
            session: guard_session,
        };
        run_file.write(&config.data_dir).map_err(|error| ServeError::RunFile {
            path: config.data_dir.join("run.json").display().to_string(),
            message: error.to_string(),
        })?;

        let capture_router = capture::router(CaptureDeps {
            intake: Arc::clone(&flow.intake) as _,
            rejections: Arc::clone(&flow.rejections),
            clock: flow.clock(),
            limits: capture::Limits::default(),
        });
        let connections = Connections::allowed();
        let capture_port = Port {
            name: "capture",
            socket: capture_listener,
            router: capture_router,
            connections,
            rejections: Some(Arc::clone(&flow.rejections)),
        };
        let control_port = Port {
            name: "control",
            socket: control_listener,
            router: control::router(Arc::clone(&studio)),
            connections,
            rejections: None,
        };
        let client =
            reqwest::Client::builder().no_proxy().build().map_err(|error| ServeError::Client(error.to_string()))?;
        let acking = Arc::clone(&flow);
        let mut tasks = vec![
            tokio::spawn(capture_port.listen(stopping.clone())),
            tokio::spawn(control_port.listen(stopping.clone())),
            tokio::spawn(generator.run(client, clock, Box::new(move |seed| on_ack(&acking, seed)), stopping.clone())),
            tokio::spawn(keep_house(Arc::clone(&studio), stopping.clone())),
        ];
        if config.notify {
            tasks.push(tokio::spawn(notices::show_alerts(flow, stopping)));
        }
        Ok(Self { capture_url, control_url, token, studio, data_dir: config.data_dir, stop, tasks })
    }

    /// A link that opens the studio; it works once.
    pub fn open_link(&self) -> String {
        format!("{}/#code={}", self.control_url, self.studio.guard.new_code())
    }

    /// Stops accepting, stores what was accepted, closes.
    pub async fn stop(self) {
        self.stop.send(true).ok();
        for mut task in self.tasks {
            if tokio::time::timeout(GRACE, &mut task).await.is_err() {
                task.abort();
                task.await.ok();
            }
        }
        self.studio.flow.flush_rejections().await;
        let flow = Arc::clone(&self.studio.flow);
        // The flow is shared with handlers that ended with their tasks; it is shut down through its Arc.
        tokio::task::spawn_blocking(move || flow.shutdown()).await.ok();
        RunFile::remove(&self.data_dir);
    }
}

/// The demo is watched from the first event, unless there are so many that it would take long.
fn watch_demo(flow: &Flow) {
    let from_start = flow.intake_end() <= WATCHED_FROM_START;
    let request = OracleRequest { running: Some(true), from_start };
    flow.oracle.command(&request);
}

/// Events of the server's own stream that were accepted are looked for by the oracle.
fn on_ack(flow: &Arc<Flow>, seed: u64) -> OnAck {
    let flow = Arc::clone(flow);
    Arc::new(move |request, telling| {
        let events = request.truth.events.iter().map(|event| AckedEvent {
            uuid: event.uuid,
            distinct_id: event.distinct_id.to_string(),
            truth: (event.fate == Fate::Stored).then(|| TrueEvent {
                person: (seed, event.person.number()),
                at_ms: telling.true_ms(&request.truth, event),
                mess: event.mess.to_string(),
            }),
        });
        flow.oracle.acked(flow.intake_end(), request.token(), events);
    })
}

/// The address that was asked for, on the port of a URL that was served.
fn same_port(asked: SocketAddr, url: &str) -> SocketAddr {
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
    SocketAddr::new(asked.ip(), port.unwrap_or(asked.port()))
}

fn bind(port: &'static str, address: SocketAddr) -> Result<(TcpListener, String), ServeError> {
    let failed = |error: std::io::Error| ServeError::Bind { port, address, message: error.to_string() };
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
    // A restart must not wait for the connections of the last run.
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(address).map_err(failed)?;
    let listener = socket.listen(WAITING_CONNECTIONS).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let host = if bound.ip().is_unspecified() { "127.0.0.1".to_owned() } else { bound.ip().to_string() };
    let url = if bound.is_ipv6() && !bound.ip().is_unspecified() {
        format!("http://[{host}]:{}", bound.port())
    } else {
        format!("http://{host}:{}", bound.port())
    };
    Ok((listener, url))
}

async fn keep_house(studio: Arc<Studio>, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(HOUSEKEEPING) => {
                studio.flow.flush_rejections().await;
                studio.exported.upkeep();
            }
            _ = stopping.changed() => return,
        }
    }
}
