//! Schedules and jobs of plugins, by the pipeline's clock.
//!
//! A schedule (`runEveryMinute`, `runEveryHour`, `runEveryDay`) is due at second 0 of each minute, hour or
//! UTC day; a job at the moment it was asked for. One thread watches the clock; each plugin has a thread
//! of its own, with its own instance, where one task runs at a time: a task that is still running or
//! waiting when it falls due again is not started twice, and a moment that was missed by more than one
//! period is not made up for. How a task ended is a control record of the journal, durable before the next
//! one begins; a crash between the end of a task and its record repeats it (at least once). The events it
//! made are in the intake log before that record, under uuids that a repetition gives again.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use uuid::Uuid;
use weir_event::clock::UnixMillis;
use weir_event::journal::{ControlRecord, Job, TaskEnd};
use weir_event::queue::{Receiver, RecvTimeoutError, Sender, bounded};
use weir_event::{Clock, ids, schedule};
use weir_plugins::{Called, Caller, PluginHost, Task};

use crate::control_journal::ControlJournal;
use crate::error::FlowError;
use crate::plugin_states::PluginStates;
use crate::task_emission::TaskEmission;

/// How often the clock is looked at; it may be moved by hand.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Tasks of one plugin that may wait; further ones stay due.
const QUEUE: usize = 256;
/// Ends of tasks that are remembered for viewers.
const RECENT: usize = 200;

/// What makes two waiting tasks the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity {
    Schedule(String),
    Job(Uuid),
    /// Asked for by hand.
    Once(Uuid),
}

struct Order {
    identity: Identity,
    task: Task,
    due_ms: UnixMillis,
    reply: Option<SyncSender<TaskEnd>>,
}

struct Worker {
    queue: Sender<Order>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    jobs: BTreeMap<(UnixMillis, Uuid), Job>,
    /// (plugin id, function) to the newest moment it was due at.
    schedules: BTreeMap<(String, String), UnixMillis>,
    /// Waiting or running, by plugin.
    ordered: HashSet<(String, Identity)>,
    workers: HashMap<String, Worker>,
    recent: VecDeque<TaskEnd>,
    is_started: bool,
    is_stopped: bool,
}

pub struct Tasks {
    state: Mutex<State>,
    changed: Condvar,
    host: Arc<PluginHost>,
    clock: Arc<dyn Clock>,
    journal: ControlJournal,
    emission: TaskEmission,
    /// Tells tasks that were asked for by hand apart.
    asked: AtomicU32,
}

