//! The one Wasmtime engine of the process and the heartbeat that lets it interrupt plugins.
//!
//! Guarantees that running plugin code is asked every two milliseconds whether it is out of budget, and
//! that nothing ticks while no plugin runs. Does not decide what the budget is; see `state`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine};

use crate::bindings;
use crate::compile_cache;
use crate::error::PluginError;
use crate::state::InstanceState;

pub const ENGINE_WASM: &[u8] = include_bytes!(env!("WEIR_JS_ENGINE_WASM"));
/// Names the engine's source and the contract; part of every version of a script.
pub const ENGINE_HASH: &str = env!("WEIR_JS_ENGINE_HASH");

/// Names the contract; part of every plugin version that needs no engine.
pub const WIT_HASH: &str = env!("WEIR_WIT_HASH");

const TICK: Duration = Duration::from_millis(2);
/// Deep recursion in plugin code must end here; threads that run lanes need 2 MiB of stack.
const WASM_STACK_BYTES: usize = 1 << 20;

#[derive(Debug, Default)]
struct Running {
    calls: Mutex<Calls>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Calls {
    active: usize,
    stopped: bool,
}

/// Shared by everything that makes instances.
pub struct JsEngine {
    pub engine: Engine,
    pub pre: bindings::EnginePre<InstanceState>,
    /// Where machine code of plugins is kept.
    pub cache_dir: PathBuf,
    running: Arc<Running>,
}

impl JsEngine {
    pub fn start(cache_dir: &Path) -> Result<Self, PluginError> {
        let mut config = Config::new();
        config
            .epoch_interruption(true)
            .max_wasm_stack(WASM_STACK_BYTES)
            .cranelift_nan_canonicalization(true)
            .concurrency_support(false);
        let failed = |error: wasmtime::Error| PluginError::Engine(format!("{error:#}"));
        let engine = Engine::new(&config).map_err(failed)?;
        let component = compile_cache::load(&engine, ENGINE_WASM, cache_dir)?;
        let mut linker = Linker::new(&engine);
        bindings::Engine::add_to_linker::<_, HasSelf<InstanceState>>(&mut linker, |state| state).map_err(failed)?;
        let pre = linker.instantiate_pre(&component).and_then(bindings::EnginePre::new).map_err(failed)?;
        let running = Arc::new(Running::default());
        spawn_ticker(&engine, &running)?;
        Ok(Self { engine, pre, cache_dir: cache_dir.to_owned(), running })
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

fn spawn_ticker(engine: &Engine, running: &Arc<Running>) -> Result<(), PluginError> {
    let weak = engine.weak();
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
            drop(calls);
            thread::sleep(TICK);
            let Some(engine) = weak.upgrade() else { return };
            engine.increment_epoch();
        }
    };
    thread::Builder::new()
        .name("weir-plugin-epoch".into())
        .spawn(tick)
        .map_err(|_| PluginError::Thread("weir-plugin-epoch"))?;
    Ok(())
}
