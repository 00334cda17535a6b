//! Plugins: PostHog plugins in JavaScript and TypeScript, and plugins in Rust, Python or any other language,
//! each in a WebAssembly sandbox, replaced while events flow.
//!
//! An event meets this crate in [`Lane::process_batch`]. Behind it: `instance` calls one sandbox and
//! `state` is what the sandbox can reach; `version` turns a folder into something that runs (`manifest`,
//! `strip`, `positions`; `language`, `component` and `wasi` for what is no script); `loader` and `watch`
//! notice saves; `bench` runs plugins away from the stream. The contract between host and sandbox is in `wit/`, what runs inside it in `js-engine/` and
//! `python-engine/`, and the crate for plugins in Rust in `sdk/rust`.
//!
//! What the crate returns is all it does to the world: storage writes, logs and new events are handed to
//! the caller, who journals them. `http` is the one way to the network, closed until it is opened for a
//! plugin; `geoip` answers from a file; `secrets` keeps what is configured as secret out of all of it.

// Diagnostics are large and travel boxed, so they are boxed where they are made.
#![allow(clippy::unnecessary_box_returns)]

mod batch;
mod bench;
mod bindings;
mod blueprint;
mod burst;
mod caller;
mod chain;
mod compile_cache;
mod component;
mod cpu;
mod emitted;
mod engine;
mod error;
mod exporter;
mod faults;
mod geoip;
mod graph;
mod host;
mod host_call;
mod http;
mod http_calls;
mod imports;
mod instance;
mod instructions;
mod json;
mod lane;
mod language;
mod limits;
mod loader;
mod manifest;
mod metrics;
mod own_metrics;
mod pace;
mod packages;
mod positions;
mod presets;
mod processed_event;
mod promotion;
mod provided;
mod random;
mod readiness;
mod recent_calls;
mod reloads;
mod returned;
mod saves;
mod secrets;
mod settings;
mod slot;
mod sources;
mod state;
mod storage;
mod strip;
mod version;
mod wasi;
mod watch;
mod webhook;

pub use batch::{BatchEvent, BatchResult, ControlEffects, EventResult, StepOutput};
pub use bench::{Answers, Bench, BenchConfig, BenchError, BenchPlugin, Part, Workshop};
pub use blueprint::{Blueprint, Sources};
pub use caller::{Called, Caller, Task};
pub use emitted::{Emitted, Generation, Parent, envelope, of_call, of_events, run_generation};
pub use engine::{ENGINE_HASH, ENGINE_WASM};
pub use error::PluginError;
pub use exporter::{ExportMethod, Exporter};
pub use faults::{PluginFault, PluginFaultPlan, PluginFaults};
pub use geoip::{GeoIp, GeoIpError, GeoIpIdentity};
pub use host::{HostConfig, PluginHost, is_plugin};
pub use http::{
    AllowList, AllowListError, Begun, CallId, Calls, CallsConfig, Completion, CompletionQueue, Egress, FailureKind,
    GrantError, HttpFailure, HttpLimits, HttpMode, HttpRequest, HttpResponse, HttpSettings, HttpSetupError, MockError,
    Mocked, Mocks, Outcome, PluginHttp, Recorded, Recorder, Resolve, SystemResolver, mock_of,
};
pub use lane::Lane;
pub use limits::Limits;
pub use manifest::{ConfigField, Manifest};
pub use presets::{PRESETS, Preset};
pub use processed_event::{processed_event, webhook_event};
pub use reloads::{Reload, Reloads};
pub use saves::SaveWatch;
pub use secrets::{SECRET_MASK, SECRET_PLACEHOLDER, SHORTEST_SECRET_CHARACTERS, Secrets, masked, with_kept_secrets};
pub use settings::{OnError, OtherSettings, ReloadMode, Settings, merged};
pub use sources::{CHECKS_DIR, FIXTURES_DIR};
pub use state::JobRequest;
pub use storage::{CacheEntry, StorageSnapshot};
pub use watch::Watching;
