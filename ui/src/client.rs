//! Typed calls to the control API: any [`Command`] of the registry, as `POST /api/v1/<name>`.

use leptos::prelude::{Set, expect_context, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCredentials, RequestInit, Response};
use weir_api::{ApiError, Command, ErrorCode, command};

use crate::state::{Link, Studio};

/// Where calls go and what they do to the state when the server no longer knows this browser.
#[derive(Clone, Copy)]
pub struct Client {
    studio: Studio,
}

impl Client {
    pub const fn new(studio: Studio) -> Self {
        Self { studio }
    }

    pub fn expect() -> Self {
        expect_context()
    }

    pub async fn call<C: Command>(self, request: &C::Request) -> Result<C::Response, ApiError> {
        let body = serde_json::to_string(request).map_err(|error| unreadable(&error.to_string()))?;
        let answer = self.post(&command::path(C::NAME), &body).await?;
        serde_json::from_str(&answer).map_err(|error| unreadable(&error.to_string()))
    }

    /// Not generic, so that the code of a call exists once however many commands there are.
    pub async fn post(self, path: &str, body: &str) -> Result<String, ApiError> {
        let (status, text) = send(path, body).await.map_err(|_| unreachable_server())?;
        if (200..300).contains(&status) {
            return Ok(text);
        }
        let error = serde_json::from_str(&text).unwrap_or_else(|_| from_status(status));
        if error.code == ErrorCode::Unauthorized {
            self.studio.link.set(Link::Locked);
        }
        Err(error)
    }
}

async fn send(path: &str, body: &str) -> Result<(u16, String), JsValue> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_credentials(RequestCredentials::SameOrigin);
    init.set_body(&JsValue::from_str(body));
    let headers = web_sys::Headers::new()?;
    headers.set("content-type", "application/json")?;
    init.set_headers(&headers);
    let response = JsFuture::from(window().fetch_with_str_and_init(path, &init)).await?;
    let response: Response = response.dyn_into()?;
    let text = JsFuture::from(response.text()?).await?;
    Ok((response.status(), text.as_string().unwrap_or_default()))
}

fn from_status(status: u16) -> ApiError {
    let code = match status {
        401 => ErrorCode::Unauthorized,
        404 => ErrorCode::NotFound,
        503 => ErrorCode::Unavailable,
        _ => ErrorCode::Internal,
    };
    ApiError::new(code, format!("the studio answered with status {status} and no explanation"))
}

fn unreachable_server() -> ApiError {
    ApiError::new(ErrorCode::Unavailable, "the studio does not answer")
        .hint("is the `weir` process still running? This page reconnects by itself")
}

fn unreadable(problem: &str) -> ApiError {
    ApiError::new(ErrorCode::Internal, format!("the studio's answer cannot be read: {problem}"))
        .hint("the page and the server may be of different versions: reload the page")
}
