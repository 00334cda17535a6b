//! Routes of the control port: the commands, the live frames, the session and the page.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use pipeline_core::api::registry;
use pipeline_core::api::session::SessionRequest;
use pipeline_core::api::{ApiError, ErrorCode};
use tokio::sync::broadcast::error::RecvError;

use crate::assets;
use crate::handlers::Studio;

/// Of Prometheus.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
const BODY_LIMIT_BYTES: usize = 4 << 20;
/// Events that a new viewer starts with.
const FIRST_EVENTS: usize = 200;

pub fn router(studio: Arc<Studio>) -> Router {
    let guarded = Router::new()
        .route("/api/v1/{command}", post(command))
        .route("/api/live", get(live))
        .route("/metrics", get(metrics))
        .layer(middleware::from_fn_with_state(Arc::clone(&studio), require_caller));
    Router::new()
        .merge(guarded)
        .route("/api/session", post(session))
        .fallback(page)
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&studio), require_origin))
        .with_state(studio)
}

async fn require_origin(State(studio): State<Arc<Studio>>, request: Request, next: Next) -> Response {
    match studio.guard.check_origin(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => failure(&error),
    }
}

async fn require_caller(State(studio): State<Arc<Studio>>, request: Request, next: Next) -> Response {
    match studio.guard.check_caller(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => failure(&error),
    }
}

async fn command(State(studio): State<Arc<Studio>>, Path(name): Path<String>, body: Bytes) -> Response {
    match registry::dispatch(&*studio, &name, &body).await {
        Some(Ok(json)) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Some(Err(error)) => failure(&error),
        None => {
            failure(&ApiError::new(ErrorCode::NotFound, format!("there is no command {name:?}")).hint(format!(
                "commands: {}",
                registry::COMMANDS.iter().map(|c| c.name).collect::<Vec<_>>().join(", ")
            )))
        }
    }
}

async fn session(State(studio): State<Arc<Studio>>, Json(request): Json<SessionRequest>) -> Response {
    match studio.guard.redeem(&request.code) {
        Some(cookie) => (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response(),
        None => failure(
            &ApiError::new(ErrorCode::Unauthorized, "this code was used before or is unknown")
                .hint("run `weir open` for a new link"),
        ),
    }
}

async fn page(uri: Uri) -> Response {
    assets::serve(uri.path())
}

async fn metrics(State(studio): State<Arc<Studio>>) -> Response {
    let rendering = tokio::task::spawn_blocking(move || studio.exported.render(&studio.flow, &studio.generator));
    match rendering.await {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => failure(&ApiError::new(ErrorCode::Internal, format!("numbers cannot be collected: {error}"))),
    }
}

async fn live(State(studio): State<Arc<Studio>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| watch(studio, socket))
}

/// Sends frames until the viewer leaves or the server stops. A slow viewer loses frames.
async fn watch(studio: Arc<Studio>, mut socket: WebSocket) {
    let mut frames = studio.flow.subscribe();
    let mut stopping = studio.stopping.clone();
    let mut first = Some(studio.flow.newest_events(FIRST_EVENTS));
    loop {
        let frame = tokio::select! {
            frame = frames.recv() => frame,
            incoming = socket.recv() => match incoming {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            _ = stopping.changed() => return,
        };
        let text = match frame {
            Ok(text) => text,
            Err(RecvError::Lagged(frames)) => {
                metrics::counter!("weir_viewer_frames_skipped_total").increment(frames);
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        let text = match first.take() {
            Some(events) => with_history(&text, events),
            None => text.to_string(),
        };
        if socket.send(Message::Text(text.into())).await.is_err() {
            return;
        }
    }
}

/// The first frame holds the newest events, so that the list is not empty while nothing moves.
fn with_history(text: &str, history: Vec<pipeline_core::api::event::EventSummary>) -> String {
    match serde_json::from_str::<pipeline_core::api::live::LiveFrame>(text) {
        Ok(mut frame) => {
            let newest = history.last().map_or(0, |event| event.offset);
            let fresh: Vec<_> = frame.events.drain(..).filter(|event| event.offset > newest).collect();
            frame.events = history.into_iter().chain(fresh).collect();
            serde_json::to_string(&frame).unwrap_or_else(|_| text.to_owned())
        }
        Err(_) => text.to_owned(),
    }
}

fn failure(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(error)).into_response()
}
