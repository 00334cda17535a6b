//! The sample plugins do what their READMEs say.

mod broken;
mod compiled;
mod exporting;
mod processing;

use std::path::PathBuf;

use serde_json::{Value, json};
use weir_api::plugin::PluginState;
use weir_event::journal::{HostCall, PluginAttachment};
use weir_plugins::{Lane, Settings};

use crate::support::{Bench, event};

/// Asked for at run time: clones share a build folder, so the path at compile time may be another's.
pub fn crate_dir() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

fn samples_dir() -> PathBuf {
    crate_dir().join("../../sample-plugins")
}

/// A sample with these values besides its defaults.
struct Sample {
    bench: Bench,
    id: String,
}

impl Sample {
    fn new(name: &str, values: &[(&str, &str)]) -> Self {
        let sample = Self::restored(name, settings(values));
        let view = sample.bench.view(0);
        assert_eq!(view.state, PluginState::Live, "{:?}", view.load_error);
        assert_eq!(view.missing, [""; 0], "all that is required is given");
        sample
    }

    fn restored(name: &str, settings: Settings) -> Self {
        let bench = Bench::new();
        let id = name.rsplit('/').next().unwrap_or(name).to_owned();
        bench.host.restore_settings(&id, settings);
        bench.host.add(&samples_dir().join(name)).unwrap();
        Self { bench, id }
    }

    fn lane(&self) -> Lane {
        self.bench.host.lane()
    }

    /// Why it does not go live.
    fn refusal(name: &str, values: &[(&str, &str)]) -> String {
        let view = Self::restored(name, settings(values)).bench.view(0);
        assert_eq!(view.state, PluginState::Failed);
        view.load_error.unwrap().message
    }

    fn log(&self) -> Vec<String> {
        self.bench.host.drain_control().logs.into_iter().map(|line| line.message).collect()
    }

    fn calls(&self) -> Vec<HostCall> {
        self.bench.host.drain_control().calls
    }
}

fn settings(values: &[(&str, &str)]) -> Settings {
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect();
    Settings { values, ..Settings::default() }
}

fn attachment(key: &str, contents: &str) -> PluginAttachment {
    PluginAttachment {
        key: key.to_owned(),
        content_type: "application/json".to_owned(),
        file_name: format!("{key}.json"),
        contents: contents.as_bytes().to_vec(),
    }
}

fn named(name: &str, properties: Value) -> Value {
    let mut event = event(1);
    event["event"] = name.into();
    event["properties"] = properties;
    event
}

/// As `onEvent` and the like get it.
fn stored(name: &str, properties: Value) -> String {
    let mut event = named(name, properties);
    event["timestamp"] = "2026-01-02T15:04:05.000Z".into();
    event["$set"] = json!({});
    event.to_string()
}

#[test]
fn each_sample_is_described_and_listed() {
    let list = std::fs::read_to_string(samples_dir().join("README.md")).unwrap();
    let broken_list = std::fs::read_to_string(samples_dir().join("broken/README.md")).unwrap();
    let folders = |dir: PathBuf| {
        let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
        entries.filter(|entry| entry.path().join("plugin.json").exists()).map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let all = folders(samples_dir());
    assert!(all.len() >= 12, "{all:?}");
    for (dir, list) in all
        .iter()
        .map(|dir| (dir, &list))
        .chain(folders(samples_dir().join("broken")).iter().map(|dir| (dir, &broken_list)))
    {
        let name = dir.file_name().unwrap().to_string_lossy();
        assert!(list.contains(&format!("[{name}]")) || list.contains(&format!("`{name}`")), "{name} is not listed");
        assert!(dir.join("README.md").exists(), "{name} has no README");
        let manifest: Value = serde_json::from_slice(&std::fs::read(dir.join("plugin.json")).unwrap()).unwrap();
        let readme = std::fs::read_to_string(dir.join("README.md")).unwrap();
        for key in manifest["config"].as_array().unwrap().iter().filter_map(|field| field["key"].as_str()) {
            assert!(readme.contains(&format!("`{key}`")), "{name}: the README says nothing about {key}");
        }
    }
}
