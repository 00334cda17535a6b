//! A host over temporary folders.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;
use weir_api::plugin::{PluginState, PluginView};
use weir_event::journal::{Fate, StepLabel};
use weir_plugins::{BatchEvent, BatchResult, EventResult, HostConfig, Lane, Limits, PluginHost, Settings, Watching};

pub struct Bench {
    pub host: PluginHost,
    dir: tempfile::TempDir,
}

/// Shared by all tests of a run, so that the engine is compiled once.
fn cache_dir() -> PathBuf {
    std::env::temp_dir().join(format!("weir-plugins-test-cache-{}", std::env::var("USER").unwrap_or_default()))
}

impl Bench {
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub fn with_limits(limits: Limits) -> Self {
        Self::with_config(HostConfig { seed: 7, ..HostConfig::new(cache_dir(), limits) })
    }

    /// Nothing tells this host of saves.
    pub fn polling() -> Self {
        let config = HostConfig::new(cache_dir(), Limits::default());
        Self::with_config(HostConfig { watching: Watching::Polling, ..config })
    }

    /// One that calls `setupPlugin` again at once.
    pub fn impatient() -> Self {
        let config = HostConfig::new(cache_dir(), Limits::default());
        Self::with_config(HostConfig { setup_pauses: [Duration::from_millis(1); 4], ..config })
    }

    fn with_config(config: HostConfig) -> Self {
        Self { host: PluginHost::start(config).unwrap(), dir: tempfile::tempdir().unwrap() }
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        let dir = self.dir.path().join(name);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    /// Writes the files of a plugin and adds it.
    pub fn add(&self, name: &str, files: &[(&str, &str)]) -> PluginView {
        let dir = self.folder(name);
        for (path, text) in files {
            write(&dir, path, text);
        }
        self.host.add(&dir).unwrap()
    }

    pub fn live(&self, name: &str, files: &[(&str, &str)]) -> PluginView {
        let view = self.add(name, files);
        assert_eq!(view.state, PluginState::Live, "{:?}", view.load_error);
        view
    }

    /// One plugin, one file, one event; the event is `{"event": "e", "properties": {}}` plus `fields`.
    pub fn single(code: &str) -> (Self, Lane) {
        let bench = Self::new();
        bench.live("plugin", &[("index.ts", code)]);
        let lane = bench.host.lane();
        (bench, lane)
    }

    pub fn view(&self, index: usize) -> PluginView {
        self.host.views().remove(index)
    }

    pub fn wait_for_any(&self, what: &str, met: impl Fn(&[PluginView]) -> bool) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !met(&self.host.views()) {
            assert!(Instant::now() < deadline, "never met: {what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn wait_for(&self, what: &str, index: usize, mut met: impl FnMut(&PluginView) -> bool) -> PluginView {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let view = self.view(index);
            if met(&view) {
                return view;
            }
            assert!(Instant::now() < deadline, "never met: {what}; {view:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Settings with one configured value.
pub fn configured(key: &str, value: &str) -> Settings {
    Settings { values: [(key.to_owned(), Some(value.to_owned()))].into(), ..Settings::default() }
}

/// Whether the Python engine can be made here; `./dev` sets up what it takes where Python is installed.
pub fn has_python() -> bool {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let set_up = base.is_some_and(|base| base.join("weir/python-0.25.1/bin/componentize-py").exists());
    let has = set_up || std::env::var_os("WEIR_PYTHON_ENGINE").is_some();
    if !has {
        eprintln!("SKIPPED for Python: componentize-py is not set up; run ./dev setup");
    }
    has
}

/// For the end of a test that needs Python and has none; [`has_python`] has said so.
pub const fn skipped() {}

pub fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub fn event(number: u64) -> Value {
    json!({
        "event": "e",
        "distinct_id": format!("d{number}"),
        "team_id": 2,
        "uuid": Uuid::from_u128(u128::from(number)).to_string(),
        "properties": { "n": number },
    })
}

pub fn run(lane: &mut Lane, events: &[Value]) -> BatchResult {
    run_keyed(lane, events, |at| at)
}

/// With the order key of each event, by its place.
pub fn run_keyed(lane: &mut Lane, events: &[Value], key: impl Fn(u64) -> u64) -> BatchResult {
    let texts: Vec<String> = events.iter().map(ToString::to_string).collect();
    let batch = texts.iter().enumerate().map(|(at, text)| BatchEvent {
        offset: at as u64,
        team_id: 2,
        uuid: Uuid::from_u128(at as u128),
        order_key: key(at as u64),
        json: Cow::Borrowed(text.as_str()),
    });
    let result = lane.process_batch(batch.collect());
    assert_eq!(result.events.len(), events.len());
    result
}

pub fn run_numbered(lane: &mut Lane, count: u64) -> BatchResult {
    run(lane, &(0..count).map(event).collect::<Vec<_>>())
}

/// Runs one event and gives what became of it.
pub fn run_one(lane: &mut Lane) -> EventResult {
    run_numbered(lane, 1).events.remove(0)
}

pub fn output(result: &EventResult) -> Value {
    assert_eq!(result.fate, Fate::Passed, "{result:?}");
    serde_json::from_str(result.output.as_deref().unwrap_or_else(|| panic!("unchanged: {result:?}"))).unwrap()
}

pub fn labels(result: &EventResult) -> Vec<StepLabel> {
    result.steps.iter().map(|step| step.effect.label).collect()
}

pub fn error(result: &EventResult) -> &str {
    result.steps.last().and_then(|step| step.effect.error.as_deref()).unwrap_or_else(|| panic!("{result:?}"))
}
