//! Two versions of a plugin over the same events: what the newer one does otherwise.
//!
//! # What it guarantees
//!
//! * Both versions stand at the same place of the same chain and begin with the same storage, cache, clock
//!   and seed. Their requests get the same answers. Nothing leaves the trials, and nothing counts them.
//! * What is compared is the end of the chain, because that is what production would store: a field that
//!   this plugin changes and the next one takes away is no difference.
//! * Events come in slices and only differences stay, bounded in number and size, so the caller may stop
//!   between slices, and a comparison of many events needs no more memory than one of few.
//!
//! # What it does not do
//!
//! It is a what-if. Storage is that of now, not of then. A call that was not recorded has no answer, and
//! from there on the run is a guess; the first one is reported. Chance is seeded alike on both sides, but an
//! event that only one version drops shifts what plugins behind it draw.

mod groups;
mod place;
mod samples;
mod side;
mod told;

use std::collections::BTreeMap;
use std::thread;

use serde_json::Value;
use weir_api::diff::{Delta, DiffCounts, DiffExample, EntryDelta, LogDelta, MessageDelta, PluginDiff, StorageDelta};
use weir_event::clock::UnixMillis;
use weir_event::journal::Fate;
use weir_plugins::{Part, Workshop};

use crate::compare;
use crate::input::Input;
use crate::observed::{after, errors};
use crate::trial::{Made, NotStarted, Start, Tried};

use groups::Groups;
pub use samples::samples;
use side::Side;
pub use told::summary;

/// Plugin code recurses deeply.
const STACK_BYTES: usize = 4 << 20;
/// Entries and messages of a result.
const SHOWN: usize = 20;

/// A version that does not load or set up, so that there is nothing to compare.
#[derive(Debug)]
pub struct NotComparable {
    /// `before` or `after`.
    pub side: &'static str,
    pub failed: Box<NotStarted>,
}

pub struct Comparison {
    plugin_id: String,
    before: Side,
    after: Side,
    found: Found,
}

/// Differences so far.
#[derive(Default)]
struct Found {
    events: u64,
    sample_events: u64,
    counts: DiffCounts,
    fates: Groups,
    fields: Groups,
    errors: Groups,
}

impl Comparison {
    /// Sets both chains up. They are the same but for one plugin.
    pub fn start(
        workshop: &Workshop,
        plugin_id: &str,
        before: Vec<Part<'_>>,
        after: Vec<Part<'_>>,
        start: &Start,
    ) -> Result<Self, NotComparable> {
        let side = |name, parts| {
            Side::start(workshop, plugin_id, parts, start).map_err(|failed| NotComparable { side: name, failed })
        };
        Ok(Self {
            plugin_id: plugin_id.to_owned(),
            before: side("before", before)?,
            after: side("after", after)?,
            found: Found::default(),
        })
    }

