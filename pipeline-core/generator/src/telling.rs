//! When a story is told: at its own times, or as if it happened now.

use weir_event::clock::UnixMillis;

use crate::knobs::Mess;
use crate::truth::{EventTruth, RequestTruth};

/// Millionths of an event, in which requests are due.
const EVENT: f64 = 1e6;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Telling {
    /// At the story's own times.
    AsItWas,
    /// A request is sent at this moment, and so many events come in a second. The time between events is stretched or
    /// squeezed to that, so that whoever was first is first; how late an event is, and how wrong a clock, is not.
    Now { sent_ms: UnixMillis, events_per_second: f64 },
}

impl Telling {
    /// When an event of a request truly happened.
    pub fn true_ms(&self, request: &RequestTruth, event: &EventTruth) -> UnixMillis {
        match *self {
            Self::AsItWas => event.true_ms,
            Self::Now { sent_ms, .. } if event.mess.has(Mess::Late) => sent_ms - (request.true_sent_ms - event.true_ms),
            Self::Now { sent_ms, events_per_second } => {
                let events = (request.due as f64 / EVENT - event.intended as f64).max(0.0);
                sent_ms - (events * 1_000.0 / events_per_second) as i64
            }
        }
    }

    /// When its client says that it happened.
    pub(crate) fn timestamp_ms(&self, request: &RequestTruth, event: &EventTruth) -> UnixMillis {
        self.true_ms(request, event) + (event.timestamp_ms - event.true_ms)
    }

    /// When its client says that the request is sent.
    pub(crate) fn sent_at_ms(&self, request: &RequestTruth) -> UnixMillis {
        match *self {
            Self::AsItWas => request.sent_at_ms,
            Self::Now { sent_ms, .. } => sent_ms + (request.sent_at_ms - request.true_sent_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use super::*;
    use crate::{Overrides, Rate, Stream, built_in};

    /// Sent at 200 events a second from one moment on.
    fn now(request: &RequestTruth) -> Telling {
        Telling::Now { sent_ms: 1_800_000_000_000 + (request.due / 200_000) as i64, events_per_second: 200.0 }
    }

    #[test]
    fn told_now_everybodys_events_are_in_order_and_none_is_of_the_future() {
        let mut scenario = built_in("web-shop").expect("built in").scenario();
        scenario.mess = Default::default();
        let mut newest: HashMap<Arc<str>, i64> = HashMap::new();
        let mut seen = 0;
        for request in Stream::new(Arc::new(scenario), 3).events(5_000) {
            let telling = now(&request.truth);
            for event in &request.truth.events {
                let at_ms = telling.true_ms(&request.truth, event);
                assert!(at_ms <= telling.sent_at_ms(&request.truth));
                let before = newest.insert(Arc::clone(&event.distinct_id), at_ms);
                assert!(before.is_none_or(|before| before <= at_ms), "{event:?} after {before:?}");
                seen += 1;
            }
        }
        assert_eq!(seen, 5_000);
    }

    #[test]
    fn told_now_what_is_late_is_as_late_and_a_clock_as_wrong() {
        let scenario = built_in("mobile-app").expect("built in").scenario();
        let half = Rate::new(0.5).expect("a share");
        let mess = vec![(Mess::Late, half), (Mess::ClockSkew, half)];
        let scenario = scenario.with(&Overrides { mess, ..Overrides::default() });
        let (mut late, mut skewed) = (0, 0);
        for request in Stream::new(Arc::new(scenario), 1).events(3_000) {
            let truth = &request.truth;
            let telling = now(truth);
            let Telling::Now { sent_ms, .. } = telling else { unreachable!() };
            assert_eq!(telling.sent_at_ms(truth) - sent_ms, truth.sent_at_ms - truth.true_sent_ms);
            for event in &truth.events {
                let off = telling.timestamp_ms(truth, event) - telling.true_ms(truth, event);
                assert_eq!(off, event.timestamp_ms - event.true_ms);
                skewed += u64::from(off != 0);
                if event.mess.has(Mess::Late) {
                    assert_eq!(sent_ms - telling.true_ms(truth, event), truth.true_sent_ms - event.true_ms);
                    late += 1;
                }
            }
        }
        assert!(late > 300 && skewed > 300, "{late} {skewed}");
    }

    #[test]
    fn told_as_it_was_nothing_moves() {
        let scenario = Arc::new(built_in("worst-day").expect("built in").scenario());
        for request in Stream::new(scenario, 1).events(500) {
            assert_eq!(Telling::AsItWas.sent_at_ms(&request.truth), request.truth.sent_at_ms);
            for event in &request.truth.events {
                assert_eq!(Telling::AsItWas.timestamp_ms(&request.truth, event), event.timestamp_ms);
            }
        }
    }
}
