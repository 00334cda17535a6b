//! A whole pipeline in this process, fed with raw requests at moments of the caller's choice.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use http_body_util::BodyExt as _;
use pipeline_core::capture::{self, CaptureDeps};
use pipeline_core::event::{ManualClock, Ordering};
use pipeline_core::flow::{Flow, FlowConfig};
use pipeline_core::log::RealFilesystem;
use pipeline_core::plugins::Limits;
use tower::ServiceExt as _;
use weir_oracle::{Answer, RawRequest};

const PATIENCE: Duration = Duration::from_mins(1);

pub struct Pipeline {
    dir: PathBuf,
    ordering: Ordering,
    recordings: bool,
    clock: Arc<ManualClock>,
    runtime: tokio::runtime::Runtime,
    running: Option<(Flow, Router)>,
}

impl Pipeline {
    pub fn start(dir: &Path, ordering: Ordering, recordings: bool) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let clock = Arc::new(ManualClock::at(0));
        let mut pipeline = Self { dir: dir.to_owned(), ordering, recordings, clock, runtime, running: None };
        pipeline.open();
        pipeline
    }

    fn open(&mut self) {
        let flow = Flow::start(&FlowConfig {
            data_dir: self.dir.clone(),
            filesystem: Arc::new(RealFilesystem),
            clock: Arc::clone(&self.clock) as _,
            plugin_limits: Limits::default(),
            geoip_database: None,
            recordings: self.recordings,
            ordering: self.ordering,
            plugins: Vec::new(),
            sinks: Vec::new(),
            checks: Vec::new(),
            store_probe: None,
            demo: None,
            drain_timeout: PATIENCE,
            restarts: None,
        })
        .expect("the pipeline starts");
        let router = capture::router(CaptureDeps {
            intake: Arc::clone(&flow.intake) as _,
            rejections: Arc::clone(&flow.rejections),
            clock: Arc::clone(&self.clock) as _,
            limits: capture::Limits::default(),
        });
        self.running = Some((flow, router));
    }

    pub fn flow(&self) -> &Flow {
        &self.running.as_ref().expect("invariant: it runs between calls").0
    }

    /// Stops in the middle of what there is and goes on from disk.
    pub fn restart(&mut self) {
        if let Some((flow, _)) = self.running.take() {
            self.runtime.block_on(flow.flush_rejections());
            flow.shutdown();
        }
        self.open();
    }

    pub fn send(&self, request: &RawRequest) -> Answer {
        self.clock.set(request.received_at_ms);
        let uri =
            if request.query.is_empty() { request.path.clone() } else { format!("{}?{}", request.path, request.query) };
        let mut wire = Request::builder().method(request.method.as_str()).uri(uri);
        for (name, value) in &request.headers {
            wire = wire.header(name, value);
        }
        let mut wire = wire.body(Body::from(request.body.clone())).expect("a request");
        let ip: IpAddr = request.peer_ip.parse().expect("an address");
        wire.extensions_mut().insert(ConnectInfo(SocketAddr::new(ip, 40_000)));
        let router = self.running.as_ref().expect("invariant: it runs between calls").1.clone();
        self.runtime.block_on(async {
            let response = router.oneshot(wire).await.expect("the router always answers");
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.expect("a whole body").to_bytes();
            Answer { status, body: String::from_utf8_lossy(&body).into_owned() }
        })
    }

    /// Waits until everything that was acked is stored.
    pub fn settle(&self) {
        self.runtime.block_on(self.flow().flush_rejections());
        let deadline = Instant::now() + PATIENCE;
        while self.flow().status().ledger.in_flight > 0 {
            assert!(Instant::now() < deadline, "the pipeline does not settle: {:?}", self.flow().failure());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        if let Some((flow, _)) = self.running.take() {
            flow.shutdown();
        }
    }
}
