//! Composes the stages into one pipeline, and is the only crate that knows more than one of them.
//!
//! ```text
//! capture ─► intake log ─► plugin stage ─► journal ─► projection ─► store ─► sinks
//! ```
//!
//! [`Flow::start`] opens both logs and returns; from then on capture may accept. The store is opened,
//! repaired and brought level behind it, because nothing that was acked depends on it.

mod alerts;
mod audit;
mod canary;
mod checks;
mod codec;
mod control_journal;
mod data_dir;
mod dedup;
mod emitted;
mod error;
mod faults;
mod flow;
mod flow_config;
mod frames;
mod handoff;
mod identity;
mod intake;
mod journey;
mod ledger;
mod live;
mod numbers;
mod oracle_watch;
mod plugin_settings;
mod plugin_sink;
mod plugin_stage;
mod plugin_states;
mod projection;
mod projector;
mod redrive;
mod redrive_command;
mod redriven;
mod sabotage;
mod samples;
mod secret_file;
mod shadow;
mod shadow_commands;
mod sink_source;
mod sink_states;
mod sink_wanted;
mod sinks;
mod stage_journal;
mod stage_times;
mod store_handle;
mod stored;
mod task_emission;
mod tasks;
mod window_events;
mod windows;

pub use codec::{decode_intake, decode_journal};
pub use dedup::{Dedup, Fingerprint, Seen};
pub use error::FlowError;
pub use faults::FaultError;
pub use flow::Flow;
pub use flow_config::FlowConfig;
pub use frames::{DemoControl, resident_bytes};
pub use intake::LogIntake;
pub use oracle_watch::{AckedEvent, TrueEvent};
pub use projector::StoreProbe;
pub use secret_file::write_private;
pub use shadow::ShadowError;
pub use sink_wanted::SinkWanted;
pub use store_handle::StoreState;
