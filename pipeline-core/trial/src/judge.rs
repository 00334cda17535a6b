//! Compares what a step left behind with what was expected of it, and says what to expect instead.

use serde_json::{Map, Value, json};
use weir_event::journal::PluginLog;

use crate::compare::{Difference, contains, differences, fits, literal, matches};
use crate::fixture::{Action, Bounds, Budget, Edit, Expect, Step};
use crate::observed::{Observed, after, request};
use crate::run::is_told;

/// Fields of an event that an expectation may leave out when the plugin has left them as they were.
const MUST_BE_GIVEN: [&str; 2] = ["event", "properties"];

#[derive(Default)]
pub struct Judged {
    pub differences: Vec<Difference>,
    pub edits: Vec<Edit>,
    pub expects_nothing: bool,
}

struct Judge<'j> {
    step: &'j Step,
    observed: &'j Observed,
    prefix: &'j str,
    judged: Judged,
}

pub fn step(step: &Step, observed: &Observed, storage_before: &Map<String, Value>, prefix: &str) -> Judged {
    let mut judge = Judge { step, observed, prefix, judged: Judged::default() };
    if let Some(expect) = &step.expect {
        judge.all(expect);
    } else {
        judge.judged.expects_nothing = true;
        judge.suggest(storage_before);
    }
    let expected = step.expect.as_ref().and_then(|expect| expect.error.as_deref());
    let counts_errors = step.expect.as_ref().is_some_and(|expect| expect.errors.is_some());
    judge.errors(expected, counts_errors);
    judge.judged
}

