//! What is looked at, what is too much, and what a user has set otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_api::alert::{AlertSet, AlertUnit};
use weir_api::check::Severity;
use weir_event::suggestion;
use weir_trial::duration_ms;

/// One rule, as it is without settings.
#[derive(Debug)]
pub struct Rule {
    pub name: &'static str,
    pub title: &'static str,
    pub unit: AlertUnit,
    pub severity: Severity,
    /// It fires above this.
    pub threshold: f64,
    /// It is resolved at or below this part of the threshold.
    pub clear_part: f64,
    pub fires_after_ms: i64,
    pub clears_after_ms: i64,
    pub meaning: &'static str,
    pub what_to_do: &'static str,
    pub place: &'static str,
}

/// Rules whose readings are made in `window`, in the order that they are shown in.
pub const RULES: [Rule; 10] = [
    Rule {
        name: "capture",
        title: "reasons to refuse events, or stages that stopped",
        unit: AlertUnit::Count,
        severity: Severity::Error,
        threshold: 0.0,
        clear_part: 1.0,
        fires_after_ms: 0,
        clears_after_ms: 2_000,
        meaning: "Clients are refused, or a stage has stopped and nothing moves on from the log before it.",
        what_to_do: "The reason says what it is: free disk space, or restart the server; nothing that was acked is lost.",
        place: "#/health",
    },
    Rule {
        name: "unexplained",
        title: "events that the ledger cannot explain",
        unit: AlertUnit::Events,
        severity: Severity::Error,
        threshold: 0.0,
        clear_part: 1.0,
        fires_after_ms: 2_000,
        clears_after_ms: 2_000,
        meaning: "Events came in that have no outcome and are nowhere in flight, or more came out than came in.",
        what_to_do: "Run `weir audit`: it recounts both logs against the store and names every difference.",
        place: "#/health",
    },
    Rule {
        name: "oracle",
        title: "mismatches the oracle has found",
        unit: AlertUnit::Count,
        severity: Severity::Error,
        threshold: 0.0,
        clear_part: 1.0,
        fires_after_ms: 0,
        clears_after_ms: 0,
        meaning: "The store holds something else than a second computation of the same events says it must.",
        what_to_do: "Open a mismatch: its journey shows at which stage the event went wrong. Starting the oracle anew \
                     forgets what it found.",
        place: "#/correctness",
    },
    Rule {
        name: "checks",
        title: "SQL checks that fail",
        unit: AlertUnit::Count,
        severity: Severity::Error,
        threshold: 0.0,
        clear_part: 1.0,
        fires_after_ms: 0,
        clears_after_ms: 0,
        meaning: "The store holds rows that a check says must not be, or a check cannot run.",
        what_to_do: "Look at the rows; each with a uuid or an offset opens its event's journey.",
        place: "#/correctness",
    },
    Rule {
        name: "dead_letters",
        title: "new dead letters within a minute",
        unit: AlertUnit::Events,
        severity: Severity::Error,
        threshold: 0.0,
        clear_part: 0.0,
        fires_after_ms: 0,
        clears_after_ms: 0,
        meaning: "Events could not be processed and were put aside, whole and with the reason.",
        what_to_do: "Mend what the reason names, then redrive them.",
        place: "#/health",
    },
    Rule {
        name: "drops",
        title: "share of events dropped within a minute",
        unit: AlertUnit::Percent,
        severity: Severity::Warning,
        threshold: 75.0,
        clear_part: 0.8,
        fires_after_ms: 5_000,
        clears_after_ms: 5_000,
        meaning: "Most of what comes in is dropped by a plugin or a rule.",
        what_to_do: "The journey of a dropped event names who dropped it. If that is meant, set another threshold.",
        place: "#/live",
    },
    Rule {
        name: "lag",
        title: "time from acceptance until SQL returns an event",
        unit: AlertUnit::Milliseconds,
        severity: Severity::Warning,
        threshold: 5_000.0,
        clear_part: 0.5,
        fires_after_ms: 2_000,
        clears_after_ms: 5_000,
        meaning: "What clients send is accepted and durable, and queries see it late.",
        what_to_do: "Stages on the Health screen say where the time goes: most often a slow plugin, or more events than \
                     the machine can take.",
        place: "#/health",
    },
    Rule {
        name: "backlog",
        title: "events that are accepted and have no outcome yet",
        unit: AlertUnit::Events,
        severity: Severity::Warning,
        threshold: 20_000.0,
        clear_part: 0.5,
        fires_after_ms: 5_000,
        clears_after_ms: 5_000,
        meaning: "Events come faster than plugins or the store take them; they wait on disk.",
        what_to_do: "Nothing is lost. If it does not shrink, make the slowest stage or plugin cheaper.",
        place: "#/health",
    },
    Rule {
        name: "sinks",
        title: "sinks that fail",
        unit: AlertUnit::Count,
        severity: Severity::Error,
        threshold: 0.0,
        clear_part: 1.0,
        fires_after_ms: 5_000,
        clears_after_ms: 2_000,
        meaning: "A sink cannot deliver, has stopped, or has given events up within the last minute.",
        what_to_do: "What is pending waits in the store. Mend the destination; `weir sink replay` sends again what was \
                     given up.",
        place: "#/health",
    },
    Rule {
        name: "plugins",
        title: "plugins whose newest save is not live",
        unit: AlertUnit::Count,
        severity: Severity::Warning,
        threshold: 0.0,
        clear_part: 1.0,
        fires_after_ms: 60_000,
        clears_after_ms: 0,
        meaning: "A plugin did not build or load for a minute; the version before serves, or none.",
        what_to_do: "Its card has file, line and column of the error.",
        place: "#/plugins",
    },
];

