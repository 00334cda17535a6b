//! Threads for calls that go out, shared by all plugins.
//!
//! A call that has its answer already (a mock, a refusal) takes no thread. Real ones wait in a queue that
//! is bounded in all and served in turn, plugin by plugin: one that calls a dead host a thousand times
//! delays its own calls, and others at most until one of its running calls ends. Threads begin when they
//! are needed and end when they have been idle for a while, or with the last [`Calls`].

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use weir_event::queue::{Place, QueueNumbers};

use super::completion::{CallId, CompletionQueue, Outcome, Shared};
use super::metrics;
use super::request::{FailureKind, HttpFailure, HttpRequest};
use super::{Begun, PluginHttp};

const IDLE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsConfig {
    /// Calls that run at a time.
    pub threads: usize,
    /// Of these, calls of one plugin.
    pub threads_per_plugin: usize,
    /// Calls that wait for a thread; further ones fail.
    pub queued: usize,
}

impl Default for CallsConfig {
    fn default() -> Self {
        Self { threads: 32, threads_per_plugin: 16, queued: 1024 }
    }
}

/// Starts calls. Cheap to share behind an [`Arc`].
#[derive(Debug)]
pub struct Calls(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    config: CallsConfig,
    numbers: QueueNumbers,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Plugins with waiting calls, the one to be served next in front.
    turns: VecDeque<String>,
    waiting: HashMap<String, VecDeque<Job>>,
    queued: usize,
    running: HashMap<String, usize>,
    threads: usize,
    idle: usize,
    closed: bool,
}

#[derive(Debug)]
struct Job {
    plugin: Arc<PluginHttp>,
    request: HttpRequest,
    id: CallId,
    answers: Arc<Shared>,
    cancelled: Arc<AtomicBool>,
    started: Instant,
    place: Option<Place>,
}

impl Calls {
    pub fn new(config: CallsConfig) -> Self {
        let numbers = QueueNumbers::new("plugin_http", config.queued);
        Self(Arc::new(Pool { config, numbers, state: Mutex::default(), work: Condvar::new() }))
    }

    /// Never waits. The answer arrives in `answers` unless it is given up there.
    pub fn start(&self, plugin: &Arc<PluginHttp>, request: HttpRequest, answers: &CompletionQueue) -> CallId {
        match plugin.begin(&request) {
            Begun::Answered(mocked) => {
                metrics::finished(plugin.plugin_id(), plugin.mode(), &mocked.answer, mocked.after);
                answers.shared().complete_after(mocked.after, Outcome::Http(mocked.answer))
            }
            Begun::Blocks => {
                let (id, cancelled) = answers.shared().open();
                let answers = answers.shared().clone();
                let started = Instant::now();
                self.0.enqueue(Job { plugin: plugin.clone(), request, id, answers, cancelled, started, place: None });
                id
            }
        }
    }

    /// Calls that wait for a thread.
    pub fn queued(&self) -> usize {
        self.0.lock().queued
    }

