//! Starting and stopping the pipeline, and the questions that can be put to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use weir_api::ledger::Status;
use weir_api::query::QueryResult;
use weir_capture::EdgeRejections;
use weir_capture::Intake as _;
use weir_event::Clock;
use weir_event::journal::{ControlRecord, StorageMutation};
use weir_log::{Filesystem, Log, LogConfig};
use weir_plugins::{HostConfig, PluginHost};
use weir_store::{QueryLimits, StoreConfig};

use crate::alerts::Alerts;
use crate::canary::{self, Queryable};
use crate::checks::Checks;
use crate::control_journal::{self, ControlJournal, ControlRequests};
use crate::data_dir::DataDir;
use crate::dedup::Dedup;
use crate::error::FlowError;
use crate::faults::{FaultClock, FaultFilesystem, Faults};
use crate::flow_config::FlowConfig;
use crate::frames;
use crate::handoff::HANDOFF_BATCHES;
use crate::intake::LogIntake;
use crate::ledger::Ledger;
use crate::live::LiveFeed;
use crate::oracle_watch::{OracleDeps, OracleWatch};
use crate::plugin_settings;
use crate::plugin_stage::{PluginStage, refill_dedup};
use crate::projection::{SETTING_ORDERING, SETTING_RECORDINGS};
use crate::projector::{CaughtUp, Projector};
use crate::redrive::{self, RedriveRequests, Redrives};
use crate::secret_file::{SecretFile, SecretValues};
use crate::shadow::Shadow;
use crate::shadow_commands;
use crate::sink_source::StoreSource;
use crate::sink_wanted::SinkWanted;
use crate::sinks::Sinks;
use crate::stage_times::StageTimes;
use crate::store_handle::StoreHandle;
use crate::task_emission::TaskEmission;
use crate::tasks::Tasks;

/// A running pipeline.
pub struct Flow {
    pub(crate) data_dir: DataDir,
    pub intake: Arc<LogIntake>,
    pub rejections: Arc<EdgeRejections>,
    pub host: Arc<PluginHost>,
    pub sinks: Arc<Sinks>,
    pub tasks: Arc<Tasks>,
    pub oracle: Arc<OracleWatch>,
    pub checks: Arc<Checks>,
    pub alerts: Arc<Alerts>,
    pub(crate) shadow: Arc<Shadow>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) filesystem: Arc<dyn Filesystem>,
    emission: TaskEmission,
    control_journal: ControlJournal,
    /// Held while plugins are configured.
    configuring: Mutex<()>,
    clock: Arc<dyn Clock>,
    pub(crate) intake_log: Log,
    pub(crate) journal_log: Log,
    pub(crate) shared: Arc<Shared>,
    stopping: Arc<AtomicBool>,
    background_stopping: Arc<AtomicBool>,
    stages: Mutex<Vec<JoinHandle<()>>>,
    background: Mutex<Vec<JoinHandle<()>>>,
    drain_timeout: Duration,
    ordering: weir_event::Ordering,
    pub(crate) redrives: Redrives,
}

/// What the threads that watch have in common.
pub(crate) struct Shared {
    pub ledger: Arc<Ledger>,
    pub times: Arc<StageTimes>,
    pub live: Arc<LiveFeed>,
    pub store: Arc<StoreHandle>,
    pub queryable: Arc<Queryable>,
    pub recovery: Arc<Mutex<Vec<String>>>,
    pub frames: broadcast::Sender<Arc<str>>,
    pub started: Instant,
    /// Why the pipeline stopped by itself, if it did.
    pub failure: Mutex<Option<String>>,
}

