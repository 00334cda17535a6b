//! Answers that calls got in an earlier run, given again.
//!
//! A call is found by the digest of its request; equal calls get their answers in the order they came in. A
//! call that was not made then, or whose answer was too long to keep, has none: from there on the run is
//! another one, and [`Recorded::first_missing`] says where that began.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use weir_event::journal::HostCall;

use super::mock::Mocked;
use super::request::{FailureKind, HttpFailure, HttpRequest, HttpResponse};
use super::status::reason;

#[derive(Debug, Default)]
pub struct Recorded(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By the digest of the request, oldest first.
    answers: HashMap<String, VecDeque<Mocked>>,
    first_missing: Option<String>,
}

/// As `http_calls` keeps it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Response { status: u16, url: String, headers: Vec<(String, String)>, body: String },
    Failure { failure: String, message: String },
}

impl Recorded {
    /// The calls of one plugin, in the order of their answers.
    pub fn new<'c>(calls: impl IntoIterator<Item = &'c HostCall>) -> Self {
        let mut state = State::default();
        for call in calls {
            let Some(answer) = kept(call) else { continue };
            let after = Duration::from_micros(call.duration_us);
            let answers = state.answers.entry(call.request_digest.clone()).or_default();
            answers.push_back(Mocked { after, answer });
        }
        Self(Mutex::new(state))
    }

    /// The next answer to an equal request, if one is left.
    pub fn known(&self, request: &HttpRequest) -> Option<Mocked> {
        self.lock().answers.get_mut(&request.digest())?.pop_front()
    }

    /// That there was none.
    pub fn missing(&self, request: &HttpRequest) -> Mocked {
        let mut state = self.lock();
        let call = request.summary();
        let failure = HttpFailure::new(
            FailureKind::NoMock,
            format!("{call} has no recorded answer"),
            "The plugin did not make this call when its answers were recorded.",
        );
        state.first_missing.get_or_insert(call);
        Mocked { after: Duration::ZERO, answer: Err(failure) }
    }

    /// The first call without an answer: `GET https://api.example.com/rates`.
    pub fn first_missing(&self) -> Option<String> {
        self.lock().first_missing.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the journal has kept of an answer.
pub fn kept(call: &HostCall) -> Option<Result<HttpResponse, HttpFailure>> {
    Some(serde_json::from_str::<Kept>(call.answer.as_deref()?).ok()?.given())
}

impl Kept {
    fn given(self) -> Result<HttpResponse, HttpFailure> {
        match self {
            Self::Response { status, url, headers, body } => Ok(HttpResponse {
                status,
                status_text: reason(status).to_owned(),
                url,
                redirected: false,
                headers,
                body: body.into_bytes(),
            }),
            Self::Failure { failure, message } => {
                let kind = FailureKind::from_code(&failure).unwrap_or(FailureKind::Network);
                Err(HttpFailure::new(kind, message, ""))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(request: &HttpRequest, answer: &str) -> HostCall {
        HostCall {
            offset: None,
            plugin_id: "p".into(),
            kind: "http_live".into(),
            request_digest: request.digest(),
            summary: request.summary(),
            status: "200".into(),
            duration_us: 2_000,
            response_bytes: 0,
            answer: Some(answer.into()),
        }
    }

    #[test]
    fn equal_calls_get_their_answers_in_turn_and_then_none() {
        let request = HttpRequest::get("https://api.example.com/rates");
        let first = r#"{"status":200,"url":"https://api.example.com/rates","headers":[["a","b"]],"body":"one"}"#;
        let second = r#"{"failure":"http_timeout","message":"late"}"#;
        let recorded = Recorded::new(&[call(&request, first), call(&request, second)]);
        let answer = recorded.known(&request).expect("it is recorded");
        assert_eq!(answer.after, Duration::from_millis(2));
        let response = answer.answer.expect("an answer");
        assert_eq!(
            (response.status, response.status_text.as_str(), response.body.as_slice()),
            (200, "OK", &b"one"[..])
        );
        let failure = recorded.known(&request).expect("it is recorded").answer.expect_err("it failed then");
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Timeout, "late"));
        assert_eq!(recorded.first_missing(), None);
        assert!(recorded.known(&request).is_none());
        let missing = recorded.missing(&request).answer.expect_err("nothing is left");
        assert_eq!(missing.kind, FailureKind::NoMock);
        assert_eq!(recorded.first_missing().as_deref(), Some("GET https://api.example.com/rates"));
    }
}
