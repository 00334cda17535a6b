//! JUnit XML, in the form that CI servers agree on: a mismatch is a failure, everything else that did not
//! pass an error.

use std::fmt::Write as _;

use super::text::{Style, text};
use crate::verdict::{FixtureResult, Report, Verdict};

pub fn document(report: &Report) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites name=\"weir test\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3}\">",
        report.results.len(),
        report.totals.mismatched,
        report.totals.errors + report.totals.invalid,
        report.duration_ms / 1000.0
    );
    for plugin in &report.plugins {
        let results: Vec<&FixtureResult> = report.results.iter().filter(|result| result.plugin == plugin.id).collect();
        if results.is_empty() {
            continue;
        }
        let count = |wanted: &[Verdict]| results.iter().filter(|result| wanted.contains(&result.verdict)).count();
        let seconds: f64 = results.iter().map(|result| result.duration_ms).sum::<f64>() / 1000.0;
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{seconds:.3}\">",
            escaped(&plugin.id),
            results.len(),
            count(&[Verdict::Mismatch]),
            count(&[Verdict::Error, Verdict::Invalid]),
        );
        for result in results {
            case(&mut out, result);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(out: &mut String, result: &FixtureResult) {
    let file = result.file.to_string_lossy();
    let _ = write!(
        out,
        "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3}\"",
        escaped(&result.name),
        escaped(&format!("{}.{}", result.plugin, file.trim_end_matches(".json").replace('/', "."))),
        escaped(&format!("{}/{file}", result.plugin)),
        result.line,
        result.duration_ms / 1000.0
    );
    let element = match result.verdict {
        Verdict::Pass => {
            out.push_str("/>\n");
            return;
        }
        Verdict::Mismatch => "failure",
        Verdict::Error | Verdict::Invalid => "error",
    };
    let message = match (&result.problem, result.differences.first()) {
        (Some(problem), _) => problem.message.clone(),
        (None, Some(difference)) => format!("{} is not as expected", difference.path),
        (None, None) => result.verdict.as_str().to_owned(),
    };
    let alone = Report::new(Vec::new(), vec![result.clone()], result.duration_ms);
    let details = text(&alone, Style::default());
    let _ = writeln!(
        out,
        ">\n      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n    </testcase>",
        result.verdict.as_str(),
        escaped(&message),
        escaped(details.trim_end())
    );
}

/// Text of XML. What no XML document may hold is replaced.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