impl Flow {
    /// Opens the logs and starts every stage. Returns as soon as events can be accepted.
    pub fn start(config: &FlowConfig) -> Result<Self, FlowError> {
        let data_dir = DataDir::open(&config.data_dir)?;
        let faults = Arc::new(Faults::new(config.restarts));
        let around = (Arc::clone(&config.clock), Arc::clone(&config.filesystem));
        let clock: Arc<dyn Clock> = Arc::new(FaultClock { inner: around.0, faults: Arc::clone(&faults) });
        let filesystem: Arc<dyn Filesystem> =
            Arc::new(FaultFilesystem { inner: around.1, faults: Arc::clone(&faults) });
        let recovery = Arc::new(Mutex::new(Vec::new()));
        let note = |text: String| recovery.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        let open_log = |name, dir| -> Result<_, FlowError> {
            let (log, appender, found) = Log::open(LogConfig::new(name, dir, Arc::clone(&filesystem)))?;
            if let Some(torn) = found.torn {
                note(format!("{name} log: {torn}"));
            }
            Ok((log, appender))
        };
        let (intake_log, intake_appender) = open_log("intake", data_dir.intake())?;
        let (journal_log, journal_appender) = open_log("journal", data_dir.journal())?;
        if journal_log.end().offset > intake_log.end().offset {
            return Err(FlowError::Disagreement(format!(
                "the journal covers {} events, the intake log holds {}",
                journal_log.end().offset,
                intake_log.end().offset
            )));
        }
        let host = Arc::new(PluginHost::start(HostConfig {
            clock: Arc::clone(&clock),
            geoip_database: config.geoip_database.clone(),
            ..HostConfig::new(data_dir.compile_cache(), config.plugin_limits.clone())
        })?);
        faults.reach_plugins(host.faults());
        let intake = Arc::new(LogIntake::new(
            intake_log.clone(),
            intake_appender,
            Arc::clone(&filesystem),
            data_dir.path.clone(),
            Arc::clone(&faults),
        ));
        let ledger = Arc::new(Ledger::new(intake_log.clone()));
        let journalled = journal_log.end().offset;
        ledger.step(|positions| {
            positions.plugins_read.store(journalled, Ordering::Release);
            positions.journalled.store(journalled, Ordering::Release);
        });
        let shared = Arc::new(Shared {
            ledger,
            times: Arc::default(),
            live: Arc::default(),
            store: Arc::default(),
            queryable: Arc::default(),
            recovery,
            frames: broadcast::channel(8).0,
            started: Instant::now(),
            failure: Mutex::default(),
        });
        let (control_journal, control_requests) = control_journal::channel(intake_log.clone());
        let emission = TaskEmission::new(Arc::clone(&intake), Arc::clone(&clock));
        let tasks =
            Arc::new(Tasks::new(Arc::clone(&host), Arc::clone(&clock), control_journal.clone(), emission.clone()));
        let sinks = Arc::new(Sinks::new(
            control_journal.clone(),
            intake_log.clone(),
            StoreSource { store: Arc::clone(&shared.store), ledger: Arc::clone(&shared.ledger) },
            Arc::clone(&clock),
            Arc::clone(&host),
            emission.clone(),
            Arc::clone(&faults),
        ));
        let (redrives, redrive_requests) = redrive::channel(intake_log.clone());
        let background_stopping: Arc<AtomicBool> = Arc::default();
        let shadow = Arc::new(Shadow::new(
            Arc::clone(&host),
            data_dir.versions(),
            (intake_log.clone(), journal_log.clone()),
            emission.clone(),
            Arc::clone(&clock),
            Arc::clone(&background_stopping),
        ));
        let checks = Arc::new(Checks::new(
            config.checks.clone(),
            Arc::clone(&host),
            Arc::clone(&shared.store),
            Arc::clone(&clock),
        ));
        let flow = Self {
            checks,
            alerts: Arc::default(),
            sinks,
            tasks,
            oracle: Arc::new(OracleWatch::new(config.ordering)),
            shadow,
            emission,
            control_journal,
            configuring: Mutex::default(),
            redrives,
            intake,
            rejections: Arc::default(),
            host,
            clock,
            faults,
            filesystem,
            intake_log,
            journal_log,
            shared,
            stopping: Arc::default(),
            background_stopping,
            stages: Mutex::default(),
            background: Mutex::default(),
            drain_timeout: config.drain_timeout,
            ordering: config.ordering,
            data_dir,
        };
        flow.start_stages(config, journal_appender, control_requests, redrive_requests)?;
        flow.start_background(config)?;
        Ok(flow)
    }

