//! The plugin's own samples, which both versions are given too: its fixtures, each in trials of its own.

use std::path::Path;

use weir_plugins::{Blueprint, Workshop};

use super::Comparison;
use crate::fixture;
use crate::run;

/// Runs every sample of a plugin's folder with both versions; returns what could not be run, in words.
pub fn samples(
    comparison: &mut Comparison,
    workshop: &Workshop,
    dir: &Path,
    before: &Blueprint,
    after: &Blueprint,
    mut goes_on: impl FnMut() -> bool,
) -> Vec<String> {
    let mut left_out = Vec::new();
    let files = match fixture::files(dir) {
        Ok(files) => files,
        Err(error) => return vec![format!("The samples were left out: {error}")],
    };
    for file in files {
        let parsed = match &file {
            Ok(file) => fixture::read_file(dir, file),
            Err(error) => {
                left_out.push(format!("A sample was left out: {error}"));
                continue;
            }
        };
        for fixture in parsed {
            if !goes_on() {
                return left_out;
            }
            match fixture {
                Ok(fixture) => {
                    let events = |blueprint| run::events_of(workshop, blueprint, &fixture);
                    match (events(before), events(after)) {
                        (Ok(before), Ok(after)) => comparison.sample(&fixture.name, &before, &after),
                        // What does not start in a sample, its own test tells best.
                        (Err(error), _) | (_, Err(error)) => {
                            left_out.push(format!("The sample {:?} was left out: {error}", fixture.name));
                        }
                    }
                }
                Err(refused) => left_out.push(format!("The sample {:?} was left out: {}", refused.0, refused.1)),
            }
        }
    }
    left_out
}
