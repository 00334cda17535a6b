//! Parts that views are made of.

pub mod banner;
pub mod copy;
pub mod demo_control;
pub mod diff_view;
pub mod event_list;
pub mod graph;
pub mod icon;
pub mod journey;
pub mod json_view;
pub mod locked;
pub mod palette;
pub mod plugin_card;
pub mod plugin_error;
pub mod plugin_log;
pub mod shortcuts;
pub mod strip;
pub mod topbar;
