//! What the journal and an event's journey keep of one call that a plugin made to its host.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::http::{HttpFailure, HttpRequest, HttpResponse};
use crate::secrets::Secrets;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostCallKind {
    HttpMock,
    HttpLive,
    GeoIp,
    Sleep,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCall {
    pub kind: HostCallKind,
    /// Tells calls apart and finds the same call again; nothing of the request can be read from it.
    pub request_digest: String,
    /// One line for people, without secrets: `GET https://api.example.com/rates`.
    pub summary: String,
    /// The status of the answer, or the code of what went wrong.
    pub status: String,
    /// From the call to its answer, waiting in the queue included.
    pub duration_us: u64,
    /// Of the body, decompressed.
    pub response_bytes: u64,
}

impl HostCall {
    pub fn http(
        kind: HostCallKind,
        request: &HttpRequest,
        answer: &Result<HttpResponse, HttpFailure>,
        took: Duration,
        secrets: &Secrets,
    ) -> Self {
        let (status, response_bytes) = match answer {
            Ok(response) => (response.status.to_string(), response.body.len() as u64),
            Err(failure) => (failure.kind.code().to_owned(), 0),
        };
        Self {
            kind,
            request_digest: request.digest(),
            summary: secrets.redact(&request.summary()).into_owned(),
            status,
            duration_us: microseconds(took),
            response_bytes,
        }
    }

    pub fn geo_ip(ip: &str, answer: Option<&str>, took: Duration) -> Self {
        Self {
            kind: HostCallKind::GeoIp,
            request_digest: digest(&[b"geoip", ip.as_bytes()]),
            summary: format!("locate {ip}"),
            status: if answer.is_some() { "found" } else { "not_found" }.to_owned(),
            duration_us: microseconds(took),
            response_bytes: answer.map_or(0, str::len) as u64,
        }
    }

    pub fn sleep(asked: Duration, took: Duration) -> Self {
        Self {
            kind: HostCallKind::Sleep,
            request_digest: digest(&[b"sleep", &microseconds(asked).to_le_bytes()]),
            summary: format!("sleep {} ms", asked.as_millis()),
            status: "done".to_owned(),
            duration_us: microseconds(took),
            response_bytes: 0,
        }
    }
}

/// The first 32 hexadecimal digits of a BLAKE3 hash over the parts, each with its length before it.
pub fn digest(parts: &[&[u8]]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::FailureKind;

    #[test]
    fn a_call_is_told_without_its_secret_and_survives_json() {
        let request = HttpRequest::get("https://api.example.com/v1?key=tok-4242");
        let secrets = Secrets::new(["tok-4242"]);
        let failed = Err(HttpFailure::new(FailureKind::NoMock, "m", "h"));
        let call = HostCall::http(HostCallKind::HttpMock, &request, &failed, Duration::from_micros(1500), &secrets);
        assert_eq!(call.summary, "GET https://api.example.com/v1?key=(secret)");
        assert_eq!((call.status.as_str(), call.duration_us), ("http_no_mock", 1500));
        let text = serde_json::to_string(&call).unwrap();
        assert_eq!(serde_json::from_str::<HostCall>(&text).unwrap(), call);
    }

    #[test]
    fn the_digest_separates_requests() {
        let one = HttpRequest::get("https://a.example/");
        let mut other = one.clone();
        other.body = b"x".to_vec();
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.digest(), one.clone().digest());
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
    }
}
