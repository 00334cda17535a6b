//! `weir alerts`.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use pipeline_core::api::alert::{Alert, AlertChange as Changed, AlertList, AlertRule, AlertSet, AlertsRequest};
use pipeline_core::api::registry;

use crate::args::Target;
use crate::check_args::{AlertChange, Alerts};
use crate::client::Client;
use crate::output::print_json;
use crate::say::say;

/// Between two looks of `--follow`.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

pub fn run(alerts: &Alerts) -> anyhow::Result<ExitCode> {
    if let Some(change) = &alerts.change {
        let (target, request) = request(change);
        let list = Client::find(target)?.call::<registry::AlertSet>(&request)?;
        match list.rules.iter().find(|rule| rule.name == request.name) {
            Some(rule) if target.json => print_json(rule)?,
            Some(rule) => print_rule(rule),
            None => {}
        }
        return Ok(ExitCode::SUCCESS);
    }
    let client = Client::find(&alerts.target)?;
    if alerts.follow {
        follow(&client, alerts.target.json)?;
    }
    let list = client.call::<registry::Alerts>(&AlertsRequest::default())?;
    if alerts.target.json {
        print_json(&list)?;
    } else {
        print(&list);
    }
    Ok(if list.active.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn request(change: &AlertChange) -> (&Target, AlertSet) {
    let of = |name: &String| AlertSet { name: name.clone(), ..AlertSet::default() };
    match change {
        AlertChange::Set { name, threshold, target } => {
            (target, AlertSet { threshold: Some(threshold.clone()), on: Some(true), ..of(name) })
        }
        AlertChange::On { name, target } => (target, AlertSet { on: Some(true), ..of(name) }),
        AlertChange::Off { name, target } => (target, AlertSet { on: Some(false), ..of(name) }),
        AlertChange::Reset { name, target } => (target, AlertSet { reset: true, ..of(name) }),
    }
}

/// What is firing already comes first, then what changes, until the user or the server ends it.
fn follow(client: &Client, as_json: bool) -> anyhow::Result<()> {
    let mut told = None;
    loop {
        let list = client.call::<registry::Alerts>(&AlertsRequest::default())?;
        let is_firing = |change: &Changed| {
            list.active.iter().any(|alert| alert.name == change.alert.name && alert.since_ms == change.at_ms)
        };
        for change in &list.history {
            let is_news = told.map_or_else(|| is_firing(change), |told| change.sequence > told);
            if is_news && as_json {
                print_json(change)?;
            } else if is_news {
                say!("{:<9} {}", change.step.as_str(), change.alert.summary());
            }
        }
        told = Some(list.history.last().map_or(0, |change| change.sequence));
        thread::sleep(LOOK_INTERVAL);
    }
}

fn print(list: &AlertList) {
    if list.active.is_empty() {
        say!("nothing is firing");
    }
    list.active.iter().for_each(print_active);
    say!();
    list.rules.iter().for_each(print_rule);
}

pub fn print_active(alert: &Alert) {
    say!("{:<8} {}", alert.severity.as_str(), alert.summary());
    say!("         {} {}", alert.meaning, alert.what_to_do);
}

fn print_rule(rule: &AlertRule) {
    let is_set = if (rule.threshold - rule.default_threshold).abs() > f64::EPSILON {
        format!(", by default {}", rule.unit.shown(rule.default_threshold))
    } else {
        String::new()
    };
    let state = if rule.on { format!("above {}{is_set}", rule.unit.shown(rule.threshold)) } else { "off".to_owned() };
    say!("{:<13} {:<24} {} (now {})", rule.name, state, rule.title, rule.unit.shown(rule.value));
}
