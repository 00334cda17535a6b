//! Plugins for Weir in Rust.
//!
//! A plugin is a type with a state, and one line that makes it the crate's plugin:
//!
//! ```
//! use weir_plugin::{Event, Meta, Plugin, PluginError};
//!
//! struct Labeller {
//!     label: String,
//! }
//!
//! impl Plugin for Labeller {
//!     fn new(meta: &Meta) -> Result<Self, PluginError> {
//!         Ok(Self { label: meta.config("label").unwrap_or("seen").to_owned() })
//!     }
//!
//!     fn process_event(&mut self, mut event: Event) -> Result<Option<Event>, PluginError> {
//!         if event.name() == "$pageview" {
//!             event.set_property("label", self.label.as_str());
//!         }
//!         Ok(Some(event))
//!     }
//! }
//!
//! weir_plugin::plugin!(Labeller);
//! # fn main() {}
//! ```
//!
//! Its folder has a `Cargo.toml` with `crate-type = ["cdylib"]`, and a `plugin.json` if it is configured.
//! Weir builds it on every save. An event that is handed on untouched is never parsed. Errors with `?` are
//! shown with the line they came from; a panic costs the instance and its state, an error does not.

#[doc(hidden)]
pub mod bindings;
pub mod cache;
mod capture;
mod error;
mod event;
mod fields;
pub mod geoip;
pub mod http;
pub mod jobs;
mod log;
mod meta;
pub mod metrics;
mod plugin;
#[doc(hidden)]
pub mod run;
pub mod storage;
mod waiting;

pub use capture::{Captured, capture};
pub use error::PluginError;
pub use event::Event;
pub use fields::Fields;
pub use log::Level;
#[doc(hidden)]
pub use log::write;
pub use meta::{Attachment, Meta, now_ms, random};
pub use plugin::{Every, Offer, Plugin};
pub use serde_json::{self, Value, json};
pub use waiting::sleep;
