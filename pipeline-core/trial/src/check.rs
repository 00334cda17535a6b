//! A check: one SQL statement that must return no rows.
//!
//! `checks/*.sql` in a plugin's folder. The comment that a file begins with is its description; lines of it may be
//! directives. The statement is run with its comments, so that a line in DuckDB's message is a line of the file.

use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;
use weir_api::check::{CheckProblem, Severity};
use weir_api::query::QueryResult;
use weir_event::suggestion;
use weir_store::{QueryLimits, QueryPool, StoreError};

use crate::fixture::duration_ms;

/// Without `-- every:`.
pub const DEFAULT_EVERY_MS: u64 = 5_000;
const SHORTEST_EVERY_MS: i64 = 500;
/// Of one folder.
const MOST_FILES: usize = 200;
const LARGEST_FILE_BYTES: u64 = 256 << 10;
const DIRECTIVES: [&str; 3] = ["every", "severity", "except"];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Check {
    pub file: CheckFile,
    pub description: String,
    pub severity: Severity,
    /// Live runs are at least this far apart.
    pub every_ms: u64,
    /// Patterns of names of fixtures that it is not run over.
    pub except: Vec<String>,
    pub sql: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckFile {
    pub path: PathBuf,
    /// Without folder and ending.
    pub name: String,
}

/// A file that is no check.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}:{line}: {reason}", file.path.display())]
pub struct CheckError {
    pub file: CheckFile,
    /// From 1; 0 when the file as a whole is meant.
    pub line: u32,
    pub reason: String,
    pub hint: String,
}

impl CheckError {
    /// Stable name for programs.
    pub const fn code(&self) -> &'static str {
        "check_invalid"
    }
}

impl From<CheckError> for CheckProblem {
    fn from(error: CheckError) -> Self {
        Self { code: error.code().to_owned(), message: error.reason, line: error.line, hint: error.hint }
    }
}

/// The checks in a folder, by name. A folder that is not there has none; any other that cannot be read is an error.
pub fn checks_in(dir: &Path) -> Vec<Result<Check, CheckError>> {
    let of_folder = |reason: String| {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = CheckFile { path: dir.to_owned(), name };
        vec![Err(CheckError { file, line: 0, reason, hint: "Checks are files `*.sql` in a folder.".into() })]
    };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => return of_folder(format!("the folder cannot be read: {error}")),
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| is_check(path)).collect();
    if paths.len() > MOST_FILES {
        return of_folder(format!("it has {} checks; at most {MOST_FILES} are run", paths.len()));
    }
    paths.sort();
    paths.into_iter().map(read).collect()
}

/// Whether a file of this name is a check.
fn is_check(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    path.extension().is_some_and(|extension| extension == "sql") && !is_hidden
}

fn read(path: PathBuf) -> Result<Check, CheckError> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let file = CheckFile { path, name };
    let text = fs::metadata(&file.path).map_err(|error| error.to_string()).and_then(|metadata| {
        if metadata.len() > LARGEST_FILE_BYTES {
            return Err(format!("it has {} bytes; at most {LARGEST_FILE_BYTES} are read", metadata.len()));
        }
        fs::read_to_string(&file.path).map_err(|error| error.to_string())
    });
    match text {
        Ok(text) => Check::parse(file, &text),
        Err(reason) => Err(CheckError { file, line: 0, reason, hint: String::new() }),
    }
}

