//! Events that plugins make outside `processEvent`: in schedules, jobs, `onEvent` and `exportEvents`.
//!
//! They go into the intake log like a client's, as they do in PostHog, and so through all plugins. Their
//! uuids are derived from what made them, so a task that is repeated after a crash makes the same
//! events, which are then recognised.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;
use weir_capture::Intake as _;
use weir_event::Clock;
use weir_event::intake::{IntakeBody, IntakeRecord};
use weir_plugins::of_call;

use crate::intake::LogIntake;

/// The project of events that no event and no project stands behind.
const FIRST_TOKEN: &str = "weir";

#[derive(Debug, Clone)]
pub struct TaskEmission {
    intake: Arc<LogIntake>,
    clock: Arc<dyn Clock>,
    /// Tokens of the projects that are known.
    projects: Arc<Mutex<BTreeMap<u32, String>>>,
}

impl TaskEmission {
    pub fn new(intake: Arc<LogIntake>, clock: Arc<dyn Clock>) -> Self {
        Self { intake, clock, projects: Arc::default() }
    }

    pub fn knows(&self, project: u32, token: &str) {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner).insert(project, token.to_owned());
    }

    /// Numbers of projects by their token.
    pub fn numbers(&self) -> HashMap<String, u32> {
        let projects = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        projects.iter().map(|(project, token)| (token.clone(), *project)).collect()
    }

    /// The token of a project, or of the first one.
    fn token(&self, project: Option<u32>) -> String {
        let projects = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        let found = project.and_then(|project| projects.get(&project)).or_else(|| projects.values().next());
        found.map_or_else(|| FIRST_TOKEN.to_owned(), Clone::clone)
    }

    /// Returns when the events are durable. Without a project they go to the first one.
    pub fn emit(&self, parent: Uuid, plugin_id: &str, project: Option<u32>, events: Vec<String>) -> Result<(), String> {
        if events.is_empty() {
            return Ok(());
        }
        let record = IntakeRecord {
            received_at_ms: self.clock.now_ms(),
            token: self.token(project),
            ip: String::new(),
            site_url: String::new(),
            sent_at: None,
            body: IntakeBody::Events(of_call(parent, plugin_id, events)),
        };
        self.intake.check().map_err(|refusal| refusal.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
        runtime.block_on(self.intake.append(record)).map_err(|refusal| refusal.to_string())
    }
}