impl Judge<'_> {
    fn all(&mut self, expect: &Expect) {
        let observed = self.observed;
        if let Some(wanted) = &expect.events {
            for (place, wanted) in wanted.iter().enumerate() {
                let path = format!("{}events[{place}]", self.prefix);
                let Some((tried, _)) = observed.events.get(place) else { continue };
                let found = differences(&path, wanted, &without_untouched(wanted, &after(tried), &tried.before));
                let value = to_expect(&after(tried), &tried.before);
                self.differ(found, "events", Some(place), value);
            }
        }
        if let Some(wanted) = &expect.emitted {
            let actual = &observed.emitted;
            let shown = wanted.iter().zip(actual).map(|(wanted, actual)| told(wanted, actual));
            let rest = actual.iter().skip(wanted.len()).map(|event| told(&Value::Null, event));
            let actual: Vec<Value> = shown.chain(rest).collect();
            let value = observed.emitted.iter().map(emitted_to_expect).collect();
            self.compare("emitted", &json!(wanted), &Value::Array(actual), Value::Array(value));
        }
        if let Some(wanted) = &expect.logs {
            let logs: Vec<&PluginLog> = observed.own_logs().collect();
            let found = listed(
                &format!("{}logs", self.prefix),
                wanted,
                &logs,
                |wanted, log| log_fits(wanted, log),
                |log| json!(line(log)),
            );
            let value = logs.iter().map(|log| literal(&json!(line(log)))).collect();
            self.differ(found, "logs", None, Value::Array(value));
        }
        if let Some(wanted) = &expect.requests {
            let requests: Vec<Value> = observed.requests.iter().map(request).collect();
            let path = format!("{}requests", self.prefix);
            let found = listed(&path, wanted, &requests, request_fits, Clone::clone);
            let value = requests.iter().map(request_to_expect).collect();
            self.differ(found, "requests", None, Value::Array(value));
        }
        for (field, wanted, actual) in
            [("storage", &expect.storage, &observed.storage), ("cache", &expect.cache, &observed.cache)]
        {
            if let Some(wanted) = wanted {
                let actual = Value::Object(actual.clone());
                self.compare(field, &Value::Object(wanted.clone()), &actual, literal(&actual));
            }
        }
        for (field, bounds, count) in [
            ("dropped", expect.dropped, observed.counts.dropped),
            ("modified", expect.modified, observed.counts.modified),
            ("errors", expect.errors, observed.counts.errors),
        ] {
            self.count(field, bounds, count);
        }
        self.judged.differences.extend(observed.unfitting.iter().cloned());
        if let (Some(wanted), Some(actual)) = (&expect.digest, &observed.digest) {
            self.compare("digest", &json!(wanted), &json!(actual), json!(actual));
        }
        if let Some(budget) = &expect.budget {
            self.budget(budget);
        }
    }

    fn compare(&mut self, field: &'static str, wanted: &Value, actual: &Value, value: Value) {
        let found = differences(&format!("{}{field}", self.prefix), wanted, actual);
        self.differ(found, field, None, value);
    }

    fn differ(&mut self, found: Vec<Difference>, field: &'static str, entry: Option<usize>, value: Value) {
        if found.is_empty() {
            return;
        }
        self.judged.differences.extend(found);
        self.edit(field, entry, value);
    }

    fn edit(&mut self, field: &'static str, entry: Option<usize>, value: Value) {
        self.judged.edits.push(Edit { holder: self.step.holder.clone(), field, entry, value });
    }

    fn count(&mut self, field: &'static str, bounds: Option<Bounds>, count: u64) {
        let Some(Bounds { min, max }) = bounds.filter(|bounds| !(bounds.min..=bounds.max).contains(&count)) else {
            return;
        };
        let expected = if min == max { json!(min) } else { json!({"min": min, "max": max}) };
        let difference = Difference {
            path: format!("{}{field}", self.prefix),
            expected: Some(expected),
            actual: Some(json!(count)),
        };
        self.differ(vec![difference], field, None, json!(count));
    }

    /// Budgets are decisions, so `--update` leaves them alone.
    fn budget(&mut self, budget: &Budget) {
        let observed = self.observed;
        let used = [
            ("cpu_us", budget.cpu_us, observed.cpu_us_worst()),
            ("cpu_us_p99", budget.cpu_us_p99, observed.cpu_us_p99()),
            ("instructions", budget.instructions, observed.instructions.unwrap_or_default()),
            ("memory_bytes", budget.memory_bytes, observed.memory_bytes),
            ("requests", budget.requests, observed.requests.len() as u64),
            ("log_lines", budget.log_lines, observed.own_logs().count() as u64),
            ("output_bytes", budget.output_bytes, observed.output_bytes),
        ];
        for (name, most, used) in used {
            if let Some(most) = most.filter(|most| used > *most) {
                self.judged.differences.push(Difference {
                    path: format!("{}budget.{name}", self.prefix),
                    expected: Some(json!({"max": most})),
                    actual: Some(json!(used)),
                });
            }
        }
    }

    /// An error never passes silently, and one that is expected has to come.
    fn errors(&mut self, expected: Option<&str>, are_counted: bool) {
        let errors = &self.observed.errors;
        let path = format!("{}error", self.prefix);
        match expected {
            None if are_counted => {}
            None => {
                if let Some(error) = errors.first() {
                    let actual = Some(json!(error));
                    self.differ(
                        vec![Difference { path, expected: None, actual }],
                        "error",
                        None,
                        literal(&json!(error)),
                    );
                }
            }
            Some(pattern) => {
                let unexpected = errors.iter().find(|error| !is_told(pattern, error));
                if unexpected.is_some() || errors.is_empty() {
                    let actual = unexpected.map(|error| json!(error));
                    let value = literal(&actual.clone().unwrap_or_default());
                    let difference = Difference { path, expected: Some(json!(pattern)), actual };
                    if errors.is_empty() {
                        // Nothing to write: a field is not taken away.
                        self.judged.differences.push(difference);
                    } else {
                        self.differ(vec![difference], "error", None, value);
                    }
                }
            }
        }
    }

    /// What a step that expects nothing could expect.
    fn suggest(&mut self, storage_before: &Map<String, Value>) {
        let observed = self.observed;
        match &self.step.action {
            Action::Events(_) => {
                let events = observed.events.iter().map(|(tried, _)| to_expect(&after(tried), &tried.before));
                self.edit("events", None, Value::Array(events.collect()));
            }
            Action::Stream { .. } => {
                self.edit("dropped", None, json!(observed.counts.dropped));
                self.edit("modified", None, json!(observed.counts.modified));
                self.edit("errors", None, json!(observed.counts.errors));
                if let Some(digest) = &observed.digest {
                    self.edit("digest", None, json!(digest));
                }
                return;
            }
            _ => {}
        }
        if !observed.emitted.is_empty() {
            self.edit("emitted", None, observed.emitted.iter().map(emitted_to_expect).collect());
        }
        let logs: Vec<Value> = observed.own_logs().map(|log| literal(&json!(line(log)))).collect();
        if !logs.is_empty() {
            self.edit("logs", None, Value::Array(logs));
        }
        if !observed.requests.is_empty() {
            let requests = observed.requests.iter().map(|call| request_to_expect(&request(call)));
            self.edit("requests", None, Value::Array(requests.collect()));
        }
        if observed.storage != *storage_before {
            self.edit("storage", None, literal(&Value::Object(observed.storage.clone())));
        }
        if self.judged.edits.is_empty() && observed.errors.is_empty() {
            // Something has to be said, or it would stay without an expectation.
            self.edit("logs", None, json!([]));
        }
    }
}

