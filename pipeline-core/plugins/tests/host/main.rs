//! The plugin host from outside: real engine, real folders, real saves.
#![allow(clippy::unwrap_used)]

mod events;
mod failures;
mod meta;
mod modules;
mod reload;
mod reload_pitfalls;
mod samples;
mod standard_library;
mod support;
mod traffic;
