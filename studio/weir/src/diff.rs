//! `weir diff`: what an edit of a plugin changes for events that were.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use pipeline_core::api::diff::PluginDiffRequest;
use pipeline_core::api::plugin::{PluginView, PluginsRequest};
use pipeline_core::api::registry;

use crate::client::Client;
use crate::diff_args::Diff;
use crate::diff_print;
use crate::output::print_json;
use crate::say;

const EXIT_DIFFERENT: u8 = 1;
const EXIT_ERROR: u8 = 2;

pub fn run(diff: &Diff) -> ExitCode {
    match compared(diff) {
        Ok(code) => code,
        Err(error) => {
            say::check(&error);
            // Not 1, which is a difference.
            eprintln!("weir: {error:#}");
            ExitCode::from(EXIT_ERROR)
        }
    }
}

fn compared(diff: &Diff) -> anyhow::Result<ExitCode> {
    let client = Client::find(&diff.target)?;
    let plugins = client.call::<registry::Plugins>(&PluginsRequest::default())?.plugins;
    let (id, dir) = meant(&diff.plugin, &plugins)?;
    let request = PluginDiffRequest {
        id,
        from: diff.from.clone(),
        to: Some(diff.to.clone()),
        dir: dir.map(|dir| dir.display().to_string()),
        last: Some(diff.last),
    };
    let found = client.call::<registry::PluginDiff>(&request)?;
    if diff.target.json {
        print_json(&found)?;
    } else {
        diff_print::diff(&found);
    }
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_DIFFERENT) })
}

/// The plugin, and the folder when that is not its own: a checkout of it, say.
fn meant(text: &str, plugins: &[PluginView]) -> anyhow::Result<(String, Option<PathBuf>)> {
    if plugins.iter().any(|view| view.id == text) {
        return Ok((text.to_owned(), None));
    }
    let known = || {
        let ids: Vec<&str> = plugins.iter().map(|view| view.id.as_str()).collect();
        if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
    };
    let Ok(dir) = Path::new(text).canonicalize() else {
        bail!("{text:?} is neither a plugin of the server nor a folder; its plugins are {}", known());
    };
    let is_own = |view: &&PluginView| Path::new(&view.dir).canonicalize().is_ok_and(|own| own == dir);
    if let Some(view) = plugins.iter().find(is_own) {
        return Ok((view.id.clone(), None));
    }
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned());
    let view = plugins.iter().find(|view| Some(&view.id) == name.as_ref());
    let view = view.with_context(|| {
        let folder = dir.display();
        format!("no plugin of the server is called like the folder {folder}; its plugins are {}", known())
    })?;
    Ok((view.id.clone(), Some(dir)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_meant_by_id_by_its_folder_or_by_one_of_its_name() {
        let dir = std::env::temp_dir().canonicalize().expect("a folder");
        let name = dir.file_name().expect("a name").to_string_lossy().into_owned();
        let view = |id: &str, dir: &Path| PluginView {
            id: id.to_owned(),
            dir: dir.display().to_string(),
            ..PluginView::default()
        };
        let here = dir.to_str().expect("a plain path");
        assert_eq!(meant("p", &[view("p", &dir)]).expect("by id"), ("p".to_owned(), None));
        assert_eq!(meant(here, &[view("p", &dir)]).expect("by its folder"), ("p".to_owned(), None));
        let elsewhere = [view("p", Path::new("/")), view(&name, Path::new("/nowhere"))];
        assert_eq!(meant(here, &elsewhere).expect("by name"), (name, Some(dir.clone())));
        let error = meant(here, &[view("p", Path::new("/nowhere"))]).expect_err("nobody").to_string();
        assert!(error.contains("its plugins are p"), "{error}");
    }
}
