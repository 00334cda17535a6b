//! The plugin host from outside: real engine, real folders, real saves.
#![allow(clippy::unwrap_used)]

mod benches;
mod builds;
mod events;
mod failures;
mod hostile;
mod languages;
mod leaks;
mod meta;
mod modules;
mod process;
mod promotion;
mod reload;
mod reload_pitfalls;
mod samples;
mod standard_library;
mod support;
mod traffic;
mod waiting;
