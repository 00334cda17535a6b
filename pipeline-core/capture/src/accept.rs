//! The way of one request from its bytes to a durable record.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, Method, header};
use weir_event::intake::IntakeRecord;

use crate::error::{CaptureError, Refusal};
use crate::payload::{self, RequestFacts};
use crate::query::CaptureQuery;
use crate::reading;
use crate::rejections::EdgeRejections;
use crate::router::CaptureDeps;
use crate::share::{FairShare, Grant};
use crate::unpacking::{Packed, Unpacked};

/// Headers of the strict endpoint's clients.
const SDK_INFO: HeaderName = HeaderName::from_static("posthog-sdk-info");
const REQUEST_TIMESTAMP: HeaderName = HeaderName::from_static("posthog-request-timestamp");

/// What a body is granted before its first byte; it grows from here.
const FIRST_GRANT_BYTES: usize = 16 << 10;
/// A larger body is unpacked on a thread of its own, so that short requests do not wait for it.
const LARGE_BODY_BYTES: usize = 64 << 10;
/// Large bodies that are unpacked at one time: what comes out is accounted for only afterwards.
const LARGE_AT_ONCE: usize = 2;

/// The head of a request, as capture needs it.
pub struct Head {
    pub peer: SocketAddr,
    pub path: String,
    pub method: Method,
    pub headers: HeaderMap,
    pub query: CaptureQuery,
    /// The endpoint that has rules of its own, and answers for each event.
    pub strict: bool,
}

pub struct Capture {
    pub deps: CaptureDeps,
    /// Bytes of bodies that are being read, unpacked or appended.
    in_hand: Arc<FairShare>,
    appends: Arc<FairShare>,
    large: Arc<FairShare>,
}

/// Counts a request whose client left before anyone could answer: its handler is dropped, not ended.
struct LeftEarly<'a> {
    rejections: &'a EdgeRejections,
    token: String,
    events: u32,
    armed: bool,
}

impl Drop for LeftEarly<'_> {
    fn drop(&mut self) {
        if self.armed {
            let error = CaptureError::ClientGone;
            self.rejections.count(&self.token, error.rule(), self.events, &error.to_string());
        }
    }
}

impl Capture {
    pub fn new(deps: CaptureDeps) -> Self {
        Self {
            in_hand: FairShare::new("in_hand_bytes", deps.limits.in_hand_bytes),
            appends: FairShare::new("appends", deps.limits.waiting_appends),
            large: FairShare::new("large_bodies", LARGE_AT_ONCE),
            deps,
        }
    }

    /// Ends when the request's events are durable, with what is to be said about them, or with the reason
    /// why they are not.
    pub async fn accept(&self, head: Head, mut body: Body) -> Result<Option<String>, CaptureError> {
        let started = Instant::now();
        let claimed = if head.strict {
            text(&head.headers, header::AUTHORIZATION).strip_prefix("Bearer ").map(|token| token.trim().to_owned())
        } else {
            (head.method == Method::GET).then(|| head.query.claimed_token()).flatten()
        };
        let mut left_early = LeftEarly {
            rejections: &self.deps.rejections,
            token: claimed.clone().unwrap_or_default(),
            events: 1,
            armed: true,
        };
        let result = self.take_in(&head, claimed, &mut body, &mut left_early).await;
        // From here on the log has the events, or the refusal is counted below.
        left_early.armed = false;
        drop(left_early);
        let refusal = match result {
            Ok((events, answer)) => {
                metrics::counter!("weir_capture_events_total").increment(u64::from(events));
                metrics::histogram!("weir_capture_ack_seconds").record(started.elapsed());
                return Ok(answer);
            }
            Err(refusal) => refusal,
        };
        // A log that takes no events takes no counts either; the client is told to come again.
        if !matches!(refusal.error, CaptureError::Unavailable(_)) {
            let example = refusal.error.to_string();
            self.deps.rejections.count(&refusal.token, refusal.error.rule(), refusal.events, &example);
        }
        // Whoever is slow or gone, or asked first, sends nothing that is worth waiting for.
        let still_sends = !matches!(refusal.error, CaptureError::SlowBody | CaptureError::ClientGone);
        if still_sends && !head.headers.contains_key(header::EXPECT) {
            reading::discard(body, &self.deps.limits).await;
        }
        Err(refusal.error)
    }

