//! What is known of one check: its newest run, and when the next is due.

use std::time::{Duration, Instant};

use serde_json::Value;
use weir_api::check::{CheckProblem, CheckState, CheckView};
use weir_api::query::QueryResult;
use weir_event::clock::UnixMillis;
use weir_trial::{Check, CheckError};

/// Rows that are counted.
pub const MOST_ROWS: u64 = 1_000;
const SHOWN_ROWS: usize = 10;
/// Longer texts in rows are cut, in bytes.
const SHOWN_BYTES: usize = 400;
/// A run is followed by a pause of so many times what it took.
const PAUSE_RATIO: u32 = 20;

pub struct Known {
    pub view: CheckView,
    /// `None` for a file that is no check.
    pub check: Option<Check>,
    error: Option<CheckError>,
    last: Option<LastRun>,
}

struct LastRun {
    /// Of the store, when it began.
    journal_sequence: u64,
    started: Instant,
    took: Duration,
}

impl Known {
    pub fn new(plugin: Option<String>, found: Result<Check, CheckError>, now_ms: UnixMillis) -> Self {
        let file = match &found {
            Ok(check) => &check.file,
            Err(error) => &error.file,
        };
        let id = plugin.as_ref().map_or_else(|| file.name.clone(), |plugin| format!("{plugin}/{}", file.name));
        let mut view =
            CheckView { id, plugin, file: file.path.display().to_string(), since_ms: now_ms, ..CheckView::default() };
        match found {
            Ok(check) => {
                view.description.clone_from(&check.description);
                view.severity = check.severity;
                view.every_ms = check.every_ms;
                Self { view, check: Some(check), error: None, last: None }
            }
            Err(error) => {
                view.state = CheckState::Error;
                view.problem = Some(error.clone().into());
                Self { view, check: None, error: Some(error), last: None }
            }
        }
    }

    /// Whether the other is of the same file with the same text.
    pub fn is_of(&self, other: &Self) -> bool {
        self.check == other.check && self.error == other.error && self.view.plugin == other.view.plugin
    }

    pub fn is_due(&self, journal_sequence: u64, now: Instant) -> bool {
        let Some(check) = &self.check else { return false };
        let Some(last) = &self.last else { return true };
        let pause = Duration::from_millis(check.every_ms).max(last.took * PAUSE_RATIO);
        let has_news = last.journal_sequence != journal_sequence || self.view.state.is_bad();
        has_news && now.saturating_duration_since(last.started) >= pause
    }

    pub fn ran(
        &mut self,
        ran: Result<QueryResult, CheckProblem>,
        (journal_sequence, started, took): (u64, Instant, Duration),
        now_ms: UnixMillis,
    ) {
        self.last = Some(LastRun { journal_sequence, started, took });
        let view = &mut self.view;
        let before = view.state;
        let (state, problem, found) = match ran {
            Ok(found) if found.rows.is_empty() => (CheckState::Passing, None, QueryResult::default()),
            Ok(found) => (CheckState::Failing, None, found),
            Err(problem) => (CheckState::Error, Some(problem), QueryResult::default()),
        };
        view.state = state;
        view.problem = problem;
        view.rows = found.rows.len() as u64;
        view.truncated = found.truncated;
        view.columns = found.columns;
        view.first_rows =
            found.rows.into_iter().take(SHOWN_ROWS).map(|row| row.into_iter().map(shortened).collect()).collect();
        view.ran_at_ms = now_ms;
        view.duration_ms = took.as_secs_f64() * 1_000.0;
        view.runs += 1;
        if state != before {
            view.since_ms = now_ms;
        }
    }
}

/// Only texts and JSON are long.
fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > SHOWN_BYTES => {
            format!("{}…", &text[..text.floor_char_boundary(SHOWN_BYTES)]).into()
        }
        Value::Object(_) | Value::Array(_) => {
            let text = value.to_string();
            if text.len() > SHOWN_BYTES { shortened(Value::String(text)) } else { value }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use weir_trial::CheckFile;

    use super::*;

    fn known(text: &str) -> Known {
        Known::new(
            Some("p".into()),
            Check::parse(CheckFile { path: "/p/checks/a.sql".into(), name: "a".into() }, text),
            1,
        )
    }

    fn rows(count: usize) -> QueryResult {
        let rows = vec![vec![json!("x".repeat(1_000)), json!({"a": "y".repeat(1_000)})]; count];
        QueryResult { columns: vec!["a".into(), "b".into()], rows, ..QueryResult::default() }
    }

    #[test]
    fn it_rests_for_its_pause_and_while_nothing_is_new() {
        let mut known = known("-- every: 1s\nSELECT 1");
        let start = Instant::now();
        let after = |ms: u64| start + Duration::from_millis(ms);
        assert!(known.is_due(5, start), "the first run is at once");
        known.ran(Ok(rows(0)), (5, start, Duration::from_millis(1)), 10);
        assert!(!known.is_due(6, after(999)) && known.is_due(6, after(1_000)));
        assert!(!known.is_due(5, after(60_000)), "nothing is new");
        known.ran(Ok(rows(1)), (6, start, Duration::from_millis(200)), 20);
        assert!(!known.is_due(6, after(3_999)), "a slow one rests longer");
        assert!(known.is_due(6, after(4_000)), "one that fails runs without news");
    }

    #[test]
    fn its_state_is_that_of_the_newest_run() {
        let mut known = known("-- every: 1s\nSELECT 1");
        let run = |known: &mut Known, ran, at| known.ran(ran, (0, Instant::now(), Duration::ZERO), at);
        assert_eq!((known.view.id.as_str(), known.view.state), ("p/a", CheckState::Never));
        run(&mut known, Ok(rows(30)), 100);
        run(&mut known, Ok(rows(20)), 200);
        assert_eq!((known.view.state, known.view.since_ms, known.view.rows), (CheckState::Failing, 100, 20));
        assert_eq!(known.view.first_rows.len(), SHOWN_ROWS);
        assert!(known.view.first_rows[0].iter().all(|cell| cell.to_string().len() < 500), "long texts are cut");
        run(&mut known, Err(CheckProblem { line: 3, ..CheckProblem::default() }), 300);
        assert_eq!((known.view.state, known.view.since_ms, known.view.rows), (CheckState::Error, 300, 0));
        run(&mut known, Ok(rows(0)), 400);
        assert_eq!((known.view.state, known.view.since_ms), (CheckState::Passing, 400));
        assert!(known.view.problem.is_none() && known.view.runs == 4);
    }

    #[test]
    fn a_file_that_is_no_check_is_an_error_and_never_due() {
        let known = known("-- evry: 1s\nSELECT 1");
        assert_eq!(known.view.state, CheckState::Error);
        assert_eq!(known.view.problem.as_ref().map(|problem| problem.line), Some(1));
        assert!(!known.is_due(1, Instant::now()));
    }
}
