//! Plugins: PostHog plugins in JavaScript and TypeScript, each in a WebAssembly sandbox, replaced while
//! events flow.
//!
//! An event meets this crate in [`Lane::process_batch`]. Behind it: `instance` calls one sandbox and
//! `state` is what the sandbox can reach; `version` turns a folder into something that runs (`manifest`,
//! `strip`, `positions`); `loader` and `watch` notice saves. The contract between host and sandbox is in
//! `wit/`, the engine that runs JavaScript inside it in `js-engine/`.
//!
//! What the crate returns is all it does to the world: storage writes, logs and new events are handed to
//! the caller, who journals them. It never touches the network.

mod batch;
mod bindings;
mod calls;
mod compile_cache;
mod component;
mod cpu;
mod engine;
mod error;
mod exporter;
mod host;
mod imports;
mod instance;
mod json;
mod lane;
mod language;
mod limits;
mod loader;
mod manifest;
mod metrics;
mod own_metrics;
mod positions;
mod random;
mod slot;
mod sources;
mod state;
mod storage;
mod strip;
mod version;
mod wasi;
mod watch;

pub use batch::{BatchEvent, BatchResult, ControlEffects, EventResult, StepOutput};
pub use engine::{ENGINE_HASH, ENGINE_WASM};
pub use error::PluginError;
pub use exporter::{ExportCall, ExportMethod, Exporter};
pub use host::{HostConfig, PluginHost};
pub use lane::Lane;
pub use limits::Limits;
pub use state::JobRequest;