impl Check {
    pub fn parse(file: CheckFile, text: &str) -> Result<Self, CheckError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut check = Self { file, every_ms: DEFAULT_EVERY_MS, sql: text.to_owned(), ..Self::default() };
        let mut words = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            let Some(comment) = line.strip_prefix("--") else {
                if line.is_empty() {
                    continue;
                }
                break;
            };
            let comment = comment.trim();
            match check.directive(comment) {
                Ok(true) => {}
                Ok(false) => words.push(comment),
                Err((reason, hint)) => {
                    return Err(CheckError { file: check.file, line: at as u32 + 1, reason, hint });
                }
            }
        }
        words.join(" ").trim().clone_into(&mut check.description);
        let has_statement = text.lines().map(str::trim).any(|line| !line.is_empty() && !line.starts_with("--"));
        if has_statement {
            return Ok(check);
        }
        let hint = "Write a SELECT of what must not be: SELECT uuid, _offset FROM events WHERE …".to_owned();
        Err(CheckError { file: check.file, line: 0, reason: "it holds no statement".into(), hint })
    }

    /// Whether a line of the comment is a directive.
    fn directive(&mut self, comment: &str) -> Result<bool, (String, String)> {
        let Some((word, value)) = comment.split_once(':') else { return Ok(false) };
        let value = value.trim();
        match word {
            "every" => {
                let ms = duration_ms(value).map_err(|reason| (reason, String::new()))?;
                if ms < SHORTEST_EVERY_MS {
                    return Err((format!("every is {value}; the shortest is 500ms"), String::new()));
                }
                self.every_ms = ms.unsigned_abs();
            }
            "severity" => {
                self.severity = match value {
                    "error" => Severity::Error,
                    "warning" => Severity::Warning,
                    _ => return Err((format!("severity is {value:?}"), "It is error or warning.".into())),
                }
            }
            "except" => self.except.push(value.to_owned()),
            // Sentences have colons too; a slip is one short word.
            _ => {
                let Some(meant) = suggestion::nearest(word, DIRECTIVES) else { return Ok(false) };
                return Err((format!("unknown directive {word:?}"), format!("Did you mean `{meant}`?")));
            }
        }
        Ok(true)
    }

    /// The rows that must not be.
    pub fn run(&self, pool: &QueryPool, limits: QueryLimits) -> Result<QueryResult, CheckProblem> {
        pool.run(&self.sql, limits).map_err(|error| self.problem(&error))
    }

    fn problem(&self, error: &StoreError) -> CheckProblem {
        let message = error.to_string();
        let said = |before: &str| {
            let (_, rest) = message.rsplit_once(before)?;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u32>().ok()
        };
        // What is before the first word is not part of what DuckDB is given.
        let skipped = self.sql.len() - self.sql.trim_start().len();
        let above = self.sql[..skipped].matches('\n').count() as u32;
        let line = said("LINE ").or_else(|| said("(line ")).map_or(0, |line| line + above);
        CheckProblem { line, ..of_store(error, message) }
    }
}

/// What the store refused, in these words.
pub fn of_store(error: &StoreError, message: String) -> CheckProblem {
    CheckProblem { code: error.code().to_owned(), message, line: 0, hint: error.hint().to_owned() }
}

#[cfg(test)]
mod tests {
    use weir_store::Scratch;

    use super::*;

    fn parsed(text: &str) -> Result<Check, CheckError> {
        Check::parse(CheckFile { path: "checks/a.sql".into(), name: "a".into() }, text)
    }

    #[test]
    fn the_first_comment_is_the_description_and_has_directives() {
        let check = parsed(
            "-- No address keeps a fragment.\n-- Note: of page views.\n-- every: 1m\n-- severity: warning\n\
             -- except: *odd*\n\nSELECT 1 -- severity: none\n",
        );
        let check = check.expect("a check");
        assert_eq!(check.description, "No address keeps a fragment. Note: of page views.");
        assert_eq!((check.every_ms, check.severity), (60_000, Severity::Warning));
        assert_eq!(check.except, ["*odd*"]);
        let plain = parsed("SELECT 1").expect("a check");
        assert_eq!((plain.every_ms, plain.severity), (DEFAULT_EVERY_MS, Severity::Error));
    }

    #[test]
    fn what_is_no_check_is_told_with_its_line() {
        for (text, line, told) in [
            ("-- a\n-- every: soon\nSELECT 1", 2, "soon"),
            ("-- every: 10ms\nSELECT 1", 1, "shortest"),
            ("-- severity: bad\nSELECT 1", 1, "severity is \"bad\""),
            ("-- evry: 10s\nSELECT 1", 1, "unknown directive"),
            ("-- only words\n", 0, "no statement"),
        ] {
            let error = parsed(text).expect_err(text);
            assert_eq!(error.line, line, "{text}");
            assert!(error.reason.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn duckdb_names_the_line_of_the_file() {
        let scratch = Scratch::open().expect("a store");
        for (text, line, code) in [
            ("\n\n-- words\nSELECT *\nFORM events", 5, "sql_failed"),
            ("-- words\nSELECT uuid\nFROM events\nWHERE nothing = 1", 4, "sql_failed"),
            ("-- words\nDELETE FROM event_rows", 0, "sql_refused"),
        ] {
            let check = parsed(text).expect("it is only looked at by DuckDB");
            let problem = check.run(scratch.pool(), QueryLimits::default()).expect_err(text);
            assert_eq!((problem.line, problem.code.as_str()), (line, code), "{problem:?}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_checks() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(checks_in(&dir.path().join("none")).is_empty());
        for (name, text) in [("b.sql", "SELECT 1"), ("a.sql", "-- evry: 1s\nSELECT 1"), (".c.sql", ""), ("d.txt", "")] {
            fs::write(dir.path().join(name), text).expect("a file");
        }
        let found = checks_in(dir.path());
        assert_eq!(found.len(), 2);
        assert!(found[0].is_err() && found[1].as_ref().is_ok_and(|check| check.file.name == "b"), "{found:?}");
    }
}
