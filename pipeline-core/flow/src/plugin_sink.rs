//! Plugins as sinks: `onEvent` for every stored event, `exportEvents` for what has been gathered.
//!
//! Both are fed like any sink, so they see stored events in order, go on from their cursor after a
//! restart, and lose nothing to a crash. The buffer of `exportEvents` is the sink's own: what has not
//! been flushed is still in the store. `RetryError` is answered with PostHog's pauses, on the pipeline's
//! clock; any other error, and a `RetryError` too many, is recorded once and the next event goes on.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;
use weir_event::StoredEvent;
use weir_plugins::{Called, ExportMethod, Exporter, PluginHost, processed_event, webhook_event};
use weir_sinks::{Batch, Batching, Delivery, Rejected, Sink, Stop};

use crate::task_emission::TaskEmission;

/// Few, because a crash repeats the calls of a batch that was begun.
const ON_EVENT_BATCH: usize = 50;
/// Until a version is live again.
const ABSENT_PAUSE: Duration = Duration::from_secs(1);

const MIB: u64 = 1 << 20;

/// The method that a kind of sink stands for.
pub fn method_of(kind: &str) -> Option<ExportMethod> {
    ExportMethod::ALL.into_iter().find(|method| kind_of(*method) == kind)
}

pub const fn kind_of(method: ExportMethod) -> &'static str {
    match method {
        ExportMethod::OnEvent => "plugin_on_event",
        ExportMethod::OnSnapshot => "plugin_on_snapshot",
        ExportMethod::ExportEvents => "plugin_export_events",
        ExportMethod::ComposeWebhook => "plugin_compose_webhook",
    }
}

pub fn open(host: &PluginHost, emission: TaskEmission, plugin_id: &str, method: ExportMethod) -> Box<dyn Sink> {
    let exporter = host.exporter(plugin_id, method);
    let emission = Emission { emission, plugin_id: plugin_id.to_owned() };
    match method {
        ExportMethod::ExportEvents => Box::new(ExportEvents { exporter, emission, key: String::new(), attempts: 0 }),
        method => Box::new(OneByOne {
            exporter,
            emission,
            method,
            key: String::new(),
            done: 0,
            attempts: 0,
            rejected: vec![],
        }),
    }
}

/// Where the events go that a plugin makes while it is given stored ones.
struct Emission {
    emission: TaskEmission,
    plugin_id: String,
}

impl Emission {
    /// The events belong to the stored one that they were made for.
    fn take(&self, exporter: &mut Exporter, parent: &StoredEvent) {
        let events = exporter.take_emitted();
        let count = events.len();
        let uuid = Uuid::parse_str(&parent.uuid).unwrap_or_default();
        let project = u32::try_from(parent.team_id).ok();
        if let Err(problem) = self.emission.emit(uuid, &self.plugin_id, project, events) {
            tracing::error!(self.plugin_id, count, problem, "events that a plugin made could not be accepted");
        }
    }
}

/// `onEvent`, `onSnapshot` and `composeWebhook`: a call for each event.
struct OneByOne {
    exporter: Exporter,
    emission: Emission,
    method: ExportMethod,
    /// The batch in hand, and how far it came: what was called is not called again.
    key: String,
    done: usize,
    attempts: u32,
    rejected: Vec<Rejected>,
}

impl OneByOne {
    fn reject(&mut self, event: &StoredEvent, reason: String) {
        self.rejected.push(Rejected {
            first_offset: event.offset,
            until_offset: event.offset + 1,
            events: 1,
            attempts: self.attempts,
            reason,
        });
    }

    fn call(&mut self, event: &StoredEvent) -> Called {
        if self.method != ExportMethod::ComposeWebhook {
            let outcome = self.exporter.call(&[processed_event(event).to_string()]);
            self.emission.take(&mut self.exporter, event);
            return outcome;
        }
        let outcome = self.exporter.call(&[webhook_event(event).to_string()]);
        self.emission.take(&mut self.exporter, event);
        match outcome {
            Called::Done(Some(request)) => self.exporter.send_webhook(&request),
            other => other,
        }
    }
}

