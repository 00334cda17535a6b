//! Python: one engine for all plugins, as with JavaScript.
//!
//! The engine is CPython as a component, together with the small runtime in `python-engine/` that takes a
//! plugin as text, finds its functions by name and turns what they raise into failures. `componentize-py`
//! makes it once for each version of Weir and keeps it in the user's cache; from then on a Python plugin
//! loads as fast as its source does, and needs neither Python nor a build on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use weir_api::plugin::Diagnostic;

use super::job::Cancel;
use super::{Order, cache_dir};
use crate::bindings::weir::plugin::source::{self, File, FileKind};
use crate::component::{self, EngineComponent};
use crate::engine::{JsEngine, WIT_HASH};
use crate::host::Shared;
use crate::version::{Program, Version};

/// Pinned, and installed by `./dev` under this name.
const COMPONENTIZE: &str = "0.25.1";
/// The runtime, as `componentize-py` finds it.
const RUNTIME: [(&str, &str); 4] = [
    ("weir_engine.py", include_str!("../../python-engine/weir_engine.py")),
    ("weir_program.py", include_str!("../../python-engine/weir_program.py")),
    ("weir_library.py", include_str!("../../python-engine/weir_library.py")),
    ("weir.py", include_str!("../../python-engine/weir.py")),
];
const CONTRACT: [(&str, &str); 14] = [
    ("cache.wit", include_str!("../../wit/v0_1/cache.wit")),
    ("clock.wit", include_str!("../../wit/v0_1/clock.wit")),
    ("config.wit", include_str!("../../wit/v0_1/config.wit")),
    ("geoip.wit", include_str!("../../wit/v0_1/geoip.wit")),
    ("http.wit", include_str!("../../wit/v0_1/http.wit")),
    ("jobs.wit", include_str!("../../wit/v0_1/jobs.wit")),
    ("log.wit", include_str!("../../wit/v0_1/log.wit")),
    ("metrics.wit", include_str!("../../wit/v0_1/metrics.wit")),
    ("random.wit", include_str!("../../wit/v0_1/random.wit")),
    ("report.wit", include_str!("../../wit/v0_1/report.wit")),
    ("source.wit", include_str!("../../wit/v0_1/source.wit")),
    ("storage.wit", include_str!("../../wit/v0_1/storage.wit")),
    ("types.wit", include_str!("../../wit/v0_1/types.wit")),
    ("waiting.wit", include_str!("../../wit/v0_1/waiting.wit")),
];
const WORLD: (&str, &str) = ("world.wit", include_str!("../../wit/v0_1/world.wit"));

#[derive(Default)]
pub struct PythonEngine {
    /// For the engine that does not count instructions, and for the one that does.
    ready: [OnceLock<Arc<EngineComponent>>; 2],
    /// Held while it is made, so that several plugins wait for one engine.
    making: Mutex<()>,
}

impl PythonEngine {
    pub fn ready(&self, is_metered: bool) -> Option<Arc<EngineComponent>> {
        self.ready[usize::from(is_metered)].get().cloned()
    }

    /// Makes it unless it is there.
    pub fn make(
        &self,
        engine: &JsEngine,
        is_metered: bool,
        cancel: &Cancel,
    ) -> Result<Arc<EngineComponent>, Box<Diagnostic>> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = self.ready(is_metered) {
            return Ok(ready);
        }
        let cache = cache_dir()?;
        let path = match std::env::var_os("WEIR_PYTHON_ENGINE") {
            Some(given) => PathBuf::from(given),
            None => build(&cache, cancel)?,
        };
        let bytes =
            fs::read(&path).map_err(|error| problem(format!("Cannot read {}: {error}", path.display()), None))?;
        // Compiling it takes half a minute, so its machine code is shared by all of the user's data folders.
        let tier = component::tier(engine, is_metered)?;
        let made = Arc::new(component::engine(tier, "the Python engine", &bytes, &cache.join("compiled"))?);
        Ok(Arc::clone(self.ready[usize::from(is_metered)].get_or_init(|| made)))
    }
}

/// A plugin on the engine.
pub fn version(
    order: &Order,
    shared: &Shared,
    entry: &str,
    engine: Arc<EngineComponent>,
) -> Result<Version, Box<Diagnostic>> {
    let texts = order.snapshot.texts.iter().filter(|(path, _)| is_python(path));
    let files: Vec<File> =
        texts.map(|(path, text)| File { path: path.clone(), kind: FileKind::Module, code: text.clone() }).collect();
    let mut paths: Vec<&str> = order.snapshot.texts.keys().map(String::as_str).filter(|path| is_python(path)).collect();
    let program = source::Program { entry: entry.to_owned(), files, links: Vec::new(), memory_limit: 0 };
    let made_of = [WIT_HASH, &engine_hash()];
    order.version(shared, entry, &made_of, &mut paths, Program::Python(engine, program))
}

fn is_python(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "py")
}

/// Names everything the engine is made of.
fn engine_hash() -> String {
    let mut hasher = blake3::Hasher::new();
    for part in RUNTIME.iter().flat_map(|(name, text)| [*name, *text]).chain([WIT_HASH, COMPONENTIZE]) {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// The engine's file, made if it is not there; it appears at once or not at all.
fn build(cache: &Path, cancel: &Cancel) -> Result<PathBuf, Box<Diagnostic>> {
    let hash = engine_hash();
    let finished = cache.join("engine").join(format!("python-engine-{hash}.wasm"));
    if finished.exists() {
        return Ok(finished);
    }
    let unwritable = |error: std::io::Error| {
        problem(format!("Cannot build the Python engine in {}: {error}", cache.display()), None)
    };
    let work = cache.join("engine").join(format!("python-{hash}-{}", std::process::id()));
    for (name, text) in CONTRACT.iter().chain([&WORLD]) {
        write(&work.join("wit").join(name), text).map_err(unwritable)?;
    }
    for (name, text) in RUNTIME {
        write(&work.join("app").join(name), text).map_err(unwritable)?;
    }
    let said = run(cache, &work, cancel)?;
    if !said.status.success() {
        let last = said.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it did not say why");
        return Err(problem(
            format!("componentize-py did not make the Python engine: {last}"),
            Some(format!("Weir is tried with componentize-py {COMPONENTIZE}; install that version.")),
        ));
    }
    fs::rename(work.join("engine.wasm"), &finished).map_err(unwritable)?;
    // What is left in it is of no use; another start clears nothing it did not make.
    let _ = fs::remove_dir_all(&work);
    Ok(finished)
}

fn run(cache: &Path, work: &Path, cancel: &Cancel) -> Result<super::job::Said, Box<Diagnostic>> {
    let installed = cache.join(format!("python-{COMPONENTIZE}")).join("bin/componentize-py");
    let tool = if installed.exists() { installed } else { PathBuf::from("componentize-py") };
    let mut command = Command::new(&tool);
    command
        .args(["--wit-path", "wit", "--world", "engine", "componentize", "weir_engine"])
        .args(["--python-path", "app", "--output", "engine.wasm"])
        .current_dir(work)
        .env_remove("VIRTUAL_ENV")
        .env_remove("PYTHONPATH");
    cancel.run(&mut command).map_err(|error| {
        problem(
            format!("Cannot run componentize-py: {error}"),
            Some(format!(
                "Plugins in Python need it once: `./dev setup` installs it, or `pip install componentize-py=={COMPONENTIZE}`."
            )),
        )
    })
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, text)
}

fn problem(message: String, hint: Option<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic { message, file: String::new(), hint, ..Diagnostic::default() })
}
