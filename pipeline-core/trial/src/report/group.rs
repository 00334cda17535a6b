//! Fixtures that fail in the same way are told once.

use crate::verdict::{EXPECTS_NOTHING, FixtureResult, Report, Verdict};

pub struct Group<'r> {
    pub first: &'r FixtureResult,
    /// With the first.
    pub all: Vec<&'r FixtureResult>,
}

/// Everything that did not pass, in order of the first of each group.
pub fn failures(report: &Report) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for result in report.results.iter().filter(|result| result.verdict != Verdict::Pass) {
        match groups.iter_mut().find(|group| is_same(group.first, result)) {
            Some(group) => group.all.push(result),
            None => groups.push(Group { first: result, all: vec![result] }),
        }
    }
    groups
}

/// The same error of the same plugin. Differences are a fixture's own, unless all of them are one error.
fn is_same(one: &FixtureResult, other: &FixtureResult) -> bool {
    let expects_nothing =
        |result: &FixtureResult| result.problem.as_ref().is_some_and(|problem| problem.code == EXPECTS_NOTHING);
    if expects_nothing(one) && expects_nothing(other) {
        return true;
    }
    if one.plugin != other.plugin || one.verdict != other.verdict {
        return false;
    }
    match (&one.problem, &other.problem) {
        (Some(one), Some(other)) => {
            (&one.code, &one.message) == (&other.code, &other.message) && one.code != "fixture_invalid"
        }
        (None, None) => {
            let is_error = |result: &FixtureResult| matches!(result.differences.as_slice(), [only] if only.path.ends_with("error") && only.expected.is_none());
            is_error(one) && is_error(other) && one.differences[0].actual == other.differences[0].actual
        }
        _ => false,
    }
}
