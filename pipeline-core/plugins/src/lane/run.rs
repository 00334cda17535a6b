//! One plugin over one batch: calls into its instance, and what becomes of each event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_api::plugin::RuntimeFailure;
use weir_event::journal::{Fate, HostCall, LogLevel, LogSource, StepEffect, StepLabel};

use super::{Item, Member};
use crate::batch::{BatchResult, StepOutput};
use crate::bindings::weir::plugin::report::Outcome;
use crate::bindings::weir::plugin::types::{Event, FailureKind};
use crate::host::Shared;
use crate::instance::{CallError, Instance, Loss, overdue};
use crate::json;
use crate::metrics;
use crate::presets;
use crate::returned;
use crate::settings::OnError;
use crate::slot::BatchFigures;
use crate::state::{Report, Spent};

/// Bounds of one call into a plugin: events and bytes.
const CHUNK_EVENTS: usize = 256;
const CHUNK_BYTES: usize = 1 << 20;
/// How long to leave a plugin alone whose `setupPlugin` failed in this lane.
const SETUP_PAUSE: Duration = Duration::from_secs(1);
const LOSS_LINES_PER_SECOND: u32 = 10;

/// One plugin over one batch.
pub(super) struct Run<'r> {
    shared: &'r Arc<Shared>,
    position: u16,
    started: Instant,
    with_traffic: bool,
    pub figures: BatchFigures,
    /// Of the event whose step is next.
    failure: Option<RuntimeFailure>,
    /// What a fault made the event in hand wait.
    delay: Duration,
    result: &'r mut BatchResult,
}

impl<'r> Run<'r> {
    pub fn new(
        shared: &'r Arc<Shared>,
        position: u16,
        started: Instant,
        with_traffic: bool,
        result: &'r mut BatchResult,
    ) -> Self {
        let figures = BatchFigures::default();
        Self { shared, position, started, with_traffic, figures, failure: None, delay: Duration::ZERO, result }
    }

    pub fn plugin(&mut self, member: &mut Member, items: &mut [Item<'_>]) {
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
            // Faults are met by events that are alone.
            let most = if self.shared.faults.concern(&member.slot.id) { 1 } else { CHUNK_EVENTS };
            if most == 1 && self.is_struck(member, items, &mut waiting) {
                continue;
            }
            let mut chunk = Vec::new();
            let mut events: Vec<Event> = Vec::new();
            let mut bytes = 0;
            while let Some(at) = waiting.last().copied() {
                let text = items[at].text();
                if chunk.len() >= most || (bytes > 0 && bytes + text.len() > CHUNK_BYTES) {
                    break;
                }
                bytes += text.len();
                events.push(Event { text: text.to_owned(), order_key: items[at].event.order_key });
                chunk.push(at);
                waiting.pop();
            }
            let left = self.chunk(member, items, &chunk, &events);
            self.delay = Duration::ZERO;
            waiting.extend(left.iter().rev());
        }
    }

    /// Whether a fault has ended the next event, with what that costs.
    fn is_struck(&mut self, member: &mut Member, items: &mut [Item<'_>], waiting: &mut Vec<usize>) -> bool {
        let met = self.shared.faults.meet(&member.slot.id, &member.version.identity.limits);
        self.delay = met.delay;
        let Some(((loss, cpu), at)) = met.loss.zip(waiting.last().copied()) else { return false };
        waiting.pop();
        member.instance = None;
        self.lost(member, &loss);
        let item = &mut items[at];
        self.remember(member, loss.kind, &loss.message, item);
        let waited = std::mem::take(&mut self.delay);
        self.failed(member, item, loss.message, Spent { cpu, waited, instructions: None }, None);
        true
    }

    /// Runs one call; returns the events of the chunk that have no result yet, in order.
    fn chunk(&mut self, member: &mut Member, items: &mut [Item<'_>], chunk: &[usize], events: &[Event]) -> Vec<usize> {
        let Some(instance) = member.instance.as_mut() else { return Vec::new() };
        let outcome = instance.process(&self.shared.engine, events);
        let (in_hand, cpu, instructions) = instance.in_hand();
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
                    let spent = Spent { cpu, waited: Duration::ZERO, instructions };
                    self.failed(member, item, loss.message, spent, None);
                }
            }
        }
        left.into_iter().map(|place| chunk[place]).collect()
    }

    fn apply(&mut self, member: &Member, item: &mut Item<'_>, report: Report) {
        let limit = member.version.identity.limits.output_bytes;
        let fits = |text: &String| text.len() <= limit;
        let spent = Spent { waited: report.spent.waited + self.delay, ..report.spent };
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
            self.figures.spent(item.event.offset, cpu_us, wait_us, spent.instructions);
        }
        if after.is_some() {
            item.current.clone_from(&after);
        }
        item.steps.push(StepOutput {
            effect: StepEffect { plugin: self.position, label, error, cpu_us, wait_us },
            after,
            instructions: spent.instructions,
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
