//! The files that an entry reaches: its own, and those of packages it depends on.
//!
//! Everything is found and checked here, before the engine sees it; nothing is looked for at run time.

use std::collections::BTreeSet;
use std::path::Path;

use weir_api::plugin::Diagnostic;

use crate::bindings::weir::plugin::source::{File, FileKind, Link};
use crate::packages::{self, Installed};
use crate::positions::{FileMap, Positions, excerpt};
use crate::provided;
use crate::sources::Snapshot;
use crate::strip::{Import, strip, top_level_export};
use crate::version::Given;

/// What the engine needs to run an entry.
#[derive(Default)]
pub struct Graph {
    pub files: Vec<File>,
    pub links: Vec<Link>,
    pub positions: Positions,
}

/// A file on its way into the graph.
struct Source<'a> {
    path: &'a str,
    text: &'a str,
    /// Of a package that the plugin depends on.
    is_foreign: bool,
}

impl Graph {
    pub fn follow(given: &Given<'_>, snapshot: &Snapshot, entry: &str) -> Result<Self, Box<Diagnostic>> {
        let mut graph = Self::default();
        let mut seen = BTreeSet::from([entry.to_owned()]);
        let mut waiting = vec![entry.to_owned()];
        let installed = given.packages.of(given.dir, snapshot);
        while let Some(path) = waiting.pop() {
            let own = snapshot.texts.get(&path);
            let foreign = if own.is_some() { None } else { installed.file(&path) };
            let text = own.map_or_else(|| foreign.as_deref().map_or("", |file| file.text.as_str()), String::as_str);
            if Path::new(&path).extension().is_some_and(|extension| extension == "json") {
                check_json(&path, text)?;
                graph.positions.insert(&path, FileMap::default(), text.to_owned());
                graph.files.push(File { path: path.clone(), kind: FileKind::Json, code: text.to_owned() });
                continue;
            }
            let mut stripped = match &foreign {
                Some(file) => file.stripped(&path)?,
                None => strip(&path, text)?,
            };
            if path == entry && stripped.kind == FileKind::Module {
                stripped.code.push_str(&top_level_export());
            }
            let source = Source { path: &path, text, is_foreign: foreign.is_some() };
            for import in &stripped.imports {
                if provided::is_provided(&import.specifier) {
                    continue;
                }
                let Some(target) = resolve(snapshot, &installed, &source, import)? else { continue };
                graph.links.push(Link {
                    importer: path.clone(),
                    specifier: import.specifier.clone(),
                    path: target.clone(),
                });
                if seen.insert(target.clone()) {
                    waiting.push(target);
                }
            }
            graph.positions.insert(&path, stripped.map, text.to_owned());
            graph.files.push(File { path: path.clone(), kind: stripped.kind, code: stripped.code });
        }
        Ok(graph)
    }

    /// Over the files of packages; the plugin's own are in the version's hash as they were written.
    pub fn packages_hash(&self) -> String {
        let mut foreign: Vec<&File> = self.files.iter().filter(|file| packages::is_inside(&file.path)).collect();
        foreign.sort_by(|a, b| a.path.cmp(&b.path));
        let mut hasher = blake3::Hasher::new();
        for file in foreign {
            hasher.update(file.path.as_bytes()).update(&[0]).update(file.code.as_bytes()).update(&[0]);
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

fn check_json(path: &str, text: &str) -> Result<(), Box<Diagnostic>> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(drop).map_err(|error| {
        let line = error.line() as u32;
        Box::new(Diagnostic {
            message: error.to_string(),
            file: path.to_owned(),
            line,
            column: error.column() as u32,
            excerpt: excerpt(text, line),
            hint: None,
        })
    })
}

/// Relative imports may leave out the extension, name a folder with an index, or name `x.js` where the
/// source is `x.ts`. `None` is for a package's own import of what is not there: it may never be reached.
fn resolve(
    snapshot: &Snapshot,
    installed: &Installed,
    source: &Source<'_>,
    import: &Import,
) -> Result<Option<String>, Box<Diagnostic>> {
    let wanted = &import.specifier;
    let problem = |message: String, hint: Option<String>| {
        if source.is_foreign {
            return Ok(None);
        }
        Err(Box::new(Diagnostic {
            message,
            file: source.path.to_owned(),
            line: import.line,
            column: import.column,
            excerpt: excerpt(source.text, import.line),
            hint,
        }))
    };
    let exists = |path: &str| snapshot.texts.contains_key(path) || packages::is_inside(path) && installed.has(path);
    if !(wanted.starts_with("./") || wanted.starts_with("../") || wanted == "." || wanted == "..") {
        if let Some(base) = installed.resolve(source.path, wanted) {
            return Ok(candidates(&base).into_iter().find(|path| exists(path)));
        }
        if let Some((reason, instead)) = provided::refusal(wanted) {
            return problem(format!("Cannot import '{wanted}': {reason}."), Some(instead.to_owned()));
        }
        let message = format!("Cannot import '{wanted}'! This package is not provided by PostHog in plugins.");
        let hint = format!(
            "Provided are: {}. For other packages put a package.json with its lock file beside plugin.json and \
             install them there.",
            provided::names()
        );
        return problem(message, Some(hint));
    }
    let mut parts: Vec<&str> = source.path.split('/').collect();
    parts.pop();
    for part in wanted.split('/') {
        match part {
            "." | "" => {}
            ".." if parts.is_empty() => {
                return problem(format!("Cannot import '{wanted}': it lies outside the plugin's folder"), None);
            }
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    match candidates(&parts.join("/")).into_iter().find(|path| exists(path)) {
        Some(path) => Ok(Some(path)),
        None => problem(format!("Cannot find '{wanted}'"), None),
    }
}

fn candidates(base: &str) -> Vec<String> {
    let folder = if base.is_empty() { String::new() } else { format!("{base}/") };
    let mut candidates = vec![base.to_owned()];
    candidates.extend(["ts", "mts", "js", "mjs", "cjs", "json"].map(|extension| format!("{base}.{extension}")));
    if let Some(stem) = base.strip_suffix(".js") {
        candidates.push(format!("{stem}.ts"));
    }
    candidates.extend(["index.ts", "index.js"].map(|index| format!("{folder}{index}")));
    candidates
}
