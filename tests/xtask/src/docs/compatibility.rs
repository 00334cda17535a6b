//! `docs/compatibility.md`: every rule and choice of `docs/compatibility/*.toml` with the tests that hold it.
//!
//! A test is named `crate::function`, or `suite::function` for the suite on the real binary. Names are looked up in
//! the sources, so that this needs no build; one that does not exist is an error. The suite includes this file to hold
//! that the page is up to date.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

/// In the order of the page.
const CHAPTERS: [&str; 7] = ["capture", "time", "steps", "identity", "plugins", "tables", "event_time"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chapter {
    title: String,
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// Of PostHog's ingestion as Weir's specification numbers it.
    section: String,
    says: String,
    tests: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choices {
    group: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    title: String,
    /// What the second and third column tell.
    columns: [String; 2],
    choice: Vec<Choice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    point: String,
    /// One for each of the group's columns.
    theirs: [String; 2],
    weir: String,
    tests: Vec<String>,
}

/// The whole page; fails if a test that it names does not exist.
pub fn page(root: &Path) -> anyhow::Result<String> {
    let known = tests(root)?;
    let mut body = String::new();
    let mut counts = (0, 0);
    for chapter in CHAPTERS {
        let Chapter { title, rule } = read(root, chapter)?;
        writeln!(body, "\n## {title}\n\n| section | rule | tests |\n|---|---|---|")?;
        for Rule { section, says, tests } in rule {
            counts.0 += 1;
            counts.1 += usize::from(!tests.is_empty());
            let links = links(&tests, &known).with_context(|| format!("{chapter}.toml, {section}: {says}"))?;
            writeln!(body, "| {section} | {} | {links} |", cell(&says))?;
        }
    }
    let choices: Choices = read(root, "choices")?;
    let mut chosen = (0, 0);
    body.push_str("\n# Weir's choices\n");
    for Group { title, columns: [left, right], choice } in choices.group {
        writeln!(body, "\n## {title}\n\n| point | {left} | {right} | Weir | tests |\n|---|---|---|---|---|")?;
        for Choice { point, theirs: [left, right], weir, tests } in choice {
            chosen.0 += 1;
            chosen.1 += usize::from(!tests.is_empty());
            let links = links(&tests, &known).with_context(|| format!("choices.toml: {point}"))?;
            writeln!(body, "| {} | {} | {} | {} | {links} |", cell(&point), cell(&left), cell(&right), cell(&weir))?;
        }
    }
    let preface = fs::read_to_string(root.join("docs/compatibility/preface.md"))?;
    Ok(format!(
        "# Compatibility\n\n<!-- Written by `cargo xtask docs` from docs/compatibility/. -->\n\n\
         **{} rules: {} with a test, {} without. {} choices: {} with a test, {} without.**\n\n{}\n{body}",
        counts.0,
        counts.1,
        counts.0 - counts.1,
        chosen.0,
        chosen.1,
        chosen.0 - chosen.1,
        preface.trim()
    ))
}

fn read<T: serde::de::DeserializeOwned>(root: &Path, name: &str) -> anyhow::Result<T> {
    let path = root.join(format!("docs/compatibility/{name}.toml"));
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn links(tests: &[String], known: &Known) -> anyhow::Result<String> {
    if tests.is_empty() {
        return Ok("*no test yet*".into());
    }
    let link = |name: &String| match known.get(name) {
        Some(file) => Ok(format!("[`{name}`](../{})", file.display())),
        None => bail!("there is no test {name}"),
    };
    Ok(tests.iter().map(link).collect::<anyhow::Result<Vec<_>>>()?.join(", "))
}

/// Where each test is, by its name.
type Known = BTreeMap<String, PathBuf>;

fn tests(root: &Path) -> anyhow::Result<Known> {
    let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml"))?.parse()?;
    let members = manifest["workspace"]["members"].as_array().context("the workspace has members")?;
    let mut known = Known::new();
    for member in members.iter().filter_map(toml::Value::as_str) {
        let manifest: toml::Table = fs::read_to_string(root.join(member).join("Cargo.toml"))?.parse()?;
        let name = manifest["package"]["name"].as_str().context("a package has a name")?;
        for dir in ["src", "tests"] {
            find(root, &Path::new(member).join(dir), name, &mut known)?;
        }
    }
    find(root, Path::new("tests/suite"), "suite", &mut known)?;
    ensure!(!known.is_empty(), "no tests found");
    Ok(known)
}

/// Every test function in the sources under a folder, if there is one.
fn find(root: &Path, dir: &Path, package: &str, known: &mut Known) -> anyhow::Result<()> {
    let Ok(entries) = fs::read_dir(root.join(dir)) else { return Ok(()) };
    for entry in entries {
        let path = dir.join(entry?.file_name());
        if root.join(&path).is_dir() {
            find(root, &path, package, known)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(root.join(&path))?;
            known.extend(functions(&source).map(|name| (format!("{package}::{name}"), path.clone())));
        }
    }
    Ok(())
}

/// The functions behind a `#[test]` or the like.
fn functions(source: &str) -> impl Iterator<Item = &str> {
    let mut marked = false;
    source.lines().map(str::trim).filter_map(move |line| {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
            return None;
        }
        let signature = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
        std::mem::take(&mut marked).then(|| signature.split(['(', '<']).next().unwrap_or_default())
    })
}