    async fn take_in(
        &self,
        head: &Head,
        claimed: Option<String>,
        body: &mut Body,
        left_early: &mut LeftEarly<'_>,
    ) -> Result<(u32, Option<String>), Refusal> {
        let limits = &self.deps.limits;
        // Asked before the body is read, so that a full disk costs the client one round trip.
        self.deps.intake.check().map_err(|refusal| Refusal::of_one(CaptureError::Unavailable(refusal)))?;
        let address = client_ip(&head.headers, head.peer);
        let facts = RequestFacts {
            received_at_ms: self.deps.clock.now_ms(),
            site_url: site_url(&head.headers),
            token: claimed,
            query_sent_at: if head.strict { strict_sent_at(&head.headers) } else { head.query.sent_at.clone() },
            form_sent_at: None,
            engage: head.path.starts_with("/engage"),
            ip: address.clone(),
        };
        let unread = |error| payload::known_only_by_request(error, &facts);
        let announced = text(&head.headers, header::CONTENT_LENGTH).parse::<usize>().unwrap_or_default();
        if announced > limits.body_bytes {
            return Err(unread(CaptureError::TooLarge { limit_bytes: limits.body_bytes }));
        }
        let crowded = |_| CaptureError::Crowded;
        let holder = self.in_hand.holder(&address);
        let first = FIRST_GRANT_BYTES;
        let mut grant = self.in_hand.acquire(holder, first, limits.patience).await.map_err(crowded).map_err(unread)?;
        let bytes = reading::read(body, limits, &mut grant).await.map_err(unread)?;
        let bearer = facts.token.clone();
        let Unpacked { records, answer, refused: refused_apart } = self.unpack(head, facts, bytes).await?;

        let events: u32 = records.iter().map(IntakeRecord::event_count).sum();
        let token = records.first().map(|record| record.token.clone()).or(bearer).unwrap_or_default();
        left_early.token.clone_from(&token);
        left_early.events = events;
        let refused = |error| Refusal { error, token: token.clone(), events };
        let size = records.iter().map(size_in_hand).sum();
        let in_hand = grant.hand_over(self.in_hand.holder(&token), size).map_err(crowded).map_err(refused)?;
        let holder = self.appends.holder(&token);
        let turn = self.appends.acquire(holder, 1, limits.patience).await.map_err(crowded).map_err(refused)?;
        // Whether it stays or leaves, the log now has the events.
        left_early.armed = false;
        for record in records {
            self.append(record, &in_hand, &turn).await.map_err(refused)?;
        }
        for error in refused_apart {
            self.deps.rejections.count(&token, error.rule(), 1, &error.to_string());
        }
        Ok((events, answer))
    }

    /// Holds its share for as long as the log needs.
    async fn append(&self, record: IntakeRecord, _in_hand: &Grant, _turn: &Grant) -> Result<(), CaptureError> {
        self.deps.intake.append(record).await.map_err(CaptureError::Unavailable)
    }

    async fn unpack(&self, head: &Head, facts: RequestFacts, bytes: Vec<u8>) -> Result<Unpacked, Refusal> {
        let packed = Packed {
            strict: head.strict,
            sdk: text(&head.headers, SDK_INFO).to_owned(),
            content_type: text(&head.headers, header::CONTENT_TYPE).to_owned(),
            content_encoding: text(&head.headers, header::CONTENT_ENCODING).to_owned(),
            compression: head.query.compression.clone(),
            data: head.query.data.clone(),
            limit_bytes: self.deps.limits.json_bytes,
        };
        if bytes.len() <= LARGE_BODY_BYTES {
            return packed.unpack(facts, bytes);
        }
        let unread = |error| payload::known_only_by_request(error, &facts);
        let holder = self.large.holder(&facts.ip);
        let patience = self.deps.limits.patience;
        let turn = self.large.acquire(holder, 1, patience).await.map_err(|_| unread(CaptureError::Crowded))?;
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            packed.unpack(facts, bytes)
        });
        // It fails only if it panicked, which the whole process reports.
        task.await.unwrap_or_else(|error| Err(Refusal::of_one(CaptureError::Decode(error.to_string()))))
    }
}

fn size_in_hand(record: &IntakeRecord) -> usize {
    match &record.body {
        weir_event::intake::IntakeBody::Events(events) => events.iter().map(|event| event.data.len() + 64).sum(),
        weir_event::intake::IntakeBody::EdgeRejections { .. } => 0,
    }
}

/// The moment of sending, told by a header there.
fn strict_sent_at(headers: &HeaderMap) -> Option<String> {
    Some(text(headers, REQUEST_TIMESTAMP)).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The first address that proxies name, else the peer's. One colon is before a port; more are IPv6.
fn client_ip(headers: &HeaderMap, peer: SocketAddr) -> String {
    let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let Some(first) = forwarded.and_then(|list| list.split(',').next()).map(str::trim).filter(|ip| !ip.is_empty())
    else {
        return peer.ip().to_string();
    };
    match first.split_once(':') {
        Some((ip, port)) if !port.contains(':') => ip.to_owned(),
        _ => first.to_owned(),
    }
}

fn site_url(headers: &HeaderMap) -> String {
    let proto = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scheme =
        if proto.split(',').next().is_some_and(|p| p.trim().eq_ignore_ascii_case("https")) { "https" } else { "http" };
    format!("{scheme}://{}", text(headers, header::HOST))
}

#[cfg(test)]
mod tests;
