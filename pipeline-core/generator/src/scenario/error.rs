//! Why a scenario cannot be used, with the place.

use std::ops::Range;

use thiserror::Error;
use weir_event::place;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}:{column}: {reason}")]
pub struct ScenarioError {
    /// As it was named.
    pub file: String,
    /// From 1; 0 when the file as a whole is meant.
    pub line: usize,
    pub column: usize,
    pub reason: String,
    /// The line.
    pub excerpt: String,
    pub hint: String,
}

impl ScenarioError {
    pub const fn code(&self) -> &'static str {
        "scenario_invalid"
    }

    pub(super) fn at(file: &str, text: &str, span: Option<Range<usize>>, reason: String, hint: String) -> Self {
        let at = span.map(|span| place::of_offset(text, span.start));
        let (line, column) = at.map_or((0, 0), |at| (at.line, at.column));
        let excerpt = text.lines().nth(line.wrapping_sub(1)).unwrap_or_default().to_owned();
        Self { file: file.to_owned(), line, column, reason, excerpt, hint }
    }
}

/// The same before the file is looked at.
#[derive(Debug)]
pub struct Fault {
    pub span: Option<Range<usize>>,
    pub reason: String,
    pub hint: String,
}

impl Fault {
    pub fn new(span: Range<usize>, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        // Defaults have no place.
        let span = Some(span).filter(|span| span.end > 0);
        Self { span, reason: reason.into(), hint: hint.into() }
    }
}
