//! What cargo and the Rust compiler have to say, as one diagnostic.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use weir_api::plugin::Diagnostic;

use super::CARGO;
use crate::positions::excerpt;
use crate::sources::Snapshot;

#[derive(Debug, Default)]
pub struct Told {
    pub artifact: Option<PathBuf>,
    /// With the number of the others in its hint.
    pub first_error: Option<Box<Diagnostic>>,
}

#[derive(Deserialize)]
struct Line {
    reason: String,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    #[serde(default)]
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    #[serde(rename = "message")]
    text: String,
    #[serde(default)]
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<Child>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    column_start: u32,
    is_primary: bool,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    text: Vec<Text>,
    /// Where a macro was used, when the place is inside it.
    #[serde(default)]
    expansion: Option<Box<Expansion>>,
}

#[derive(Deserialize)]
struct Expansion {
    span: Span,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Child {
    level: String,
    message: String,
}

/// Reads what `--message-format=json` writes. `dir` is the plugin's folder.
pub fn read(stdout: &[u8], dir: &Path) -> Told {
    let mut told = Told::default();
    let mut others = 0_u32;
    for line in stdout.split(|byte| *byte == b'\n') {
        // Cargo passes on what build scripts print, so not every line is one of its own.
        let Ok(line) = serde_json::from_slice::<Line>(line) else { continue };
        match line.reason.as_str() {
            "compiler-artifact" if line.manifest_path == dir.join(CARGO) => {
                let is_component = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
                if let Some(path) = line.filenames.iter().find(is_component) {
                    told.artifact = Some(path.clone());
                }
            }
            "compiler-message" => {
                let Some(message) = line.message.filter(Message::is_error) else { continue };
                if told.first_error.is_some() {
                    others += 1;
                } else {
                    told.first_error = Some(Box::new(message.diagnostic()));
                }
            }
            _ => {}
        }
    }
    if let Some(first) = told.first_error.as_mut().filter(|_| others > 0) {
        let more = if others == 1 { "1 more error.".to_owned() } else { format!("{others} more errors.") };
        first.hint = Some(first.hint.take().map_or(more.clone(), |hint| format!("{hint} {more}")));
    }
    told
}

impl Message {
    /// The summary at the end (`aborting due to…`) is no error of its own.
    fn is_error(&self) -> bool {
        self.level.starts_with("error") && !(self.spans.is_empty() && self.text.starts_with("aborting due to"))
    }