/// The event without fields that the plugin has left as they were and the expectation does not name.
fn without_untouched(wanted: &Value, actual: &Value, before: &str) -> Value {
    let (Value::Object(wanted), Value::Object(actual)) = (wanted, actual) else { return actual.clone() };
    let before: Map<String, Value> = serde_json::from_str(before).unwrap_or_default();
    let counts = |(key, value): &(&String, &Value)| {
        wanted.contains_key(*key) || MUST_BE_GIVEN.contains(&key.as_str()) || before.get(*key) != Some(value)
    };
    Value::Object(actual.iter().filter(counts).map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn to_expect(after: &Value, before: &str) -> Value {
    literal(&without_untouched(&json!({}), after, before))
}

/// Fields that the host gives every event that a plugin makes.
const OF_THE_HOST: [&str; 6] = ["uuid", "team_id", "now", "site_url", "ip", "sent_at"];

fn told(wanted: &Value, actual: &Value) -> Value {
    let Value::Object(fields) = actual else { return actual.clone() };
    let counts = |key: &str| wanted.get(key).is_some() || !OF_THE_HOST.contains(&key);
    Value::Object(
        fields.iter().filter(|(key, _)| counts(key)).map(|(key, value)| (key.clone(), value.clone())).collect(),
    )
}

fn emitted_to_expect(event: &Value) -> Value {
    literal(&told(&Value::Null, event))
}

/// As expectations and reports write it.
pub fn line(log: &PluginLog) -> String {
    format!("{} {}", log.level.as_str(), log.message)
}

/// `"WARN text"`, `"text"` or `{"level": "warn", "message": "text"}`.
fn log_fits(wanted: &Value, log: &PluginLog) -> bool {
    match wanted {
        Value::String(pattern) => matches(pattern, &line(log)) || matches(pattern, &log.message),
        Value::Object(fields) => fields.iter().all(|(key, wanted)| match key.as_str() {
            "level" => wanted.as_str().is_some_and(|level| level.eq_ignore_ascii_case(log.level.as_str())),
            "message" => fits(wanted, &json!(log.message)),
            _ => false,
        }),
        _ => false,
    }
}

/// `"GET https://…"`, or an object of which each field that is given fits.
fn request_fits(wanted: &Value, request: &Value) -> bool {
    match wanted {
        Value::String(pattern) => {
            let text = |key: &str| request[key].as_str().unwrap_or_default();
            matches(pattern, &format!("{} {}", text("method"), text("url")))
        }
        Value::Object(fields) => fields.iter().all(|(key, wanted)| match key.as_str() {
            "headers" | "body" => contains_or_fits(wanted, &request[key]),
            // Of those that failed it is a code: `http_timeout`.
            "status" => text(wanted) == text(&request["status"]),
            _ => fits(wanted, &request[key]),
        }),
        _ => false,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn contains_or_fits(wanted: &Value, actual: &Value) -> bool {
    if wanted.is_string() { fits(wanted, actual) } else { contains(wanted, actual) }
}

fn request_to_expect(request: &Value) -> Value {
    let mut kept = Map::new();
    for key in ["method", "url", "body", "status"] {
        let value = &request[key];
        if value.as_str() != Some("") {
            kept.insert(key.to_owned(), literal(value));
        }
    }
    Value::Object(kept)
}

/// Lists of which each entry has to fit.
fn listed<T>(
    path: &str,
    wanted: &[Value],
    actual: &[T],
    entry_fits: impl Fn(&Value, &T) -> bool,
    shown: impl Fn(&T) -> Value,
) -> Vec<Difference> {
    let mut found = Vec::new();
    for place in 0..wanted.len().max(actual.len()) {
        let (expected, was) = (wanted.get(place), actual.get(place));
        if let (Some(expected), Some(was)) = (expected, was)
            && entry_fits(expected, was)
        {
            continue;
        }
        found.push(Difference {
            path: format!("{path}[{place}]"),
            expected: expected.cloned(),
            actual: was.map(&shown),
        });
    }
    found
}

/// The event that a path is about.
pub fn event_at(path: &str, prefix: &str) -> Option<usize> {
    let rest = path.strip_prefix(prefix)?.strip_prefix("events[")?;
    rest.split_once(']')?.0.parse().ok()
}
