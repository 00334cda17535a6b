//! The threads of a pipeline, started: the stages that events pass, and what watches them.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use weir_event::journal::StorageMutation;
use weir_event::queue::bounded;
use weir_store::StoreConfig;

use super::Flow;
use crate::alerts::SETTING_ALERTS;
use crate::canary;
use crate::control_journal::ControlRequests;
use crate::dedup::Dedup;
use crate::error::FlowError;
use crate::flow_config::FlowConfig;
use crate::frames;
use crate::handoff::HANDOFF_BATCHES;
use crate::oracle_watch::OracleDeps;
use crate::plugin_settings;
use crate::plugin_stage::{PluginStage, refill_dedup};
use crate::projection::{SETTING_ORDERING, SETTING_RECORDINGS};
use crate::projector::{CaughtUp, Projector};
use crate::redrive::RedriveRequests;
use crate::secret_file::{SecretFile, SecretValues};
use crate::shadow_commands;
use crate::sink_wanted::SinkWanted;

impl Flow {
    pub(super) fn start_stages(
        &self,
        config: &FlowConfig,
        journal: weir_log::LogAppender,
        control_requests: ControlRequests,
        redrives: RedriveRequests,
    ) -> Result<(), FlowError> {
        let (handoff, handoffs) = bounded("handoff", HANDOFF_BATCHES);
        let (caught_up, caught_up_at) = mpsc::sync_channel::<CaughtUp>(1);
        let projector = Projector {
            config: StoreConfig { ordering: config.ordering, ..StoreConfig::new(self.data_dir.store()) },
            intake: self.intake_log.clone(),
            journal: self.journal_log.clone(),
            ledger: Arc::clone(&self.shared.ledger),
            handle: Arc::clone(&self.shared.store),
            live: Arc::clone(&self.shared.live),
            times: Arc::clone(&self.shared.times),
            clock: Arc::clone(&self.clock),
            recovery: Arc::clone(&self.shared.recovery),
            faults: Arc::clone(&self.faults),
            probe: config.store_probe.clone().filter(|_| self.data_dir.unclean),
        };
        self.spawn(&self.stages, "projection", move || projector.run(&handoffs, &caught_up))?;

        let (host, ledger) = (Arc::clone(&self.host), Arc::clone(&self.shared.ledger));
        let (clock, times) = (Arc::clone(&self.clock), Arc::clone(&self.shared.times));
        let (intake_log, journal_log) = (self.intake_log.clone(), self.journal_log.clone());
        let stopping = Arc::clone(&self.stopping);
        let dedup_dir = self.data_dir.dedup();
        let data_path = self.data_dir.path.clone();
        let plugins = config.plugins.clone();
        let ordering = config.ordering;
        let recordings = if config.recordings { "on" } else { "off" };
        let (sinks, faults) = (Arc::clone(&self.sinks), Arc::clone(&self.faults));
        let tasks = Arc::clone(&self.tasks);
        let emission = self.emission.clone();
        let shadow = Arc::clone(&self.shadow);
        let alerts = Arc::clone(&self.alerts);
        // What is accepted from here on is theirs.
        let end = self.intake_log.end().offset;
        let wanted: Vec<SinkWanted> = config
            .sinks
            .iter()
            .map(|wanted| SinkWanted { start: wanted.start.or(Some(end)), ..wanted.clone() })
            .collect();
        self.spawn(&self.stages, "plugins", move || {
            // A projection that ended has said why; there is nothing to run for.
            let Ok(start) = caught_up_at.recv() else { return Ok(()) };
            for (plugin_id, key, value) in start.plugin_storage {
                let value = Some(value).filter(|value| !value.is_empty());
                host.restore_storage(&StorageMutation { plugin_id, key, value });
            }
            alerts.restore(start.settings.get(SETTING_ALERTS).map(String::as_str));
            let secrets = SecretFile::of(&data_path).read().unwrap_or_else(|error| {
                tracing::error!(%error, "secrets.json cannot be read: plugins run without their secrets");
                SecretValues::new()
            });
            for (id, settings) in plugin_settings::restored(&start.plugins, &secrets) {
                host.restore_settings(&id, settings);
            }
            for dir in &plugins {
                shadow_commands::serve_last(&shadow, &host, dir);
                if let Err(error) = host.add(dir) {
                    tracing::error!(dir = %dir.display(), %error, "this plugin is not part of the chain");
                }
            }
            host.reorder(&start.plugins.order);
            let mut dedup = Dedup::open(&dedup_dir).map_err(|error| FlowError::DataDir {
                path: dedup_dir.display().to_string(),
                message: error.to_string(),
            })?;
            let new_sinks = sinks.start(start.sinks, &wanted);
            for (token, project) in &start.projects {
                emission.knows(*project, token);
            }
            tasks.start(&start.plugins);
            let setting = |name| start.settings.get(name).map(String::as_str);
            let settings = [
                (SETTING_ORDERING, ordering.as_str(), setting(SETTING_ORDERING)),
                (SETTING_RECORDINGS, recordings, setting(SETTING_RECORDINGS).or(Some("off"))),
            ];
            let is_new = |(name, value, journalled)| (journalled != Some(value)).then_some((name, value));
            refill_dedup(&mut dedup, &intake_log, &journal_log, &start.projects)?;
            let stage = PluginStage {
                intake: intake_log.read_from_offset(journal_log.end().offset),
                journal,
                host,
                dedup,
                projects: start.projects,
                ledger,
                clock,
                times,
                handoff,
                stopping,
                ordering,
                new_settings: settings.into_iter().filter_map(is_new).collect(),
                sinks,
                faults,
                control_requests,
                redrives,
                intake_log: intake_log.clone(),
                new_sinks,
                plugins_seen: None,
                journalled_chain: String::new(),
                tasks,
                emission,
                setup_calls: shadow.setup_calls(),
                jobs_made: 0,
            };
            stage.run()
        })
    }

