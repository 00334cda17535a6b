//! The sinks of a running pipeline: one thread each, behind the store.
//!
//! # What it guarantees
//!
//! Configuration and cursors are control records of the journal, so they survive the store, and a
//! rebuild of the store sends nothing. A sink starts when the store is level with the logs for the first
//! time, and goes on from its cursor. Sinks end before the plugin stage, which writes their cursors.
//!
//! # What it does not do
//!
//! It holds nothing up: a sink that cannot deliver leaves its events in the store. `pending` is counted
//! there, beyond the cursor, whenever somebody looks.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use uuid::Uuid;
use weir_api::sink::SinkView;
use weir_event::journal::{ControlRecord, SinkCursor, SinkRecord};
use weir_event::{Clock, SeededRandom};
use weir_log::Log;
use weir_plugins::PluginHost;
use weir_sinks::{Backoff, Feed, Progress, Sink, SinkError, Stop, check_target, open};
use weir_store::SinkRow;

use crate::control_journal::ControlJournal;
use crate::faults::{FaultSink, Faults};
use crate::plugin_sink;
use crate::sink_source::StoreSource;
use crate::sink_wanted::{MOST, SinkWanted, first_cursor, plugin_record};
use crate::task_emission::TaskEmission;

/// A command that comes while the store is made level waits this long.
const START_TIMEOUT: Duration = Duration::from_secs(10);

pub struct Sinks {
    running: Mutex<Running>,
    started: Condvar,
    /// Held by a command from its check to its effect.
    changing: Mutex<()>,
    journal: ControlJournal,
    intake: Log,
    source: StoreSource,
    clock: Arc<dyn Clock>,
    host: Arc<PluginHost>,
    emission: TaskEmission,
    faults: Arc<Faults>,
}

#[derive(Default)]
struct Running {
    is_started: bool,
    is_stopped: bool,
    sinks: BTreeMap<String, Entry>,
}

