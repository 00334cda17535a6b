//! The studio's server: the pipeline, the two ports, the page and a synthetic stream in one process.
//!
//! The **capture** port takes events from anyone who can reach it and tells nothing. The **control**
//! port shows and changes things, so it is on loopback and [guarded](guard).

mod assets;
mod control;
mod error;
mod exported;
mod generator;
mod guard;
mod handlers;
mod listener;
mod notices;
mod run_file;
pub mod sender;
mod server;

pub use error::ServeError;
pub use run_file::{RunFile, RunFileError};
pub use server::{ServeConfig, Server};
