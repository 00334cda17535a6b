use std::fmt;

use serde_json::{Map, Value};

use crate::bindings::weir::plugin::{clock, config};

pub use config::Attachment;

/// What the plugin was configured with.
pub struct Meta {
    values: Map<String, Value>,
    attachments: Vec<Attachment>,
    name: String,
    id: String,
}

impl Meta {
    pub(crate) fn read() -> Self {
        Self {
            values: serde_json::from_str(&config::values()).unwrap_or_default(),
            attachments: config::attachments(),
            name: config::name(),
            id: config::id(),
        }
    }

    /// A configured value, or the default from `plugin.json`.
    pub fn config(&self, key: &str) -> Option<&str> {
        self.values.get(key).and_then(Value::as_str)
    }

    /// A file that was given with the configuration.
    pub fn attachment(&self, key: &str) -> Option<&Attachment> {
        self.attachments.iter().find(|attachment| attachment.key == key)
    }

    /// Display name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Id of this configuration of the plugin.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for Meta {
    /// Without the values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meta").field("name", &self.name).field("id", &self.id).finish_non_exhaustive()
    }
}

/// Milliseconds since 1970, UTC, by the pipeline's clock.
pub fn now_ms() -> u64 {
    clock::now_micros() / 1000
}

/// Uniform in [0, 1), from the pipeline's seeded numbers: the same run gives the same ones.
pub fn random() -> f64 {
    crate::bindings::weir::plugin::random::next()
}
