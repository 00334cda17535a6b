//! From a sink that somebody wants to the record of one.

use uuid::Uuid;
use weir_event::journal::{SinkCursor, SinkRecord};
use weir_plugins::ExportMethod;
use weir_sinks::{SinkError, SinkKind};

use crate::plugin_sink::kind_of;

/// Each has a thread.
pub const MOST: usize = 32;
const LONGEST_NAME: usize = 64;

/// A built-in sink that somebody wants.
#[derive(Debug, Clone)]
pub struct SinkWanted {
    pub kind: SinkKind,
    pub target: String,
    pub name: Option<String>,
    /// First intake offset; the current end when absent.
    pub start: Option<u64>,
    pub max_attempts: Option<u32>,
}

impl SinkWanted {
    /// `taken` are the names there are, `end` is the end of the intake log.
    pub fn record(&self, taken: &[String], end: u64) -> Result<SinkRecord, SinkError> {
        if taken.len() >= MOST {
            return Err(SinkError::TooMany(MOST));
        }
        if self.max_attempts == Some(0) {
            return Err(SinkError::NoAttempts);
        }
        let kind = self.kind.as_str().to_owned();
        let is_free = |name: &String| !taken.contains(name);
        let name = match &self.name {
            Some(name) if !is_name(name) => return Err(SinkError::Name(name.clone())),
            Some(name) if !is_free(name) => return Err(SinkError::NameTaken(name.clone())),
            Some(name) => name.clone(),
            None => std::iter::once(kind.clone())
                .chain((2..=MOST + 1).map(|number| format!("{kind}-{number}")))
                .find(is_free)
                .unwrap_or_default(),
        };
        Ok(SinkRecord {
            name,
            id: Uuid::new_v4(),
            kind,
            target: self.target.clone(),
            start: self.start.unwrap_or(end),
            max_attempts: self.max_attempts,
        })
    }
}

/// The sink of a plugin's method. Its name cannot be one that somebody chose.
pub fn plugin_record(plugin_id: String, method: ExportMethod, start: u64) -> SinkRecord {
    SinkRecord {
        name: format!("plugin:{plugin_id}:{}", method.as_str()),
        id: Uuid::new_v4(),
        kind: kind_of(method).into(),
        target: plugin_id,
        start,
        max_attempts: None,
    }
}

/// Where a sink begins.
pub fn first_cursor(record: &SinkRecord) -> SinkCursor {
    SinkCursor { sink: record.name.clone(), offset: record.start, until: record.start, ..SinkCursor::default() }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(fits)
}
