//! What a plugin asks for over HTTP, what it gets, and what can go wrong.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use super::limits::HttpLimits;
use crate::host_call::digest;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    pub method: String,
    pub url: String,
    /// In the order given; a name may occur more than once.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    #[serde(default)]
    pub redirect: Redirect,
}

/// What becomes of an answer that points elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redirect {
    #[default]
    Follow,
    /// It is the answer.
    Manual,
    /// It is a failure.
    Error,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    pub status: u16,
    pub status_text: String,
    /// Where the answer came from, after redirects.
    pub url: String,
    pub redirected: bool,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Decompressed.
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Not allowed, or no request that could be sent.
    Refused,
    NoMock,
    Network,
    Timeout,
    TooLarge,
}

impl FailureKind {
    pub fn from_code(code: &str) -> Option<Self> {
        let all = [Self::Refused, Self::NoMock, Self::Network, Self::Timeout, Self::TooLarge];
        all.into_iter().find(|kind| kind.code() == code)
    }

    /// Stable name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused => "http_refused",
            Self::NoMock => "http_no_mock",
            Self::Network => "http_network",
            Self::Timeout => "http_timeout",
            Self::TooLarge => "http_too_large",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct HttpFailure {
    pub kind: FailureKind,
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl HttpFailure {
    pub fn new(kind: FailureKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into() }
    }

    pub(super) fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused, message, hint)
    }

    pub(super) fn too_large(what: &str, limit_bytes: usize) -> Self {
        Self::new(
            FailureKind::TooLarge,
            format!("{what} is larger than {limit_bytes} bytes"),
            "Ask for less at a time; the limits are those of the platform preset.",
        )
    }
}

impl HttpRequest {
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET".to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            redirect: Redirect::Follow,
        }
    }

    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    /// Equal for equal requests. The order of headers counts, as it may to a server.
    pub fn digest(&self) -> String {
        let mut parts: Vec<&[u8]> = vec![b"http", self.method.as_bytes(), self.url.as_bytes(), &self.body];
        for (name, value) in &self.headers {
            parts.push(name.as_bytes());
            parts.push(value.as_bytes());
        }
        digest(&parts)
    }

    /// The URL, if this is a request that may be sent at all. Holds for mocks too, so that a plugin meets
    /// the same errors in both worlds.
    pub fn checked(&self, limits: &HttpLimits) -> Result<Url, HttpFailure> {
        let url = target(&self.url)?;
        check_method(&self.method)?;
        let mut header_bytes = 0;
        for (name, value) in &self.headers {
            check_header(name, value)?;
            header_bytes += name.len() + value.len() + 4;
        }
        if url.as_str().len() > limits.url_bytes {
            return Err(HttpFailure::too_large("the URL", limits.url_bytes));
        }
        if header_bytes > limits.request_header_bytes {
            return Err(HttpFailure::too_large("the request's header", limits.request_header_bytes));
        }
        if self.body.len() > limits.request_body_bytes {
            return Err(HttpFailure::too_large("the request's body", limits.request_body_bytes));
        }
        if !self.body.is_empty() && matches!(self.method.as_str(), "GET" | "HEAD") {
            return Err(HttpFailure::refused(
                format!("a {} request cannot have a body", self.method),
                "Put the data into the query, or use POST.",
            ));
        }
        if let Some(host) = self.header("host")
            && !host.eq_ignore_ascii_case(&authority(&url))
        {
            return Err(HttpFailure::refused(
                format!("the header Host says {host}, but the URL says {}", authority(&url)),
                "Leave Host out; it is made from the URL.",
            ));
        }
        Ok(url)
    }
}