/// What differs from the rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(BTreeMap<String, Setting>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Setting {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
}

impl Settings {
    /// What cannot be read is as good as not set.
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    pub fn is_on(&self, rule: &Rule) -> bool {
        self.of(rule).on.unwrap_or(true)
    }

    pub fn threshold(&self, rule: &Rule) -> f64 {
        self.of(rule).threshold.unwrap_or(rule.threshold)
    }

    fn of(&self, rule: &Rule) -> Setting {
        self.0.get(rule.name).copied().unwrap_or_default()
    }

    /// Changes one rule; the error says what is possible.
    pub fn change(&mut self, request: &AlertSet) -> Result<(), String> {
        let Some(rule) = RULES.iter().find(|rule| rule.name == request.name) else {
            let names = RULES.map(|rule| rule.name);
            let meant = suggestion::nearest(&request.name, names).map(|name| format!("; did you mean {name}?"));
            let possible = meant.unwrap_or_else(|| format!("; there are {}", names.join(", ")));
            return Err(format!("there is no alert {:?}{possible}", request.name));
        };
        let mut setting = if request.reset { Setting::default() } else { self.of(rule) };
        if let Some(text) = &request.threshold {
            setting.threshold = Some(threshold(rule, text)?);
        }
        setting.on = request.on.or(setting.on);
        if setting == Setting::default() {
            self.0.remove(rule.name);
        } else {
            self.0.insert(rule.name.to_owned(), setting);
        }
        Ok(())
    }
}

fn threshold(rule: &Rule, text: &str) -> Result<f64, String> {
    let text = text.trim();
    let number = |text: &str| text.replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite());
    let refused = |example: &str| format!("{text:?} is no threshold of {}; write for example {example}", rule.name);
    let value = match rule.unit {
        AlertUnit::Milliseconds => duration_ms(text)? as f64,
        AlertUnit::Percent => {
            let percent = number(text.strip_suffix('%').unwrap_or(text));
            percent.filter(|percent| (0.0..=100.0).contains(percent)).ok_or_else(|| refused("25%"))?
        }
        AlertUnit::Count | AlertUnit::Events => number(text).ok_or_else(|| refused("100"))?,
    };
    if value < 0.0 { Err(refused("0, which fires at the first")) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, threshold: Option<&str>, on: Option<bool>, reset: bool) -> AlertSet {
        AlertSet { name: name.into(), threshold: threshold.map(str::to_owned), on, reset }
    }

    fn rule(name: &str) -> &'static Rule {
        RULES.iter().find(|rule| rule.name == name).expect("a rule")
    }

    #[test]
    fn settings_survive_as_json_and_can_be_taken_back() {
        let mut settings = Settings::default();
        settings.change(&set("lag", Some("1m30s"), None, false)).expect("set");
        settings.change(&set("drops", Some("25%"), None, false)).expect("set");
        settings.change(&set("drops", None, Some(false), false)).expect("off");
        let again = Settings::from_json(&settings.to_json());
        assert_eq!(again, settings);
        assert_eq!((again.threshold(rule("lag")), again.is_on(rule("lag"))), (90_000.0, true));
        assert_eq!((again.threshold(rule("drops")), again.is_on(rule("drops"))), (25.0, false));
        settings.change(&set("drops", None, None, true)).expect("reset");
        settings.change(&set("lag", None, None, true)).expect("reset");
        assert_eq!(settings, Settings::default());
        assert_eq!(Settings::from_json("{not json"), Settings::default());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_does() {
        let mut settings = Settings::default();
        for (name, threshold, told) in [
            ("lagg", "5s", "did you mean lag?"),
            ("nothing", "5s", "there are capture, unexplained"),
            ("lag", "5", "span of time"),
            ("drops", "120%", "write for example 25%"),
            ("backlog", "-1", "is no threshold"),
            ("backlog", "NaN", "is no threshold"),
        ] {
            let error = settings.change(&set(name, Some(threshold), None, false)).expect_err(threshold);
            assert!(error.contains(told), "{error}");
        }
        assert_eq!(settings, Settings::default());
    }
}
