//! `weir new`: a plugin that loads, does something small, and has tests that pass.
//!
//! Everything comes out of the binary; no network is needed and nothing is installed. All files are made before the
//! first is written, so that a mistake leaves nothing behind.

mod files;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use files::Words;
pub use files::api_types;

use crate::new_args::{Lang, New};
use crate::say::say;
use crate::types;

/// Longest name for people, in characters.
const NAME_CHARS: usize = 100;
/// Names that Cargo, npm or Rust would not have.
const TAKEN: [&str; 8] = ["alloc", "core", "node-modules", "proc-macro", "serde-json", "std", "test", "weir-plugin"];
/// Entries that a folder may have and still count as empty.
const HARMLESS: [&str; 2] = [".git", ".DS_Store"];

pub fn run(new: &New) -> anyhow::Result<ExitCode> {
    let place = whole(&new.dir)?;
    check_empty(&new.dir)?;
    let folder = place.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let slug = slug(&folder);
    let name = match &new.name {
        Some(name) => checked_name(name)?.to_owned(),
        None => title(&slug),
    };
    let mut files = files::of(new.lang, new.template, &Words { name: &name, slug: &slug, lang: new.lang });
    if matches!(new.lang, Lang::Ts | Lang::Js) {
        let manifest = &files["plugin.json"];
        files.insert(types::CONFIG.to_owned(), types::of_manifest(manifest)?);
        files.insert(types::EVENTS.to_owned(), types::of_demo_stream());
    }
    if new.lang == Lang::Python {
        let made = types::python_of_demo_stream(&files["plugin.json"])?;
        files.insert(types::PYTHON.to_owned(), made);
    }
    if new.lang == Lang::Rust {
        let made = types::rust_of_demo_stream(&files["plugin.json"])?;
        files.insert(types::RUST.to_owned(), made);
    }
    for (path, text) in &files {
        types::write(&new.dir.join(path), text)?;
    }
    say!("{name}: {} files in {}", files.len(), new.dir.display());
    say!("\nnext:");
    if new.dir != Path::new(".") {
        say!("  cd {}", quoted(&new.dir.to_string_lossy()));
    }
    say!("  weir test .");
    say!("  weir serve --demo --plugin .");
    Ok(ExitCode::SUCCESS)
}

/// The folder's path from the root, for its name: `.` has none.
fn whole(dir: &Path) -> anyhow::Result<PathBuf> {
    let path = std::path::absolute(dir).with_context(|| format!("{} is no path", dir.display()))?;
    // `a/..` and the like are only known to the system.
    Ok(fs::canonicalize(&path).unwrap_or(path))
}

fn check_empty(dir: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            bail!("{} is a file; name a folder that does not exist yet", dir.display())
        }
        Err(error) => return Err(error).with_context(|| format!("cannot look into {}", dir.display())),
    };
    let mut found: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| !HARMLESS.contains(&name.as_str()))
        .collect();
    found.sort();
    match found.as_slice() {
        [] => Ok(()),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            bail!(
                "{} is not empty: it has {first}{more}; nothing was written. Name a folder that does not exist yet",
                dir.display()
            )
        }
    }
}

fn checked_name(name: &str) -> anyhow::Result<&str> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS {
        bail!("--name has to have 1 to {NAME_CHARS} characters");
    }
    // It goes into JSON and Markdown as it is.
    match name.chars().find(|c| c.is_control() || matches!(c, '"' | '\\')) {
        Some(c) => bail!("--name must not have {c:?}"),
        None => Ok(name),
    }
}

/// Lower case, digits and hyphens, with a letter first: what Cargo, npm and Python's tools all take.
fn slug(folder: &str) -> String {
    let mapped: String =
        folder.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let slug = mapped.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    match slug.chars().next() {
        None => "my-plugin".to_owned(),
        Some(first) if !first.is_ascii_alphabetic() => format!("plugin-{slug}"),
        Some(_) if TAKEN.contains(&slug.as_str()) => format!("my-{slug}"),
        Some(_) => slug,
    }
}

fn title(slug: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    slug.split('-').map(word).collect::<Vec<_>>().join(" ")
}

/// For a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+~".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_a_name_for_tools_and_one_for_people() {
        for (folder, expected) in [
            ("my-plugin", "my-plugin"),
            ("Slack Alerts!", "slack-alerts"),
            ("2fast", "plugin-2fast"),
            ("äöü", "my-plugin"),
        ] {
            assert_eq!(slug(folder), expected, "{folder}");
        }
        assert_eq!(slug("test"), "my-test");
        assert_eq!(title("slack-alerts"), "Slack Alerts");
    }

    #[test]
    fn a_name_that_would_break_the_manifest_is_refused() {
        for name in ["", "  ", "a\"b", "a\\b", "a\nb"] {
            assert!(checked_name(name).is_err(), "{name:?}");
        }
        assert_eq!(checked_name(" Größe & Co ").expect("a name"), "Größe & Co");
    }

    #[test]
    fn paths_survive_a_shell() {
        assert_eq!(quoted("../a_b-1.2"), "../a_b-1.2");
        assert_eq!(quoted("it's mine"), r"'it'\''s mine'");
    }
}
