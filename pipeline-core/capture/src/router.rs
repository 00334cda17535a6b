//! Routes of the capture port, each with and without a trailing slash.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use weir_event::Clock;

use crate::accept::{Capture, Head};
use crate::cors;
use crate::error::CaptureError;
use crate::intake::Intake;
use crate::query::CaptureQuery;
use crate::rejections::EdgeRejections;
use crate::stubs;

const EVENT_PATHS: [&str; 7] = ["/batch", "/capture", "/e", "/engage", "/i/v0/e", "/s", "/track"];

/// What a request may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of the body on the wire.
    pub body_bytes: usize,
    /// Of the JSON after decompression.
    pub json_bytes: usize,
    /// Of all bodies and events between their first byte and the log.
    pub in_hand_bytes: usize,
    /// Appends that wait for the log at one time; it syncs for all of them at once.
    pub waiting_appends: usize,
    /// A body may take this long, and then a second for every so many bytes that arrived.
    pub body_grace: Duration,
    pub body_bytes_per_second: usize,
    /// How long a request waits for its share.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 20 << 20,
            json_bytes: 20 << 20,
            in_hand_bytes: 128 << 20,
            waiting_appends: 2_048,
            body_grace: Duration::from_secs(15),
            body_bytes_per_second: 64 << 10,
            patience: Duration::from_secs(10),
        }
    }
}

/// What the capture routes stand on.
pub struct CaptureDeps {
    pub intake: Arc<dyn Intake>,
    pub rejections: Arc<EdgeRejections>,
    pub clock: Arc<dyn Clock>,
    pub limits: Limits,
}

pub fn router(deps: CaptureDeps) -> Router {
    let mut router = Router::new();
    for path in EVENT_PATHS {
        router = router.route(path, any(events)).route(&format!("{path}/"), any(events));
    }
    for path in ["/i/v1/analytics/events", "/i/v1/analytics/events/"] {
        router = router.route(path, post(strict_events));
    }
    for path in ["/test/black_hole", "/test/black_hole/"] {
        router = router.route(path, any(|| async { ok_response() }));
    }
    router
        .route("/", get(|| async { "capture" }))
        .route("/_liveness", get(|| async { "ok" }))
        .route("/_readiness", get(readiness))
        .merge(stubs::routes())
        .fallback(no_such_path)
        .layer(middleware::from_fn(cors::allow_every_origin))
        .with_state(Arc::new(Capture::new(deps)))
}

async fn readiness(State(capture): State<Arc<Capture>>) -> Result<&'static str, CaptureError> {
    capture.deps.intake.check().map_err(CaptureError::Unavailable)?;
    Ok("ok")
}

async fn no_such_path(uri: Uri) -> Response {
    let text = if uri.path().starts_with("/i/v0/ai") {
        "AI events with attachments are not offered; send them without to /i/v0/e/"
    } else {
        "no such path; events go to /batch/, /capture/, /e/ or /i/v0/e/"
    };
    (StatusCode::NOT_FOUND, text).into_response()
}

async fn events(
    State(capture): State<Arc<Capture>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Response {
    if method != Method::GET && method != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, POST, OPTIONS")], "events are sent with POST")
            .into_response();
    }
    let query = CaptureQuery::parse(query.as_deref().unwrap_or_default());
    let beacon = query.beacon;
    let head = Head { peer, path: uri.path().to_owned(), method, headers, query, strict: false };
    match capture.accept(head, body).await {
        Ok(_) if beacon => StatusCode::NO_CONTENT.into_response(),
        Ok(_) => ok_response(),
        Err(error) => error.into_response(),
    }
}

/// The endpoint whose clients want an answer for each event; they read errors as JSON.
async fn strict_events(
    State(capture): State<Arc<Capture>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let query = CaptureQuery::default();
    let head = Head { peer, path: uri.path().to_owned(), method: Method::POST, headers, query, strict: true };
    match capture.accept(head, body).await {
        Ok(answer) => ([(header::CONTENT_TYPE, "application/json")], answer.unwrap_or_default()).into_response(),
        Err(error) => {
            let text = serde_json::json!({"error": error.rule(), "error_description": error.to_string()});
            let mut response = error.into_response();
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response.headers_mut().remove(header::CONTENT_LENGTH);
            *response.body_mut() = Body::from(text.to_string());
            response
        }
    }
}

pub(crate) fn ok_response() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], r#"{"status":"Ok"}"#).into_response()
}
