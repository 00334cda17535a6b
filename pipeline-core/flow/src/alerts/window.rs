//! From what is measured at a moment to what each rule looks at.

use std::collections::{BTreeMap, VecDeque};

use weir_api::ledger::Ledger;
use weir_event::clock::UnixMillis;
use weir_event::outcome::OutcomeCounts;

use super::book::{Reading, Readings};
use super::rules::RULES;
use crate::checks::Failing;

/// "New" is within this time.
const WINDOW_MS: i64 = 60_000;
/// Moments of the window are at least this far apart.
const STEP_MS: i64 = 1_000;
/// A share of fewer events says nothing.
const FEWEST_EVENTS: u64 = 100;
/// Names that a detail lists.
const NAMED: usize = 3;

/// What was measured just now.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub now_ms: UnixMillis,
    /// Outcomes before what is new; `None` while the store counts anew what it had.
    pub counted_from: Option<OutcomeCounts>,
    pub ledger: Ledger,
    pub queryable_lag_ms: Option<f64>,
    pub sinks: Vec<SinkFacts>,
    pub oracle_mismatches: u64,
    pub checks: Failing,
    /// Why capture refuses, or a stage has stopped.
    pub problem: Option<String>,
    /// Plugins whose newest save does not load, by id.
    pub failed_plugins: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub struct SinkFacts {
    pub name: String,
    /// It is retrying or has stopped.
    pub is_stuck: bool,
    /// Events that it has given up, in all.
    pub failed: u64,
}

/// Totals of the last minute.
#[derive(Debug, Default)]
pub struct Window(VecDeque<Moment>);

#[derive(Debug)]
struct Moment {
    at_ms: UnixMillis,
    received: u64,
    dropped: u64,
    dead_lettered: u64,
    failed: BTreeMap<String, u64>,
}

impl Window {
    pub fn readings(&mut self, facts: &Facts) -> Readings {
        let now_ms = facts.now_ms;
        // The oldest is the newest that is a minute old, so that the window is never shorter than that.
        while self.0.get(1).is_some_and(|next| now_ms - next.at_ms >= WINDOW_MS) {
            self.0.pop_front();
        }
        if self.0.back().is_some_and(|newest| newest.at_ms > now_ms) {
            // By a clock that was set back nothing is older than now.
            self.0.clear();
            self.0.push_back(Moment::of(facts));
        }
        match facts.counted_from {
            None => self.0.clear(),
            Some(from) if self.0.is_empty() => self.0.push_back(Moment::before(from, facts)),
            Some(_) => {}
        }
        if self.0.back().is_some_and(|newest| now_ms - newest.at_ms >= STEP_MS) {
            self.0.push_back(Moment::of(facts));
        }
        let before = self.0.front();
        RULES.each_ref().map(|rule| match rule.name {
            "capture" => of_names(facts.problem.as_slice()),
            "unexplained" => number(facts.ledger.unexplained.unsigned_abs()),
            "oracle" => number(facts.oracle_mismatches),
            "checks" => Reading { severity: Some(facts.checks.severity), ..of_names(&facts.checks.ids) },
            "dead_letters" => number(new(facts.ledger.dead_lettered, before.map(|before| before.dead_lettered))),
            "drops" => drops(facts, before),
            // The newest canary says nothing about now when nothing is under way.
            "lag" if facts.ledger.in_flight > 0 => {
                Reading { value: facts.queryable_lag_ms.unwrap_or_default(), ..Reading::default() }
            }
            "backlog" => number(facts.ledger.in_flight),
            "sinks" => sinks(facts, before),
            "plugins" => of_names(&facts.failed_plugins),
            _ => Reading::default(),
        })
    }
}

impl Moment {
    /// The moment at which the store had caught up, as far as that is known.
    fn before(from: OutcomeCounts, facts: &Facts) -> Self {
        Self { received: from.total(), dropped: from.dropped, dead_lettered: from.dead_lettered, ..Self::of(facts) }
    }

    fn of(facts: &Facts) -> Self {
        Self {
            at_ms: facts.now_ms,
            received: facts.ledger.received + facts.ledger.emitted,
            dropped: facts.ledger.dropped,
            dead_lettered: facts.ledger.dead_lettered,
            failed: facts.sinks.iter().map(|sink| (sink.name.clone(), sink.failed)).collect(),
        }
    }
}

/// A redrive takes dead letters away, which is no news.
fn new(now: u64, before: Option<u64>) -> u64 {
    now.saturating_sub(before.unwrap_or(now))
}

fn number(value: u64) -> Reading {
    Reading { value: value as f64, ..Reading::default() }
}

fn of_names(names: &[String]) -> Reading {
    let more = names.len().saturating_sub(NAMED);
    let first = names[..names.len() - more].join(", ");
    let detail = if more > 0 { format!("{first} and {more} more") } else { first };
    Reading { value: names.len() as f64, detail, severity: None }
}

fn drops(facts: &Facts, before: Option<&Moment>) -> Reading {
    let received = new(facts.ledger.received + facts.ledger.emitted, before.map(|before| before.received));
    let dropped = new(facts.ledger.dropped, before.map(|before| before.dropped));
    if received < FEWEST_EVENTS {
        return Reading::default();
    }
    let value = (dropped as f64 * 100.0 / received as f64).min(100.0);
    Reading { value, detail: format!("{dropped} of {received} events"), severity: None }
}

