//! The machine code of engines and components, kept between starts.
//!
//! Compiling an engine takes most of a second and more, loading its machine code a fraction of a millisecond.
//! The file is named after the component and after everything that decides whether this build of
//! Wasmtime can run it, so a stale one is never met, only left behind. It lies in a folder that only
//! this user can enter: Wasmtime trusts what it loads, and so must we. A file that does not load is
//! compiled again and replaced.
#![allow(unsafe_code)] // Loading machine code is unsafe by nature; nothing else in the crate is.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::PluginError;

/// Builds of several plugins may compile at once.
static PARTIAL: AtomicU64 = AtomicU64::new(0);

pub fn load(engine: &Engine, wasm: &[u8], dir: &Path) -> Result<Component, PluginError> {
    make_private(dir).map_err(|source| PluginError::CompileCache { dir: dir.to_owned(), source })?;
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let name = format!("{}-{:016x}.cwasm", &blake3::hash(wasm).to_hex()[..16], hasher.finish());
    let path = dir.join(name);
    if path.exists() {
        // SAFETY: the file was written by this function, into a folder no other user can write to, and
        // is named after the exact engine configuration.
        match unsafe { Component::deserialize_file(engine, &path) } {
            Ok(component) => return Ok(component),
            Err(error) => tracing::warn!(%error, path = %path.display(), "stored machine code does not load"),
        }
    }
    let code = engine.precompile_component(wasm).map_err(|error| PluginError::Engine(format!("{error:#}")))?;
    let partial = dir.join(format!("partial-{}-{}", std::process::id(), PARTIAL.fetch_add(1, Ordering::Relaxed)));
    fs::write(&partial, &code)
        .and_then(|()| fs::rename(&partial, &path))
        .map_err(|source| PluginError::CompileCache { dir: dir.to_owned(), source })?;
    // SAFETY: these are the bytes the engine has just made.
    unsafe { Component::deserialize(engine, &code) }.map_err(|error| PluginError::Engine(format!("{error:#}")))
}

fn make_private(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}
