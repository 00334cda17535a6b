//! Who may talk to the control port.
//!
//! A web page of a stranger can send requests to loopback, and can make its own name point there. So
//! every request must name this server in `Host` (which stops a rebound name), must not come from a
//! foreign `Origin` (which stops a foreign page), and everything but the static page must carry the
//! bearer token of the command line or the cookie of a browser that had a one-time code.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use pipeline_core::api::{ApiError, ErrorCode};
use uuid::Uuid;

/// Codes that were handed out and not used; the oldest is forgotten beyond this.
const OPEN_CODES: usize = 64;

#[derive(Debug)]
pub struct Guard {
    pub token: String,
    /// What the cookie of a browser holds that was let in.
    pub session: String,
    port: u16,
    cookie: String,
    codes: Mutex<Vec<String>>,
}

impl Guard {
    /// `known` are token and session of the server before this one, if whoever knew it is to go on.
    pub fn new(control: SocketAddr, known: Option<(String, String)>) -> Self {
        // A file of an older version has no session, and nothing must be let in by an empty one.
        let (token, session) = known
            .filter(|(token, session)| !token.is_empty() && !session.is_empty())
            .unwrap_or_else(|| (secret(), secret()));
        Self {
            token,
            session,
            port: control.port(),
            // Cookies ignore ports, so two studios on one machine need two names.
            cookie: format!("weir_session_{}", control.port()),
            codes: Mutex::default(),
        }
    }

    /// Host and Origin: holds for every request, the static page included.
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let host = text(headers, header::HOST);
        if !self.names_this_server(host) {
            return Err(ApiError::new(ErrorCode::ForeignHost, format!("the Host header {host:?} is not this server"))
                .hint(format!("open http://127.0.0.1:{}", self.port)));
        }
        let origin = text(headers, header::ORIGIN);
        let own = origin.strip_prefix("http://").is_some_and(|origin| self.names_this_server(origin));
        if !origin.is_empty() && !own {
            return Err(ApiError::new(ErrorCode::ForeignOrigin, format!("requests from {origin} are not served"))
                .hint("only the studio's own page may call this port"));
        }
        Ok(())
    }

    /// The token of the command line, or the cookie of a browser that was let in.
    pub fn check_caller(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let bearer = text(headers, header::AUTHORIZATION).strip_prefix("Bearer ").unwrap_or_default();
        if same(bearer, &self.token) || self.has_session(headers) {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::Unauthorized, "this port needs the token or the studio's cookie")
            .hint("open the link that `weir` printed, or send `Authorization: Bearer TOKEN` from run.json"))
    }

    /// A code for the fragment of a link; it works once.
    pub fn new_code(&self) -> String {
        let code = secret();
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.push(code.clone());
        if codes.len() > OPEN_CODES {
            codes.remove(0);
        }
        code
    }

    /// Takes a code and gives the `Set-Cookie` value for it.
    pub fn redeem(&self, code: &str) -> Option<String> {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        let place = codes.iter().position(|open| same(open, code))?;
        codes.remove(place);
        drop(codes);
        Some(format!("{}={}; HttpOnly; SameSite=Strict; Path=/", self.cookie, self.session))
    }

    fn has_session(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(name, value)| name == self.cookie && same(value, &self.session))
    }

    fn names_this_server(&self, host: &str) -> bool {
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host == format!("{name}:{}", self.port))
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// 244 random bits from the operating system.
fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Compares in constant time, so that an answer's delay tells nothing about a secret.
fn same(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.bytes().zip(right.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a header value"))).collect()
    }

    #[test]
    fn foreign_hosts_and_origins_are_refused() {
        let guard = Guard::new(([127, 0, 0, 1], 4_000).into(), None);
        let code = |pairs: &[_]| guard.check_origin(&headers(pairs)).err().map(|error| error.code);
        assert_eq!(code(&[(header::HOST, "127.0.0.1:4000")]), None);
        assert_eq!(code(&[(header::HOST, "localhost:4000"), (header::ORIGIN, "http://localhost:4000")]), None);
        assert_eq!(code(&[]), Some(ErrorCode::ForeignHost));
        for host in ["evil.example:4000", "127.0.0.1:4001", "127.0.0.1", "127.0.0.1.evil.example:4000"] {
            assert_eq!(code(&[(header::HOST, host)]), Some(ErrorCode::ForeignHost), "{host}");
        }
        for origin in ["http://evil.example", "null", "https://127.0.0.1:4000", "http://127.0.0.1:4001"] {
            let pairs = [(header::HOST, "127.0.0.1:4000"), (header::ORIGIN, origin)];
            assert_eq!(code(&pairs), Some(ErrorCode::ForeignOrigin), "{origin}");
        }
    }

    #[test]
    fn a_code_lets_one_browser_in_once() {
        let guard = Guard::new(([127, 0, 0, 1], 4_000).into(), None);
        assert!(guard.check_caller(&headers(&[])).is_err());
        let code = guard.new_code();
        let cookie = guard.redeem(&code).expect("a fresh code");
        assert!(guard.redeem(&code).is_none());
        let pair = cookie.split(';').next().expect("a pair").to_owned();
        assert!(guard.check_caller(&headers(&[(header::COOKIE, &pair)])).is_ok());
        assert!(guard.check_caller(&headers(&[(header::AUTHORIZATION, &format!("Bearer {}", guard.token))])).is_ok());
        assert!(guard.check_caller(&headers(&[(header::AUTHORIZATION, "Bearer x")])).is_err());
        // The next server lets it in too, if that is wanted.
        let next = Guard::new(([127, 0, 0, 1], 4_000).into(), Some((guard.token.clone(), guard.session.clone())));
        assert!(next.check_caller(&headers(&[(header::COOKIE, &pair)])).is_ok());
        let other = Guard::new(([127, 0, 0, 1], 4_000).into(), Some((guard.token, String::new())));
        assert!(other.check_caller(&headers(&[(header::COOKIE, &pair)])).is_err());
        assert!(other.check_caller(&headers(&[(header::COOKIE, "weir_session_4000=")])).is_err());
    }
}
