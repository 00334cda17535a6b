//! Sends one request over the network and follows its redirects.
//!
//! The client below has no resolver but [`Egress`], follows no redirect and reads no proxy setting, so
//! nothing it does can go round the check: each hop is a request of its own, checked by name and by
//! address. Connections are kept per plugin and never shared between plugins, since another plugin's
//! grants may be wider.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, Request, StatusCode, Uri, header::CONTENT_ENCODING};
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, RequestExt as _};
use url::Url;

use super::body::{self, Until};
use super::egress::Egress;
use super::limits::HttpLimits;
use super::redirect;
use super::request::{FailureKind, HttpFailure, HttpRequest, HttpResponse, Redirect};

const USER_AGENT: &str = concat!("weir-plugins/", env!("CARGO_PKG_VERSION"));

/// Headers that belong to the connection or to the message's framing, which are the client's own.
const CLIENTS_OWN: [&str; 10] = [
    "host",
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The widest list of addresses the client takes.
const MOST_ADDRESSES: usize = 16;

#[derive(Debug)]
pub struct Client {
    agent: Agent,
    egress: Arc<Egress>,
    limits: HttpLimits,
}

impl Client {
    pub fn new(egress: Arc<Egress>, limits: HttpLimits) -> Self {
        Self::with_tls(egress, limits, TlsConfig::default())
    }

    fn with_tls(egress: Arc<Egress>, limits: HttpLimits, tls: TlsConfig) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Not even what the environment says.
            .proxy(None)
            .tls_config(tls)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .user_agent(USER_AGENT)
            .accept("*/*")
            .accept_encoding("gzip, deflate, br")
            .timeout_connect(Some(limits.connect))
            .timeout_resolve(Some(limits.connect))
            .max_response_header_size(limits.response_header_bytes)
            .build();
        let resolver = CheckedResolver { egress: egress.clone(), limits: limits.clone() };
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        Self { agent, egress, limits }
    }

    /// Blocks until the answer is whole. When `cancelled` becomes true the call ends at the next piece.
    pub fn send(&self, request: &HttpRequest, cancelled: &AtomicBool) -> Result<HttpResponse, HttpFailure> {
        let until = Until { deadline: Instant::now() + self.limits.total, cancelled };
        let mut url = request.checked(&self.limits)?;
        let mut hop = request.clone();
        for redirects in 0..=self.limits.redirects {
            let (status, headers, body) = self.hop(&hop, &url, until)?;
            let Some(next) = redirect::next(status, &headers, &url)? else {
                return Ok(answer(status, &headers, body, &url, redirects > 0));
            };
            match request.redirect {
                Redirect::Follow => {}
                Redirect::Manual => return Ok(answer(status, &headers, body, &url, false)),
                Redirect::Error => {
                    return Err(HttpFailure::new(
                        FailureKind::Network,
                        format!("{url} redirects to {next}, and the request does not follow"),
                        "Ask for the final URL, or let the request follow redirects.",
                    ));
                }
            }
            redirect::rewrite(&mut hop, status, &url, &next);
            url = next;
        }
        Err(HttpFailure::new(
            FailureKind::Network,
            format!("more than {} redirects, the last to {url}", self.limits.redirects),
            "The server sends in circles; ask for the final URL.",
        ))
    }

    fn hop(
        &self,
        request: &HttpRequest,
        url: &Url,
        until: Until<'_>,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), HttpFailure> {
        self.egress.check_name(url)?;
        let left = until.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(body::late());
        }
        let mut builder = Request::builder().method(request.method.as_str()).uri(url.as_str());
        for (name, value) in &request.headers {
            if !CLIENTS_OWN.iter().any(|own| own.eq_ignore_ascii_case(name)) {
                builder = builder.header(name, value);
            }
        }
        let sent = if request.body.is_empty() && !matches!(request.method.as_str(), "POST" | "PUT" | "PATCH") {
            let request = builder.body(()).map_err(unsendable)?;
            request.with_agent(&self.agent).configure().timeout_global(Some(left)).run()
        } else {
            let request = builder.body(request.body.as_slice()).map_err(unsendable)?;
            request.with_agent(&self.agent).configure().timeout_global(Some(left)).run()
        };
        let response = sent.map_err(|error| self.failure(error, url))?;
        let (parts, received) = response.into_parts();
        let encoding = parts.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        // A header may speak of a body that is not there.
        let bodiless = request.method == "HEAD" || matches!(parts.status.as_u16(), 204 | 304);
        let body = if bodiless {
            Vec::new()
        } else {
            body::read(received.into_reader(), encoding, self.limits.response_body_bytes, until)?
        };
        Ok((parts.status, parts.headers, body))
    }

    fn failure(&self, error: ureq::Error, url: &Url) -> HttpFailure {
        let host = url.host_str().unwrap_or_default();
        match error {
            ureq::Error::Other(inner) => match inner.downcast::<HttpFailure>() {
                Ok(failure) => *failure,
                Err(other) => network(host, &other),
            },
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => HttpFailure::new(
                FailureKind::Timeout,
                format!("{host} was not reached within {} ms", self.limits.connect.as_millis()),
                "Check that the host is up and reachable from here.",
            ),
            ureq::Error::Timeout(_) => body::late(),
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => body::late(),
            ureq::Error::LargeResponseHeader(..) => {
                HttpFailure::too_large("the header of the answer", self.limits.response_header_bytes)
            }
            other => network(host, &other),
        }
    }
}

fn network(host: &str, reason: &dyn fmt::Display) -> HttpFailure {
    HttpFailure::new(
        FailureKind::Network,
        format!("the call to {host} failed: {reason}"),
        "Check that the host is up, speaks HTTP on this port, and has a certificate that is trusted.",
    )
}

fn unsendable(error: ureq::http::Error) -> HttpFailure {
    HttpFailure::refused(
        format!("the request cannot be written as HTTP: {error}"),
        "Encode the URL and the headers; they may hold visible ASCII only.",
    )
}

fn answer(status: StatusCode, headers: &HeaderMap, body: Vec<u8>, url: &Url, redirected: bool) -> HttpResponse {
    HttpResponse {
        status: status.as_u16(),
        status_text: super::status::reason(status.as_u16()).to_owned(),
        url: url.to_string(),
        redirected,
        headers: headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
        body,
    }
}

/// Headers are bytes; browsers read those beyond ASCII as Latin-1.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The client asks it before every request, also for a connection it already has.
struct CheckedResolver {
    egress: Arc<Egress>,
    limits: HttpLimits,
}

impl fmt::Debug for CheckedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckedResolver")
    }
}

impl Resolver for CheckedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let fail = |failure: HttpFailure| ureq::Error::Other(Box::new(failure));
        let url = super::request::target(&uri.to_string()).map_err(fail)?;
        let left: Duration = timeout.not_zero().map_or(self.limits.connect, |left| (*left).min(self.limits.connect));
        let found = self.egress.addresses(&url, left).map_err(fail)?;
        let mut addresses = self.empty();
        found.into_iter().take(MOST_ADDRESSES).for_each(|address| addresses.push(address));
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests;
