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

/// The same error of the same plugin.
fn is_same(one: &FixtureResult, other: &FixtureResult) -> bool {
    let expects_nothing =
        |result: &FixtureResult| result.problem.as_ref().is_some_and(|problem| problem.code == EXPECTS_NOTHING);
    if expects_nothing(one) && expects_nothing(other) {
        return true;
    }
    if one.plugin != other.plugin || one.verdict != other.verdict {
        return false;
    }
    let error = |result: &FixtureResult| {
        let problem = result.problem.as_ref().filter(|problem| problem.code != "fixture_invalid")?;
        // Beside its error, a fixture may have differences of its own.
        let is_all = result.differences.iter().all(|difference| difference.path.ends_with("error"));
        is_all.then(|| (problem.code.clone(), problem.message.clone()))
    };
    error(one).is_some_and(|of_one| error(other) == Some(of_one))
}
