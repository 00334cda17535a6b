//! Routes of the capture port, and the way of one request through them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;
use tokio::sync::Semaphore;
use weir_event::Clock;

use crate::body::{self, Packing};
use crate::error::CaptureError;
use crate::intake::Intake;
use crate::payload::{self, RequestFacts};
use crate::rejections::EdgeRejections;

const BUDGET_UNIT_BYTES: usize = 1 << 10;

/// What a request may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of the body on the wire.
    pub body_bytes: usize,
    /// Of the JSON after decompression.
    pub json_bytes: usize,
    /// Of all bodies that are being read or unpacked at one time; later requests wait.
    pub in_hand_bytes: usize,
    pub body_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 20 << 20,
            json_bytes: 40 << 20,
            in_hand_bytes: 128 << 20,
            body_timeout: Duration::from_secs(30),
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

struct Capture {
    deps: CaptureDeps,
    budget: Arc<Semaphore>,
}

#[derive(Debug, Default, Deserialize)]
struct CaptureQuery {
    #[serde(default)]
    compression: String,
    data: Option<String>,
    token: Option<String>,
    api_key: Option<String>,
    /// Milliseconds since the epoch when the client sent the request.
    #[serde(rename = "_")]
    sent_at_ms: Option<String>,
    beacon: Option<String>,
}

/// The capture port's routes, each with and without a trailing slash.
pub fn router(deps: CaptureDeps) -> Router {
    let units = deps.limits.in_hand_bytes / BUDGET_UNIT_BYTES;
    let capture = Arc::new(Capture { deps, budget: Arc::new(Semaphore::new(units)) });
    let mut router = Router::new();
    for path in ["/batch", "/capture", "/e", "/i/v0/e", "/track", "/engage"] {
        router = router.route(path, any(events)).route(&format!("{path}/"), any(events));
    }
    router
        .route("/", get(|| async { "capture" }))
        .route("/_liveness", get(|| async { "ok" }))
        .route("/_readiness", get(readiness))
        .fallback(|| async {
            (StatusCode::NOT_FOUND, "no such path; events go to /batch/, /capture/, /e/ or /i/v0/e/")
        })
        .with_state(capture)
}

async fn readiness(State(capture): State<Arc<Capture>>) -> Result<&'static str, CaptureError> {
    capture.deps.intake.check().map_err(CaptureError::Unavailable)?;
    Ok("ok")
}

async fn events(
    State(capture): State<Arc<Capture>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
    query: Result<Query<CaptureQuery>, QueryRejection>,
    body: Body,
) -> Response {
    let query = query.map_or_else(|_| CaptureQuery::default(), |Query(query)| query);
    let beacon = query.beacon.as_deref().is_some_and(|flag| flag == "1");
    let mut response = if method == Method::OPTIONS {
        ok_response()
    } else if method == Method::GET || method == Method::POST {
        match capture.accept(peer, uri.path(), &method, &headers, query, body).await {
            Ok(()) if beacon => StatusCode::NO_CONTENT.into_response(),
            Ok(()) => ok_response(),
            Err(error) => error.into_response(),
        }
    } else {
        (StatusCode::METHOD_NOT_ALLOWED, "events are sent with POST").into_response()
    };
    allow_origin(&headers, response.headers_mut());
    response
}

fn ok_response() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], r#"{"status":"Ok"}"#).into_response()
}

/// Browsers of any site may send events: the answer mirrors what they ask for.
fn allow_origin(request: &HeaderMap, response: &mut HeaderMap) {
    let Some(origin) = request.get(header::ORIGIN) else { return };
    response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    response.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    response.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
    if let Some(wanted) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response.insert(header::VARY, HeaderValue::from_static("Origin"));
}