struct Entry {
    record: SinkRecord,
    progress: Arc<Progress>,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Sinks {
    pub fn new(
        journal: ControlJournal,
        intake: Log,
        source: StoreSource,
        clock: Arc<dyn Clock>,
        host: Arc<PluginHost>,
        emission: TaskEmission,
        faults: Arc<Faults>,
    ) -> Self {
        Self {
            running: Mutex::default(),
            started: Condvar::new(),
            changing: Mutex::default(),
            journal,
            intake,
            source,
            clock,
            host,
            emission,
            faults,
        }
    }

    /// Goes on with the sinks of the journal. Returns the records of wanted ones that are new; whoever
    /// writes the journal makes them durable and launches them.
    pub fn start(&self, known: Vec<SinkRow>, wanted: &[SinkWanted]) -> Vec<SinkRecord> {
        for row in known {
            self.launch(row.record, row.cursor);
        }
        let mut fresh: Vec<SinkRecord> = Vec::new();
        for wanted in wanted {
            let same = |record: &SinkRecord| record.kind == wanted.kind.as_str() && record.target == wanted.target;
            let mut names: Vec<String> = fresh.iter().map(|record| record.name.clone()).collect();
            {
                let running = self.running();
                if fresh.iter().chain(running.sinks.values().map(|entry| &entry.record)).any(same) {
                    continue;
                }
                names.extend(running.sinks.keys().cloned());
            }
            match check_target(wanted.kind, &wanted.target)
                .and_then(|()| wanted.record(&names, self.intake.end().offset))
            {
                Ok(record) => fresh.push(record),
                Err(error) => tracing::error!(target = wanted.target, %error, hint = error.hint(), "no such sink"),
            }
        }
        fresh
    }

    /// Records for live plugins that want stored events and are not sent any yet, from `start` on. Whoever
    /// writes the journal makes them durable and launches them.
    pub fn of_plugins(&self, start: u64) -> Vec<SinkRecord> {
        let exports = self.host.exports();
        let running = self.running();
        let mut fresh = Vec::new();
        for (plugin_id, method) in exports {
            let kind = plugin_sink::kind_of(method);
            let is_known = |entry: &Entry| entry.record.kind == kind && entry.record.target == plugin_id;
            if running.sinks.values().any(is_known) || running.is_stopped {
                continue;
            }
            if running.sinks.len() + fresh.len() >= MOST {
                tracing::error!(plugin_id, "there are too many sinks: its {} is not called", method.as_str());
                continue;
            }
            fresh.push(plugin_record(plugin_id, method, start));
        }
        fresh
    }

    /// Commands are taken from now on.
    pub fn set_started(&self) {
        self.running().is_started = true;
        self.started.notify_all();
    }

    /// Starts the thread of a sink whose record is durable.
    pub fn launch(&self, record: SinkRecord, cursor: SinkCursor) {
        let progress = Arc::new(Progress::new(&record, &cursor));
        let stop = Stop::default();
        let sink = match plugin_sink::method_of(&record.kind) {
            Some(method) => Ok(plugin_sink::open(&self.host, self.emission.clone(), &record.target, method)),
            None => open(&record, &self.clock),
        };
        let (faults, clock) = (Arc::clone(&self.faults), Arc::clone(&self.clock));
        let thread = sink
            .map(|sink| FaultSink::around(sink, &record, faults, clock))
            .and_then(|sink| self.spawn(sink, record.clone(), cursor, Arc::clone(&progress), stop.clone()))
            .inspect_err(|error| {
                tracing::error!(sink = record.name, %error, "the sink did not start");
                progress.stopped(&error.to_string());
            })
            .ok();
        let mut running = self.running();
        if running.is_stopped {
            stop.stop();
        }
        running.sinks.insert(record.name.clone(), Entry { record, progress, stop, thread });
    }

    fn spawn(
        &self,
        sink: Box<dyn Sink>,
        record: SinkRecord,
        cursor: SinkCursor,
        progress: Arc<Progress>,
        stop: Stop,
    ) -> Result<JoinHandle<()>, SinkError> {
        let feed = Feed {
            cursor,
            sink,
            source: Box::new(self.source.clone()),
            log: Box::new(self.journal.clone()),
            clock: Arc::clone(&self.clock),
            backoff: Backoff::new(Box::new(SeededRandom::drawn())),
            progress: Arc::clone(&progress),
            stop,
            record,
        };
        thread::Builder::new()
            .name("sink".into())
            .spawn(move || {
                if catch_unwind(AssertUnwindSafe(|| feed.run())).is_err() {
                    progress.stopped("it panicked; see the server's log");
                }
            })
            .map_err(|error| SinkError::Thread(error.to_string()))
    }

    /// Adds a sink; returns when its record is durable and its thread runs.
    pub fn add(&self, wanted: &SinkWanted) -> Result<SinkView, SinkError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<String> = self.wait_for_start()?.sinks.keys().cloned().collect();
        check_target(wanted.kind, &wanted.target)?;
        let record = wanted.record(&names, self.intake.end().offset)?;
        let name = record.name.clone();
        self.journal.append(ControlRecord::Sink(record.clone())).map_err(|_| SinkError::NotYet)?;
        let cursor = first_cursor(&record);
        self.launch(record, cursor);
        self.view(&name)
    }

