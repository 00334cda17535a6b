//! The plugin host from outside: real engine, real folders, real saves.
#![allow(clippy::unwrap_used)]

mod builds;
mod events;
mod failures;
mod languages;
mod meta;
mod modules;
mod reload;
mod samples;
mod standard_library;
mod support;
mod traffic;
mod waiting;
