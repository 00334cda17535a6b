//! From bytes to a component that can be instantiated, or to a message its author understands.
//!
//! Bytes are looked at before they are trusted with anything: what kind of WebAssembly they are, whether
//! everything they import is offered, whether they export what a plugin exports. Machine code comes from
//! the compile cache. A component gets the imports of the world `plugin` and the WASI of `wasi`.

use std::path::Path;

use wasmtime::component::{Component, InstancePre};
use weir_api::plugin::Diagnostic;

use crate::bindings;
use crate::compile_cache;
use crate::engine::{JsEngine, Tier, linker};
use crate::state::InstanceState;
use crate::wasi;

pub type PluginComponent = bindings::component::PluginPre<InstanceState>;
pub type EngineComponent = bindings::EnginePre<InstanceState>;

/// Version and interfaces of the contract, as components name them.
const PACKAGE: &str = "weir:plugin/";
const CONTRACT: &str = "@0.1.";
const INTERFACES: [&str; 14] = [
    "cache", "clock", "config", "geoip", "http", "jobs", "log", "metrics", "random", "report", "source", "storage",
    "types", "waiting",
];
const EXPORTS: [&str; 3] = ["describe", "process-batch", "call"];

const WASM_MAGIC: &[u8] = b"\0asm";
const COMPONENT_LAYER: [u8; 4] = [0x0d, 0, 1, 0];

/// The engine for plugins whose instructions are counted, or for the others.
pub fn tier(engine: &JsEngine, is_metered: bool) -> Result<&Tier, Box<Diagnostic>> {
    engine.tier(is_metered).map_err(|error| refusal("", error.to_string(), error.hint()))
}

/// A component of the world `plugin`, from the file `name`.
pub fn plugin(tier: &Tier, name: &str, bytes: &[u8], cache_dir: &Path) -> Result<PluginComponent, Box<Diagnostic>> {
    let (component, pre) = prepare(tier, name, bytes, cache_dir)?;
    if let Some(missing) = EXPORTS.iter().find(|export| component.get_export_index(None, **export).is_none()) {
        return Err(refusal(
            name,
            format!("The component does not export `{missing}`"),
            "Implement every export of the world `plugin` of weir:plugin@0.1.0; see docs/plugin-component.md.",
        ));
    }
    bindings::component::PluginPre::new(pre).map_err(|error| mismatch(name, &error))
}

/// A component of the world `engine`.
pub fn engine(tier: &Tier, name: &str, bytes: &[u8], cache_dir: &Path) -> Result<EngineComponent, Box<Diagnostic>> {
    let (_, pre) = prepare(tier, name, bytes, cache_dir)?;
    bindings::EnginePre::new(pre).map_err(|error| mismatch(name, &error))
}

fn prepare(
    tier: &Tier,
    name: &str,
    bytes: &[u8],
    cache_dir: &Path,
) -> Result<(Component, InstancePre<InstanceState>), Box<Diagnostic>> {
    check_kind(name, bytes)?;
    let component = compile_cache::load(&tier.engine, bytes, cache_dir).map_err(|error| {
        refusal(name, format!("Cannot compile the component: {error}"), "Build it again; the file may be damaged.")
    })?;
    let failed = |error: wasmtime::Error| mismatch(name, &error);
    let mut linker = linker(&tier.engine, tier.is_metered).map_err(failed)?;
    let unknown = wasi::define(&mut linker, &component).map_err(failed)?.err();
    if let Some(import) = unknown.or_else(|| unknown_import(&component)) {
        return Err(refusal(
            name,
            format!("The component imports `{import}`, which plugins do not have"),
            "Plugins may import weir:plugin@0.1.0, and of WASI 0.2 cli, clocks, filesystem, io, random and sockets. \
             Requests go through weir:plugin/http.",
        ));
    }
    let pre = linker.instantiate_pre(&component).map_err(failed)?;
    Ok((component, pre))
}

fn check_kind(name: &str, bytes: &[u8]) -> Result<(), Box<Diagnostic>> {
    if !bytes.starts_with(WASM_MAGIC) {
        return Err(refusal(
            name,
            "The file is not WebAssembly: it does not begin with `\\0asm`".to_owned(),
            "Name a component in `main`, or a source file if you meant that.",
        ));
    }
    if bytes.get(4..8) != Some(&COMPONENT_LAYER) {
        return Err(refusal(
            name,
            "The file is a core WebAssembly module, not a component".to_owned(),
            "Build for wasm32-wasip2, or wrap the module: `wasm-tools component new plugin.wasm -o plugin.wasm`.",
        ));
    }
    Ok(())
}

/// The first import, other than WASI's, that is not part of the contract.
fn unknown_import(component: &Component) -> Option<String> {
    let is_known = |name: &str| {
        let interface = name.strip_prefix(PACKAGE).and_then(|rest| rest.split_once(CONTRACT));
        name.starts_with("wasi:") || interface.is_some_and(|(interface, _)| INTERFACES.contains(&interface))
    };
    let kind = component.component_type();
    kind.imports(component.engine()).find(|(name, _)| !is_known(name)).map(|(name, _)| name.to_owned())
}

fn mismatch(name: &str, error: &wasmtime::Error) -> Box<Diagnostic> {
    refusal(
        name,
        format!("The component does not fit the contract weir:plugin@0.1.0: {error:#}"),
        "Generate its bindings again from wit/v0_1; see docs/plugin-component.md.",
    )
}

fn refusal(name: &str, message: String, hint: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic { message, file: name.to_owned(), hint: Some(hint.to_owned()), ..Diagnostic::default() })
}
