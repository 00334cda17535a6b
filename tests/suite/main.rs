//! The proof: the real `weir` binary, driven from outside, with real clients, signals and files.

mod browser;
mod browser_clients;
mod clients;
mod conformance;
mod crash;
mod dead_letters;
mod dependencies;
mod documents;
mod edge;
mod guard;
mod hostile;
mod journeys;
mod paths;
mod plugin_command;
mod plugin_tasks;
mod plugins;
mod raw_http;
mod rebuild;
mod same_path;
mod server;
mod sinks;
mod site;
mod studio;
mod studio_plugins;
mod test_command;
mod wiretap;
