//! One module a screen.

pub mod health;
pub mod live;
pub mod plugins;
pub mod query;
