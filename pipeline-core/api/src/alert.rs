//! Alerts: numbers that have crossed a threshold for long enough.

use serde::{Deserialize, Serialize};

use crate::check::Severity;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsRequest {}

/// Changes one rule; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSet {
    /// Name of the rule.
    pub name: String,
    /// In the unit of the rule, as it is written for people: `5s`, `10000`, `25%`.
    #[serde(default)]
    pub threshold: Option<String>,
    #[serde(default)]
    pub on: Option<bool>,
    /// Back to what it is without settings; before the other fields.
    #[serde(default)]
    pub reset: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertList {
    /// Those that are firing, the newest first.
    pub active: Vec<Alert>,
    /// What fired and what was resolved, newest last; at most a hundred, since the start of the server.
    pub history: Vec<AlertChange>,
    pub rules: Vec<AlertRule>,
}

/// What is measured in which unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertUnit {
    #[default]
    Count,
    Events,
    Milliseconds,
    Percent,
}

impl AlertUnit {
    /// As people write it.
    pub fn shown(self, value: f64) -> String {
        match self {
            Self::Count | Self::Events => format!("{value:.0}"),
            Self::Percent => format!("{value:.0}%"),
            Self::Milliseconds if value >= 1_000.0 => {
                let text = format!("{:.1}", value / 1_000.0);
                format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
            }
            Self::Milliseconds => format!("{value:.0}ms"),
        }
    }
}

/// A rule whose number is above its threshold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Of the rule: there is one alert of each.
    pub name: String,
    pub severity: Severity,
    /// When it fired, milliseconds since the Unix epoch.
    pub since_ms: i64,
    pub value: f64,
    pub threshold: f64,
    pub unit: AlertUnit,
    /// What it means, in one sentence.
    pub meaning: String,
    /// What it is about just now: names of checks or sinks, the newest reason.
    pub detail: String,
    pub what_to_do: String,
    /// The screen that shows more, as a fragment of the studio's address: `#/health`.
    pub place: String,
}

impl Alert {
    /// `queryable lag is 7s, above 5s`.
    pub fn summary(&self) -> String {
        let (value, threshold) = (self.unit.shown(self.value), self.unit.shown(self.threshold));
        let detail = if self.detail.is_empty() { String::new() } else { format!(": {}", self.detail) };
        format!("{} {value}, above {threshold}{detail}", self.name)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStep {
    #[default]
    Fired,
    Resolved,
}

impl AlertStep {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Resolved => "resolved",
        }
    }
}

/// An alert that fired or was resolved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertChange {
    /// From 1, in this run of the server.
    pub sequence: u64,
    pub at_ms: i64,
    pub step: AlertStep,
    pub alert: Alert,
}

/// What is looked at, and when it is too much.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertRule {
    pub name: String,
    /// What is measured.
    pub title: String,
    pub unit: AlertUnit,
    pub severity: Severity,
    pub on: bool,
    /// It fires above this.
    pub threshold: f64,
    pub default_threshold: f64,
    /// It is resolved at or below this.
    pub clear_threshold: f64,
    /// Milliseconds above the threshold before it fires, and at or below the other before it is resolved.
    pub fires_after_ms: i64,
    pub clears_after_ms: i64,
    /// The newest measurement.
    pub value: f64,
    pub firing: bool,
    pub meaning: String,
    pub what_to_do: String,
    pub place: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_they_are_typed() {
        let cases = [
            (AlertUnit::Milliseconds, 5_000.0, "5s"),
            (AlertUnit::Milliseconds, 1_250.0, "1.2s"),
            (AlertUnit::Milliseconds, 600_000.0, "600s"),
            (AlertUnit::Milliseconds, 250.0, "250ms"),
            (AlertUnit::Percent, 75.0, "75%"),
            (AlertUnit::Events, 10_000.0, "10000"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(unit.shown(value), text);
        }
    }
}
