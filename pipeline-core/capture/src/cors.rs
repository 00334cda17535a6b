//! Pages of every site may send events: an answer, a refusal too, allows what the request asks for.
//!
//! Mirrored instead of `*`, because browsers accept no star from a request with credentials, and
//! posthog-js sends those.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

/// A page on the internet that sends to a server in the private network asks for this first.
const ASKS_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Wraps every route. A preflight is answered here, before anything is read.
pub async fn allow_every_origin(request: Request, next: Next) -> Response {
    if !request.headers().contains_key(header::ORIGIN) && request.method() != Method::OPTIONS {
        return next.run(request).await;
    }
    let asked = request.headers().clone();
    let mut response =
        if request.method() == Method::OPTIONS { crate::router::ok_response() } else { next.run(request).await };
    allow(&asked, response.headers_mut());
    response
}

fn allow(asked: &HeaderMap, answer: &mut HeaderMap) {
    let Some(origin) = asked.get(header::ORIGIN) else { return };
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
    if let Some(headers) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
    }
    if asked.get(ASKS_PRIVATE_NETWORK).is_some_and(|value| value == "true") {
        answer.insert(ALLOWS_PRIVATE_NETWORK, HeaderValue::from_static("true"));
    }
    answer.insert(header::VARY, HeaderValue::from_static("Origin"));
}
