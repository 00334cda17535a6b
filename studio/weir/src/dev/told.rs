//! News as lines of a terminal, or as one JSON object a line.

use std::io::IsTerminal as _;

use pipeline_core::api::diff::{DiffGroup, PluginDiff};
use pipeline_core::api::plugin::{Diagnostic, PluginView};
use pipeline_core::trial::summary;
use serde_json::{Value, json};

use super::News;
use crate::say::say;

/// Characters of a value.
const SHOWN: usize = 48;

pub struct Told {
    is_json: bool,
    colour: bool,
}

impl Told {
    pub fn new(is_json: bool) -> Self {
        Self { is_json, colour: !is_json && std::io::stdout().is_terminal() }
    }

    pub fn begun(&self, view: &PluginView, link: &str, is_own: bool) {
        if self.is_json {
            say!("{}", json!({"kind": "begun", "plugin": view.id, "dir": view.dir, "link": link, "started": is_own}));
            return;
        }
        let how = if is_own { "started the studio; Ctrl-C ends it" } else { "joined the studio that runs" };
        say!("{}  {} ({how})", self.word("36;1", "weir dev"), view.id);
        say!("          {link}");
    }

    pub fn news(&self, news: &News) {
        if self.is_json { say!("{}", as_json(news)) } else { self.lines(news) }
    }

    fn lines(&self, news: &News) {
        match news {
            News::Live(view) => {
                let took = view.reload_ms.map_or_else(String::new, |ms| format!(", {ms:.0} ms after the save"));
                let setup = view.setup_ms.unwrap_or_default();
                say!(
                    "{}      {} {}{took}, setupPlugin {setup:.1} ms",
                    self.word("32;1", "live"),
                    view.version,
                    view.language
                );
                if !view.missing.is_empty() {
                    say!(
                        "          without a value: {}; `weir plugin config {} KEY=VALUE`",
                        view.missing.join(", "),
                        view.id
                    );
                }
            }
            News::Failed(view) => {
                if let Some(problem) = &view.load_error {
                    self.problem(problem);
                }
                let serving =
                    if view.version.is_empty() { "nothing serves yet" } else { "the version before goes on serving" };
                say!("          {serving}");
            }
            News::Error(view) => {
                if let Some(failure) = &view.last_error {
                    say!("{}     {}: {}", self.word("31;1", "error"), failure.kind, failure.message);
                    say!("          {}", failure.consequence);
                }
            }
            News::Waits(view) => {
                let version = view.waiting.as_deref().unwrap_or_default();
                say!("{}     {version}: `weir plugin promote {}` or `discard`", self.word("33;1", "waits"), view.id);
            }
            News::Diff(diff) => self.diff(diff),
            News::NoDiff(reason) => say!("{}      {reason}", self.word("33", "diff")),
        }
    }

    /// With the line of code, when it is known.
    fn problem(&self, problem: &Diagnostic) {
        let place = match (problem.file.as_str(), problem.line) {
            ("", _) => String::new(),
            (file, 0) => format!("{file}: "),
            (file, line) => format!("{file}:{line}:{}: ", problem.column),
        };
        say!("{}    {place}{}", self.word("31;1", "failed"), problem.message);
        if !problem.excerpt.is_empty() && problem.line > 0 {
            let number = problem.line.to_string();
            say!("          {number} | {}", problem.excerpt);
            let before = problem.excerpt.chars().take((problem.column as usize).saturating_sub(1));
            // Tabs stay tabs, so that the mark stands under its place.
            let blank: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            say!("          {} | {blank}{}", " ".repeat(number.len()), self.word("31;1", "^"));
        }
        if let Some(hint) = &problem.hint {
            say!("          {hint}");
        }
    }

    /// In three lines: how much, where most of it is, and what that means.
    fn diff(&self, diff: &PluginDiff) {
        say!("{}      {} over {} events", self.word("36", "diff"), summary(diff), diff.events);
        let groups = diff.fates.iter().chain(&diff.fields).chain(&diff.errors);
        if let Some(group) = groups.max_by_key(|group| group.count) {
            say!("          {}", biggest(group));
        }
        say!("          {}", diff.consequence);
    }

    fn word(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn biggest(group: &DiffGroup) -> String {
    let value =
        |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), |value| cut(&value.to_string()));
    let example = group
        .examples
        .first()
        .map_or_else(String::new, |example| format!(": {} → {}", value(&example.before), value(&example.after)));
    let what = if group.path.is_empty() { group.kind.replace('_', " ") } else { group.path.clone() };
    format!("{} × {what}{example}", group.count)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn as_json(news: &News) -> Value {
    match news {
        News::Live(view) => {
            json!({"kind": "live", "version": view.version, "reload_ms": view.reload_ms, "setup_ms": view.setup_ms})
        }
        News::Failed(view) => json!({"kind": "failed", "problem": view.load_error, "serving": view.version}),
        News::Error(view) => json!({"kind": "error", "failure": view.last_error}),
        News::Waits(view) => json!({"kind": "waits", "version": view.waiting}),
        News::Diff(diff) => json!({"kind": "diff", "diff": diff}),
        News::NoDiff(reason) => json!({"kind": "no_diff", "reason": reason}),
    }
}
