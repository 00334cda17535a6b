//! Against a port that answers when and how the test wants it to.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use pipeline_core::generator::{BUILT_IN, Stream};
use tokio::net::TcpListener;

use super::*;

/// How long the first request is held up.
const STALL: Duration = Duration::from_millis(400);

#[derive(Default)]
struct Port {
    taken: AtomicU64,
    stalls: bool,
    answers: Option<StatusCode>,
}

async fn take(State(port): State<Arc<Port>>) -> (StatusCode, &'static str) {
    if port.taken.fetch_add(1, Ordering::Relaxed) == 0 && port.stalls {
        tokio::time::sleep(STALL).await;
    }
    (port.answers.unwrap_or(StatusCode::OK), "said so")
}

async fn serve(port: Port) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(take).with_state(Arc::new(port));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// The numbers after so many events of a scenario without malformed requests.
async fn sent(url: String, events: u64, events_per_second: Option<f64>) -> Numbers {
    let stream = Stream::new(Arc::new(BUILT_IN[0].scenario()), 1);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let plan = Plan { url, client, connections: 1, as_of_now: None, catches_up: true, on_ack: None };
    let numbers: Arc<Mutex<Numbers>> = Arc::default();
    let (_keep, pace) = watch::channel(Pace { is_running: true, events_per_second });
    send(stream.events(events), plan, pace, Arc::clone(&numbers)).await.expect("sent");
    Arc::into_inner(numbers).expect("nobody sends any more").into_inner().expect("nobody panicked")
}

#[tokio::test]
async fn what_a_stall_held_up_counts_from_when_it_was_due() {
    let url = serve(Port { stalls: true, ..Port::default() }).await;
    let numbers = sent(url, 300, Some(2_000.0)).await;
    assert_eq!((numbers.events, numbers.failed, numbers.unexpected), (300, 0, 0));
    // All were due while the first had the only connection: not one slow request, but all of them.
    assert!(numbers.late > numbers.tally.requests / 2, "{} of {}", numbers.late, numbers.tally.requests);
    let [p50, _, max] = numbers.latency_ms();
    assert!(p50 > 150.0 && max >= STALL.as_millis() as f64, "{p50} {max}");
}

#[tokio::test]
async fn answers_are_compared_with_what_is_true() {
    let url = serve(Port::default()).await;
    let numbers = sent(url, 200, None).await;
    assert_eq!((numbers.events, numbers.failed, numbers.unexpected, numbers.late), (200, 0, 0, 0));
    assert_eq!(numbers.tally.received, 200);
    let url = serve(Port { answers: Some(StatusCode::IM_A_TEAPOT), ..Port::default() }).await;
    let numbers = sent(url, 200, None).await;
    assert_eq!(numbers.unexpected, numbers.tally.requests);
    assert_eq!(numbers.surprise.as_deref(), Some("answered 418 (said so) where 200 is right"));
    let url = serve(Port { answers: Some(StatusCode::SERVICE_UNAVAILABLE), ..Port::default() }).await;
    let numbers = sent(url, 20, None).await;
    assert_eq!((numbers.failed, numbers.unexpected), (numbers.tally.requests, 0));
    let numbers = sent("http://127.0.0.1:9".to_owned(), 20, None).await;
    assert_eq!(numbers.failed, numbers.tally.requests);
    assert!(numbers.failure.is_some());
}

#[tokio::test]
async fn a_pause_pauses_and_an_end_ends() {
    let url = serve(Port::default()).await;
    let stream = Stream::new(Arc::new(BUILT_IN[0].scenario()), 1);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let plan = Plan { url, client, connections: 4, as_of_now: None, catches_up: false, on_ack: None };
    let numbers: Arc<Mutex<Numbers>> = Arc::default();
    let (change, pace) = watch::channel(Pace { is_running: false, events_per_second: Some(5_000.0) });
    let sending = tokio::spawn(send(stream, plan, pace, Arc::clone(&numbers)));
    let events = || numbers.lock().expect("nobody panicked").events;
    change.send_modify(|pace| pace.is_running = true);
    while events() < 200 {
        tokio::task::yield_now().await;
    }
    change.send_modify(|pace| pace.is_running = false);
    drop(change);
    sending.await.expect("it ends").expect("sent");
    assert!(events() >= 200);
}
