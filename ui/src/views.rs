//! One module a screen.

pub mod correctness;
pub mod dead_letters;
pub mod faults;
pub mod generator;
pub mod health;
pub mod live;
pub mod plugins;
pub mod query;
pub mod sinks;
