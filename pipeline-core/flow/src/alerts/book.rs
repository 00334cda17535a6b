//! Which rules fire, since when, and what fired before.

use std::collections::VecDeque;

use weir_api::alert::{Alert, AlertChange, AlertRule, AlertStep};
use weir_api::check::Severity;
use weir_event::clock::UnixMillis;

use super::rules::{RULES, Rule, Settings};

/// Changes that are kept.
const KEPT: usize = 100;

/// What a rule is measured by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    pub value: f64,
    /// What it is about just now.
    pub detail: String,
    /// Where that differs from the rule's.
    pub severity: Option<Severity>,
}

/// One reading for each rule.
pub type Readings = [Reading; RULES.len()];

#[derive(Debug, Default)]
pub struct Book {
    states: [State; RULES.len()],
    history: VecDeque<AlertChange>,
    sequence: u64,
}

#[derive(Debug, Default)]
struct State {
    value: f64,
    /// When it crossed over to the side that it is not on yet.
    crossed_ms: Option<UnixMillis>,
    firing: Option<Alert>,
}

impl Book {
    /// What changes by these readings.
    pub fn observe(&mut self, now_ms: UnixMillis, readings: &Readings, settings: &Settings) -> Vec<AlertChange> {
        let mut changes = Vec::new();
        for ((rule, state), reading) in RULES.iter().zip(&mut self.states).zip(readings) {
            if let Some((step, alert)) = state.observe(now_ms, rule, reading, settings) {
                self.sequence += 1;
                changes.push(AlertChange { sequence: self.sequence, at_ms: now_ms, step, alert });
            }
            let labels = [("alert", rule.name)];
            metrics::gauge!("weir_alert_firing", &labels).set(f64::from(u8::from(state.firing.is_some())));
            metrics::gauge!("weir_alert_value", &labels).set(reading.value);
        }
        for change in &changes {
            let labels = [("alert", change.alert.name.clone()), ("step", change.step.as_str().to_owned())];
            metrics::counter!("weir_alert_changes_total", &labels).increment(1);
        }
        self.history.extend(changes.iter().cloned());
        let over = self.history.len().saturating_sub(KEPT);
        self.history.drain(..over);
        changes
    }

    pub fn active(&self) -> Vec<Alert> {
        let mut active: Vec<Alert> = self.states.iter().filter_map(|state| state.firing.clone()).collect();
        active.sort_by_key(|alert| std::cmp::Reverse(alert.since_ms));
        active
    }

    pub fn history(&self) -> Vec<AlertChange> {
        self.changes_after(0)
    }

    pub fn changes_after(&self, sequence: u64) -> Vec<AlertChange> {
        self.history.iter().filter(|change| change.sequence > sequence).cloned().collect()
    }

    pub fn rules(&self, settings: &Settings) -> Vec<AlertRule> {
        let view = |(rule, state): (&Rule, &State)| {
            let threshold = settings.threshold(rule);
            AlertRule {
                name: rule.name.into(),
                title: rule.title.into(),
                unit: rule.unit,
                severity: rule.severity,
                on: settings.is_on(rule),
                threshold,
                default_threshold: rule.threshold,
                clear_threshold: threshold * rule.clear_part,
                fires_after_ms: rule.fires_after_ms,
                clears_after_ms: rule.clears_after_ms,
                value: state.value,
                firing: state.firing.is_some(),
                meaning: rule.meaning.into(),
                what_to_do: rule.what_to_do.into(),
                place: rule.place.into(),
            }
        };
        RULES.iter().zip(&self.states).map(view).collect()
    }
}

impl State {
    fn observe(
        &mut self,
        now_ms: UnixMillis,
        rule: &Rule,
        reading: &Reading,
        settings: &Settings,
    ) -> Option<(AlertStep, Alert)> {
        self.value = reading.value;
        let threshold = settings.threshold(rule);
        if !settings.is_on(rule) {
            self.crossed_ms = None;
            return self.firing.take().map(|alert| (AlertStep::Resolved, alert));
        }
        let (has_crossed, holds_for_ms) = match &mut self.firing {
            None => (reading.value > threshold, rule.fires_after_ms),
            Some(alert) => {
                alert.value = reading.value;
                alert.threshold = threshold;
                if reading.value > threshold {
                    alert.detail.clone_from(&reading.detail);
                    alert.severity = reading.severity.unwrap_or(rule.severity);
                }
                (reading.value <= threshold * rule.clear_part, rule.clears_after_ms)
            }
        };
        if !has_crossed {
            self.crossed_ms = None;
            return None;
        }
        // A clock that was set back begins anew.
        let crossed_ms = *self.crossed_ms.get_or_insert(now_ms);
        let crossed_ms = if crossed_ms > now_ms { *self.crossed_ms.insert(now_ms) } else { crossed_ms };
        if now_ms - crossed_ms < holds_for_ms {
            return None;
        }
        self.crossed_ms = None;
        if let Some(alert) = self.firing.take() {
            return Some((AlertStep::Resolved, alert));
        }
        let alert = Alert {
            name: rule.name.into(),
            severity: reading.severity.unwrap_or(rule.severity),
            since_ms: now_ms,
            value: reading.value,
            threshold,
            unit: rule.unit,
            meaning: rule.meaning.into(),
            detail: reading.detail.clone(),
            what_to_do: rule.what_to_do.into(),
            place: rule.place.into(),
        };
        self.firing = Some(alert.clone());
        Some((AlertStep::Fired, alert))
    }
}

