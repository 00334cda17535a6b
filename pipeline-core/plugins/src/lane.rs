//! A lane: the thread-bound copy of the chain that events flow through.
//!
//! Guarantees that an event is never lost to a plugin: whatever plugin code does, the event comes out
//! with a fate and one step per plugin that saw it. An exception lets it pass with the changes made so
//! far; a trap, time-out or memory kill lets it pass as it entered that plugin and costs nothing but the
//! instance, whose `global` is lost, which is logged. New versions are taken over between batches only.
//! A plugin that keeps failing is retried for every event; the budgets bound what that costs. The lane
//! does not decide what happens to storage writes and logs: it hands them to its caller.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use weir_api::plugin::RuntimeFailure;
use weir_event::journal::{ChainMember, Fate, HostCall, LogLevel, LogSource, StepEffect, StepLabel};

use crate::batch::{BatchEvent, BatchResult, EventResult, StepOutput};
use crate::bindings::weir::plugin::report::Outcome;
use crate::bindings::weir::plugin::types::{Call, Event, FailureKind};
use crate::chain;
use crate::host::{Message, Shared};
use crate::instance::{CallError, Instance, Loss, overdue};
use crate::json;
use crate::metrics;
use crate::presets;
use crate::returned;
use crate::settings::OnError;
use crate::slot::{BatchFigures, ReloadClock, Slot, lock};
use crate::state::Report;
use crate::version::Version;

/// Bounds of one call into a plugin: events and bytes.
const CHUNK_EVENTS: usize = 256;
const CHUNK_BYTES: usize = 1 << 20;
/// A pause between batches longer than this is a pause in traffic, not part of a reload.
const TRAFFIC_PAUSE: Duration = Duration::from_millis(50);
/// How long to leave a plugin alone whose `setupPlugin` failed in this lane.
const SETUP_PAUSE: Duration = Duration::from_secs(1);
const LOSS_LINES_PER_SECOND: u32 = 10;

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
                let mut run = Run {
                    shared: &self.shared,
                    position: position as u16,
                    started,
                    with_traffic,
                    figures: BatchFigures::default(),
                    failure: None,
                    result: &mut result,
                };
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

/// What an event took in a plugin.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    cpu: Duration,
    waited: Duration,
}

/// One plugin over one batch.
struct Run<'r> {
    shared: &'r Arc<Shared>,
    position: u16,
    started: Instant,
    with_traffic: bool,
    figures: BatchFigures,
    /// Of the event whose step is next.
    failure: Option<RuntimeFailure>,
    result: &'r mut BatchResult,
}

