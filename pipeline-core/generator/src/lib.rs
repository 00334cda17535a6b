//! Synthetic event streams. One seed gives one stream, on any machine.
//!
//! `fake` gives the values, the scenario gives the story. The stream's moments are the caller's: an
//! event is made for the time it is asked for, so that a demo is live and a test is repeatable.

mod shop;
mod visitor;

pub use shop::{Shop, ShopEvent};