impl Sink for OneByOne {
    fn batching(&self) -> Batching {
        Batching::prompt(ON_EVENT_BATCH, MIB as usize)
    }

    fn is_ready(&mut self) -> bool {
        self.exporter.is_ready()
    }

    fn deliver(&mut self, batch: &Batch, _: &Stop) -> Delivery {
        if self.key != batch.key {
            self.key.clone_from(&batch.key);
            (self.done, self.attempts) = (0, 0);
            self.rejected.clear();
        }
        while let Some(event) = batch.events.get(self.done) {
            let outcome = if self.exporter.wants(&event.event) { self.call(event) } else { Called::Done(None) };
            self.attempts += 1;
            match outcome {
                Called::Done(_) => {}
                Called::Again(reason) => {
                    if let Some(pause) = self.method.pause_after(self.attempts) {
                        return Delivery::Retry { after: Some(pause), reason };
                    }
                    let name = self.method.as_str();
                    self.exporter.given_up(format!("{name} failed {} times: {reason}", self.attempts));
                    self.reject(event, reason);
                }
                Called::Failed(reason) => self.reject(event, reason),
                Called::Absent => {
                    self.attempts -= 1;
                    let reason = "the plugin is not live".to_owned();
                    return Delivery::Retry { after: Some(ABSENT_PAUSE), reason };
                }
            }
            self.done += 1;
            self.attempts = 0;
        }
        Delivery::Delivered { rejected: std::mem::take(&mut self.rejected) }
    }
}

struct ExportEvents {
    exporter: Exporter,
    emission: Emission,
    key: String,
    attempts: u32,
}

impl ExportEvents {
    /// A number that PostHog keeps as text, within its limits.
    fn setting(&self, key: &str, default: u64, most: u64) -> u64 {
        let value = match self.exporter.config().get(key) {
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_u64(),
            None => None,
        };
        value.unwrap_or(default).clamp(1, most)
    }
}

impl Sink for ExportEvents {
    fn batching(&self) -> Batching {
        Batching {
            max_events: self.exporter.most_events(),
            max_bytes: self.setting("exportEventsBufferBytes", MIB, 100 * MIB) as usize,
            linger: Duration::from_secs(self.setting("exportEventsBufferSeconds", 10, 600)),
        }
    }

    fn is_ready(&mut self) -> bool {
        self.exporter.is_ready()
    }

