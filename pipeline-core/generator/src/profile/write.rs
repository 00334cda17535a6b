//! The scenario's file, as a person would lay it out.

use std::fmt::Write as _;

use super::journey::Walks;
use super::values::Objects;
use super::{Profile, grid};

/// What the stream makes itself, from who a person is and which device they have.
const MADE_BY_THE_STREAM: [(&str, Option<&str>); 8] = [
    ("$session_id", Some("\"{session.id}\"")),
    ("$device_id", Some("\"{device.id}\"")),
    ("$ip", Some("\"{place.ip}\"")),
    ("$anon_distinct_id", None),
    ("distinct_id", None),
    ("token", None),
    ("$groups", None),
    ("$sent_at", None),
];
/// Fewer sessions a person than this, and everybody is new.
const COMES_AGAIN: f64 = 1.2;
const LEAVE: &str = "leave";

/// A TOML string.
pub fn quoted(text: &str) -> String {
    // JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// Braces that are no placeholder.
pub fn braced(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

pub fn scenario(profile: &Profile) -> String {
    let walks = profile.journeys.walks();
    let mut file = String::from(
        "# Made by `weir profile`: the names, shapes, frequencies and journeys of real events, and none of their values.\n\
         title = \"Profile\"\n\
         description = \"Made of an export by weir profile: its schema, distributions and journeys, none of its values.\"\n\
         token = \"phc_weir_profile\"\n\
         start = \"2026-01-05T00:00:00Z\"\n",
    );
    let rate = (walks.events_per_second * 1_000.0).round().clamp(10.0, 1e8) / 1_000.0;
    let mut line = |text: String| {
        file.push_str(&text);
        file.push('\n');
    };
    line(format!("events_per_second = {rate:?}"));
    line("places = [{ city = \"Anywhere\", country = \"XX\" }]".to_owned());
    line(String::new());
    line("[seasonality]".to_owned());
    line(format!("hours = {:?}", weights(&walks.hours)));
    line(format!("weekdays = {:?}", weights(&walks.weekdays)));
    if profile.repeated > 0 {
        line(format!("\n[mess]\nduplicate = {:.4}", profile.repeated_share()));
    }
    line("\n[personas.person]\njourney = \"all\"".to_owned());
    let sessions_each = walks.sessions as f64 / walks.people.max(1) as f64;
    if sessions_each > COMES_AGAIN {
        line(format!("regulars = {}", grid::roughly(walks.people)));
        line(format!("regular_sessions = {:.3}", 1.0 - 1.0 / sessions_each));
        line(format!("signed_in = {:.3}", walks.signed_in));
    }
    line("\n[journeys.all]".to_owned());
    let starts = walks.starts.iter().map(|(name, count)| (state(name), *count));
    line(format!("start = {}", ways(starts)));
    for (name, objects) in &profile.events {
        line(String::new());
        line(one(name, objects, &walks));
    }
    file
}

fn one(name: &str, objects: &Objects, walks: &Walks) -> String {
    let mut text = format!("[journeys.all.states.{}]\nevent = {}\n", state(name), quoted(name));
    let links = name == "$identify" && objects.properties.contains_key("$anon_distinct_id");
    if links {
        text.push_str("identify = true\n");
    }
    // Writing to a String cannot fail.
    if let Some((least, most)) = walks.pauses_s.get(name) {
        writeln!(text, "pause_s = [{least}, {}]", most.min(&1_800)).ok();
    }
    if let Some(next) = walks.next.get(name) {
        let leave = quoted(LEAVE);
        let next = next.iter().map(|(name, count)| (name.as_deref().map_or_else(|| leave.clone(), state), *count));
        writeln!(text, "next = {}", ways(next)).ok();
    }
    writeln!(text, "[journeys.all.states.{}.properties]", state(name)).ok();
    for (key, template) in objects.templates() {
        let own = MADE_BY_THE_STREAM.iter().find(|(made, _)| *made == key);
        match own {
            None => writeln!(text, "{} = {template}", quoted(key)).ok(),
            Some((_, Some(template))) => writeln!(text, "{} = {template}", quoted(key)).ok(),
            Some((_, None)) => None,
        };
    }
    text.truncate(text.trim_end().len());
    text
}

/// The name of an event's state.
fn state(event: &str) -> String {
    // That name is the way out.
    if event == LEAVE { quoted("leave (event)") } else { quoted(event) }
}

fn ways(ways: impl Iterator<Item = (String, u64)>) -> String {
    let all: Vec<(String, u64)> = ways.collect();
    let sum: u64 = all.iter().map(|(_, count)| count).sum();
    let way = |(name, count): &(String, u64)| format!("{name} = {:.3}", (*count as f64 / sum as f64).max(0.001));
    format!("{{ {} }}", all.iter().map(way).collect::<Vec<_>>().join(", "))
}

/// From 1 to 100.
fn weights(counts: &[u64]) -> Vec<u64> {
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    counts.iter().map(|count| (count * 100 / most).max(1)).collect()
}
