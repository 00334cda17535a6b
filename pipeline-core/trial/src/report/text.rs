//! For a terminal: what failed and why, and one line on everything.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::group::{Group, failures};
use crate::compare::Difference;
use crate::verdict::{FixtureResult, Problem, Report, Verdict, shortened};

/// Differences of one fixture that are told.
const TOLD: usize = 12;
/// Names of a group that are told.
const NAMED: usize = 8;
/// Of one value.
const VALUE_BYTES: usize = 400;

/// Colours, or none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    pub colour: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn of(self, verdict: Verdict) -> String {
        let (code, word) = match verdict {
            Verdict::Pass => ("32", "PASS"),
            Verdict::Mismatch => ("31;1", "MISMATCH"),
            Verdict::Error => ("31;1", "ERROR"),
            Verdict::Invalid => ("33;1", "INVALID"),
        };
        self.paint(code, word)
    }
}

pub fn text(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for plugin in report.plugins.iter().filter(|plugin| plugin.problem.is_some() && plugin.fixtures == 0) {
        if let Some(problem) = &plugin.problem {
            let _ = writeln!(out, "{} {}", style.of(Verdict::Error), plugin.id);
            out.push_str(&told(problem, style));
        }
    }
    for group in failures(report) {
        out.push_str(&block(&group, style));
        out.push('\n');
    }
    for result in report.results.iter().filter(|result| result.updated) {
        let _ = writeln!(out, "wrote {}: {}", place(result), result.name);
    }
    let without: Vec<&str> =
        report.plugins.iter().filter(|plugin| plugin.fixtures == 0).map(|plugin| plugin.id.as_str()).collect();
    if !without.is_empty() && report.plugins.len() > without.len() {
        let _ = writeln!(out, "{}", style.paint("2", &format!("without fixtures: {}", without.join(", "))));
    }
    let _ = writeln!(out, "{}", summary(report, style));
    out
}

pub fn summary(report: &Report, style: Style) -> String {
    let totals = &report.totals;
    let word = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let passed = format!("{} passed", totals.passed);
    let passed = if report.exit_code == 0 { style.paint("32", &passed) } else { passed };
    let alarm = |count: usize, text: String| if count > 0 { style.paint("31;1", &text) } else { text };
    format!(
        "{passed}, {}, {}, {} ({:.2} s)",
        alarm(totals.mismatched, word(totals.mismatched, "mismatch", "mismatches")),
        alarm(totals.errors, word(totals.errors, "error", "errors")),
        alarm(totals.invalid, format!("{} invalid", totals.invalid)),
        report.duration_ms / 1000.0
    )
}

fn place(result: &FixtureResult) -> String {
    let file = Path::new(&result.plugin).join(&result.file);
    if result.line > 0 { format!("{}:{}", file.display(), result.line) } else { file.display().to_string() }
}

fn block(group: &Group<'_>, style: Style) -> String {
    let result = group.first;
    let mut out = String::new();
    let _ = writeln!(out, "{} {} {}", style.of(result.verdict), result.name, style.paint("2", &place(result)));
    if let Some(problem) = &result.problem {
        out.push_str(&told(problem, style));
    }
    let is_untold = |difference: &&Difference| !is_told(result, difference);
    for difference in result.differences.iter().filter(is_untold).take(TOLD) {
        let _ = writeln!(out, "    {}", style.paint("1", &difference.path));
        let absent = Value::from("(nothing)");
        let expected = shown(difference.expected.as_ref(), &absent);
        let actual = shown(difference.actual.as_ref(), &absent);
        let _ = writeln!(out, "      {}", style.paint("31", &format!("- {expected}")));
        let _ = writeln!(out, "      {}", style.paint("32", &format!("+ {actual}")));
    }
    if result.differences.len() > TOLD {
        let _ = writeln!(out, "    and {} more differences", result.differences.len() - TOLD);
    }
    if !result.consequence.is_empty() {
        let _ = writeln!(out, "    {}", style.paint("36", &format!("In production: {}", result.consequence)));
    }
    let others = &group.all[1..];
    if !others.is_empty() {
        let _ = writeln!(out, "    the same in {} more:", others.len());
        for other in others.iter().take(NAMED) {
            let _ = writeln!(out, "      {} {}", other.name, style.paint("2", &place(other)));
        }
        if others.len() > NAMED {
            let _ = writeln!(out, "      and {} more", others.len() - NAMED);
        }
    }
    out
}

/// Whether a difference is what the problem says.
pub fn is_told(result: &FixtureResult, difference: &Difference) -> bool {
    let message = result.problem.as_ref().map(|problem| Value::from(problem.message.as_str()));
    message.is_some() && difference.actual == message && difference.expected.is_none()
}

fn shown(value: Option<&Value>, absent: &Value) -> String {
    match value {
        None => absent.as_str().unwrap_or_default().to_owned(),
        Some(value) => shortened(value, VALUE_BYTES),
    }
}

/// The message with its place, the line, and what to do.
fn told(problem: &Problem, style: Style) -> String {
    let mut out = String::new();
    let place = match (problem.file.as_str(), problem.line, problem.column) {
        ("", ..) => String::new(),
        (file, 0, _) => format!("{file}: "),
        (file, line, 0) => format!("{file}:{line}: "),
        (file, line, column) => format!("{file}:{line}:{column}: "),
    };
    // The place is in front already.
    let at_end = format!(" ({}:{}:{})", problem.file, problem.line, problem.column);
    let _ = writeln!(out, "    {place}{}", problem.message.strip_suffix(&at_end).unwrap_or(&problem.message));
    if !problem.excerpt.trim().is_empty() {
        let number = problem.line.to_string();
        let _ = writeln!(out, "    {} | {}", number, problem.excerpt);
        if problem.column > 0 {
            let before = problem.excerpt.chars().take(problem.column as usize - 1);
            let before: String = before.map(|character| if character == '\t' { '\t' } else { ' ' }).collect();
            let _ = writeln!(out, "    {} | {before}{}", " ".repeat(number.len()), style.paint("31;1", "^"));
        }
    }
    for line in problem.hint.lines() {
        let _ = writeln!(out, "    {}", style.paint("36", line));
    }
    out
}