    fn diagnostic(self) -> Diagnostic {
        let code = self.code.map_or(String::new(), |code| format!(" [{}]", code.code));
        let hint = self.children.into_iter().find(|child| child.level == "help").map(|child| child.message);
        let place = self.spans.into_iter().find(|span| span.is_primary).map(Span::outside);
        let Some(place) = place else {
            return Diagnostic { message: self.text + &code, hint, ..Diagnostic::default() };
        };
        let label = place.label.map_or(String::new(), |label| format!(": {label}"));
        Diagnostic {
            message: format!("{}{label}{code}", self.text),
            file: place.file_name,
            line: place.line_start,
            column: place.column_start,
            excerpt: place.text.first().map_or_else(String::new, |line| excerpt(&line.text, 1)),
            hint,
        }
    }
}

impl Span {
    /// The place in the plugin's own text, when the error is in a macro of another crate.
    fn outside(self) -> Self {
        match self.expansion {
            Some(expansion) if Path::new(&self.file_name).is_absolute() || self.file_name.starts_with('<') => {
                expansion.span.outside()
            }
            _ => self,
        }
    }
}

/// What cargo itself said, such as about Cargo.toml or the registry.
pub fn cargo_error(stderr: &str, snapshot: &Snapshot) -> Box<Diagnostic> {
    let mut lines = stderr.lines().skip_while(|line| !line.starts_with("error"));
    let first = lines.next().unwrap_or("cargo failed and did not say why");
    let first = first.split_once(": ").map_or(first, |(_, message)| message);
    let causes: Vec<&str> = lines
        .map(str::trim)
        .filter(|line| !line.is_empty() && *line != "Caused by:" && !line.starts_with(['|', '-']))
        .filter(|line| !line.starts_with(|first: char| first.is_ascii_digit()) && !line.contains("Cargo.toml:"))
        .take(4)
        .collect();
    let message = std::iter::once(first).chain(causes).collect::<Vec<_>>().join(": ");
    let (line, column) = place_in_manifest(stderr).unwrap_or_default();
    let is_network = ["Could not resolve host", "failed to download", "unable to update", "Connection refused"];
    let hint = is_network
        .iter()
        .any(|words| stderr.contains(words))
        .then(|| "The registry of crates cannot be reached. A crate that was built once needs no network.".to_owned());
    let no_library = stderr.contains("no library targets");
    let hint =
        hint.or_else(|| no_library.then(|| "Add src/lib.rs, and `[lib]` with `crate-type = [\"cdylib\"]`.".to_owned()));
    let text = snapshot.texts.get(CARGO).map_or("", String::as_str);
    Box::new(Diagnostic { message, file: CARGO.to_owned(), line, column, excerpt: excerpt(text, line), hint })
}

/// From `--> Cargo.toml:3:8` or `/path/Cargo.toml:3`.
fn place_in_manifest(stderr: &str) -> Option<(u32, u32)> {
    let (_, after) = stderr.split_once("Cargo.toml:")?;
    let mut numbers = after.split(|other: char| !other.is_ascii_digit()).map(str::parse::<u32>);
    let line = numbers.next()?.ok()?;
    Some((line, numbers.next().and_then(Result::ok).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERRORS: &str = r#"{"reason":"compiler-artifact","manifest_path":"/other/Cargo.toml","filenames":["/o/x.wasm"]}
noise
{"reason":"compiler-message","manifest_path":"/p/Cargo.toml","message":{"level":"warning","message":"unused","spans":[]}}
{"reason":"compiler-message","manifest_path":"/p/Cargo.toml","message":{"level":"error","message":"mismatched types","code":{"code":"E0308"},"spans":[{"file_name":"src/lib.rs","line_start":7,"column_start":18,"is_primary":true,"label":"expected `u32`, found `&str`","text":[{"text":"    let n: u32 = \"a\";"}]}],"children":[{"level":"help","message":"do this"}]}}
{"reason":"compiler-message","manifest_path":"/p/Cargo.toml","message":{"level":"error","message":"cannot find value `x`","spans":[]}}
{"reason":"compiler-message","manifest_path":"/p/Cargo.toml","message":{"level":"error","message":"aborting due to 2 previous errors","spans":[]}}"#;

    #[test]
    fn the_first_error_is_told_and_the_others_counted() {
        let told = read(ERRORS.as_bytes(), Path::new("/p"));
        assert_eq!(told.artifact, None, "another crate's");
        let error = told.first_error.expect("an error");
        assert_eq!((error.file.as_str(), error.line, error.column), ("src/lib.rs", 7, 18));
        assert_eq!(error.message, "mismatched types: expected `u32`, found `&str` [E0308]");
        assert_eq!(error.excerpt, "let n: u32 = \"a\";");
        assert_eq!(error.hint.as_deref(), Some("do this 1 more error."));
    }

    #[test]
    fn errors_of_cargo_name_the_place_in_the_manifest() {
        let stderr =
            "error: failed to parse manifest at `/p/Cargo.toml`\n\nCaused by:\n  expected `=`\n   --> Cargo.toml:2:5\n";
        let snapshot =
            Snapshot { texts: [(CARGO.to_owned(), "[package]\nname oops\n".to_owned())].into(), component: None };
        let error = cargo_error(stderr, &snapshot);
        assert_eq!((error.line, error.column, error.excerpt.as_str()), (2, 5, "name oops"));
        assert!(error.message.contains("expected `=`"), "{}", error.message);
    }
}
