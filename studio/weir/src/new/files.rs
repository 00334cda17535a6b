//! Which files a project has: layers of templates, the later over the earlier.
//!
//! What a plugin does (its manifest, mocks and fixtures) is the same in every language, and what a language needs is
//! the same for everything that a plugin may do. So a project is put together from both, and only the source is
//! written for each pair.

use std::collections::BTreeMap;

use crate::new_args::{Lang, Template};

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// Files that layers add to; any other is replaced by the layer that comes later.
const GROWING: [&str; 3] = ["README.md", ".gitignore", ".github/workflows/test.yml"];

/// What stands in templates for something else.
pub struct Words<'a> {
    /// For people.
    pub name: &'a str,
    /// For package managers.
    pub slug: &'a str,
    pub lang: Lang,
}

/// Path inside the project and text, in order of paths.
pub fn of(lang: Lang, template: Template, words: &Words<'_>) -> BTreeMap<String, String> {
    let (language, feature) = (folder(lang), feature(template));
    let mut layers = vec!["shared/".to_owned(), format!("features/{feature}/")];
    if matches!(lang, Lang::Ts | Lang::Js) {
        layers.push("script/".to_owned());
    }
    if lang == Lang::Rust {
        layers.push("sdk/".to_owned());
    }
    layers.extend([format!("{language}/common/"), format!("{language}/{feature}/")]);
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for layer in layers {
        for (path, text) in FILES.iter().filter_map(|(path, text)| Some((path.strip_prefix(&layer)?, *text))) {
            // The SDK is handed on as it is.
            let text = if layer == "sdk/" { text.to_owned() } else { words.fill(text) };
            let path = visible(path);
            match files.get_mut(&path) {
                Some(before) if GROWING.contains(&path.as_str()) => before.push_str(&text),
                _ => drop(files.insert(path, text)),
            }
        }
    }
    files
}

/// A leading `_` is a dot: files like `.gitignore` would act on the templates themselves.
fn visible(path: &str) -> String {
    let part = |part: &str| part.strip_prefix('_').map_or_else(|| part.to_owned(), |rest| format!(".{rest}"));
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

impl Words<'_> {
    fn fill(&self, text: &str) -> String {
        text.replace("__NAME__", self.name)
            .replace("__SLUG__", self.slug)
            .replace("__MAIN__", main_file(self.lang))
            .replace("__VERSION__", env!("CARGO_PKG_VERSION"))
    }
}

const fn main_file(lang: Lang) -> &'static str {
    match lang {
        Lang::Ts => "index.ts",
        Lang::Js => "index.js",
        Lang::Rust => "src/lib.rs",
        Lang::Python => "plugin.py",
    }
}

const fn folder(lang: Lang) -> &'static str {
    match lang {
        Lang::Ts => "ts",
        Lang::Js => "js",
        Lang::Rust => "rust",
        Lang::Python => "python",
    }
}

const fn feature(template: Template) -> &'static str {
    match template {
        Template::Transform => "transform",
        Template::Export => "export",
        Template::Import => "import",
    }
}

/// The plugin API for editors, which `weir types` renews.
pub fn api_types() -> &'static str {
    FILES.iter().find(|(path, _)| *path == "script/types/weir.d.ts").map_or("", |(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANGS: [Lang; 4] = [Lang::Ts, Lang::Js, Lang::Rust, Lang::Python];
    const TEMPLATES: [Template; 3] = [Template::Transform, Template::Export, Template::Import];

    #[test]
    fn every_project_is_whole() {
        for (lang, template) in LANGS.into_iter().flat_map(|lang| TEMPLATES.map(|template| (lang, template))) {
            let words = Words { name: "Mine", slug: "mine", lang };
            let files = of(lang, template, &words);
            for path in [main_file(lang), "plugin.json", "README.md", ".gitignore", ".github/workflows/test.yml"] {
                assert!(files.contains_key(path), "{lang:?} {template:?} lacks {path}");
            }
            for folder in ["fixtures/", ".vscode/"] {
                assert!(files.keys().any(|path| path.starts_with(folder)), "{lang:?} {template:?} lacks {folder}");
            }
            for (path, text) in &files {
                let left = ["__NAME__", "__SLUG__", "__MAIN__", "__VERSION__"];
                assert!(left.iter().all(|word| !text.contains(word)), "{path} of {lang:?} {template:?}");
                assert!(!path.split('/').any(|part| part.starts_with('_')), "{path}");
            }
            // The one that grows has its beginning and its end.
            assert!(files["README.md"].starts_with("# Mine\n"), "{}", files["README.md"]);
            assert!(files["README.md"].contains("## Work on it"));
            let jobs = &files[".github/workflows/test.yml"];
            assert!(jobs.starts_with("name: test") && jobs.contains("weir test . --junit"), "{jobs}");
        }
    }

    #[test]
    fn every_template_is_of_some_project() {
        let mut known: Vec<&str> = Vec::new();
        for (lang, template) in LANGS.into_iter().flat_map(|lang| TEMPLATES.map(|template| (lang, template))) {
            let files = of(lang, template, &Words { name: "n", slug: "s", lang });
            known.extend(FILES.iter().map(|(path, _)| *path).filter(|path| {
                let inside = path.split_once('/').map_or(*path, |(layer, rest)| match layer {
                    "features" | "ts" | "js" | "rust" | "python" => rest.split_once('/').map_or(rest, |(_, rest)| rest),
                    _ => rest,
                });
                files.contains_key(&visible(inside))
            }));
        }
        let unused: Vec<_> = FILES.iter().map(|(path, _)| *path).filter(|path| !known.contains(path)).collect();
        assert!(unused.is_empty(), "{unused:?}");
    }
}
