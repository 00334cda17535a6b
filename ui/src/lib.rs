//! The studio's page. An event stream comes in over one WebSocket ([`connection`]), lands in signals
//! ([`state`]) and is shown by the views; what a view does goes out through typed commands
//! ([`client`]). The modules above the line are pure and tested on the host.

pub mod chain_order;
pub mod config_form;
pub mod diff;
pub mod feed;
pub mod format;
pub mod history;
pub mod json;
pub mod log_filter;
pub mod pace;
pub mod place;
pub mod prose;
pub mod ring;
pub mod share;

#[cfg(target_arch = "wasm32")]
pub mod actions;
#[cfg(target_arch = "wasm32")]
pub mod app;
#[cfg(target_arch = "wasm32")]
pub mod change;
#[cfg(target_arch = "wasm32")]
pub mod chart;
#[cfg(target_arch = "wasm32")]
pub mod chosen;
#[cfg(target_arch = "wasm32")]
pub mod client;
#[cfg(target_arch = "wasm32")]
pub mod components;
#[cfg(target_arch = "wasm32")]
pub mod connection;
#[cfg(target_arch = "wasm32")]
pub mod keyboard;
#[cfg(target_arch = "wasm32")]
pub mod notify;
#[cfg(target_arch = "wasm32")]
pub mod poll;
#[cfg(target_arch = "wasm32")]
pub mod state;
#[cfg(target_arch = "wasm32")]
pub mod theme;
#[cfg(target_arch = "wasm32")]
pub mod views;
