//! The proof: the real `weir` binary, driven from outside, with real clients, signals and files.

mod clients;
mod crash;
mod dependencies;
mod edge;
mod guard;
mod plugins;
mod rebuild;
mod server;
mod sinks;
mod studio;
