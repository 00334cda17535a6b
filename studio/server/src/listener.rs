//! Accepting connections on a port, with an end to everything that a stranger can make large or slow.
//!
//! # What it guarantees
//!
//! * At most [`Connections::limit`] connections of a port are open; one more is told so and closed. The
//!   limit leaves half of the process's file descriptors to logs and store, which must not run out.
//! * The head of a request is at most [`HEAD_BYTES`] and takes at most [`HEAD_TIME`] to arrive; when half
//!   of the connections are taken, [`CROWDED_HEAD_TIME`]. The same time ends a connection that is idle
//!   between two requests, so whoever opens many and says nothing holds them for seconds.
//! * A stop lets requests end that have begun.
//!
//! # What it does not do
//!
//! Bodies are the business of the routes, which know how much one may be and how slow. Nothing is
//! counted per address: behind a proxy all clients have one.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pipeline_core::capture::EdgeRejections;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower_service::Service as _;

/// An event in the query of a GET must fit; no URI can be longer.
const HEAD_BYTES: usize = 64 << 10;
const HEAD_TIME: Duration = Duration::from_secs(30);
const CROWDED_HEAD_TIME: Duration = Duration::from_secs(5);
/// Browsers keep a connection each; more than this is a flood.
const MOST_CONNECTIONS: usize = 4_096;
/// After an accept failed for want of descriptors, which only time gives back.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nretry-after: 5\r\n\
    connection: close\r\ncontent-length: 35\r\n\r\ntoo many connections; please retry\n";

/// How many connections the ports of this process may have.
#[derive(Debug, Clone, Copy)]
pub struct Connections {
    pub limit: usize,
}

impl Connections {
    /// Raises the process's limit of open files as far as it may, and takes a quarter of it for each of
    /// the two ports.
    pub fn allowed() -> Self {
        let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
            tracing::warn!(%error, "the limit of open files cannot be read");
            256
        });
        Self { limit: usize::try_from(files / 4).unwrap_or(MOST_CONNECTIONS).clamp(16, MOST_CONNECTIONS) }
    }
}

/// One port and what it serves.
pub struct Port {
    pub name: &'static str,
    pub socket: TcpListener,
    pub router: Router,
    pub connections: Connections,
    /// Given to the port that takes events: a head that was refused may have carried one.
    pub rejections: Option<Arc<EdgeRejections>>,
}

impl Port {
    /// Accepts until told to stop, then waits for the requests that have begun.
    pub async fn listen(self, mut stopping: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(self.connections.limit));
        let mut open = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                Some(_) = open.join_next() => continue,
                _ = stopping.changed() => break,
            };
            match accepted {
                Ok((stream, peer)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        open.spawn(self.connection(stream, peer, place, places.available_permits(), stopping.clone()));
                    }
                    Err(_) => self.turn_away(stream),
                },
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, port = self.name, "no connection can be accepted");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
        while open.join_next().await.is_some() {}
    }

    fn turn_away(&self, stream: TcpStream) {
        metrics::counter!("weir_connections_refused_total", "port" => self.name).increment(1);
        // A new connection has room for this without waiting; whoever does not read it learns from the
        // close.
        stream.into_std().and_then(|mut stream| stream.write_all(FULL)).ok();
    }

    fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
        free: usize,
        mut stopping: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let router = self.router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let mut router = router.clone();
            async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|never| match never {})) }
        });
        let head_time = if free < self.connections.limit / 2 { CROWDED_HEAD_TIME } else { HEAD_TIME };
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(head_time).max_buf_size(HEAD_BYTES);
        // A client that sends events and hangs up has sent them; a viewer that hangs up wants no answer.
        builder.half_close(self.rejections.is_some());
        let rejections = self.rejections.clone();
        let name = self.name;
        async move {
            let _place = place;
            metrics::gauge!("weir_connections", "port" => name).increment(1.0);
            stream.set_nodelay(true).ok();
            let served = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
            let mut served = std::pin::pin!(served);
            let result = tokio::select! {
                result = served.as_mut() => result,
                _ = stopping.changed() => {
                    served.as_mut().graceful_shutdown();
                    served.await
                }
            };
            metrics::gauge!("weir_connections", "port" => name).decrement(1.0);
            if let Err(error) = result {
                tracing::debug!(%error, %peer, port = name, "a connection ended badly");
                if let Some(rejections) = rejections.filter(|_| error.is_parse_too_large()) {
                    rejections.count("", "head_too_large", 1, "the head of the request is too large");
                }
            }
        }
    }
}

/// The next one may be fine.
fn is_about_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