    /// Sends a sink what is stored once more. To its destination it is a new sink: its counts start anew, and so
    /// do its files and its idempotency keys.
    pub fn replay(&self, name: &str, from_ms: Option<i64>) -> Result<SinkView, SinkError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = {
            let running = self.wait_for_start()?;
            let entry = running.sinks.get(name);
            entry.map(|entry| entry.record.clone()).ok_or_else(|| SinkError::UnknownName(name.to_owned()))?
        };
        let start = match from_ms {
            None => 0,
            Some(from_ms) => {
                let found =
                    self.source.store.pool().map(|pool| pool.with(|one| weir_store::first_offset(one, from_ms)));
                let found = found.map_err(|_| SinkError::NotYet)?.map_err(|_| SinkError::NotYet)?;
                found.unwrap_or_else(|| self.intake.end().offset)
            }
        };
        let ended = self.running().sinks.remove(name);
        if let Some(mut entry) = ended {
            entry.end();
        }
        let record = SinkRecord { id: Uuid::new_v4(), start, ..before };
        self.journal.append(ControlRecord::Sink(record.clone())).map_err(|_| SinkError::NotYet)?;
        let cursor = first_cursor(&record);
        self.launch(record, cursor);
        self.view(name)
    }

    /// Takes a sink away; returns what it was.
    pub fn remove(&self, name: &str) -> Result<SinkView, SinkError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let view = {
            drop(self.wait_for_start()?);
            self.view(name)?
        };
        let is_wanted = |(id, method): (String, _)| id == view.target && plugin_sink::kind_of(method) == view.kind;
        if self.host.exports().into_iter().any(is_wanted) {
            return Err(SinkError::OfPlugin(view.target));
        }
        let entry = self.running().sinks.remove(name);
        if let Some(mut entry) = entry {
            entry.end();
        }
        self.journal.append(ControlRecord::SinkRemoved { sink: name.to_owned() }).map_err(|_| SinkError::NotYet)?;
        Ok(view)
    }

    fn view(&self, name: &str) -> Result<SinkView, SinkError> {
        let views = self.views();
        views.into_iter().find(|view| view.name == name).ok_or_else(|| SinkError::UnknownName(name.to_owned()))
    }

    /// By name, each with what is pending now. Waits for the store, so it may block.
    pub fn views(&self) -> Vec<SinkView> {
        let sinks = self.progress();
        if sinks.is_empty() {
            return Vec::new();
        }
        match self.source.store.pool() {
            Ok(pool) => sinks.iter().for_each(|sink| {
                let offset = sink.view().offset;
                sink.counted(pool.with(|connection| weir_store::pending(connection, offset)).ok());
            }),
            Err(_) => sinks.iter().for_each(|sink| sink.counted(None)),
        }
        sinks.iter().map(|sink| sink.view()).collect()
    }

    /// The same for who must not wait: `pending` is older while users' queries have every connection.
    pub fn newest_views(&self) -> Vec<SinkView> {
        let sinks = self.progress();
        if let Some(pool) = self.source.store.pool().ok().filter(|_| !sinks.is_empty()) {
            for sink in &sinks {
                let offset = sink.view().offset;
                if let Some(Ok(pending)) = pool.try_with(|connection| weir_store::pending(connection, offset)) {
                    sink.counted(Some(pending));
                }
            }
        }
        let views: Vec<SinkView> = sinks.iter().map(|sink| sink.view()).collect();
        for view in &views {
            let pending = metrics::gauge!("weir_sink_pending_events", "sink" => view.name.clone());
            pending.set(view.pending.unwrap_or_default() as f64);
            let stuck = metrics::gauge!("weir_sink_stuck", "sink" => view.name.clone());
            stuck.set(f64::from(u8::from(view.state.is_stuck())));
        }
        views
    }

    fn progress(&self) -> Vec<Arc<Progress>> {
        self.running().sinks.values().map(|entry| Arc::clone(&entry.progress)).collect()
    }

    /// By name, each with whether it tries a batch for ever.
    pub fn tries(&self) -> Vec<(String, bool)> {
        let running = self.running();
        running.sinks.values().map(|entry| (entry.record.name.clone(), entry.record.max_attempts.is_none())).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.running().sinks.is_empty()
    }

    /// Ends every sink. Each delivers what it has gathered if that works at once.
    pub fn stop(&self) {
        let mut entries: Vec<Entry> = {
            let mut running = self.running();
            running.is_stopped = true;
            std::mem::take(&mut running.sinks).into_values().collect()
        };
        for entry in &entries {
            entry.stop.stop();
        }
        entries.iter_mut().for_each(Entry::end);
        self.started.notify_all();
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_start(&self) -> Result<MutexGuard<'_, Running>, SinkError> {
        let waited = self
            .started
            .wait_timeout_while(self.running(), START_TIMEOUT, |running| !running.is_started && !running.is_stopped);
        let (running, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if running.is_started && !running.is_stopped { Ok(running) } else { Err(SinkError::NotYet) }
    }
}

impl Entry {
    fn end(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            // A panic is in its progress already.
            thread.join().ok();
        }
    }
}
