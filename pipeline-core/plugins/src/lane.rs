//! A lane: the thread-bound copy of the chain that events flow through.
//!
//! Guarantees that an event is never lost to a plugin: whatever plugin code does, the event comes out
//! with a fate and one step per plugin that saw it. An exception lets it pass with the changes made so
//! far; a trap, time-out or memory kill lets it pass as it entered that plugin and costs nothing but the
//! instance, whose `global` is lost, which is logged. New versions are taken over between batches only.
//! A plugin that keeps failing is retried for every event; the budgets bound what that costs. The lane
//! does not decide what happens to storage writes and logs: it hands them to its caller.

mod run;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use weir_event::journal::{ChainMember, Fate, LogLevel, LogSource, StepLabel};

use crate::batch::{BatchEvent, BatchResult, EventResult, StepOutput};
use crate::bindings::weir::plugin::types::Call;
use crate::chain;
use crate::host::{Message, Shared};
use crate::instance::{CallError, Instance};
use crate::metrics;
use crate::slot::{BatchFigures, ReloadClock, Slot, lock};
use crate::version::Version;
use run::Run;

/// A pause between batches longer than this is a pause in traffic, not part of a reload.
const TRAFFIC_PAUSE: Duration = Duration::from_millis(50);

struct Member {
    slot: Arc<Slot>,
    version: Arc<Version>,
    instance: Option<Instance>,
    reload: Option<ReloadClock>,
    is_new: bool,
    not_before: Option<Instant>,
    loss_lines: (i64, u32),
}

pub struct Lane {
    shared: Arc<Shared>,
    seen: Option<u64>,
    members: Vec<Member>,
    chain: Vec<ChainMember>,
    hash: String,
    last_batch_end: Option<Instant>,
}

struct Item<'a> {
    event: BatchEvent<'a>,
    current: Option<Arc<str>>,
    fate: Fate,
    steps: Vec<StepOutput>,
}

impl Item<'_> {
    fn text(&self) -> &str {
        self.current.as_deref().unwrap_or(&self.event.json)
    }
}

impl Lane {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let mut lane = Self {
            shared,
            seen: None,
            members: Vec::new(),
            chain: Vec::new(),
            hash: String::new(),
            last_batch_end: None,
        };
        lane.refresh();
        lane
    }

    /// The chain the last batch ran with (the current one before the first batch): hash and members.
    pub fn chain(&self) -> (&str, &[ChainMember]) {
        (&self.hash, &self.chain)
    }

    /// Takes over new versions, then runs the chain in order over the batch.
    pub fn process_batch(&mut self, events: Vec<BatchEvent<'_>>) -> BatchResult {
        let started = Instant::now();
        self.refresh();
        let mut result = BatchResult::default();
        let mut items: Vec<Item<'_>> = events
            .into_iter()
            .map(|event| Item { event, current: None, fate: Fate::Passed, steps: Vec::new() })
            .collect();
        let with_traffic = self.last_batch_end.is_some_and(|end| started.duration_since(end) <= TRAFFIC_PAUSE);
        for (position, member) in self.members.iter_mut().enumerate() {
            if member.version.processes_events() {
                let mut run = Run::new(&self.shared, position as u16, started, with_traffic, &mut result);
                run.plugin(member, &mut items);
                run.figures.memory_bytes = member.instance.as_ref().map_or(0, Instance::memory_bytes);
                publish(&member.slot, run.figures);
            }
        }
        result.events = items
            .into_iter()
            .map(|item| EventResult {
                fate: item.fate,
                output: item.current.map(|text| text.as_ref().to_owned()),
                steps: item.steps,
            })
            .collect();
        self.last_batch_end = Some(Instant::now());
        result
    }

    /// Lets timers run and delivers answers that no event waits for; for a moment without events.
    pub fn wake(&mut self) {
        for member in &mut self.members {
            let Some(instance) = member.instance.as_mut().filter(|instance| instance.has_news()) else { continue };
            let outcome = instance.call(&self.shared.engine, &Call::Wake);
            let effects = instance.take_effects();
            self.shared.keep(effects);
            if let Err(CallError::Lost(loss)) = outcome {
                metrics::instance_lost(&member.slot.id, loss.kind);
                member.instance = None;
                let message = loss.line();
                let at_ms = self.shared.around.clock.now_ms();
                let line = member.version.identity.log_line(at_ms, LogSource::System, LogLevel::Error, message);
                lock(&self.shared.control).logs.push(line);
            }
        }
    }

    fn refresh(&mut self) {
        let generation = self.shared.generation.load(Ordering::Acquire);
        if self.seen == Some(generation) {
            return;
        }
        self.seen = Some(generation);
        let slots = lock(&self.shared.slots).clone();
        let mut before: Vec<Member> = std::mem::take(&mut self.members);
        for slot in slots {
            let kept = before.iter().position(|member| Arc::ptr_eq(&member.slot, &slot));
            let kept = kept.map(|at| before.swap_remove(at));
            let Some(current) = slot.version().filter(|_| slot.is_enabled()) else {
                self.shared.retire(kept.and_then(|member| member.instance));
                continue;
            };
            if let Some(member) = kept {
                if Arc::ptr_eq(&member.version, &current) {
                    self.members.push(member);
                    continue;
                }
                self.shared.retire(member.instance);
            }
            if let Some(picked) = slot.pick_up() {
                self.members.push(Member {
                    slot,
                    version: picked.version,
                    instance: picked.prepared,
                    reload: picked.reload,
                    is_new: true,
                    not_before: None,
                    loss_lines: (0, 0),
                });
            }
        }
        for member in before {
            self.shared.retire(member.instance);
        }
        self.chain = chain::members(self.members.iter().map(|member| &*member.version));
        self.hash = chain::hash(&self.chain);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        for member in self.members.drain(..) {
            self.shared.retire(member.instance);
        }
    }
}

impl Shared {
    /// `teardownPlugin` may take its time, so the loader runs it.
    pub(crate) fn retire(&self, instance: Option<Instance>) {
        if let Some(instance) = instance {
            // After shutdown there is nobody left to tear down; dropping frees everything.
            let _ = self.to_loader.send(Message::Retire(Box::new(instance)));
        }
    }
}

fn publish(slot: &Slot, figures: BatchFigures) {
    use StepLabel::{Dropped, Error, Modified, Skipped, Unmodified};
    for label in [Modified, Unmodified, Dropped, Skipped, Error] {
        metrics::events(&slot.id, label, figures.of(label));
    }
    if !figures.cpu_us.is_empty() {
        let total: u64 = figures.cpu_us.iter().map(|us| u64::from(*us)).sum();
        metrics::cpu_per_event(&slot.id, Duration::from_micros(total / figures.cpu_us.len() as u64));
    }
    slot.record(figures);
}
