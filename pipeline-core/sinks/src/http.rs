//! Batches by `POST` to a URL.
//!
//! # What it guarantees
//!
//! A batch counts as delivered when the destination answers 2xx. `Idempotency-Key` names the batch; a
//! destination that forgets keys older than the sink's last two batches and acts on each key once gets
//! every event once. 408, 429, 5xx, time-outs and failed connections are tried again, after
//! `Retry-After` where the answer has it; any other answer gives the batch up.
//!
//! # The body
//!
//! `{"sink", "key", "first_offset", "until_offset", "events": [...]}`, each event in the form of
//! [`weir_event::stored`]. Redirects are not followed: a `POST` would become a `GET`.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode, redirect};
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};
use weir_event::clock::UnixMillis;
use weir_event::{Clock, StoredEvent};

use crate::batch::{Batch, Batching, Delivery, Sink};
use crate::error::SinkError;
use crate::stop::Stop;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(30);
/// A request that is on its way at a stop may take this much longer.
const GRACE: Duration = Duration::from_secs(2);
const LOOK_FOR_STOP: Duration = Duration::from_millis(20);
/// A destination that asks for more is asked again after this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);
/// Of an answer, for the reason.
const REASON_BYTES: usize = 300;

#[derive(Debug)]
pub struct HttpSink {
    url: String,
    name: String,
    clock: Arc<dyn Clock>,
    client: Client,
    timeout: Duration,
    runtime: Runtime,
}

#[derive(Serialize)]
struct Body<'b> {
    sink: &'b str,
    key: &'b str,
    first_offset: u64,
    until_offset: u64,
    events: &'b [StoredEvent],
}

impl HttpSink {
    pub fn new(url: impl Into<String>, name: impl Into<String>, clock: Arc<dyn Clock>) -> Result<Self, SinkError> {
        let failed = |error: &dyn std::fmt::Display| SinkError::Client(error.to_string());
        // No proxy from the environment: a destination is what the sink's record says it is.
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| failed(&error))?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))?;
        Ok(Self { url: url.into(), name: name.into(), clock, client, timeout: TIMEOUT, runtime })
    }

    /// Longest wait for an answer.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn post(&self, body: Vec<u8>, key: &str) -> Delivery {
        let request = self
            .client
            .post(&self.url)
            .timeout(self.timeout)
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", key)
            .header("User-Agent", concat!("weir/", env!("CARGO_PKG_VERSION")))
            .body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Delivery::retry(reason_of(&error)),
        };
        let status = response.status();
        let after = retry_after(response.headers(), self.clock.now_ms());
        if status.is_success() {
            return Delivery::delivered();
        }
        let said = response.text().await.unwrap_or_default();
        let said: String = said.chars().take(REASON_BYTES).collect();
        let reason = format!("{} answered {status}: {said}", self.url);
        let again =
            status.is_server_error() || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status);
        if again { Delivery::Retry { after, reason } } else { Delivery::Failed { reason } }
    }
}

/// The error and its causes: reqwest's own text hides why.
fn reason_of(error: &reqwest::Error) -> String {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    reason
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, now_ms: UnixMillis) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let at_ms = DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis();
        Duration::from_millis((at_ms - now_ms).max(0) as u64)
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

impl Sink for HttpSink {
    fn batching(&self) -> Batching {
        Batching::prompt(1_000, 4 << 20)
    }

    fn deliver(&mut self, batch: &Batch, stop: &Stop) -> Delivery {
        let body = Body {
            sink: &self.name,
            key: &batch.key,
            first_offset: batch.first_offset,
            until_offset: batch.until_offset,
            events: &batch.events,
        };
        let body = match serde_json::to_vec(&body) {
            Ok(body) => body,
            Err(error) => return Delivery::Failed { reason: format!("the batch cannot be written as JSON: {error}") },
        };
        let stopped = async {
            while stop.said().is_none_or(|said| said < GRACE) {
                tokio::time::sleep(LOOK_FOR_STOP).await;
            }
        };
        self.runtime.block_on(async {
            tokio::select! {
                delivery = self.post(body, &batch.key) => delivery,
                () = stopped => Delivery::retry("the server is stopping"),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let wait = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, 1_700_000_000_000).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("7"), Some(7));
        assert_eq!(wait("Tue, 14 Nov 2023 22:13:50 GMT"), Some(30));
        assert_eq!(wait("Tue, 14 Nov 2022 22:13:50 GMT"), None, "the day of the week is wrong");
        assert_eq!(wait("Mon, 14 Nov 2022 22:13:50 GMT"), Some(0), "it has passed");
        assert_eq!(wait("999999999"), Some(3_600));
        assert_eq!(wait("soon"), None);
    }
}