    /// Gives both the next events, which were processed at a time. Each runs on a thread of its own, with the
    /// priority of the caller's.
    pub fn slice(&mut self, now_ms: UnixMillis, inputs: &[Input]) {
        let (before, after) = (&mut self.before, &mut self.after);
        let (before, after) = thread::scope(|scope| {
            let builder = thread::Builder::new().name("plugin-diff-old".into()).stack_size(STACK_BYTES);
            let old = builder.spawn_scoped(scope, || before.process(now_ms, inputs));
            let new = after.process(now_ms, inputs);
            let old = old.map(|old| old.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            (old, new)
        });
        // A machine without a thread to spare has them in turn.
        let before = before.unwrap_or_else(|_| self.before.process(now_ms, inputs));
        for (before, after) in before.events.iter().zip(&after.events) {
            let of = Of { offset: Some(before.offset), sample: None };
            self.found.event(of, before, after);
        }
        self.found.made(&before.made, &after.made);
    }

    /// The events of a sample, as each version left them in a trial of its own.
    pub fn sample(&mut self, name: &str, before: &[Tried], after: &[Tried]) {
        for (before, after) in before.iter().zip(after) {
            self.found.sample_events += 1;
            self.found.event(Of { offset: None, sample: Some(name) }, before, after);
        }
    }

    /// Everything that was found. Who compares what, and when, is the caller's to add.
    pub fn end(self) -> PluginDiff {
        let (before, after) = (self.before.end(&self.plugin_id), self.after.end(&self.plugin_id));
        let of = |value: fn(&side::Ended) -> f64| Delta { before: value(&before), after: value(&after) };
        let mut diff = PluginDiff {
            id: self.plugin_id,
            events: self.found.events,
            sample_events: self.found.sample_events,
            counts: self.found.counts,
            fates: self.found.fates.sorted(),
            fields: self.found.fields.sorted(),
            errors: self.found.errors.sorted(),
            made: of(|side| side.made as f64),
            jobs: of(|side| side.jobs as f64),
            logs: LogDelta { lines: of(|side| side.log_lines() as f64), messages: messages(&before.logs, &after.logs) },
            storage: stored(&before.storage, &after.storage),
            cpu_us_p50: of(|side| side.cpu_us(0.50)),
            cpu_us_p99: of(|side| side.cpu_us(0.99)),
            cpu_us_total: of(|side| side.cpu_us.iter().map(|us| f64::from(*us)).sum()),
            memory_bytes: of(|side| side.memory_bytes as f64),
            divergence: before.divergence("before").or_else(|| after.divergence("after")),
            ..PluginDiff::default()
        };
        diff.consequence = told::consequence(&diff);
        diff
    }
}

/// Whose event it is.
#[derive(Clone, Copy)]
struct Of<'a> {
    offset: Option<u64>,
    sample: Option<&'a str>,
}

impl Found {
    fn event(&mut self, of: Of<'_>, before: &Tried, after: &Tried) {
        self.events += 1;
        let example = |old: Option<Value>, new: Option<Value>| DiffExample {
            offset: of.offset,
            sample: of.sample.map(str::to_owned),
            uuid: before.uuid.to_string(),
            event: name(before),
            before: old,
            after: new,
        };
        self.fate(before, after, example);
        if let (Some(old), Some(new)) = (before.after(), after.after())
            && old != new
        {
            let changes = changes(old, new);
            self.counts.changed += u64::from(!changes.is_empty());
            for change in changes {
                let kind = kind(change.expected.is_some(), change.actual.is_some());
                self.fields.add(kind, &groups::any_place(&change.path), || example(change.expected, change.actual));
            }
        }
        let (old, new) = (placeless(before), placeless(after));
        let mut differ = |kind, count: &mut u64, of: &[String], other: &[String], is_new: bool| {
            let only: Vec<&String> = of.iter().filter(|message| !other.contains(message)).collect();
            *count += u64::from(!only.is_empty());
            for message in only {
                let told = Some(Value::from(message.as_str()));
                let (old, new) = if is_new { (None, told) } else { (told, None) };
                self.errors.add(kind, message, || example(old, new));
            }
        };
        differ("error_new", &mut self.counts.errors_new, &new, &old, true);
        differ("error_gone", &mut self.counts.errors_gone, &old, &new, false);
    }

    fn fate(&mut self, before: &Tried, after: &Tried, example: impl Fn(Option<Value>, Option<Value>) -> DiffExample) {
        let is = |tried: &Tried, fate: fn(&Fate) -> bool| fate(&tried.fate);
        let dropped = |fate: &Fate| *fate == Fate::Dropped;
        let lettered = |fate: &Fate| matches!(fate, Fate::DeadLettered { .. });
        let whole = |tried: &Tried| tried.after().map(|_| self::after(tried));
        let mut found = |kind: &str, count: &mut u64| {
            *count += 1;
            self.fates.add(kind, "", || example(whole(before), whole(after)));
        };
        match (is(before, dropped), is(after, dropped)) {
            (false, true) => found("newly_dropped", &mut self.counts.newly_dropped),
            (true, false) => found("undropped", &mut self.counts.undropped),
            _ => {}
        }
        match (is(before, lettered), is(after, lettered)) {
            (false, true) => found("newly_dead_lettered", &mut self.counts.newly_dead_lettered),
            (true, false) => found("no_longer_dead_lettered", &mut self.counts.no_longer_dead_lettered),
            _ => {}
        }
    }