impl Run<'_> {
    fn plugin(&mut self, member: &mut Member, items: &mut [Item<'_>]) {
        let mut waiting: Vec<usize> =
            items.iter().enumerate().filter(|(_, item)| item.fate == Fate::Passed).map(|(at, _)| at).collect();
        waiting.reverse();
        while !waiting.is_empty() {
            if !self.ensure_instance(member) {
                for at in waiting.drain(..) {
                    self.step(&mut items[at], StepLabel::Skipped, None, Spent::default(), None);
                }
                return;
            }
            let mut chunk = Vec::new();
            let mut events: Vec<Event> = Vec::new();
            let mut bytes = 0;
            while let Some(at) = waiting.last().copied() {
                let text = items[at].text();
                if chunk.len() >= CHUNK_EVENTS || (bytes > 0 && bytes + text.len() > CHUNK_BYTES) {
                    break;
                }
                bytes += text.len();
                events.push(Event { text: text.to_owned(), order_key: items[at].event.order_key });
                chunk.push(at);
                waiting.pop();
            }
            let left = self.chunk(member, items, &chunk, &events);
            waiting.extend(left.iter().rev());
        }
    }

    /// Runs one call; returns the events of the chunk that have no result yet, in order.
    fn chunk(&mut self, member: &mut Member, items: &mut [Item<'_>], chunk: &[usize], events: &[Event]) -> Vec<usize> {
        let Some(instance) = member.instance.as_mut() else { return Vec::new() };
        let outcome = instance.process(&self.shared.engine, events);
        let (in_hand, cpu_in_hand) = instance.in_hand();
        let effects = instance.take_effects();
        self.result.storage.extend(effects.storage);
        self.result.logs.extend(effects.logs);
        self.result.jobs.extend(effects.jobs);
        // What work left over from an earlier batch emits goes with the first event of this one.
        let parent = |at: u32| chunk.get(at as usize).or(chunk.first()).map(|place| items[*place].event.offset);
        let emitted =
            effects.emitted.into_iter().filter_map(|(at, event)| Some((parent(at)?, member.slot.id.clone(), event)));
        self.result.emitted.extend(emitted);
        let calls = effects.calls.into_iter().map(|(at, call)| HostCall { offset: parent(at), ..call });
        self.result.calls.extend(calls);
        if let Some(first) = effects.first_report_at {
            self.met_first_event(member, first);
        }
        let mut reported = vec![false; chunk.len()];
        for (index, report) in effects.reports {
            let place = index as usize;
            reported[place] = true;
            self.apply(member, &mut items[chunk[place]], report);
        }
        let mut left: Vec<usize> = (0..chunk.len()).filter(|place| !reported[*place]).collect();
        match outcome {
            Ok(()) => {
                // An engine that leaves events unreported has broken the contract; they pass untouched.
                for place in left.drain(..) {
                    let message = Some("the engine did not report this event".to_owned());
                    self.step(&mut items[chunk[place]], StepLabel::Error, message, Spent::default(), None);
                }
            }
            Err(loss) => {
                member.instance = None;
                self.lost(member, &loss);
                // The event in hand pays. When that was nobody's work, the first that is left does, so that
                // a batch ends whatever a plugin leaves running.
                let guilty = left.iter().position(|place| *place == in_hand as usize).unwrap_or(0);
                if guilty < left.len() {
                    let item = &mut items[chunk[left.remove(guilty)]];
                    self.remember(member, loss.kind, &loss.message, item);
                    let spent = Spent { cpu: cpu_in_hand, waited: Duration::ZERO };
                    self.failed(member, item, loss.message, spent, None);
                }
            }
        }
        left.into_iter().map(|place| chunk[place]).collect()
    }

    fn apply(&mut self, member: &Member, item: &mut Item<'_>, report: Report) {
        let limit = member.version.identity.limits.output_bytes;
        let fits = |text: &String| text.len() <= limit;
        let spent = Spent { cpu: report.cpu, waited: report.waited };
        match report.outcome {
            Outcome::Unchanged => self.step(item, StepLabel::Unmodified, None, spent, None),
            Outcome::Dropped => {
                item.fate = Fate::Dropped;
                self.step(item, StepLabel::Dropped, None, spent, None);
            }
            Outcome::Passed(text) if fits(&text) => self.passed(member, item, text, spent),
            Outcome::Passed(text) => {
                let message = format!("output limit: the event has {} bytes, {limit} are allowed", text.len());
                self.remember(member, "output", &message, item);
                self.failed(member, item, message, spent, None);
            }
            Outcome::Failed((failure, _)) if failure.kind == FailureKind::Overdue => {
                let message = overdue(&member.version.identity.limits, "processEvent");
                self.remember(member, "waiting", &message, item);
                self.failed(member, item, message, spent, None);
            }
            Outcome::Failed((failure, event)) => {
                let (short, long) = member.version.positions.describe(&failure.message, &failure.stack);
                let at_ms = self.shared.around.clock.now_ms();
                let identity = &member.version.identity;
                self.result.logs.push(identity.log_line(at_ms, LogSource::Plugin, LogLevel::Error, long));
                self.remember(member, "exception", &short, item);
                let event = event.filter(fits).and_then(|text| returned::checked(item.text(), text).ok());
                let changed = event.map(|event| event.text).filter(|text| !json::same(item.text(), text));
                self.failed(member, item, short, spent, changed.map(Arc::from));
            }
        }
    }

    /// The plugin returned something.
    fn passed(&mut self, member: &Member, item: &mut Item<'_>, text: String, spent: Spent) {
        match returned::checked(item.text(), text) {
            Ok(event) if event.had_moved => {
                let message = "Error: Plugin tried to change event.team_id".to_owned();
                self.threw(member, item, &message);
                let changed = Some(event.text).filter(|text| !json::same(item.text(), text));
                self.failed(member, item, message, spent, changed.map(Arc::from));
            }
            Ok(event) if json::same(item.text(), &event.text) => {
                self.step(item, StepLabel::Unmodified, None, spent, None);
            }
            Ok(event) => self.step(item, StepLabel::Modified, None, spent, Some(event.text.into())),
            Err(message) => {
                self.threw(member, item, &message);
                self.failed(member, item, message, spent, None);
            }
        }
    }

    /// As if the plugin had thrown this.
    fn threw(&mut self, member: &Member, item: &Item<'_>, message: &str) {
        let at_ms = self.shared.around.clock.now_ms();
        let identity = &member.version.identity;
        self.result.logs.push(identity.log_line(at_ms, LogSource::Plugin, LogLevel::Error, message.to_owned()));
        self.remember(member, "exception", message, item);
    }

    /// What the plugin's setting says about events whose processing failed.
    fn failed(&mut self, member: &Member, item: &mut Item<'_>, message: String, spent: Spent, after: Option<Arc<str>>) {
        match member.version.identity.on_error {
            OnError::Continue => {}
            OnError::Drop => item.fate = Fate::Dropped,
            OnError::DeadLetter => {
                let name = &member.version.identity.name;
                item.fate = Fate::DeadLettered { reason: format!("{name}: {message}") };
            }
        }
        self.step(item, StepLabel::Error, Some(message), spent, after);
    }

    fn step(
        &mut self,
        item: &mut Item<'_>,
        label: StepLabel,
        error: Option<String>,
        spent: Spent,
        after: Option<Arc<str>>,
    ) {
        let cpu_us = u32::try_from(spent.cpu.as_micros()).unwrap_or(u32::MAX);
        let wait_us = u32::try_from(spent.waited.as_micros()).unwrap_or(u32::MAX);
        self.figures.count(label);
        if label != StepLabel::Skipped {
            self.figures.spent(item.event.offset, cpu_us, wait_us);
        }
        if after.is_some() {
            item.current.clone_from(&after);
        }
        item.steps.push(StepOutput {
            effect: StepEffect { plugin: self.position, label, error, cpu_us, wait_us },
            after,
            failure: self.failure.take(),
        });
    }

    fn remember(&mut self, member: &Member, kind: &str, message: &str, item: &Item<'_>) {
        self.failure = Some(RuntimeFailure {
            at_ms: self.shared.around.clock.now_ms(),
            version: member.version.identity.version.clone(),
            kind: kind.to_owned(),
            message: message.to_owned(),
            event_uuid: item.event.uuid.to_string(),
            consequence: presets::consequence(member.version.identity.preset.as_deref(), kind),
        });
        self.figures.last_error.clone_from(&self.failure);
    }

    fn lost(&mut self, member: &mut Member, loss: &Loss) {
        self.figures.instances_lost += 1;
        metrics::instance_lost(&member.slot.id, loss.kind);
        let at_ms = self.shared.around.clock.now_ms();
        let second = at_ms.div_euclid(1000);
        if member.loss_lines.0 != second {
            member.loss_lines = (second, 0);
        }
        member.loss_lines.1 += 1;
        if member.loss_lines.1 <= LOSS_LINES_PER_SECOND {
            let message = loss.line();
            let identity = &member.version.identity;
            self.result.logs.push(identity.log_line(at_ms, LogSource::System, LogLevel::Error, message));
        }
    }

    /// False when the plugin cannot be set up now.
    fn ensure_instance(&mut self, member: &mut Member) -> bool {
        if member.instance.is_some() {
            return true;
        }
        if member.not_before.is_some_and(|moment| Instant::now() < moment) {
            return false;
        }
        let engine = &self.shared.engine;
        let made = Instance::load(engine, &self.shared.around, &member.version).and_then(|mut instance| {
            let outcome = instance.setup(engine);
            let effects = instance.take_effects();
            self.result.storage.extend(effects.storage);
            self.result.logs.extend(effects.logs);
            self.result.jobs.extend(effects.jobs);
            self.result.calls.extend(effects.calls.into_iter().map(|(_, call)| call));
            outcome.map(|()| instance)
        });
        match made {
            Ok(instance) => {
                member.instance = Some(instance);
                member.not_before = None;
                true
            }
            Err(error) => {
                let message = match error {
                    CallError::Threw(failure) => member.version.positions.describe(&failure.message, &failure.stack).0,
                    CallError::Lost(loss) => loss.message,
                };
                let message = format!("setupPlugin failed in a new instance: {message}. Events pass it by.");
                let at_ms = self.shared.around.clock.now_ms();
                let identity = &member.version.identity;
                self.result.logs.push(identity.log_line(at_ms, LogSource::System, LogLevel::Error, message));
                member.not_before = Some(Instant::now() + SETUP_PAUSE);
                false
            }
        }
    }

    fn met_first_event(&mut self, member: &mut Member, first: Instant) {
        if member.is_new {
            member.is_new = false;
            self.result.first_on_new_version.push(member.slot.id.clone());
        }
        let Some(clock) = member.reload.take() else { return };
        let build = clock.ready_at.saturating_duration_since(clock.last_write).saturating_sub(clock.setup);
        // Waiting for the batch in progress belongs to the reload; waiting for somebody to send does not.
        let wait =
            if self.with_traffic { self.started.saturating_duration_since(clock.ready_at) } else { Duration::ZERO };
        let total = build + wait + first.saturating_duration_since(self.started);
        let milliseconds = total.as_secs_f64() * 1000.0;
        member.slot.reloaded(milliseconds);
        metrics::reload(&member.slot.id, milliseconds);
        self.shared.record_reload(milliseconds);
    }
}
