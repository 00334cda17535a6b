//! Starting and stopping the pipeline, and the questions that can be put to it.

mod stages;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use weir_api::ledger::Status;
use weir_api::query::QueryResult;
use weir_capture::EdgeRejections;
use weir_capture::Intake as _;
use weir_event::Clock;
use weir_event::journal::ControlRecord;
use weir_log::{Filesystem, Log, LogConfig};
use weir_plugins::{HostConfig, PluginHost};
use weir_store::QueryLimits;

use crate::alerts::Alerts;
use crate::canary::Queryable;
use crate::checks::Checks;
use crate::control_journal::{self, ControlJournal};
use crate::data_dir::DataDir;
use crate::error::FlowError;
use crate::faults::{FaultClock, FaultFilesystem, Faults};
use crate::flow_config::FlowConfig;
use crate::frames;
use crate::intake::LogIntake;
use crate::ledger::Ledger;
use crate::live::LiveFeed;
use crate::oracle_watch::OracleWatch;
use crate::redrive::{self, Redrives};
use crate::shadow::Shadow;
use crate::sink_source::StoreSource;
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
    /// Ids of plugins that numbers were published of.
    pub(crate) published_plugins: Mutex<Vec<String>>,
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
            published_plugins: Mutex::default(),
            drain_timeout: config.drain_timeout,
            ordering: config.ordering,
            data_dir,
        };
        flow.start_stages(config, journal_appender, control_requests, redrive_requests)?;
        flow.start_background(config)?;
        Ok(flow)
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
