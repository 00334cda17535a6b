//! A page that stands on its own: no script, no request, light and dark.

use std::fmt::Write as _;

use super::junit::escaped;
use super::text::{Style, is_told, summary};
use crate::compare::Difference;
use crate::verdict::{FixtureResult, Problem, Report, Verdict, shortened};

const STYLE: &str = "\
:root{color-scheme:light dark;--page:#fbfbf9;--text:#1d2329;--dim:#5c6670;--line:#d9dcd6;--card:#fff;--good:#1a6b3c;\
--bad:#b3261e;--odd:#8a5a00;--was:#fdecea;--is:#e6f4ea}\
@media(prefers-color-scheme:dark){:root{--page:#14171a;--text:#e6e9ec;--dim:#9aa5b1;--line:#31383f;--card:#1b2025;\
--good:#6fcf97;--bad:#ff8a80;--odd:#ffc266;--was:#3a2020;--is:#1c3324}}\
body{margin:0 auto;max-width:60rem;padding:2rem 1rem;background:var(--page);color:var(--text);\
font:16px/1.5 system-ui,sans-serif}h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}\
p{margin:.3rem 0}.dim{color:var(--dim)}details,.card{background:var(--card);border:1px solid var(--line);\
border-radius:6px;margin:.4rem 0;padding:.5rem .8rem}summary{cursor:pointer}\
.pass{color:var(--good)}.mismatch,.error{color:var(--bad)}.invalid{color:var(--odd)}\
pre{margin:.2rem 0;padding:.3rem .5rem;overflow-x:auto;white-space:pre-wrap;word-break:break-word;\
font:13px/1.45 ui-monospace,monospace;border-radius:4px}.was{background:var(--was)}.is{background:var(--is)}\
table{border-collapse:collapse;font-size:.9rem}td,th{text-align:left;padding:.1rem .8rem .1rem 0}";

const VALUE_BYTES: usize = 4_000;

pub fn page(report: &Report) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>weir test: {0}</title><style>{STYLE}</style></head><body>\n\
         <h1>weir test</h1>\n<p class=\"{1}\">{0}</p>\n",
        escaped(&summary(report, Style::default())),
        if report.exit_code == 0 { "pass" } else { "mismatch" },
    );
    for plugin in &report.plugins {
        let _ = writeln!(
            out,
            "<h2>{}</h2><p class=\"dim\">{} &middot; {} fixtures</p>",
            escaped(&plugin.name),
            escaped(&plugin.dir.to_string_lossy()),
            plugin.fixtures
        );
        if let Some(problem) = &plugin.problem {
            out.push_str(&told(problem));
        }
        for result in report.results.iter().filter(|result| result.plugin == plugin.id) {
            out.push_str(&card(result));
        }
    }
    out.push_str("</body></html>\n");
    out
}

fn card(result: &FixtureResult) -> String {
    let verdict = result.verdict.as_str();
    let open = if result.verdict == Verdict::Pass { "" } else { " open" };
    let mut out = format!(
        "<details{open}><summary><strong class=\"{verdict}\">{verdict}</strong> {} <span class=\"dim\">{}:{} &middot; \
         {:.1} ms</span></summary>\n",
        escaped(&result.name),
        escaped(&result.file.to_string_lossy()),
        result.line,
        result.duration_ms
    );
    if let Some(problem) = &result.problem {
        out.push_str(&told(problem));
    }
    for difference in result.differences.iter().filter(|difference| !is_told(result, difference)) {
        out.push_str(&differs(difference));
    }
    if !result.consequence.is_empty() {
        let _ = writeln!(out, "<p>In production: {}</p>", escaped(&result.consequence));
    }
    if !result.events.is_empty() {
        out.push_str("<table><tr><th>event</th><th>label</th><th>fate</th><th>CPU</th></tr>");
        for event in &result.events {
            let _ = write!(
                out,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{} &micro;s</td></tr>",
                escaped(&event.event),
                event.label,
                event.fate,
                event.cpu_us
            );
        }
        out.push_str("</table>\n");
    }
    if !result.logs.is_empty() {
        let _ = writeln!(out, "<pre>{}</pre>", escaped(&result.logs.join("\n")));
    }
    out.push_str("</details>\n");
    out
}

fn differs(difference: &Difference) -> String {
    let value = |value: Option<&serde_json::Value>| {
        escaped(&value.map_or_else(|| "(nothing)".to_owned(), |value| shortened(value, VALUE_BYTES)))
    };
    format!(
        "<p><code>{}</code></p><pre class=\"was\">- {}</pre><pre class=\"is\">+ {}</pre>\n",
        escaped(&difference.path),
        value(difference.expected.as_ref()),
        value(difference.actual.as_ref())
    )
}

fn told(problem: &Problem) -> String {
    let mut out = format!(
        "<p class=\"error\">{}{}</p>\n",
        if problem.line > 0 { escaped(&format!("{}:{}: ", problem.file, problem.line)) } else { String::new() },
        escaped(&problem.message)
    );
    if !problem.excerpt.is_empty() {
        let _ = writeln!(out, "<pre>{}</pre>", escaped(&problem.excerpt));
    }
    if !problem.hint.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", escaped(&problem.hint));
    }
    out
}
