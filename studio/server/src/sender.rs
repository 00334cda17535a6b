//! Sends the requests of a stream to a capture port, and compares every answer with what is true.
//!
//! # What it guarantees
//!
//! With a rate it is open-loop: when a request is due follows from the stream and the rate alone, never from the
//! answers. A request that is due while all connections wait is sent as soon as one is free, and its latency counts
//! from when it was due, so that a stall shows in every request that it held up. Without a rate each connection sends
//! as soon as it has its answer.
//!
//! Requests are begun in the order of the stream; with one connection they also arrive in it. Bodies are made on a
//! thread of their own, a bounded number ahead.
//!
//! # What it does not do
//!
//! It repeats nothing: what a real client would send again is counted as failed.

mod numbers;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pipeline_core::event::Clock;
use pipeline_core::event::queue::QueueNumbers;
use pipeline_core::generator::{Request, Telling};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use numbers::Numbers;

/// Requests that are made before they are due.
const AHEAD: usize = 64;
/// A stream that need not catch up begins anew when it is behind by more.
const BEHIND: Duration = Duration::from_secs(1);

/// What may change while it sends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    pub is_running: bool,
    /// `None` is as fast as the answers come.
    pub events_per_second: Option<f64>,
}

#[derive(Clone)]
pub struct Plan {
    /// Of the capture port, without a path.
    pub url: String,
    pub client: reqwest::Client,
    pub connections: usize,
    /// Tells the story as of now by this clock; else its times stay as they are.
    pub as_of_now: Option<Arc<dyn Clock>>,
    /// Whether what is due while nothing can be sent is sent all at once later.
    pub catches_up: bool,
    /// Is told of each request that was accepted.
    pub on_ack: Option<OnAck>,
}

pub type OnAck = Arc<dyn Fn(&Request, &Telling) + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

impl SendError {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Thread(_) => "generator_thread",
        }
    }

    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Thread(_) => "the machine is out of threads or memory",
        }
    }
}

/// Ends when the stream has ended and every request has its answer.
pub async fn send(
    requests: impl Iterator<Item = Request> + Send + 'static,
    plan: Plan,
    mut pace: watch::Receiver<Pace>,
    numbers: Arc<Mutex<Numbers>>,
) -> Result<(), SendError> {
    let (made, mut ready) = mpsc::channel(AHEAD);
    let queue = QueueNumbers::new("generator", AHEAD);
    thread::Builder::new()
        .name("generator".into())
        // It ends with the stream, or when nobody takes what it makes.
        .spawn(move || { requests }.all(|request| made.blocking_send((queue.enter(), request)).is_ok()))
        .map_err(SendError::Thread)?;
    let connections = Arc::new(Semaphore::new(plan.connections));
    let plan = Arc::new(plan);
    let mut under_way = JoinSet::new();
    let mut timetable = Timetable::default();
    while let Some((place, request)) = ready.recv().await {
        let due = match timetable.turn(request.truth.due, &mut pace, plan.catches_up).await {
            Turn::Due(due) => Some(due),
            Turn::AtOnce => None,
            Turn::Never => break,
        };
        // The semaphore is never closed.
        let Ok(connection) = Arc::clone(&connections).acquire_owned().await else { break };
        drop(place);
        let (plan, numbers, rate) = (Arc::clone(&plan), Arc::clone(&numbers), timetable.rate);
        under_way.spawn(async move {
            post(&plan, &request, due, rate, &numbers).await;
            drop(connection);
        });
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
    Ok(())
}

/// When it is a request's turn.
enum Turn {
    /// It was due at this moment, which has come.
    Due(Instant),
    /// There is no rate.
    AtOnce,
    /// Nobody is left who could want it.
    Never,
}

/// When requests are due, in real time.
#[derive(Debug, Default)]
struct Timetable {
    /// A moment, and what was due then.
    base: Option<(Instant, u64)>,
    rate: Option<f64>,
}

impl Timetable {
    /// Waits for the turn of what is due, in millionths of an event.
    async fn turn(&mut self, due: u64, pace: &mut watch::Receiver<Pace>, catches_up: bool) -> Turn {
        loop {
            let now = *pace.borrow_and_update();
            if !now.is_running {
                self.base = None;
                if pace.changed().await.is_err() {
                    return Turn::Never;
                }
                continue;
            }
            let Some(rate) = now.events_per_second else { return Turn::AtOnce };
            if self.rate != Some(rate) {
                (self.rate, self.base) = (Some(rate), None);
            }
            let (base, base_due) = *self.base.get_or_insert_with(|| (Instant::now(), due));
            let at = base + Duration::from_secs_f64(due.saturating_sub(base_due) as f64 / 1e6 / rate);
            if !catches_up && at.elapsed() > BEHIND {
                // This one was late, and is counted so; the next are not due before their time from here.
                self.base = Some((Instant::now(), due));
                return Turn::Due(at);
            }
            tokio::select! {
                () = tokio::time::sleep_until(at) => return Turn::Due(at),
                changed = pace.changed() => if changed.is_err() { return Turn::Never },
            }
        }
    }
}

async fn post(plan: &Plan, request: &Request, due: Option<Instant>, rate: Option<f64>, numbers: &Mutex<Numbers>) {
    let begun = Instant::now();
    let telling = plan.as_of_now.as_ref().map_or(Telling::AsItWas, |clock| Telling::Now {
        sent_ms: clock.now_ms(),
        // At once, everything happens now.
        events_per_second: rate.unwrap_or(f64::INFINITY),
    });
    let mut post = plan.client.post(format!("{}{}", plan.url, request.path));
    for (name, value) in request.headers() {
        post = post.header(name, value);
    }
    let answer = match post.body(request.body(&telling)).send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            let said = if status == request.truth.status { Ok(String::new()) } else { response.text().await };
            Ok((status, said.unwrap_or_default()))
        }
        Err(error) => Err(error.to_string()),
    };
    if let (Some(on_ack), Ok((200, _))) = (&plan.on_ack, &answer) {
        on_ack(request, &telling);
    }
    let late = due.map(|due| begun.saturating_duration_since(due));
    let latency = due.unwrap_or(begun).elapsed();
    numbers.lock().unwrap_or_else(PoisonError::into_inner).add(&request.truth, &answer, latency, late);
}

#[cfg(test)]
mod tests;
