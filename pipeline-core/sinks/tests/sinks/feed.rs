use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use weir_api::sink::SinkState;
use weir_event::ManualClock;
use weir_sinks::{Batch, Batching, Delivery, Rejected, Sink, Stop};

use crate::support::{Cursors, Rows, Running, start, wait_for};

/// Answers as told, and delivers once nothing is told any more.
#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<Delivery>>>,
    seen: Arc<Mutex<Vec<Batch>>>,
    batching: Batching,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Delivery>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            seen: Arc::default(),
            batching: Batching::prompt(10, 1 << 20),
        }
    }

    fn seen(&self) -> Vec<Batch> {
        self.seen.lock().unwrap().clone()
    }

    fn offsets(&self) -> Vec<u64> {
        self.seen().iter().flat_map(|batch| batch.events.iter().map(|event| event.offset)).collect()
    }
}

impl Sink for Script {
    fn batching(&self) -> Batching {
        self.batching
    }

    fn deliver(&mut self, batch: &Batch, _: &Stop) -> Delivery {
        self.seen.lock().unwrap().push(batch.clone());
        self.answers.lock().unwrap().pop_front().unwrap_or(Delivery::delivered())
    }
}

fn delivered(running: &Running, count: u64) {
    wait_for("the deliveries", || (running.progress.view().delivered == count).then_some(()));
}

#[test]
fn everything_is_delivered_once_in_order_and_goes_on_after_a_stop() {
    let (rows, cursors, clock) = (Rows::default(), Cursors::default(), Arc::new(ManualClock::at(0)));
    let script = Script::new([]);
    rows.commit(0..95);
    let running = start(Box::new(script.clone()), &rows, &cursors, &clock, None);
    delivered(&running, 95);
    rows.commit([95, 97, 97, 97, 99]);
    delivered(&running, 100);
    running.stop();
    rows.commit(100..120);
    let running = start(Box::new(script.clone()), &rows, &cursors, &clock, None);
    delivered(&running, 120);
    running.stop();
    let expected: Vec<u64> = (0..96).chain([97, 97, 97, 99]).chain(100..120).collect();
    assert_eq!(script.offsets(), expected);
    assert_eq!(cursors.newest().offset, 120);
}

#[test]
fn the_end_of_a_batch_is_durable_before_it_is_delivered() {
    let (rows, cursors, clock) = (Rows::default(), Cursors::default(), Arc::new(ManualClock::at(0)));
    rows.commit(0..7);
    // The destination takes the batch, and the process dies before the cursor is written.
    let script = Script::new([Delivery::retry("lost")]);
    let running = start(Box::new(script.clone()), &rows, &cursors, &clock, None);
    wait_for("the first delivery", || (running.progress.view().state == SinkState::Retrying).then_some(()));
    running.stop();
    assert_eq!((cursors.newest().offset, cursors.newest().until), (0, 7));
    // More is stored meanwhile; the repetition is the same batch all the same.
    rows.commit(7..30);
    let running = start(Box::new(script.clone()), &rows, &cursors, &clock, None);
    delivered(&running, 30);
    running.stop();
    let seen = script.seen();
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[2].first_offset, 7);
    assert!(seen[1..].windows(2).all(|pair| pair[0].key != pair[1].key));
}

#[test]
fn retries_wait_for_the_clock_and_for_what_the_destination_asked() {
    let (rows, cursors, clock) = (Rows::default(), Cursors::default(), Arc::new(ManualClock::at(1_000)));
    rows.commit(0..3);
    let after = Some(Duration::from_secs(90));
    let script = Script::new([Delivery::Retry { after, reason: "busy".into() }, Delivery::retry("busy still")]);
    let running = start(Box::new(script.clone()), &rows, &cursors, &clock, None);
    let retrying =
        |attempts| wait_for("the retry", || Some(running.progress.view()).filter(|view| view.attempts == attempts));
    let view = retrying(1);
    assert_eq!((view.state, view.retry_at_ms, view.retried), (SinkState::Retrying, Some(91_000), 1));
    clock.advance(89_999);
    assert_eq!(retrying(1).last_error.as_deref(), Some("busy"));
    clock.advance(1);
    let due = retrying(2).retry_at_ms.unwrap();
    assert!((91_000 + 250..=91_000 + 500).contains(&due), "{due}");
    assert_eq!(script.seen().len(), 2);
    clock.advance(500);
    delivered(&running, 3);
    assert_eq!(running.progress.view().retried, 2);
    running.stop();
    assert_eq!(cursors.newest().retried, 2);
}

#[test]
fn what_is_given_up_is_named_and_the_cursor_moves_on() {
    let (rows, cursors, clock) = (Rows::default(), Cursors::default(), Arc::new(ManualClock::at(5)));
    rows.commit(0..5);
    let one = Rejected { first_offset: 6, until_offset: 7, events: 1, attempts: 3, reason: "poison".into() };
    let script = Script::new([
        Delivery::Failed { reason: "never".into() },
        Delivery::Delivered { rejected: vec![one] },
        Delivery::Retry { after: Some(Duration::ZERO), reason: "a".into() },
        Delivery::Retry { after: Some(Duration::ZERO), reason: "b".into() },
    ]);
    let running = start(Box::new(script.clone()), &rows, &cursors, &clock, Some(2));
    wait_for("the failure", || (running.progress.view().failed == 5).then_some(()));
    rows.commit(5..10);
    delivered(&running, 4);
    rows.commit(10..12);
    wait_for("the last failure", || (running.progress.view().failed == 8).then_some(()));
    running.stop();
    let failures: Vec<_> = cursors.0.lock().unwrap().iter().flat_map(|cursor| cursor.failures.clone()).collect();
    let named: Vec<_> =
        failures.iter().map(|f| (f.first_offset, f.until_offset, f.events, f.attempts, f.reason.as_str())).collect();
    assert_eq!(named, [(0, 5, 5, 1, "never"), (6, 7, 1, 3, "poison"), (10, 12, 2, 2, "given up after 2 attempts: b")]);
    assert_eq!(cursors.newest().offset, 12);
}

#[test]
fn events_linger_until_the_batch_is_full_or_old_and_are_flushed_at_a_stop() {
    let (rows, cursors, clock) = (Rows::default(), Cursors::default(), Arc::new(ManualClock::at(0)));
    let batching = Batching { max_events: 10, max_bytes: 1 << 20, linger: Duration::from_secs(10) };
    let script = Script { batching, ..Script::new([]) };
    rows.commit(0..4);
    let running = start(Box::new(script.clone()), &rows, &cursors, &clock, None);
    rows.commit(4..11);
    delivered(&running, 10);
    assert_eq!(script.seen().len(), 1, "a full batch does not wait");
    // The eleventh was gathered at 0; ten seconds later it is old.
    clock.advance(10_000);
    delivered(&running, 11);
    rows.commit(11..13);
    running.stop();
    assert_eq!(script.offsets(), (0..13).collect::<Vec<_>>());
    assert_eq!(cursors.newest().delivered, 13);
}
