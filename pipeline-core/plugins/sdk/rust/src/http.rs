//! Requests to other machines. Mocked unless the user has switched them on for the plugin.
//!
//! ```no_run
//! # use weir_plugin::{PluginError, http, json};
//! # fn f() -> Result<(), PluginError> {
//! let rates = http::get("https://rates.example.com/today")?.json()?;
//! let answer = http::Request::post("https://hooks.example.com").json(&json!({ "rates": rates })).send()?;
//! if answer.status == 429 {
//!     return Err(PluginError::retry("the service is busy"));
//! }
//! # Ok(()) }
//! ```

use serde::Serialize;
use serde_json::Value;

use crate::PluginError;
use crate::bindings::weir::plugin::http as host;
use crate::bindings::weir::plugin::waiting::Answer;
use crate::waiting::answer;

pub use host::Redirect;

#[track_caller]
pub fn get(url: &str) -> Result<Response, PluginError> {
    Request::new("GET", url).send()
}

#[derive(Debug, Clone)]
pub struct Request(host::Request);

impl Request {
    pub fn new(method: &str, url: &str) -> Self {
        Self(host::Request {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
            redirect: Redirect::Follow,
        })
    }

    pub fn post(url: &str) -> Self {
        Self::new("POST", url)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.0.body = Some(body.into());
        self
    }

    /// A body of JSON, and the header that says so. What cannot be written as JSON is sent as `null`.
    pub fn json(self, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec());
        self.header("content-type", "application/json").body(body)
    }

    pub fn redirect(mut self, redirect: Redirect) -> Self {
        self.0.redirect = redirect;
        self
    }

    /// Waits for the answer, whatever its status. An error is a request that got none.
    #[track_caller]
    pub fn send(self) -> Result<Response, PluginError> {
        match answer(host::start(&self.0))? {
            Answer::Response(response) => Ok(Response {
                status: response.status,
                url: response.url,
                headers: response.headers,
                body: response.body,
            }),
            Answer::Trouble(trouble) => Err(PluginError::new(trouble.message)),
            Answer::Elapsed => Err(PluginError::new("a timer answered for a request")),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    /// After redirects.
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Result<Value, PluginError> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}
