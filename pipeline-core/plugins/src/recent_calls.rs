//! The newest calls of each plugin to other machines, whole, for people who look at what it sends.
//!
//! In memory and bounded; what lasts is in the journal. Secrets are replaced before anything gets here.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use weir_api::plugin::PluginCall;

/// Calls that are kept for each plugin.
const KEPT: usize = 200;
/// Longer bodies are cut off.
const BODY_BYTES: usize = 16 << 10;

#[derive(Debug, Default)]
pub struct RecentCalls(Mutex<HashMap<String, VecDeque<PluginCall>>>);

impl RecentCalls {
    pub fn add(&self, plugin: &str, call: PluginCall) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(plugin.to_owned()).or_default();
        own.push_back(call);
        if own.len() > KEPT {
            own.pop_front();
        }
    }

    /// Oldest first.
    pub fn of(&self, plugin: &str) -> Vec<PluginCall> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(plugin).into_iter().flatten().cloned().collect()
    }

    /// The same, and forgets them.
    pub fn take(&self, plugin: &str) -> Vec<PluginCall> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(plugin).unwrap_or_default().into()
    }
}

/// A body as people read it.
pub fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= BODY_BYTES => text.to_owned(),
        Ok(text) => format!("{}… ({} bytes)", &text[..text.floor_char_boundary(BODY_BYTES)], text.len()),
        Err(_) => format!("({} bytes)", bytes.len()),
    }
}
