//! A difference in words.

use weir_api::diff::{DiffCounts, Divergence, PluginDiff};

/// What production would do, in a sentence.
pub fn consequence(diff: &PluginDiff) -> String {
    let events = match diff.events {
        0 => return "No event has been compared, so nothing is known of what production would do.".to_owned(),
        1 => "Of this one event".to_owned(),
        events => format!("Of these {events} events"),
    };
    let counts = &diff.counts;
    let mut parts = Vec::new();
    let mut part = |count: u64, what: &str| {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    };
    part(counts.changed, "would be stored with other content");
    part(counts.newly_dropped, "would be dropped and never stored");
    part(counts.undropped, "would no longer be dropped");
    part(counts.newly_dead_lettered, "would become dead letters");
    part(counts.no_longer_dead_lettered, "would no longer be dead letters");
    part(counts.errors_new, "would fail with an error that they do not give now");
    part(counts.errors_gone, "would no longer fail as they do now");
    part(counts.made_changed, "would lead to other events made by plugins");
    let sentence = match parts.split_last() {
        None => format!("{events}, each would be stored as it is now"),
        Some((only, [])) => format!("{events}, {only}"),
        Some((last, parts)) => format!("{events}, {}, and {last}", parts.join(", ")),
    };
    let mut further = Vec::new();
    if diff.storage.changed > 0 {
        let keys = if diff.storage.changed == 1 { "key" } else { "keys" };
        further.push(format!("{} {keys} of the plugin's storage would end otherwise", diff.storage.changed));
    }
    if let Some(Divergence { offset, call, side: _ }) = &diff.divergence {
        let from = offset.map_or_else(|| "setupPlugin".to_owned(), |offset| format!("event {offset}"));
        further.push(format!("from {from} on this is a guess, because nobody has recorded an answer to {call}"));
    }
    further.insert(0, sentence);
    format!("{}.", further.join("; "))
}

/// A few words for a card: `3 changed, 1 newly dropped`.
pub fn summary(diff: &PluginDiff) -> String {
    let DiffCounts {
        changed,
        newly_dropped,
        undropped,
        newly_dead_lettered,
        no_longer_dead_lettered,
        errors_new,
        errors_gone,
        made_changed,
    } = diff.counts;
    let errors = |count| if count == 1 { "error" } else { "errors" };
    let words = [
        (changed, "changed".to_owned()),
        (newly_dropped, "newly dropped".to_owned()),
        (undropped, "un-dropped".to_owned()),
        (newly_dead_lettered, "newly dead-lettered".to_owned()),
        (no_longer_dead_lettered, "no longer dead-lettered".to_owned()),
        (errors_new, format!("new {}", errors(errors_new))),
        (errors_gone, format!("{} gone", errors(errors_gone))),
        (made_changed, "with other events made".to_owned()),
        (diff.storage.changed, "storage keys differ".to_owned()),
    ];
    let told: Vec<String> =
        words.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    match (told.is_empty(), diff.is_empty()) {
        (true, _) if diff.events == 0 => "nothing to compare yet".to_owned(),
        (true, true) => format!("no difference in {} events", diff.events),
        (true, false) => "only logs or jobs differ".to_owned(),
        (false, _) => told.join(", "),
    }
}