#[cfg(test)]
mod tests {
    use weir_api::alert::AlertSet;
    use weir_event::{Clock as _, ManualClock};

    use super::*;

    struct Bench {
        book: Book,
        settings: Settings,
        clock: ManualClock,
    }

    impl Bench {
        fn new() -> Self {
            Self { book: Book::default(), settings: Settings::default(), clock: ManualClock::at(1_000_000) }
        }

        /// A reading so many milliseconds later, and what it changed.
        fn after(&mut self, ms: i64, name: &str, value: f64) -> Vec<AlertStep> {
            self.clock.advance(ms);
            let mut readings = Readings::default();
            let at = RULES.iter().position(|rule| rule.name == name).expect("a rule");
            readings[at] = Reading { value, detail: format!("at {value}"), severity: None };
            let changes = self.book.observe(self.clock.now_ms(), &readings, &self.settings);
            changes.into_iter().map(|change| change.step).collect()
        }

        fn set(&mut self, name: &str, threshold: Option<&str>, on: Option<bool>) {
            let request = AlertSet { name: name.into(), threshold: threshold.map(str::to_owned), on, reset: false };
            self.settings.change(&request).expect("a setting");
        }
    }

    #[test]
    fn it_fires_after_its_time_and_not_for_a_peak() {
        let mut bench = Bench::new();
        assert!(bench.after(0, "lag", 9_000.0).is_empty());
        assert!(bench.after(1_900, "lag", 9_000.0).is_empty());
        assert!(bench.after(50, "lag", 100.0).is_empty(), "a peak");
        assert!(bench.after(50, "lag", 9_000.0).is_empty());
        assert!(bench.after(1_999, "lag", 9_000.0).is_empty());
        assert_eq!(bench.after(1, "lag", 8_000.0), [AlertStep::Fired]);
        let active = bench.book.active();
        assert_eq!((active.len(), active[0].value, active[0].since_ms), (1, 8_000.0, bench.clock.now_ms()));
        assert_eq!(active[0].summary(), "lag 8s, above 5s: at 8000");
    }

    #[test]
    fn it_is_resolved_below_the_lower_threshold_only() {
        let mut bench = Bench::new();
        bench.after(0, "lag", 9_000.0);
        assert_eq!(bench.after(2_000, "lag", 9_000.0), [AlertStep::Fired]);
        for _ in 0..10 {
            assert!(bench.after(1_000, "lag", 3_000.0).is_empty(), "between the two nothing changes");
            assert!(bench.after(1_000, "lag", 6_000.0).is_empty(), "it does not fire twice");
        }
        assert!(bench.after(1_000, "lag", 2_500.0).is_empty());
        assert!(bench.after(4_999, "lag", 0.0).is_empty());
        assert_eq!(bench.after(1, "lag", 0.0), [AlertStep::Resolved]);
        assert!(bench.book.active().is_empty());
        let steps: Vec<_> = bench.book.history().iter().map(|change| (change.sequence, change.step)).collect();
        assert_eq!(steps, [(1, AlertStep::Fired), (2, AlertStep::Resolved)]);
    }

    #[test]
    fn settings_are_in_force_at_the_next_reading() {
        let mut bench = Bench::new();
        bench.set("backlog", Some("10"), None);
        bench.after(0, "backlog", 11.0);
        assert_eq!(bench.after(5_000, "backlog", 11.0), [AlertStep::Fired]);
        bench.set("backlog", None, Some(false));
        assert_eq!(bench.after(0, "backlog", 11.0), [AlertStep::Resolved], "off is not firing");
        assert!(bench.after(60_000, "backlog", 1e9).is_empty());
        bench.set("backlog", Some("1000"), Some(true));
        bench.after(0, "backlog", 999.0);
        assert!(bench.after(60_000, "backlog", 999.0).is_empty());
    }

    #[test]
    fn zero_is_the_threshold_of_what_must_not_be_at_all() {
        let mut bench = Bench::new();
        assert!(bench.after(0, "oracle", 0.0).is_empty());
        assert_eq!(bench.after(0, "oracle", 1.0), [AlertStep::Fired]);
        assert_eq!(bench.after(0, "oracle", 0.0), [AlertStep::Resolved]);
    }

    #[test]
    fn a_clock_that_is_set_back_fires_nothing_early_and_holds_nothing_up() {
        let mut bench = Bench::new();
        bench.after(0, "lag", 9_000.0);
        assert!(bench.after(-3_600_000, "lag", 9_000.0).is_empty());
        assert!(bench.after(1_999, "lag", 9_000.0).is_empty());
        assert_eq!(bench.after(1, "lag", 9_000.0), [AlertStep::Fired]);
    }

    #[test]
    fn the_history_is_bounded() {
        let mut bench = Bench::new();
        for turn in 0..200 {
            bench.after(1, "oracle", f64::from(turn % 2));
        }
        let history = bench.book.history();
        assert_eq!((history.len(), history.last().map(|change| change.sequence)), (KEPT, Some(199)));
    }
}