impl Capture {
    async fn accept(
        &self,
        peer: SocketAddr,
        path: &str,
        method: &Method,
        headers: &HeaderMap,
        query: CaptureQuery,
        body: Body,
    ) -> Result<(), CaptureError> {
        let started = Instant::now();
        // Asked before the body is read, so that a full disk costs the client one round trip.
        self.deps.intake.check().map_err(CaptureError::Unavailable)?;
        let received_at_ms = self.deps.clock.now_ms();
        let query_token = (method == Method::GET).then(|| query.token.clone().or(query.api_key.clone())).flatten();
        let result = self.unpack(peer, path, headers, &query, query_token.clone(), received_at_ms, body).await;
        let record = result.map_err(|(error, events)| {
            self.deps.rejections.count(
                query_token.as_deref().unwrap_or_default(),
                error.rule(),
                events,
                &error.to_string(),
            );
            error
        })?;
        let events = record.event_count();
        if events == 0 {
            return Ok(());
        }
        self.deps.intake.append(record).await.map_err(CaptureError::Unavailable)?;
        metrics::counter!("weir_capture_events_total").increment(u64::from(events));
        metrics::histogram!("weir_capture_ack_seconds").record(started.elapsed());
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one HTTP request")]
    async fn unpack(
        &self,
        peer: SocketAddr,
        path: &str,
        headers: &HeaderMap,
        query: &CaptureQuery,
        query_token: Option<String>,
        received_at_ms: i64,
        body: Body,
    ) -> Result<weir_event::intake::IntakeRecord, (CaptureError, u32)> {
        let one = |error| (error, 1);
        let limits = self.deps.limits;
        let announced = header_text(headers, header::CONTENT_LENGTH).parse().unwrap_or(limits.body_bytes);
        if announced > limits.body_bytes {
            return Err(one(CaptureError::TooLarge { limit_bytes: limits.body_bytes }));
        }
        let units = (announced * 2).div_ceil(BUDGET_UNIT_BYTES).max(1) as u32;
        // The semaphore is never closed, so waiting can only succeed.
        let _in_hand = self.budget.acquire_many(units).await;
        let body = read_body(body, limits).await.map_err(one)?;
        let packing = Packing {
            content_type: header_text(headers, header::CONTENT_TYPE),
            content_encoding: header_text(headers, header::CONTENT_ENCODING),
            compression: &query.compression,
            data: query.data.as_deref(),
        };
        let (json, form) = body::unwrap_body(body, packing, limits.json_bytes).map_err(one)?;
        let facts = RequestFacts {
            received_at_ms,
            ip: client_ip(headers, peer),
            site_url: format!("http://{}", header_text(headers, header::HOST)),
            token: query_token.or(form.token),
            sent_at: query.sent_at_ms.as_deref().and_then(sent_at_iso).or(form.sent_at),
            engage: path.starts_with("/engage"),
            batch: path.starts_with("/batch"),
        };
        payload::unpack(&json, facts).map(|payload| payload.record)
    }
}

async fn read_body(body: Body, limits: Limits) -> Result<Vec<u8>, CaptureError> {
    let collected = tokio::time::timeout(limits.body_timeout, Limited::new(body, limits.body_bytes).collect()).await;
    match collected {
        Err(_) => Err(CaptureError::SlowBody),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(CaptureError::TooLarge { limit_bytes: limits.body_bytes })
        }
        Ok(Err(error)) => Err(CaptureError::Decode(format!("the body ended early: {error}"))),
        Ok(Ok(collected)) => Ok(collected.to_bytes().into()),
    }
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The first address that proxies name, else the peer's; a port is cut off.
fn client_ip(headers: &HeaderMap, peer: SocketAddr) -> String {
    let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let Some(first) = forwarded.and_then(|list| list.split(',').next()).map(str::trim).filter(|ip| !ip.is_empty())
    else {
        return peer.ip().to_string();
    };
    match first.split_once(':') {
        Some((ip, port)) if !port.contains(':') => ip.to_owned(),
        _ => first.to_owned(),
    }
}

/// The query parameter `_` is used only when it is a plausible count of milliseconds.
fn sent_at_iso(text: &str) -> Option<String> {
    const YEAR_2020_MS: i64 = 1_577_836_800_000;
    text.parse().ok().filter(|ms| *ms > YEAR_2020_MS).map(weir_event::time::iso)
}