    pub(super) fn start_background(&self, config: &FlowConfig) -> Result<(), FlowError> {
        let (intake, shared) = (Arc::clone(&self.intake), Arc::clone(&self.shared));
        let stopping = Arc::clone(&self.background_stopping);
        self.spawn(&self.background, "canary", move || {
            canary::run(&intake, &shared.ledger, &shared.store, &shared.queryable, &stopping);
            Ok(())
        })?;
        let oracle = Arc::clone(&self.oracle);
        let deps = OracleDeps {
            intake: self.intake_log.clone(),
            journal: self.journal_log.clone(),
            store: Arc::clone(&self.shared.store),
            clock: Arc::clone(&self.clock),
            host: Arc::clone(&self.host),
            stopping: Arc::clone(&self.background_stopping),
        };
        self.spawn(&self.background, "oracle", move || {
            oracle.run(&deps);
            Ok(())
        })?;
        let tasks = Arc::clone(&self.tasks);
        self.spawn(&self.background, "schedules", move || {
            tasks.watch();
            Ok(())
        })?;
        let faults = Arc::clone(&self.faults);
        self.spawn(&self.background, "faults", move || {
            faults.run();
            Ok(())
        })?;
        let (checks, stopping) = (Arc::clone(&self.checks), Arc::clone(&self.background_stopping));
        self.spawn(&self.background, "checks", move || {
            checks.watch(&stopping);
            Ok(())
        })?;
        let frames = frames::Frames {
            shared: Arc::clone(&self.shared),
            shadow: Arc::clone(&self.shadow),
            sinks: Arc::clone(&self.sinks),
            intake: Arc::clone(&self.intake),
            clock: Arc::clone(&self.clock),
            demo: config.demo.clone(),
            oracle: Arc::clone(&self.oracle),
            faults: Arc::clone(&self.faults),
            checks: Arc::clone(&self.checks),
            alerts: Arc::clone(&self.alerts),
            ordering: config.ordering,
            stopping: Arc::clone(&self.background_stopping),
        };
        let shadowing = self.shadow.start()?;
        self.background.lock().unwrap_or_else(PoisonError::into_inner).push(shadowing);
        self.spawn(&self.background, "frames", move || {
            frames.run();
            Ok(())
        })
    }

    /// Starts a named thread whose failure is remembered and logged, once.
    fn spawn(
        &self,
        threads: &Mutex<Vec<JoinHandle<()>>>,
        name: &'static str,
        work: impl FnOnce() -> Result<(), FlowError> + Send + 'static,
    ) -> Result<(), FlowError> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
                let problem = match result {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => format!("{error} ({})", error.hint()),
                    Err(_) => "it panicked; see the message above".to_owned(),
                };
                tracing::error!(stage = name, problem, "a stage stopped; capture goes on, nothing acked is lost");
                *shared.failure.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(format!("the stage {name} stopped: {problem}"));
            })
            .map_err(|error| FlowError::Thread { name, message: error.to_string() })?;
        threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }
}