/// An absolute http or https URL without credentials; the fragment is left out.
pub fn target(text: &str) -> Result<Url, HttpFailure> {
    let mut url = Url::parse(text).map_err(|error| {
        HttpFailure::refused(
            format!("{text:?} is no URL: {error}"),
            "Give a whole URL, such as https://api.example.com/v1.",
        )
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(HttpFailure::refused(
            format!("the scheme {}: is not http: or https:", url.scheme()),
            "Plugins reach the network over http and https only.",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(HttpFailure::refused(
            "the URL holds a user name or a password",
            "Send them in the header Authorization: 'Basic ' and the base64 of user:password.",
        ));
    }
    url.set_fragment(None);
    Ok(url)
}

/// Host, and port if it is not the scheme's own.
pub fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

pub fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn check_method(method: &str) -> Result<(), HttpFailure> {
    if !is_token(method) {
        return Err(HttpFailure::refused(
            format!("{method:?} is no HTTP method"),
            "Use GET, POST, PUT, PATCH or DELETE.",
        ));
    }
    if ["CONNECT", "TRACE", "TRACK"].iter().any(|forbidden| method.eq_ignore_ascii_case(forbidden)) {
        return Err(HttpFailure::refused(
            format!("the method {method} is not allowed"),
            "Use GET, POST, PUT, PATCH or DELETE.",
        ));
    }
    Ok(())
}

fn check_header(name: &str, value: &str) -> Result<(), HttpFailure> {
    let hint = "Header names are letters, digits and dashes; values have no line breaks.";
    if !is_token(name) {
        return Err(HttpFailure::refused(format!("{name:?} is no name of a header"), hint));
    }
    if value.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(HttpFailure::refused(
            format!("the value of the header {name} has a line break or a zero byte"),
            hint,
        ));
    }
    Ok(())
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(request: &HttpRequest) -> HttpFailure {
        request.checked(&HttpLimits::default()).unwrap_err()
    }

    #[test]
    fn only_whole_http_urls_without_credentials() {
        for (url, says) in [
            ("/relative", "no URL"),
            ("file:///etc/passwd", "scheme file:"),
            ("ftp://a.example/", "scheme ftp:"),
            ("data:text/plain,x", "scheme data:"),
            ("http://user@a.example/", "user name"),
            ("http://u:p@a.example/", "user name"),
            ("http://:p@a.example/", "user name"),
            ("http://", "no URL"),
            ("http://a b/", "no URL"),
        ] {
            let failure = refusal(&HttpRequest::get(url));
            assert!(failure.message.contains(says), "{url}: {failure}");
            assert_eq!(failure.kind, FailureKind::Refused);
        }
        let url = HttpRequest::get("HTTP://A.Example:80/x?y#z").checked(&HttpLimits::default()).unwrap();
        assert_eq!(url.as_str(), "http://a.example/x?y");
    }

    #[test]
    fn nothing_can_be_smuggled_through_method_or_headers() {
        let with = |method: &str, name: &str, value: &str| HttpRequest {
            method: method.to_owned(),
            headers: vec![(name.to_owned(), value.to_owned())],
            ..HttpRequest::get("http://a.example/")
        };
        for (method, name, value) in [
            ("GET /x HTTP/1.1\r\nX: y", "a", "b"),
            ("", "a", "b"),
            ("connect", "a", "b"),
            ("TRACE", "a", "b"),
            ("GET", "a b", "c"),
            ("GET", "", "c"),
            ("GET", "a", "b\r\nHost: c"),
            ("GET", "a", "b\0"),
            ("GET", "Host", "metadata.example"),
        ] {
            assert_eq!(refusal(&with(method, name, value)).kind, FailureKind::Refused, "{method} {name} {value}");
        }
        assert!(with("PURGE", "host", "A.example").checked(&HttpLimits::default()).is_ok());
    }

    #[test]
    fn sizes_are_bounded_before_anything_is_sent() {
        let limits =
            HttpLimits { url_bytes: 64, request_header_bytes: 16, request_body_bytes: 8, ..HttpLimits::default() };
        let long_url = HttpRequest::get(format!("http://a.example/{}", "x".repeat(64)));
        let mut long_header = HttpRequest::get("http://a.example/");
        long_header.headers.push(("a".to_owned(), "b".repeat(16)));
        let mut long_body = HttpRequest::get("http://a.example/");
        "POST".clone_into(&mut long_body.method);
        long_body.body = vec![0; 9];
        for request in [long_url, long_header, long_body] {
            assert_eq!(request.checked(&limits).unwrap_err().kind, FailureKind::TooLarge);
        }
    }
}