fn sinks(facts: &Facts, before: Option<&Moment>) -> Reading {
    let gave_up = |sink: &SinkFacts| {
        let known = before.and_then(|before| before.failed.get(&sink.name)).copied();
        new(sink.failed, known) > 0
    };
    let failing: Vec<String> =
        facts.sinks.iter().filter(|sink| sink.is_stuck || gave_up(sink)).map(|sink| sink.name.clone()).collect();
    of_names(&failing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(readings: &Readings, name: &str) -> Reading {
        let at = RULES.iter().position(|rule| rule.name == name).expect("a rule");
        readings[at].clone()
    }

    fn at(second: i64, ledger: Ledger) -> Facts {
        let counted_from = Some(OutcomeCounts { dead_lettered: 500, ..OutcomeCounts::default() });
        Facts { now_ms: second * 1_000, counted_from, ledger, ..Facts::default() }
    }

    #[test]
    fn dead_letters_are_new_for_a_minute() {
        let mut window = Window::default();
        let mut seen = |second: i64, dead_lettered: u64| {
            let readings = window.readings(&at(second, Ledger { dead_lettered, ..Ledger::default() }));
            reading(&readings, "dead_letters").value
        };
        assert_eq!(seen(0, 501) as u64, 1, "what was there before the start is not new");
        assert_eq!(seen(10, 503) as u64, 3);
        assert_eq!(seen(60, 503) as u64, 3);
        assert_eq!(seen(71, 503) as u64, 0);
        assert_eq!(seen(72, 400) as u64, 0, "a redrive is no news");
    }

    #[test]
    fn what_a_store_counts_again_is_not_new() {
        let mut window = Window::default();
        let mut seen = |second: i64, counted_from: Option<u64>, dead_lettered: u64| {
            let counted_from =
                counted_from.map(|dead_lettered| OutcomeCounts { dead_lettered, ..OutcomeCounts::default() });
            let facts = Facts { counted_from, ..at(second, Ledger { dead_lettered, ..Ledger::default() }) };
            reading(&window.readings(&facts), "dead_letters").value as u64
        };
        assert_eq!((seen(0, None, 0), seen(1, None, 40)), (0, 0), "being opened");
        assert_eq!((seen(2, Some(40), 42), seen(3, Some(40), 42)), (2, 2), "and two came before anybody looked");
        assert_eq!((seen(4, None, 0), seen(5, None, 30)), (0, 0), "being rebuilt");
        assert_eq!(seen(6, Some(42), 42), 0);
    }

    #[test]
    fn a_share_of_drops_needs_enough_events() {
        let mut window = Window::default();
        let mut seen = |second: i64, received: u64, dropped: u64| {
            let counted_from = Some(OutcomeCounts { stored: 1_000, ..OutcomeCounts::default() });
            let facts = Facts { counted_from, ..at(second, Ledger { received, dropped, ..Ledger::default() }) };
            reading(&window.readings(&facts), "drops")
        };
        seen(0, 1_000, 0);
        assert_eq!(seen(1, 1_050, 50).value as u64, 0);
        let found = seen(2, 1_200, 150);
        assert_eq!((found.value, found.detail.as_str()), (75.0, "150 of 200 events"));
    }

    #[test]
    fn lag_is_of_what_is_under_way() {
        let mut window = Window::default();
        let mut facts = Facts { queryable_lag_ms: Some(9_000.0), ..Facts::default() };
        assert_eq!(reading(&window.readings(&facts), "lag").value as u64, 0);
        facts.ledger.in_flight = 1;
        assert_eq!(reading(&window.readings(&facts), "lag").value as u64, 9_000);
    }

    #[test]
    fn a_sink_fails_while_it_is_stuck_and_for_a_minute_after_it_gave_up() {
        let mut window = Window::default();
        let sink = |name: &str, is_stuck, failed| SinkFacts { name: name.into(), is_stuck, failed };
        let mut seen = |second: i64, sinks: Vec<SinkFacts>| {
            let readings = window.readings(&Facts { sinks, ..at(second, Ledger::default()) });
            reading(&readings, "sinks").detail
        };
        assert_eq!(seen(0, vec![sink("a", false, 7), sink("b", true, 0)]), "b");
        assert_eq!(seen(5, vec![sink("a", false, 8), sink("b", false, 0)]), "a");
        assert_eq!(seen(66, vec![sink("a", false, 8), sink("b", false, 0)]), "");
    }

    #[test]
    fn every_rule_has_a_reading() {
        let mut facts = at(0, Ledger::default());
        let mut window = Window::default();
        window.readings(&facts);
        facts.now_ms = 1_000;
        facts.ledger = Ledger {
            received: 1_000,
            dropped: 1_000,
            dead_lettered: 501,
            in_flight: 1,
            unexplained: -1,
            ..Ledger::default()
        };
        facts.queryable_lag_ms = Some(1.0);
        facts.sinks = vec![SinkFacts { is_stuck: true, ..SinkFacts::default() }];
        facts.oracle_mismatches = 1;
        facts.checks.ids = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        facts.problem = Some("the disk is full".into());
        facts.failed_plugins = vec!["p".into()];
        let readings = window.readings(&facts);
        for (rule, reading) in RULES.iter().zip(&readings) {
            assert!(reading.value > 0.0, "{}", rule.name);
        }
        assert_eq!(reading(&readings, "checks").detail, "a, b, c and 1 more");
        assert_eq!(reading(&readings, "capture").detail, "the disk is full");
    }
}
