//! What the journal says about plugins besides their storage: settings, order, jobs, schedule runs.
//!
//! A projection like the rest: kept in the store's `weir_meta` under keys of its own, so that a start need
//! not read the journal from its beginning. A job that has ended leaves an empty value behind.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;
use weir_event::clock::UnixMillis;
use weir_event::journal::{ControlRecord, Job, PluginSettings};
use weir_store::RowBatch;

const SETTINGS: &str = "plugin:";
const ORDER: &str = "plugin_order";
const JOB: &str = "job:";
const SCHEDULE: &str = "schedule:";

#[derive(Debug, Clone, Default, PartialEq)]
pub struct PluginStates {
    pub settings: BTreeMap<String, PluginSettings>,
    /// Ids of plugins, in chain order.
    pub order: Vec<String>,
    /// Jobs that have not ended.
    pub jobs: BTreeMap<Uuid, Job>,
    /// (plugin id, function) to the moment its newest run was due at.
    pub schedules: BTreeMap<(String, String), UnixMillis>,
}

impl PluginStates {
    pub fn restore(meta: &[(String, String)]) -> Self {
        let mut states = Self::default();
        for (key, value) in meta {
            if let Some(id) = key.strip_prefix(SETTINGS) {
                let decoded = STANDARD.decode(value).ok().and_then(|bytes| postcard::from_bytes(&bytes).ok());
                if let Some(settings) = decoded {
                    states.settings.insert(id.to_owned(), settings);
                }
            } else if let Some(id) = key.strip_prefix(JOB).and_then(|id| Uuid::parse_str(id).ok()) {
                match serde_json::from_str(value) {
                    Ok(job) => states.jobs.insert(id, job),
                    Err(_) => states.jobs.remove(&id),
                };
            } else if let Some((plugin, name)) = key.strip_prefix(SCHEDULE).and_then(|rest| rest.rsplit_once('/')) {
                if let Ok(due_ms) = value.parse() {
                    states.schedules.insert((plugin.to_owned(), name.to_owned()), due_ms);
                }
            } else if key == ORDER {
                states.order = serde_json::from_str(value).unwrap_or_default();
            }
        }
        states
    }

    pub fn apply(&mut self, record: &ControlRecord, rows: &mut RowBatch) {
        match record {
            ControlRecord::PluginSettings { plugin_id, settings } => {
                let bytes = postcard::to_allocvec(settings).unwrap_or_default();
                rows.meta.push((format!("{SETTINGS}{plugin_id}"), STANDARD.encode(bytes)));
                self.settings.insert(plugin_id.clone(), settings.clone());
            }
            ControlRecord::PluginOrder { plugin_ids } => {
                rows.meta.push((ORDER.to_owned(), serde_json::json!(plugin_ids).to_string()));
                self.order.clone_from(plugin_ids);
            }
            ControlRecord::Jobs { jobs } => self.ask(jobs, rows),
            ControlRecord::JobEnded { id, .. } => {
                self.jobs.remove(id);
                rows.meta.push((format!("{JOB}{id}"), String::new()));
            }
            ControlRecord::ScheduleRan { due_ms, end } => {
                rows.meta.push((format!("{SCHEDULE}{}/{}", end.plugin_id, end.name), due_ms.to_string()));
                self.schedules.insert((end.plugin_id.clone(), end.name.clone()), *due_ms);
            }
            _ => {}
        }
    }

    /// Jobs that were asked for while events were processed.
    pub fn ask(&mut self, jobs: &[Job], rows: &mut RowBatch) {
        for job in jobs {
            rows.meta.push((format!("{JOB}{}", job.id), serde_json::json!(job).to_string()));
            self.jobs.insert(job.id, job.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_event::journal::TaskEnd;

    use super::*;

    #[test]
    fn what_the_journal_says_comes_back_from_rows() {
        let job = |number: u128| Job {
            id: Uuid::from_u128(number),
            plugin_id: "p".into(),
            name: "send".into(),
            payload: "{}".into(),
            at_ms: 5,
        };
        let end = |name: &str| TaskEnd { plugin_id: "a/b".into(), name: name.into(), ..end_of_nothing() };
        let settings = PluginSettings { values: vec![("k".into(), Some("v".into()))], ..PluginSettings::default() };
        let mut states = PluginStates::default();
        let mut rows = RowBatch::default();
        states.ask(&[job(1)], &mut rows);
        for record in [
            ControlRecord::Jobs { jobs: vec![job(2)] },
            ControlRecord::JobEnded { id: Uuid::from_u128(1), end: end("send") },
            ControlRecord::ScheduleRan { due_ms: 60_000, end: end("runEveryMinute") },
            ControlRecord::PluginSettings { plugin_id: "p".into(), settings },
            ControlRecord::PluginOrder { plugin_ids: vec!["b".into(), "p".into()] },
        ] {
            states.apply(&record, &mut rows);
        }
        assert_eq!(states.jobs.len(), 1);
        assert_eq!(PluginStates::restore(&rows.meta), states);
    }

    fn end_of_nothing() -> TaskEnd {
        TaskEnd { plugin_id: String::new(), name: String::new(), at_ms: 0, took_ms: 0, error: None }
    }
}
