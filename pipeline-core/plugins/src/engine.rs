//! The Wasmtime engines of the process and the heartbeat that lets them interrupt plugins.
//!
//! Guarantees that running plugin code is asked every two milliseconds whether it is out of budget, and
//! that nothing ticks while no plugin runs. Does not decide what the budget is; see `state`.
//!
//! There are two: counting instructions makes code slower, so plugins whose limits ask for it run on an
//! engine that counts (`instructions`), made when the first of them comes, and all others on one that does not.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine, EngineWeak};

use crate::bindings;
use crate::compile_cache;
use crate::error::PluginError;
use crate::instructions;
use crate::language;
use crate::state::InstanceState;

pub const ENGINE_WASM: &[u8] = include_bytes!(env!("WEIR_JS_ENGINE_WASM"));
/// Names the engine's source and the contract; part of every version of a script.
pub const ENGINE_HASH: &str = env!("WEIR_JS_ENGINE_HASH");

/// Names the contract; part of every plugin version that needs no engine.
pub const WIT_HASH: &str = env!("WEIR_WIT_HASH");

const TICK: Duration = Duration::from_millis(2);
/// Deep recursion in plugin code must end here; threads that run lanes need 2 MiB of stack.
const WASM_STACK_BYTES: usize = 1 << 20;

#[derive(Default)]
struct Running {
    calls: Mutex<Calls>,
    changed: Condvar,
}

#[derive(Default)]
struct Calls {
    active: usize,
    stopped: bool,
    engines: Vec<EngineWeak>,
}

/// A Wasmtime engine with the JavaScript engine on it.
pub struct Tier {
    pub engine: Engine,
    pub pre: bindings::EnginePre<InstanceState>,
    pub is_metered: bool,
}

/// Shared by everything that makes instances.
pub struct JsEngine {
    plain: Tier,
    metered: OnceLock<Tier>,
    /// Held while the metered one is made.
    making: Mutex<()>,
    /// Where machine code of plugins is kept.
    pub cache_dir: PathBuf,
    running: Arc<Running>,
}

impl JsEngine {
    pub fn start(cache_dir: &Path) -> Result<Self, PluginError> {
        let running = Arc::new(Running::default());
        let plain = Tier::make(false, cache_dir, &running)?;
        spawn_ticker(&running)?;
        let (metered, making) = Default::default();
        Ok(Self { plain, metered, making, cache_dir: cache_dir.to_owned(), running })
    }

    /// The first call for the metered one compiles the JavaScript engine anew, which takes most of a second
    /// once on a machine.
    pub fn tier(&self, is_metered: bool) -> Result<&Tier, PluginError> {
        if !is_metered {
            return Ok(&self.plain);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tier) = self.metered.get() {
            return Ok(tier);
        }
        let made = Tier::make(true, &self.cache_dir, &self.running)?;
        Ok(self.metered.get_or_init(|| made))
    }

    /// Keeps the heartbeat going while the returned guard lives.
    pub fn run_guard(&self) -> RunGuard<'_> {
        let mut calls = self.running.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.active += 1;
        if calls.active == 1 {
            self.running.changed.notify_one();
        }
        RunGuard(&self.running)
    }

    pub fn stop(&self) {
        self.running.calls.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.running.changed.notify_one();
    }
}

impl Tier {
    fn make(is_metered: bool, cache_dir: &Path, running: &Running) -> Result<Self, PluginError> {
        let mut config = Config::new();
        config
            .epoch_interruption(true)
            .consume_fuel(is_metered)
            .max_wasm_stack(WASM_STACK_BYTES)
            .cranelift_nan_canonicalization(true)
            .concurrency_support(false);
        let failed = |error: wasmtime::Error| PluginError::Engine(format!("{error:#}"));
        let engine = Engine::new(&config).map_err(failed)?;
        // The same for all of the user's data folders; where there is no place for that, each has its own.
        let shared = language::cache_dir().ok().map(|dir| dir.join("compiled"));
        let component = match shared.and_then(|dir| compile_cache::load(&engine, ENGINE_WASM, &dir).ok()) {
            Some(component) => component,
            None => compile_cache::load(&engine, ENGINE_WASM, cache_dir)?,
        };
        let linker = linker(&engine, is_metered).map_err(failed)?;
        let pre = linker.instantiate_pre(&component).and_then(bindings::EnginePre::new).map_err(failed)?;
        running.calls.lock().unwrap_or_else(PoisonError::into_inner).engines.push(engine.weak());
        Ok(Self { engine, pre, is_metered })
    }
}

/// With everything of the contract.
pub fn linker(engine: &Engine, is_metered: bool) -> wasmtime::Result<Linker<InstanceState>> {
    let mut linker = Linker::new(engine);
    bindings::Engine::add_to_linker::<_, HasSelf<InstanceState>>(&mut linker, |state| state)?;
    if is_metered {
        instructions::count(&mut linker)?;
    }
    Ok(linker)
}

impl Drop for JsEngine {
    fn drop(&mut self) {
        self.stop();
    }
}

pub struct RunGuard<'a>(&'a Running);

impl Drop for RunGuard<'_> {
    fn drop(&mut self) {
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner).active -= 1;
    }
}

fn spawn_ticker(running: &Arc<Running>) -> Result<(), PluginError> {
    let running = Arc::clone(running);
    let tick = move || {
        loop {
            let calls = running.calls.lock().unwrap_or_else(PoisonError::into_inner);
            let calls = running
                .changed
                .wait_while(calls, |calls| calls.active == 0 && !calls.stopped)
                .unwrap_or_else(PoisonError::into_inner);
            if calls.stopped {
                return;
            }
            let engines: Vec<Engine> = calls.engines.iter().filter_map(EngineWeak::upgrade).collect();
            drop(calls);
            thread::sleep(TICK);
            for engine in engines {
                engine.increment_epoch();
            }
        }
    };
    thread::Builder::new()
        .name("weir-plugin-epoch".into())
        .spawn(tick)
        .map_err(|_| PluginError::Thread("weir-plugin-epoch"))?;
    Ok(())
}
