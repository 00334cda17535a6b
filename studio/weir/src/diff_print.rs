//! A comparison of two versions, printed for people.

use pipeline_core::api::diff::{Delta, DiffExample, DiffGroup, PluginDiff, VersionRef};
use pipeline_core::trial::summary;
use serde_json::Value;

use crate::say::say;

/// Longer values are shown by their beginning.
const VALUE_CHARACTERS: usize = 60;
const MOST_GROUPS: usize = 30;

pub fn diff(diff: &PluginDiff) {
    let version = |version: &VersionRef| format!("{} ({})", version.version, version.place);
    let offsets = diff.offsets.map_or_else(String::new, |(first, last)| format!(", offsets {first} to {last}"));
    let live = diff.events - diff.sample_events;
    let samples =
        if diff.sample_events > 0 { format!(" and {} of samples", diff.sample_events) } else { String::new() };
    say!("{}  {} → {}  over {live} events{samples}{offsets}", diff.id, version(&diff.from), version(&diff.to));
    say!("{}", summary(diff));
    groups("events", &diff.fates, |group| group.kind.replace('_', " "));
    groups("fields", &diff.fields, |group| match group.kind.as_str() {
        "changed" => group.path.clone(),
        kind => format!("{} ({kind})", group.path),
    });
    groups("errors", &diff.errors, |group| {
        format!("{} {}", if group.kind == "error_new" { "new:" } else { "gone:" }, group.path)
    });
    if diff.storage.changed > 0 {
        say!();
        say!("storage");
        for entry in &diff.storage.entries {
            let side = |value: &Option<String>| value.as_deref().map_or_else(|| "–".to_owned(), cut);
            say!("  {}  {} → {}", entry.key, side(&entry.before), side(&entry.after));
        }
        more(diff.storage.changed, diff.storage.entries.len());
    }
    if !diff.logs.messages.is_empty() {
        say!();
        say!("log lines");
        for message in &diff.logs.messages {
            let Delta { before, after } = message.count;
            say!("  {:<5} {}  {before} → {after}", message.level, cut(&message.message));
        }
    }
    say!();
    let delta = |delta: Delta| format!("{:.0} → {:.0}", delta.before, delta.after);
    say!(
        "cpu µs p50 {}, p99 {}; memory KiB {}; log lines {}; events made {}; jobs {}",
        delta(diff.cpu_us_p50),
        delta(diff.cpu_us_p99),
        delta(Delta { before: diff.memory_bytes.before / 1024.0, after: diff.memory_bytes.after / 1024.0 }),
        delta(diff.logs.lines),
        delta(diff.made),
        delta(diff.jobs)
    );
    for note in &diff.notes {
        say!("note: {note}");
    }
    say!("{}", diff.consequence);
}

fn groups(title: &str, groups: &[DiffGroup], name: impl Fn(&DiffGroup) -> String) {
    if groups.is_empty() {
        return;
    }
    say!();
    say!("{title}");
    for group in groups.iter().take(MOST_GROUPS) {
        say!("  {:>6} × {}", group.count, name(group));
        if let Some(example) = group.examples.first() {
            say!("           {}", shown(example));
        }
    }
    more(groups.len() as u64, MOST_GROUPS.min(groups.len()));
}

fn more(all: u64, told: usize) {
    let left = all.saturating_sub(told as u64);
    if left > 0 {
        say!("  and {left} more; --json has them");
    }
}

fn shown(example: &DiffExample) -> String {
    let side = |value: &Option<Value>| value.as_ref().map_or_else(|| "–".to_owned(), |value| cut(&value.to_string()));
    let place = match (example.offset, &example.sample) {
        (Some(offset), _) => format!("offset {offset}"),
        (None, Some(sample)) => format!("sample {sample:?}"),
        (None, None) => example.uuid.clone(),
    };
    format!("{} → {}  ({}, {place})", side(&example.before), side(&example.after), example.event)
}

fn cut(text: &str) -> String {
    if text.chars().count() <= VALUE_CHARACTERS {
        return text.to_owned();
    }
    text.chars().take(VALUE_CHARACTERS - 1).chain(['…']).collect()
}
