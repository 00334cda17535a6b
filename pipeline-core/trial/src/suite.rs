//! All fixtures of some plugins: found, selected, run on as many threads as there are cores, and rewritten on
//! request. Each plugin is read and built once, each fixture runs in a trial of its own, and the order of
//! results is that of files, whatever the threads do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use thiserror::Error;
use weir_plugins::{BenchError, Blueprint, CHECKS_DIR, Settings, Workshop, is_plugin};
use weir_store::EventRow;

use crate::check::{Check, CheckError, checks_in};
use crate::checked;
use crate::fixture::{self, Edit, Fixture, FixtureError, FixtureFile, Parsed};
use crate::run;
use crate::verdict::{FixtureResult, PluginResult, Problem, Report, Verdict};

/// Plugin code recurses deeply.
const STACK_BYTES: usize = 4 << 20;
/// Folders between one that is given and a plugin in it.
const DEEPEST: usize = 3;

#[derive(Debug, Error)]
pub enum SuiteError {
    #[error("{} is not a folder", .0.display())]
    NoFolder(PathBuf),
    #[error("no plugin is in {}", .0.display())]
    NoPlugin(PathBuf),
    #[error("{} could not be written: {source}", path.display())]
    Unwritable { path: PathBuf, source: std::io::Error },
    #[error("the threads for tests did not start: {0}")]
    Threads(std::io::Error),
}

impl SuiteError {
    /// Stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoFolder(_) => "test_folder_missing",
            Self::NoPlugin(_) => "test_no_plugin",
            Self::Unwritable { .. } => "test_fixture_unwritable",
            Self::Threads(_) => "test_threads",
        }
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoFolder(_) => "Give the path of a plugin's folder, or of a folder with plugins in it.",
            Self::NoPlugin(_) => "A plugin's folder holds plugin.json, index.ts, index.js, Cargo.toml or plugin.py.",
            Self::Unwritable { .. } => "Check that the file can be written by this user.",
            Self::Threads(_) => "The machine is out of threads or memory.",
        }
    }
}

/// Which fixtures run, and how.
#[derive(Debug, Clone)]
pub struct Selection {
    /// A part of a fixture's name, of its file or of its plugin.
    pub filter: Option<String>,
    /// Only what these files (whole paths, links resolved) can have changed.
    pub changed: Option<Vec<PathBuf>>,
    pub threads: usize,
    /// Writes what was as what is expected.
    pub update: bool,
}

/// The plugins in some folders, by path.
pub fn plugin_dirs(paths: &[PathBuf]) -> Result<Vec<PathBuf>, SuiteError> {
    let mut dirs = Vec::new();
    for path in paths {
        if !path.is_dir() {
            return Err(SuiteError::NoFolder(path.clone()));
        }
        let before = dirs.len();
        if is_plugin(path) {
            dirs.push(path.clone());
        } else {
            find(path, 0, &mut dirs);
        }
        if dirs.len() == before {
            return Err(SuiteError::NoPlugin(path.clone()));
        }
    }
    Ok(dirs)
}

fn find(dir: &Path, depth: usize, dirs: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut below: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    below.sort();
    for path in below {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || matches!(name.as_str(), "node_modules" | "target" | "fixtures" | "mocks" | "checks")
        {
            continue;
        }
        let is_named = path.join("plugin.json").is_file() || path.join(weir_plugins::FIXTURES_DIR).is_dir();
        if is_named && is_plugin(&path) {
            dirs.push(path);
        } else if depth < DEEPEST {
            find(&path, depth + 1, dirs);
        }
    }
}

/// A plugin with the fixtures of it that are selected.
struct Candidate {
    dir: PathBuf,
    id: String,
    files: Vec<FixtureFile>,
    /// With the place of their file in `files`.
    parsed: Vec<(usize, Parsed)>,
    /// Of files that could not be read.
    unreadable: Vec<FixtureError>,
    checks: Vec<Result<Check, CheckError>>,
}

impl Candidate {
    /// The checks of a plugin over what its fixtures, those that ran, leave for the store.
    fn checked(&self, results: &mut [FixtureResult]) -> Vec<FixtureResult> {
        if self.checks.is_empty() || self.parsed.is_empty() {
            return Vec::new();
        }
        let ran = results.iter_mut().filter(|result| result.plugin == self.id && !result.stored.is_empty());
        let stored: Vec<(&str, Vec<EventRow>)> =
            ran.map(|result| (result.name.as_str(), std::mem::take(&mut result.stored))).collect();
        checked::run(&self.id, &self.checks, stored)
    }
}

/// A result with the places of its plugin and of its fixture.
type Placed = ((usize, usize), FixtureResult);