impl Tasks {
    pub fn new(host: Arc<PluginHost>, clock: Arc<dyn Clock>, journal: ControlJournal, emission: TaskEmission) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            host,
            clock,
            journal,
            emission,
            asked: AtomicU32::new(0),
        }
    }

    /// Goes on with what the journal holds.
    pub fn start(&self, states: &PluginStates) {
        let mut state = self.state();
        state.jobs.extend(states.jobs.values().map(|job| ((job.at_ms, job.id), job.clone())));
        state.schedules.clone_from(&states.schedules);
        state.is_started = true;
        self.changed.notify_all();
    }

    /// Jobs that are durable.
    pub fn add(&self, jobs: &[Job]) {
        if jobs.is_empty() {
            return;
        }
        self.state().jobs.extend(jobs.iter().map(|job| ((job.at_ms, job.id), job.clone())));
        self.changed.notify_all();
    }

    /// Jobs that have not ended, the next one first.
    pub fn waiting(&self, plugin_id: &str) -> Vec<Job> {
        self.state().jobs.values().filter(|job| job.plugin_id == plugin_id).cloned().collect()
    }

    /// Ends of tasks, newest last.
    pub fn recent(&self, plugin_id: &str) -> Vec<TaskEnd> {
        self.state().recent.iter().filter(|end| end.plugin_id == plugin_id).cloned().collect()
    }

    /// Runs a task now and waits for its end. Blocks its thread.
    pub fn run(self: &Arc<Self>, plugin_id: &str, task: Task) -> Result<TaskEnd, FlowError> {
        let (reply, end) = sync_channel(1);
        let now_ms = self.clock.now_ms();
        let identity =
            Identity::Once(ids::row_uuid(plugin_id, now_ms.unsigned_abs(), self.asked.fetch_add(1, Ordering::Relaxed)));
        let order = Order { identity, task, due_ms: now_ms, reply: Some(reply) };
        if !self.order(&mut self.state(), plugin_id, order) {
            return Err(FlowError::TaskQueueFull(plugin_id.to_owned()));
        }
        end.recv().map_err(|_| FlowError::TaskQueueFull(plugin_id.to_owned()))
    }

    /// Watches the clock until stopped.
    pub fn watch(self: &Arc<Self>) {
        loop {
            let mut state = self.state();
            if state.is_stopped {
                return;
            }
            if state.is_started {
                self.order_due(&mut state);
            }
            let waited = self.changed.wait_timeout(state, LOOK_EVERY);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn order_due(self: &Arc<Self>, state: &mut State) {
        let now_ms = self.clock.now_ms();
        for (plugin_id, schedules) in self.host.schedules() {
            for name in schedules {
                let Some(period_ms) = schedule::period_ms(&name) else { continue };
                let due_ms = schedule::newest_due_ms(now_ms, period_ms);
                let key = (plugin_id.clone(), name.clone());
                // A plugin's first moment is the next one.
                let newest = *state.schedules.entry(key.clone()).or_insert(due_ms);
                if newest >= due_ms {
                    if newest > due_ms + period_ms {
                        // The clock was set back: it goes on from here, and not when that moment comes once more.
                        state.schedules.insert(key, due_ms);
                    }
                    continue;
                }
                let identity = Identity::Schedule(name.clone());
                let order = Order { identity, task: Task::Schedule(name), due_ms, reply: None };
                if self.order(state, &plugin_id, order) {
                    state.schedules.insert(key, due_ms);
                }
            }
        }
        let due: Vec<Job> = state.jobs.range(..=(now_ms, Uuid::max())).map(|(_, job)| job.clone()).collect();
        for job in due.into_iter().filter(|job| self.host.is_live(&job.plugin_id)) {
            let task = Task::Job { name: job.name, payload: job.payload };
            let order = Order { identity: Identity::Job(job.id), task, due_ms: job.at_ms, reply: None };
            self.order(state, &job.plugin_id, order);
        }
        metrics::gauge!("weir_tasks_jobs_waiting").set(state.jobs.len() as f64);
    }

    /// False when it has to wait: the same task is under way, or there are too many.
    fn order(self: &Arc<Self>, state: &mut State, plugin_id: &str, order: Order) -> bool {
        let key = (plugin_id.to_owned(), order.identity.clone());
        if state.is_stopped || state.ordered.contains(&key) {
            return false;
        }
        if !state.workers.contains_key(plugin_id) {
            let (queue, orders) = bounded("tasks", QUEUE);
            let (tasks, id) = (Arc::clone(self), plugin_id.to_owned());
            let spawned =
                thread::Builder::new().name("weir-plugin-task".into()).spawn(move || tasks.work(&id, &orders));
            match spawned {
                Ok(thread) => state.workers.insert(plugin_id.to_owned(), Worker { queue, thread }),
                Err(error) => {
                    tracing::error!(%error, plugin_id, "no thread for a plugin's tasks");
                    return false;
                }
            };
        }
        let taken = state.workers.get(plugin_id).is_some_and(|worker| worker.queue.try_send(order).is_ok());
        if taken {
            state.ordered.insert(key);
        }
        taken
    }

    fn work(&self, plugin_id: &str, orders: &Receiver<Order>) {
        let mut caller = self.host.caller(plugin_id);
        loop {
            let wait = caller.next_timer().map_or(LOOK_EVERY * 10, |due| due.saturating_duration_since(Instant::now()));
            match orders.recv_timeout(wait) {
                Ok(order) => self.perform(plugin_id, &mut caller, order),
                Err(RecvTimeoutError::Timeout) => {
                    caller.wake();
                    let emitted = caller.take_emitted();
                    let parent = ids::row_uuid(plugin_id, self.clock.now_ms().unsigned_abs(), 0);
                    self.emit(parent, plugin_id, emitted);
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn perform(&self, plugin_id: &str, caller: &mut Caller, order: Order) {
        let started = Instant::now();
        let name = order.task.name().to_owned();
        let called = caller.run(&order.task);
        let took_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        let error = match called {
            Called::Done(_) => None,
            Called::Again(reason) | Called::Failed(reason) => Some(reason),
            // The version went away meanwhile; what is due stays due.
            Called::Absent if order.reply.is_none() && matches!(order.identity, Identity::Job(_)) => {
                self.state().ordered.remove(&(plugin_id.to_owned(), order.identity));
                return;
            }
            Called::Absent => Some(format!("the plugin is not live, or has no {name}")),
        };
        let parent = match &order.identity {
            Identity::Job(id) | Identity::Once(id) => *id,
            Identity::Schedule(name) => ids::row_uuid(&format!("{plugin_id}/{name}"), order.due_ms.unsigned_abs(), 0),
        };
        self.emit(parent, plugin_id, caller.take_emitted());
        let outcome = if error.is_some() { "failed" } else { "done" };
        metrics::counter!("weir_tasks_total", "plugin" => plugin_id.to_owned(), "outcome" => outcome).increment(1);
        let end = TaskEnd { plugin_id: plugin_id.to_owned(), name, at_ms: self.clock.now_ms(), took_ms, error };
        let record = match &order.identity {
            Identity::Schedule(_) => ControlRecord::ScheduleRan { due_ms: order.due_ms, end: end.clone() },
            Identity::Job(id) | Identity::Once(id) => ControlRecord::JobEnded { id: *id, end: end.clone() },
        };
        // Without a journal the pipeline has stopped, and the task is repeated after the next start.
        let is_kept = self.journal.append(record).is_ok();
        let mut state = self.state();
        if let Identity::Job(id) = &order.identity
            && is_kept
        {
            state.jobs.retain(|(_, waiting), _| waiting != id);
        }
        state.ordered.remove(&(plugin_id.to_owned(), order.identity));
        state.recent.push_back(end.clone());
        if state.recent.len() > RECENT {
            state.recent.pop_front();
        }
        drop(state);
        if let Some(reply) = order.reply {
            // Whoever asked may have gone.
            reply.send(end).ok();
        }
    }

    fn emit(&self, parent: Uuid, plugin_id: &str, events: Vec<String>) {
        let count = events.len();
        if let Err(problem) = self.emission.emit(parent, plugin_id, None, events) {
            tracing::error!(plugin_id, count, problem, "events that a plugin made could not be accepted");
        }
    }

    /// Waits for tasks that are running.
    pub fn stop(&self) {
        let workers = {
            let mut state = self.state();
            state.is_stopped = true;
            std::mem::take(&mut state.workers)
        };
        self.changed.notify_all();
        for (_, Worker { queue, thread }) in workers {
            drop(queue);
            // A panic was reported when it happened.
            thread.join().ok();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
