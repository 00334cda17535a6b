//! What the journal and an event's journey keep of one call that a plugin made to its host.

use std::time::Duration;

use weir_event::journal::HostCall;

use crate::http::{HttpFailure, HttpMode, HttpRequest, HttpResponse};
use crate::secrets::Secrets;

/// What is known of a request and its answer; whose it was is the caller's to add.
pub fn http(
    mode: HttpMode,
    request: &HttpRequest,
    answer: &Result<HttpResponse, HttpFailure>,
    took: Duration,
    secrets: &Secrets,
) -> HostCall {
    let (status, response_bytes) = match answer {
        Ok(response) => (response.status.to_string(), response.body.len() as u64),
        Err(failure) => (failure.kind.code().to_owned(), 0),
    };
    HostCall {
        offset: None,
        plugin_id: String::new(),
        kind: if mode == HttpMode::Mock { "http_mock" } else { "http_live" }.to_owned(),
        request_digest: request.digest(),
        summary: secrets.redact(&request.summary()).into_owned(),
        status,
        duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        response_bytes,
        answer: None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::FailureKind;

    #[test]
    fn a_call_is_told_without_its_secret_and_survives_json() {
        let request = HttpRequest::get("https://api.example.com/v1?key=tok-4242");
        let secrets = Secrets::new(["tok-4242"]);
        let failed = Err(HttpFailure::new(FailureKind::NoMock, "m", "h"));
        let call = http(HttpMode::Mock, &request, &failed, Duration::from_micros(1500), &secrets);
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