pub struct Suite<'w> {
    workshop: &'w Workshop,
    selection: Selection,
}

impl<'w> Suite<'w> {
    pub const fn new(workshop: &'w Workshop, selection: Selection) -> Self {
        Self { workshop, selection }
    }

    /// Runs everything; `progress` is told how many of how many fixtures are done.
    pub fn run(&self, dirs: &[PathBuf], progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Report, SuiteError> {
        let started = Instant::now();
        let candidates: Vec<Candidate> = dirs.iter().map(|dir| self.candidate(dir)).collect();
        let mut plugins = Vec::new();
        let mut opened = Vec::new();
        for candidate in &candidates {
            let blueprint = (!candidate.parsed.is_empty()).then(|| self.workshop.open(&candidate.dir)).transpose();
            let (result, blueprint) = self.described(candidate, blueprint);
            plugins.push(result);
            opened.push(blueprint);
        }
        let mut results = self.run_all(&candidates, &opened, &plugins, progress)?;
        if self.selection.update {
            self.update(&candidates, &opened, &mut results)?;
        }
        results.sort_by_key(|(place, _)| *place);
        let mut results: Vec<FixtureResult> = results.into_iter().map(|(_, result)| result).collect();
        let checked: Vec<FixtureResult> =
            candidates.iter().flat_map(|candidate| candidate.checked(&mut results)).collect();
        results.extend(checked);
        for candidate in &candidates {
            results.extend(candidate.unreadable.iter().map(|error| invalid(&candidate.id, "", error.clone())));
        }
        Ok(Report::new(plugins, results, started.elapsed().as_secs_f64() * 1000.0))
    }

    fn candidate(&self, dir: &Path) -> Candidate {
        let id = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let id = id.file_name().map_or_else(|| "plugin".to_owned(), |name| name.to_string_lossy().into_owned());
        let checks = checks_in(&dir.join(CHECKS_DIR));
        let (files, parsed, unreadable) = Default::default();
        let mut candidate = Candidate { dir: dir.to_owned(), id, files, parsed, unreadable, checks };
        let found = match fixture::files(dir) {
            Ok(found) => found,
            Err(error) => {
                candidate.unreadable.push(error);
                return candidate;
            }
        };
        for file in found {
            match file {
                Ok(file) if !self.is_touched(dir, &file.path) => {}
                Ok(file) => {
                    let parsed = fixture::read_file(dir, &file);
                    let place = candidate.files.len();
                    let wanted = parsed.into_iter().filter(|parsed| self.is_wanted(&candidate.id, &file, parsed));
                    candidate.parsed.extend(wanted.map(|parsed| (place, parsed)));
                    candidate.files.push(file);
                }
                Err(error) => candidate.unreadable.push(error),
            }
        }
        candidate
    }

    fn is_wanted(&self, plugin_id: &str, file: &FixtureFile, parsed: &Parsed) -> bool {
        let Some(filter) = &self.selection.filter else { return true };
        let filter = filter.to_lowercase();
        let name = match parsed {
            Ok(fixture) => &fixture.name,
            Err(refused) => &refused.0,
        };
        [plugin_id, &file.shown.to_string_lossy(), name].iter().any(|text| text.to_lowercase().contains(&filter))
    }

    /// A change of a fixture's file concerns that file, any other change in the folder all of them.
    fn is_touched(&self, dir: &Path, file: &Path) -> bool {
        let Some(changed) = &self.selection.changed else { return true };
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let (dir, file) = (real(dir), real(file));
        let fixtures = dir.join(weir_plugins::FIXTURES_DIR);
        let is_fixture_file =
            |path: &Path| path.starts_with(&fixtures) && path.extension().is_some_and(|e| e == "json");
        changed.iter().any(|path| *path == file || path.starts_with(&dir) && !is_fixture_file(path))
    }

    fn run_all(
        &self,
        candidates: &[Candidate],
        opened: &[Option<Blueprint>],
        plugins: &[PluginResult],
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Vec<Placed>, SuiteError> {
        let places: Vec<(usize, usize)> = candidates
            .iter()
            .enumerate()
            .flat_map(|(plugin, candidate)| (0..candidate.parsed.len()).map(move |at| (plugin, at)))
            .collect();
        let next = AtomicUsize::new(0);
        let done = AtomicUsize::new(0);
        let results = Mutex::new(Vec::with_capacity(places.len()));
        let work = || {
            while let Some((plugin, at)) = places.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                let candidate = &candidates[plugin];
                let result = match (&candidate.parsed[at].1, &opened[plugin]) {
                    (Err(refused), _) => invalid(&candidate.id, &refused.0, refused.1.clone()),
                    (Ok(fixture), None) => unloaded(&candidate.id, fixture, plugins[plugin].problem.clone()),
                    (Ok(fixture), Some(blueprint)) => {
                        run::fixture(self.workshop, blueprint, fixture, !candidate.checks.is_empty())
                    }
                };
                results.lock().unwrap_or_else(PoisonError::into_inner).push(((plugin, at), result));
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, places.len());
            }
        };
        let threads = self.selection.threads.clamp(1, places.len().max(1));
        thread::scope(|scope| -> Result<(), SuiteError> {
            let mut running = Vec::new();
            for number in 0..threads {
                let builder = thread::Builder::new().name(format!("weir-test-{number}")).stack_size(STACK_BYTES);
                running.push(builder.spawn_scoped(scope, work).map_err(SuiteError::Threads)?);
            }
            for thread in running {
                if let Err(panic) = thread.join() {
                    std::panic::resume_unwind(panic);
                }
            }
            Ok(())
        })?;
        Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn described(
        &self,
        candidate: &Candidate,
        blueprint: Result<Option<Blueprint>, BenchError>,
    ) -> (PluginResult, Option<Blueprint>) {
        let mut result = PluginResult {
            id: candidate.id.clone(),
            name: candidate.id.clone(),
            dir: candidate.dir.clone(),
            version: String::new(),
            language: String::new(),
            fixtures: candidate.parsed.len() + candidate.unreadable.len(),
            problem: None,
        };
        match blueprint {
            Ok(None) => (result, None),
            Ok(Some(blueprint)) => {
                // What keeps it from being assembled, its fixtures tell.
                if let Ok((version, language)) = self.workshop.version_of(&blueprint, Settings::default()) {
                    result.version = version;
                    language.clone_into(&mut result.language);
                }
                if let Some(name) = blueprint.manifest().name.clone().filter(|name| !name.is_empty()) {
                    result.name = name;
                }
                (result, Some(blueprint))
            }
            Err(error) => {
                result.problem = Some(run::problem_of(error));
                (result, None)
            }
        }
    }

    /// Writes expectations, and runs what was rewritten once more.
    fn update(
        &self,
        candidates: &[Candidate],
        opened: &[Option<Blueprint>],
        results: &mut [Placed],
    ) -> Result<(), SuiteError> {
        let mut edits: BTreeMap<(usize, usize), Vec<Edit>> = BTreeMap::new();
        for ((plugin, at), result) in results.iter() {
            let is_meant = matches!(result.verdict, Verdict::Mismatch | Verdict::Invalid);
            if is_meant && !result.edits.is_empty() {
                let file = candidates[*plugin].parsed[*at].0;
                edits.entry((*plugin, file)).or_default().extend(result.edits.iter().cloned());
            }
        }
        for ((plugin, file), edits) in edits {
            let candidate = &candidates[plugin];
            let keeps = !candidate.checks.is_empty();
            let known = &candidate.files[file];
            let Some(text) = fixture::rewritten(&known.text, &edits) else { continue };
            let written = fs::write(&known.path, &text);
            written.map_err(|source| SuiteError::Unwritable { path: known.path.clone(), source })?;
            let again = fixture::read_file(&candidate.dir, &FixtureFile { text, ..known.clone() });
            // Selected ones are among all of the file, in the same order; names tell them apart.
            for ((_, at), result) in results.iter_mut().filter(|((of, at), result)| {
                *of == plugin && candidate.parsed[*at].0 == file && !result.edits.is_empty()
            }) {
                let line = |parsed: &&Parsed| parsed.as_ref().is_ok_and(|fixture| fixture.name == result.name);
                let _ = at;
                let (Some(Ok(fixture)), Some(blueprint)) = (again.iter().find(line), &opened[plugin]) else { continue };
                *result = FixtureResult { updated: true, ..run::fixture(self.workshop, blueprint, fixture, keeps) };
            }
        }
        Ok(())
    }
}

fn invalid(plugin_id: &str, name: &str, error: FixtureError) -> FixtureResult {
    let (file, line) = (error.file.clone(), error.line);
    let name = if name.is_empty() { file.to_string_lossy().into_owned() } else { name.to_owned() };
    FixtureResult { file, line, ..FixtureResult::blank(plugin_id, &name, Verdict::Invalid, Some(error.into())) }
}

fn unloaded(plugin_id: &str, fixture: &Fixture, problem: Option<Problem>) -> FixtureResult {
    FixtureResult {
        file: fixture.file.clone(),
        line: fixture.line,
        consequence: crate::consequence::NOT_LIVE.to_owned(),
        ..FixtureResult::blank(plugin_id, &fixture.name, Verdict::Error, problem)
    }
}