    fn start_stages(
        &self,
        config: &FlowConfig,
        journal: weir_log::LogAppender,
        control_requests: ControlRequests,
        redrives: RedriveRequests,
    ) -> Result<(), FlowError> {
        let (handoff, handoffs) = mpsc::sync_channel(HANDOFF_BATCHES);
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
            alerts.restore(start.alerts.as_deref());
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
            let settings = [
                (SETTING_ORDERING, ordering.as_str(), start.ordering.as_deref()),
                (SETTING_RECORDINGS, recordings, start.recordings.as_deref().or(Some("off"))),
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

    fn start_background(&self, config: &FlowConfig) -> Result<(), FlowError> {
        let (intake, shared) = (Arc::clone(&self.intake), Arc::clone(&self.shared));
        let stopping = Arc::clone(&self.background_stopping);
        self.spawn(&self.background, "canary", move || {
            canary::run(&intake, &shared.store, &shared.queryable, &stopping);
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

    /// Appends the counts of refused requests; called about once a second and at the end.
    pub async fn flush_rejections(&self) {
        for record in self.rejections.take(self.clock.now_ms()) {
            if let Err(error) = self.intake.append(record.clone()).await {
                tracing::warn!(%error, "refused requests are not in the ledger yet");
                self.rejections.put_back(record);
            }
        }
        self.intake.measure_disk();
    }

    /// Frames for viewers, each a JSON `LiveFrame`.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<str>> {
        self.shared.frames.subscribe()
    }

    /// The newest events, for a viewer's first frame.
    pub fn newest_events(&self, count: usize) -> Vec<weir_api::event::EventSummary> {
        self.shared.live.newest(count)
    }

    /// Everything that moves, now; asks the store what its sinks have before them, so it may block.
    pub fn status(&self) -> Status {
        let (ledger, _, counts) = self.shared.ledger.read();
        let mut recovery = self.shared.recovery.lock().unwrap_or_else(PoisonError::into_inner).clone();
        recovery.extend(self.failure());
        Status {
            ledger,
            conflicting_duplicates: counts.conflicting_duplicates,
            queryable_lag_ms: self.shared.queryable.newest_ms(),
            plugins: self.shadow.views(),
            sinks: self.sinks.views(),
            alerts: self.alerts.active(),
            recovery,
            store_state: self.shared.store.state().as_str().into(),
            ordering: self.ordering.as_str().into(),
            version: env!("CARGO_PKG_VERSION").into(),
            uptime_s: self.shared.started.elapsed().as_secs_f64(),
            resident_bytes: frames::resident_bytes(),
        }
    }

    /// Why a stage stopped by itself, if one did.
    pub fn failure(&self) -> Option<String> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One statement of a user; blocks its thread.
    pub fn query(&self, sql: &str, limits: QueryLimits) -> Result<QueryResult, FlowError> {
        Ok(self.shared.store.pool()?.run(sql, limits)?)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub(crate) fn data_path(&self) -> &std::path::Path {
        &self.data_dir.path
    }

    pub(crate) fn configuring(&self) -> MutexGuard<'_, ()> {
        self.configuring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when the record is durable.
    pub(crate) fn journalled(&self, record: ControlRecord) -> Result<(), FlowError> {
        self.control_journal.append(record).map_err(|_| FlowError::Stopped { stage: "plugins" })
    }

    pub(crate) fn store_pool(&self) -> Result<Arc<weir_store::QueryPool>, FlowError> {
        Ok(self.shared.store.pool()?)
    }

    /// The clock of the pipeline.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// The offset of the next event that is accepted.
    pub fn intake_end(&self) -> u64 {
        self.intake_log.end().offset
    }

    /// The sequence of the journal's next record.
    pub(crate) fn journal_end(&self) -> u64 {
        self.journal_log.end().sequence
    }

    /// Stops in the order of the flow, after capture has stopped: what is acked is stored, if that takes
    /// no longer than the drain time, and the store is closed.
    pub fn shutdown(&self) {
        self.faults.stop();
        let deadline = Instant::now() + self.drain_timeout;
        while self.failure().is_none() && Instant::now() < deadline {
            let (_, in_flight, _) = self.shared.ledger.read();
            let behind = if self.sinks.is_empty() { 0 } else { in_flight.journal_queue + in_flight.projection };
            if in_flight.intake_queue + in_flight.plugins + behind == 0 {
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        // Before the stage that writes their records.
        self.tasks.stop();
        self.sinks.stop();
        self.background_stopping.store(true, Ordering::Release);
        self.stopping.store(true, Ordering::Release);
        self.intake_log.wake_readers();
        for threads in [&self.stages, &self.background] {
            for thread in threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
                // A panic was reported when it happened.
                thread.join().ok();
            }
        }
        self.host.shutdown();
        if self.failure().is_none() {
            self.data_dir.mark_clean();
        }
    }
}
