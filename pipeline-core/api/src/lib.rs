//! Types that the server, the command line and the studio's page share, and the one registry of
//! commands from which the HTTP routes, the client, the command line's JSON and `docs/api.md` come.
//!
//! Compiles to `wasm32-unknown-unknown`: no I/O, no clock, no threads.

pub mod alert;
pub mod check;
pub mod command;
pub mod diff;
pub mod error;
pub mod event;
pub mod fault;
pub mod generator;
pub mod ledger;
pub mod live;
pub mod metric;
pub mod oracle;
pub mod plugin;
pub mod query;
pub mod redrive;
pub mod registry;
pub mod session;
pub mod sink;
pub mod window;

pub use command::{Command, CommandSpec};
pub use error::{ApiError, ErrorCode};
pub use registry::COMMANDS;