    fn deliver(&mut self, batch: &Batch, _: &Stop) -> Delivery {
        if self.key != batch.key {
            self.key.clone_from(&batch.key);
            self.attempts = 0;
        }
        let wanted = batch.events.iter().filter(|event| self.exporter.wants(&event.event));
        let events: Vec<String> = wanted.map(|event| processed_event(event).to_string()).collect();
        if events.is_empty() {
            return Delivery::delivered();
        }
        let outcome = self.exporter.call(&events);
        if let Some(first) = batch.events.first() {
            self.emission.take(&mut self.exporter, first);
        }
        self.attempts += 1;
        match outcome {
            Called::Done(_) => Delivery::delivered(),
            Called::Failed(reason) => Delivery::Failed { reason },
            Called::Again(reason) => {
                if let Some(pause) = ExportMethod::ExportEvents.pause_after(self.attempts) {
                    return Delivery::Retry { after: Some(pause), reason };
                }
                self.exporter.given_up(format!("exportEvents failed {} times: {reason}", self.attempts));
                Delivery::Failed { reason: format!("given up after {} attempts: {reason}", self.attempts) }
            }
            Called::Absent => {
                self.attempts -= 1;
                Delivery::Retry { after: Some(ABSENT_PAUSE), reason: "the plugin is not live".into() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use weir_event::SystemClock;
    use weir_log::{Log, LogConfig, RealFilesystem};
    use weir_plugins::{HostConfig, Limits};

    use super::*;

    fn host(dir: &std::path::Path, manifest: &str, source: &str) -> PluginHost {
        let plugin = dir.join("p");
        std::fs::create_dir(&plugin).expect("a folder");
        std::fs::write(plugin.join("plugin.json"), manifest).expect("a manifest");
        std::fs::write(plugin.join("index.js"), source).expect("a source");
        let config = HostConfig::new(dir.join("compiled"), Limits::default());
        let host = PluginHost::start(config).expect("a host");
        let view = host.add(&plugin).expect("a plugin");
        assert_eq!(view.load_error, None);
        host
    }

    fn emission(dir: &std::path::Path) -> TaskEmission {
        let filesystem = Arc::new(RealFilesystem);
        let (log, appender, _) =
            Log::open(LogConfig::new("intake", dir.join("log"), filesystem.clone())).expect("a log");
        let intake = crate::intake::LogIntake::new(
            log,
            appender,
            filesystem,
            dir.to_owned(),
            Arc::new(crate::faults::Faults::new(None)),
        );
        TaskEmission::new(Arc::new(intake), Arc::new(SystemClock))
    }

    fn batch(key: &str, names: &[&str]) -> Batch {
        let event = |(offset, name): (usize, &&str)| StoredEvent {
            offset: offset as u64,
            event: (*name).into(),
            properties: "{}".into(),
            ..StoredEvent::default()
        };
        let events: Vec<StoredEvent> = names.iter().enumerate().map(event).collect();
        Batch { key: key.into(), first_offset: 0, until_offset: events.len() as u64, events }
    }

    fn pause(delivery: &Delivery) -> Option<u64> {
        match delivery {
            Delivery::Retry { after, .. } => after.map(|after| after.as_secs()),
            _ => None,
        }
    }

    /// The last of what the plugin stored, from what would be journalled.
    fn stored(host: &PluginHost) -> Value {
        let storage = host.drain_control().storage;
        storage.last().and_then(|write| serde_json::from_str(write.value.as_deref()?).ok()).unwrap_or_default()
    }

    #[test]
    fn on_event_is_called_again_for_the_event_in_hand_only() {
        let dir = tempfile::tempdir().expect("a temp dir");
        let source = r"
            export async function onEvent(event, { global, storage }) {
                global.calls = [...(global.calls ?? []), event.event]
                await storage.set('calls', global.calls)
                const times = global.calls.filter((name) => name === event.event).length
                if (event.event === 'twice' && times === 1) throw new RetryError('soon')
                if (event.event === 'never') throw new RetryError('not today')
                if (event.event === 'broken') throw new Error('no luck')
            }";
        let host = host(dir.path(), "{}", source);
        assert_eq!(host.exports(), [("p".to_owned(), ExportMethod::OnEvent)]);
        let mut sink = open(&host, emission(dir.path()), "p", ExportMethod::OnEvent);
        assert!(sink.is_ready());
        let first = batch("1", &["a", "twice", "b", "broken", "never", "c"]);
        let mut pauses = Vec::new();
        let rejected = loop {
            match sink.deliver(&first, &Stop::default()) {
                Delivery::Delivered { rejected } => break rejected,
                retry => pauses.push(pause(&retry).expect("a pause")),
            }
        };
        assert_eq!(pauses, [5, 5, 10, 20, 40]);
        let named: Vec<_> = rejected.iter().map(|r| (r.first_offset, r.attempts)).collect();
        assert_eq!(named, [(3, 1), (4, 5)]);
        assert!(rejected[0].reason.contains("no luck") && rejected[1].reason.contains("not today"), "{rejected:?}");
        let effects = host.drain_control();
        let errors: Vec<_> = effects.logs.iter().filter(|line| line.source.as_str() == "PLUGIN").collect();
        assert_eq!(errors.len(), 2, "each failure is recorded once: {errors:?}");
        assert_eq!(
            effects.storage.last().and_then(|write| write.value.clone()).expect("a write"),
            r#"["a","twice","twice","b","broken","never","never","never","never","never","c"]"#
        );
        assert_eq!(sink.deliver(&batch("2", &["d"]), &Stop::default()), Delivery::delivered());
    }

    #[test]
    fn export_events_gets_what_is_wanted_and_is_called_again_for_the_batch() {
        let dir = tempfile::tempdir().expect("a temp dir");
        let manifest = r#"{"config": [
            {"key": "exportEventsToIgnore", "type": "string", "default": "skip, other"},
            {"key": "exportEventsBufferSeconds", "type": "string", "default": "2"},
            {"key": "exportEventsBufferBytes", "type": "string", "default": "999999999"}]}"#;
        let source = r"
            export async function exportEvents(events, { global, storage }) {
                global.calls = [...(global.calls ?? []), events.map((event) => event.event).join('+')]
                await storage.set('calls', global.calls)
                if (events[0].event === 'never') throw new RetryError('not today')
                if (events[0].event === 'broken') throw new Error('no luck')
            }";
        let host = host(dir.path(), manifest, source);
        let mut sink = open(&host, emission(dir.path()), "p", ExportMethod::ExportEvents);
        assert_eq!(sink.batching().linger, Duration::from_secs(10), "before it is known");
        assert!(sink.is_ready());
        let batching = sink.batching();
        assert_eq!((batching.linger, batching.max_bytes), (Duration::from_secs(2), 100 << 20));
        let mut deliver = |batch: &Batch| sink.deliver(batch, &Stop::default());
        assert_eq!(deliver(&batch("1", &["a", "skip", "b"])), Delivery::delivered());
        assert_eq!(deliver(&batch("2", &["skip", "other"])), Delivery::delivered());
        let never = batch("3", &["never", "c"]);
        assert_eq!([(); 3].map(|()| pause(&deliver(&never))), [Some(6), Some(12), Some(24)]);
        assert!(matches!(deliver(&never), Delivery::Failed { reason } if reason.contains("after 4 attempts")));
        assert!(matches!(deliver(&batch("4", &["broken"])), Delivery::Failed { reason } if reason.contains("no luck")));
        let calls = stored(&host);
        assert_eq!(calls, serde_json::json!(["a+b", "never+c", "never+c", "never+c", "never+c", "broken"]));
    }

    #[test]
    fn a_plugin_says_by_get_settings_how_much_it_takes() {
        for (returned, most) in [("{ handlesLargeBatches: true }", 10_000), ("{}", 500), ("undefined", 500)] {
            let dir = tempfile::tempdir().expect("a temp dir");
            let source =
                format!("export const getSettings = () => ({returned})\nexport async function exportEvents() {{}}");
            let host = host(dir.path(), "{}", &source);
            let mut sink = open(&host, emission(dir.path()), "p", ExportMethod::ExportEvents);
            assert!(sink.is_ready());
            assert_eq!(sink.batching().max_events, most, "{returned}");
        }
        let dir = tempfile::tempdir().expect("a temp dir");
        let source = "export function getSettings() { throw new Error('none') }\nexport function exportEvents() {}";
        let host = host(dir.path(), "{}", source);
        let mut sink = open(&host, emission(dir.path()), "p", ExportMethod::ExportEvents);
        assert!(sink.is_ready(), "it exports all the same");
        assert_eq!(sink.batching().max_events, 500);
        let logs = host.drain_control().logs;
        assert!(logs.iter().any(|line| line.message.contains("none")), "{logs:?}");
    }

    #[test]
    fn a_plugin_that_is_not_live_waits_and_fetch_needs_a_mock() {
        let dir = tempfile::tempdir().expect("a temp dir");
        let source = "export async function onEvent(event) { for (;;) { if (event.event !== 'loop') { await fetch('http://x/') } } }";
        let host = host(dir.path(), "{}", source);
        assert!(!open(&host, emission(dir.path()), "other", ExportMethod::OnEvent).is_ready());
        assert!(!open(&host, emission(dir.path()), "p", ExportMethod::ExportEvents).is_ready());
        let mut sink = open(&host, emission(dir.path()), "p", ExportMethod::OnEvent);
        let Delivery::Delivered { rejected } = sink.deliver(&batch("1", &["loop", "call"]), &Stop::default()) else {
            panic!("neither asks for another attempt")
        };
        assert!(rejected[0].reason.contains("time limit"), "{rejected:?}");
        assert!(rejected[1].reason.contains("no mock answers GET http://x/"), "{rejected:?}");
    }
}
