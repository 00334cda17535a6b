use std::sync::Mutex;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::Semaphore;
use weir_event::ManualClock;

use super::*;
use crate::intake::{Intake, IntakeFuture, IntakeRefusal};
use crate::router::Limits;

const HURRIED: Duration = Duration::from_millis(20);

/// A log that takes one record for every permit, and keeps their tokens.
#[derive(Debug)]
struct SlowLog {
    permits: Semaphore,
    tokens: Mutex<Vec<String>>,
}

impl Intake for SlowLog {
    fn append(&self, record: IntakeRecord) -> IntakeFuture<'_> {
        Box::pin(async move {
            self.permits.acquire().await.expect("never closed").forget();
            self.tokens.lock().expect("no panic").push(record.token);
            Ok(())
        })
    }

    fn check(&self) -> Result<(), IntakeRefusal> {
        Ok(())
    }
}

fn capture(permits: usize, limits: Limits) -> (Arc<Capture>, Arc<SlowLog>) {
    let log = Arc::new(SlowLog { permits: Semaphore::new(permits), tokens: Mutex::default() });
    let deps = CaptureDeps {
        intake: Arc::clone(&log) as _,
        rejections: Arc::default(),
        clock: Arc::new(ManualClock::at(0)),
        limits,
    };
    (Arc::new(Capture::new(deps)), log)
}

fn head() -> Head {
    Head {
        peer: "10.0.0.9:4321".parse().expect("an address"),
        path: "/batch/".into(),
        method: Method::POST,
        headers: HeaderMap::new(),
        query: CaptureQuery::default(),
        strict: false,
    }
}

fn event(token: &str) -> Body {
    Body::from(format!(r#"{{"api_key":"{token}","event":"e","distinct_id":"d"}}"#))
}

/// Tokens with the counts of their refusals.
fn refusals(capture: &Capture) -> Vec<(String, u32)> {
    capture.deps.rejections.take(0).into_iter().map(|record| (record.token.clone(), record.event_count())).collect()
}

#[tokio::test]
async fn a_noisy_project_does_not_hold_up_another() {
    let limits = Limits { waiting_appends: 4, patience: Duration::from_hours(1), ..Limits::default() };
    let (capture, log) = capture(0, limits);
    let send = |token: &'static str| {
        let capture = Arc::clone(&capture);
        tokio::spawn(async move { capture.accept(head(), event(token)).await })
    };
    let mut requests: Vec<_> = (0..200).map(|_| send("noisy")).collect();
    while capture.appends.waiting() < 196 {
        tokio::task::yield_now().await;
    }
    requests.push(send("quiet"));
    while capture.appends.waiting() < 197 {
        tokio::task::yield_now().await;
    }
    log.permits.add_permits(201);
    for request in requests {
        assert_eq!(request.await.expect("no panic"), Ok(None));
    }
    let tokens = log.tokens.lock().expect("no panic").clone();
    let place = tokens.iter().position(|token| token == "quiet").expect("it is there");
    assert!(place <= 8, "the quiet project came {place}th behind 200 requests");
}

#[tokio::test]
async fn a_project_that_waits_too_long_is_told_to_come_again() {
    let limits = Limits { waiting_appends: 1, patience: HURRIED, ..Limits::default() };
    let (capture, _log) = capture(0, limits);
    let first = {
        let capture = Arc::clone(&capture);
        tokio::spawn(async move { capture.accept(head(), event("t")).await })
    };
    while capture.appends.free() > 0 {
        tokio::task::yield_now().await;
    }
    let second = capture.accept(head(), event("t")).await;
    assert_eq!(second, Err(CaptureError::Crowded));
    assert_eq!(refusals(&capture), [("t".to_owned(), 1)]);
    first.abort();
}

/// A body that begins and never ends.
fn endless() -> Body {
    let first = Ok::<_, std::io::Error>(bytes::Bytes::from_static(b"{"));
    Body::from_stream(futures_util::stream::iter([first]).chain(futures_util::stream::pending()))
}

#[tokio::test]
async fn a_body_that_does_not_end_is_cut_off() {
    let limits = Limits { body_grace: HURRIED, ..Limits::default() };
    let (capture, _log) = capture(1, limits);
    assert_eq!(capture.accept(head(), endless()).await, Err(CaptureError::SlowBody));
    assert_eq!(refusals(&capture), [(String::new(), 1)]);
}

#[tokio::test]
async fn who_leaves_while_sending_is_counted_and_who_leaves_afterwards_is_not() {
    let (capture, log) = capture(0, Limits::default());
    let request = capture.accept(head(), endless());
    assert!(tokio::time::timeout(HURRIED, request).await.is_err(), "the client hangs up");
    assert_eq!(refusals(&capture), [(String::new(), 1)]);
    let request = capture.accept(head(), event("t"));
    assert!(tokio::time::timeout(HURRIED, request).await.is_err(), "the client hangs up");
    assert_eq!(refusals(&capture), [], "the log has the event");
    log.permits.add_permits(1);
    assert_eq!(capture.accept(head(), event("t")).await, Ok(None), "what was in hand is free again");
}

#[tokio::test]
async fn memory_is_bounded_by_what_is_in_hand() {
    let limits = Limits { in_hand_bytes: 64 << 10, patience: HURRIED, ..Limits::default() };
    let (capture, _log) = capture(1, limits);
    let padding = "x".repeat(100 << 10);
    let body = format!(r#"{{"api_key":"t","event":"e","distinct_id":"d","properties":{{"a":"{padding}"}}}}"#);
    assert_eq!(capture.accept(head(), Body::from(body)).await, Err(CaptureError::Crowded));
    assert_eq!(capture.accept(head(), event("t")).await, Ok(None));
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().expect("a value"))).collect()
}

#[test]
fn the_address_is_the_first_that_proxies_name() {
    let peer = "10.0.0.9:4321".parse().expect("an address");
    for (forwarded, ip) in [
        ("1.2.3.4", "1.2.3.4"),
        (" 1.2.3.4:567 , 10.0.0.1", "1.2.3.4"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:80", "[2001:db8::1]:80"),
        ("", "10.0.0.9"),
        (" , 1.2.3.4", "10.0.0.9"),
    ] {
        assert_eq!(client_ip(&headers(&[("x-forwarded-for", forwarded)]), peer), ip, "{forwarded}");
    }
    assert_eq!(client_ip(&HeaderMap::new(), peer), "10.0.0.9");
}

#[test]
fn the_site_is_what_the_client_addressed() {
    assert_eq!(site_url(&headers(&[("host", "a.example:8000")])), "http://a.example:8000");
    assert_eq!(site_url(&headers(&[("host", "a"), ("x-forwarded-proto", "HTTPS")])), "https://a");
    assert_eq!(site_url(&headers(&[("host", "a"), ("x-forwarded-proto", "http")])), "http://a");
}
