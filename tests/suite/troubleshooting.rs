//! Every code that a user can meet is on the page that explains them, and the page has no other.
//!
//! Codes are read from the sources, so that a new one is missed as soon as it is written: the texts in every function
//! `code` and `rule` of an error, the variants of `ErrorCode`, and what a few places say in so many words. Each place has
//! to give some, so that one that is written in another way is noticed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::server::root;

const PAGE: &str = "docs/troubleshooting.md";
/// Heads of the first column, in the tables that have codes there.
const HEADS: [&str; 4] = ["code", "rule", "kind", "type"];
/// Where codes are made by no function: what stands before each, and files or folders.
const IN_WORDS: [(&str, &[&str]); 7] = [
    // What ended an instance, and what ended an event.
    ("kind: \"", &["pipeline-core/plugins/src/instance.rs"]),
    ("self.remember(member, \"", &["pipeline-core/plugins/src/lane/run.rs"]),
    // Ingestion warnings.
    ("kind: \"", &["pipeline-core/event/src/prepare.rs", "pipeline-core/identity/src"]),
    // Problems of fixtures.
    ("code: \"", &["pipeline-core/trial/src"]),
    ("pub const PLUGIN_ERROR: &str = \"", &["pipeline-core/trial/src/verdict.rs"]),
    ("pub const EXPECTS_NOTHING: &str = \"", &["pipeline-core/trial/src/verdict.rs"]),
    // A rule that is applied before a request is one.
    ("rejections.count(\"\", \"", &["studio/server/src/listener.rs"]),
];

/// Folders without errors that a user meets.
const APART: [&str; 6] = ["tests", "target", "node_modules", "templates", "js-engine", "oracle"];

#[test]
fn every_code_is_explained() {
    let root = root();
    let page = read(&root.join(PAGE));
    let (explained, known) = (explained(&page), known(&root));
    let missing: Vec<_> = known.difference(&explained).collect();
    assert!(missing.is_empty(), "{PAGE} lacks {missing:?}");
    let unknown: Vec<_> = explained.difference(&known).collect();
    assert!(unknown.is_empty(), "{PAGE} explains what no source has: {unknown:?}");
}

/// The first column of each table of codes.
fn explained(page: &str) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut is_of_codes = false;
    let mut before = "";
    for line in page.lines() {
        let first = line.split('|').nth(1).map(str::trim);
        match first {
            Some(head) if !before.starts_with('|') => is_of_codes = HEADS.contains(&head),
            Some(cell) if is_of_codes => {
                codes.extend(cell.split('`').skip(1).step_by(2).map(str::to_owned));
            }
            _ => {}
        }
        before = line;
    }
    codes
}

fn known(root: &Path) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut functions = 0;
    for file in sources(root, &["pipeline-core", "studio"], &APART) {
        for body in bodies(&read(&file)) {
            functions += 1;
            codes.extend(words_after(body, "\""));
        }
    }
    assert!(functions > 10, "{functions} functions give codes");
    for (before, places) in IN_WORDS {
        for &place in places {
            let files = sources(root, &[place], &APART);
            let found: Vec<_> = files.iter().flat_map(|file| words_after(&read(file), before)).collect();
            assert!(!found.is_empty(), "{place} has nothing behind {before}");
            codes.extend(found);
        }
    }
    codes.extend(variants(&read(&root.join("pipeline-core/api/src/error.rs"))));
    codes
}

/// The bodies of functions that name an error for programs: `code` and `rule`, whatever is before them.
fn bodies(source: &str) -> impl Iterator<Item = &str> {
    ["fn code(&self) -> &'static str {", "fn code(self) -> &'static str {", "fn rule(&self) -> &'static str {"]
        .into_iter()
        .flat_map(move |head| source.match_indices(head).map(move |(at, _)| &source[at + head.len()..]))
        .filter_map(|rest| rest.split_once("\n    }").map(|(body, _)| body))
}

/// What stands between `before` and the next quotation mark, where it is made like a code.
fn words_after(text: &str, before: &str) -> Vec<String> {
    let is_code = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    text.match_indices(before)
        .filter_map(|(at, _)| text[at + before.len()..].split('"').next())
        .filter(is_code)
        .map(str::to_owned)
        .collect()
}

/// The variants of `ErrorCode`, as serde writes them.
fn variants(source: &str) -> Vec<String> {
    let (_, rest) = source.split_once("pub enum ErrorCode {").expect("the codes of the control API");
    let (body, _) = rest.split_once('}').expect("its end");
    let snake = |name: &str| {
        let mut text = String::new();
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && !text.is_empty() {
                text.push('_');
            }
            text.push(letter.to_ascii_lowercase());
        }
        text
    };
    body.lines().map(|line| line.trim().trim_end_matches(',')).filter(|name| !name.is_empty()).map(snake).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file of the product at or below some places; not of its tests, nor in folders of the names in `apart`.
pub fn sources(root: &Path, places: &[&str], apart: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = places.iter().map(|place| root.join(place)).collect();
    while let Some(path) = open.pop() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !apart.contains(&name.as_str()) {
                open.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs" {
            files.push(path);
        }
    }
    files
}