    /// Calls that have a thread.
    pub fn running(&self) -> usize {
        self.0.lock().running.values().sum()
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.turns.clear();
        let left: Vec<Job> = state.waiting.drain().flat_map(|(_, jobs)| jobs).collect();
        state.queued = 0;
        drop(state);
        self.0.work.notify_all();
        for job in left {
            job.fails("the host is shutting down", "Start it again.");
        }
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(self: &Arc<Self>, mut job: Job) {
        let mut state = self.lock();
        state.forget_cancelled_if(self.config.queued);
        if state.queued >= self.config.queued {
            drop(state);
            metrics::queue_full(job.plugin.plugin_id());
            let queued = self.config.queued;
            job.fails(&format!("{queued} calls are waiting already"), "Wait for answers before starting more calls.");
            return;
        }
        job.place = Some(self.numbers.enter());
        state.push(job);
        // An idle thread that was called but has not come yet still counts as idle.
        let wanting = state.queued > state.idle && state.threads < self.config.threads;
        state.threads += usize::from(wanting);
        drop(state);
        if wanting {
            self.spawn();
        } else {
            self.work.notify_one();
        }
    }

    fn spawn(self: &Arc<Self>) {
        let pool = self.clone();
        let spawned = thread::Builder::new().name("weir-plugin-http".to_owned()).spawn(move || pool.serve());
        if let Err(error) = spawned {
            tracing::error!(%error, "a thread for HTTP calls did not start");
            let mut state = self.lock();
            state.threads -= 1;
            // With no thread at all nobody would ever answer.
            let stranded = if state.threads == 0 { state.take_all() } else { Vec::new() };
            drop(state);
            for job in stranded {
                job.fails("no thread could be started for the call", "The machine is out of threads or memory.");
            }
        }
    }

    fn serve(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.next(self.config.threads_per_plugin) {
                metrics::running(state.running.values().sum());
                drop(state);
                let plugin_id = job.plugin.plugin_id().to_owned();
                job.run();
                state = self.lock();
                state.ended(&plugin_id);
                // A plugin that was at its bound may have a call for another idle thread.
                if state.idle > 0 && state.queued > 0 {
                    self.work.notify_one();
                }
                continue;
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let (woken, waited) = self.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.queued == 0 {
                break;
            }
        }
        state.threads -= 1;
    }
}

impl State {
    fn push(&mut self, job: Job) {
        let plugin_id = job.plugin.plugin_id().to_owned();
        let own = self.waiting.entry(plugin_id.clone()).or_default();
        if own.is_empty() {
            self.turns.push_back(plugin_id);
        }
        own.push_back(job);
        self.queued += 1;
    }

    /// A call of the first plugin in turn that is below its bound.
    fn next(&mut self, per_plugin: usize) -> Option<Job> {
        let running = |plugin: &String| self.running.get(plugin).copied().unwrap_or(0);
        let turn = self.turns.iter().position(|plugin| running(plugin) < per_plugin)?;
        let plugin_id = self.turns.remove(turn)?;
        let own = self.waiting.get_mut(&plugin_id)?;
        let job = own.pop_front()?;
        self.queued -= 1;
        if own.is_empty() {
            self.waiting.remove(&plugin_id);
        } else {
            self.turns.push_back(plugin_id.clone());
        }
        *self.running.entry(plugin_id).or_default() += 1;
        Some(job)
    }

    fn ended(&mut self, plugin_id: &str) {
        if let Some(running) = self.running.get_mut(plugin_id) {
            *running -= 1;
            if *running == 0 {
                self.running.remove(plugin_id);
            }
        }
        metrics::running(self.running.values().sum());
    }

    fn take_all(&mut self) -> Vec<Job> {
        self.turns.clear();
        self.queued = 0;
        self.waiting.drain().flat_map(|(_, jobs)| jobs).collect()
    }

    /// Calls that were given up while they waited must not keep others out of a full queue.
    fn forget_cancelled_if(&mut self, full: usize) {
        if self.queued < full {
            return;
        }
        for jobs in self.waiting.values_mut() {
            jobs.retain(|job| !job.cancelled.load(Ordering::Relaxed));
        }
        self.waiting.retain(|_, jobs| !jobs.is_empty());
        self.turns.retain(|plugin| self.waiting.contains_key(plugin));
        self.queued = self.waiting.values().map(VecDeque::len).sum();
    }
}

impl Job {
    fn run(mut self) {
        drop(self.place.take());
        if self.cancelled.load(Ordering::Relaxed) {
            return;
        }
        // A defect in the client must cost this call, not the thread's place in the pool.
        let answer = catch_unwind(AssertUnwindSafe(|| self.plugin.exchange(&self.request, &self.cancelled)))
            .unwrap_or_else(|_| {
                Err(HttpFailure::new(
                    FailureKind::Network,
                    "the HTTP client failed inside",
                    "This is a defect of Weir; please report it with the request.",
                ))
            });
        metrics::finished(self.plugin.plugin_id(), self.plugin.mode(), &answer, self.started.elapsed());
        self.answers.push(self.id, Outcome::Http(answer));
    }

    fn fails(self, message: &str, hint: &str) {
        let failure = HttpFailure::new(FailureKind::Network, message, hint);
        self.answers.push(self.id, Outcome::Http(Err(failure)));
    }
}

#[cfg(test)]
mod tests;