    /// Events that plugins made, by the event that they made them of.
    fn made(&mut self, before: &[Made], after: &[Made]) {
        if before.is_empty() && after.is_empty() {
            return;
        }
        let mut parents: BTreeMap<u64, [Vec<&Made>; 2]> = BTreeMap::new();
        for (side, all) in [before, after].into_iter().enumerate() {
            for made in all {
                parents.entry(made.parent_offset).or_default()[side].push(made);
            }
        }
        for (offset, [before, after]) in parents {
            let mut is_changed = false;
            for place in 0..before.len().max(after.len()) {
                let (old, new) = (before.get(place), after.get(place));
                let text = |made: Option<&&Made>| made.and_then(|made| made.tried.after().map(str::to_owned));
                let (old_text, new_text) = (text(old), text(new));
                let Some(either) = old.or(new) else { continue };
                let example = |before, after| DiffExample {
                    offset: Some(offset),
                    sample: None,
                    uuid: either.tried.uuid.to_string(),
                    event: name(&either.tried),
                    before,
                    after,
                };
                match (old_text, new_text) {
                    (Some(old), Some(new)) => {
                        for change in if old == new { Vec::new() } else { changes(&old, &new) } {
                            is_changed = true;
                            let kind = kind(change.expected.is_some(), change.actual.is_some());
                            let path = format!("made[].{}", groups::any_place(&change.path));
                            self.fields.add(kind, &path, || example(change.expected, change.actual));
                        }
                    }
                    (None, None) => {}
                    (old, new) => {
                        is_changed = true;
                        let whole = |text: Option<String>| text.map(|text| parsed(&text));
                        let kind = kind(old.is_some(), new.is_some());
                        self.fields.add(kind, "made[]", || example(whole(old), whole(new)));
                    }
                }
            }
            self.counts.made_changed += u64::from(is_changed);
        }
    }
}

const fn kind(was_there: bool, is_there: bool) -> &'static str {
    match (was_there, is_there) {
        (false, _) => "added",
        (true, false) => "removed",
        (true, true) => "changed",
    }
}

fn changes(old: &str, new: &str) -> Vec<compare::Difference> {
    compare::changes(&parsed(old), &parsed(new))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn name(tried: &Tried) -> String {
    parsed(&tried.before)["event"].as_str().unwrap_or_default().to_owned()
}

/// What went wrong, without the places in the source.
fn placeless(tried: &Tried) -> Vec<String> {
    errors(tried).iter().map(|message| place::without(message)).collect()
}

type Logged = BTreeMap<(String, String), u64>;

fn messages(before: &Logged, after: &Logged) -> Vec<MessageDelta> {
    let keys: std::collections::BTreeSet<&(String, String)> = before.keys().chain(after.keys()).collect();
    let count = |logged: &Logged, key: &(String, String)| logged.get(key).copied().unwrap_or_default() as f64;
    let delta = |key: &(String, String)| MessageDelta {
        level: key.0.clone(),
        message: key.1.clone(),
        count: Delta { before: count(before, key), after: count(after, key) },
    };
    let differs = |delta: &MessageDelta| delta.count.before.to_bits() != delta.count.after.to_bits();
    keys.into_iter().map(delta).filter(differs).take(SHOWN).collect()
}

fn stored(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> StorageDelta {
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut delta = StorageDelta::default();
    for key in keys {
        let (old, new) = (before.get(key), after.get(key));
        if old != new {
            delta.changed += 1;
            if delta.entries.len() < SHOWN {
                delta.entries.push(EntryDelta { key: key.clone(), before: old.cloned(), after: new.cloned() });
            }
        }
    }
    delta
}

#[cfg(test)]
mod tests;
