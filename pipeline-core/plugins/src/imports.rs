//! The host's side of the WIT imports: each is a thin door to [`InstanceState`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::IgnoredAny;
use wasmtime::Result;
use weir_event::journal::{LogLevel, LogSource};

use crate::bindings::weir::plugin::{
    cache, clock, config, geoip, http, jobs, log, metrics, random, report, source, storage, types, waiting,
};
use crate::http::CallId;
use crate::http_calls;
use crate::own_metrics::MetricOperation;
use crate::state::{Ended, InstanceState, JobRequest};

impl log::Host for InstanceState {
    fn line(&mut self, level: log::Level, message: String) -> Result<()> {
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Log => LogLevel::Log,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        InstanceState::log(self, LogSource::Console, level, message);
        Ok(())
    }
}

impl config::Host for InstanceState {
    fn values(&mut self) -> Result<String> {
        Ok(self.identity.config_json.clone())
    }

    fn attachments(&mut self) -> Result<Vec<config::Attachment>> {
        Ok(self.identity.attachments.clone())
    }

    fn name(&mut self) -> Result<String> {
        Ok(self.identity.name.clone())
    }

    fn id(&mut self) -> Result<String> {
        Ok(self.identity.plugin_id.clone())
    }
}

impl storage::Host for InstanceState {
    fn get(&mut self, key: String) -> Result<Option<String>> {
        Ok(self.in_hand.1.writes.get(&self.around.storage, &self.identity.plugin_id, &key))
    }

    fn set(&mut self, key: String, value: String) -> Result<()> {
        self.in_hand.1.writes.set(key, Some(value));
        Ok(())
    }

    fn delete(&mut self, key: String) -> Result<()> {
        self.in_hand.1.writes.set(key, None);
        Ok(())
    }

    fn add(&mut self, key: String, by: f64) -> Result<f64> {
        Ok(self.in_hand.1.writes.add(&self.around.storage, &self.identity.plugin_id, &key, by))
    }
}

impl InstanceState {
    fn now_ms(&self) -> i64 {
        self.around.clock.now_ms()
    }
}

impl cache::Host for InstanceState {
    fn get(&mut self, key: String) -> Result<Option<String>> {
        Ok(self.around.cache.get(&self.identity.plugin_id, self.now_ms(), &key))
    }

    fn set(&mut self, key: String, value: String, ttl_seconds: Option<f64>) -> Result<()> {
        self.around.cache.set(&self.identity.plugin_id, self.now_ms(), &key, value, ttl_seconds);
        Ok(())
    }

    fn incr(&mut self, key: String) -> Result<f64> {
        Ok(self.around.cache.incr(&self.identity.plugin_id, self.now_ms(), &key))
    }

    fn expire(&mut self, key: String, ttl_seconds: f64) -> Result<bool> {
        Ok(self.around.cache.expire(&self.identity.plugin_id, self.now_ms(), &key, ttl_seconds))
    }

    fn lpush(&mut self, key: String, elements: Vec<String>) -> Result<u32> {
        Ok(self.around.cache.list(&self.identity.plugin_id, self.now_ms(), &key, |list| {
            for element in elements {
                list.push_front(element);
            }
            list.len() as u32
        }))
    }

    fn lrange(&mut self, key: String, first: i32, last: i32) -> Result<Vec<String>> {
        Ok(self.around.cache.list(&self.identity.plugin_id, self.now_ms(), &key, |list| {
            let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
            let place = |at: i32| if at < 0 { length + i64::from(at) } else { i64::from(at) };
            let (first, last) = (place(first).max(0), place(last).min(length - 1));
            let count = (last - first + 1).max(0);
            list.iter().skip(first as usize).take(count as usize).cloned().collect()
        }))
    }

    fn llen(&mut self, key: String) -> Result<u32> {
        Ok(self.around.cache.list(&self.identity.plugin_id, self.now_ms(), &key, |list| list.len() as u32))
    }

    fn lpop(&mut self, key: String, count: u32) -> Result<Vec<String>> {
        Ok(self.around.cache.list(&self.identity.plugin_id, self.now_ms(), &key, |list| {
            let count = list.len().min(count as usize);
            list.drain(..count).collect()
        }))
    }

    fn lrem(&mut self, key: String, count: i32, element: String) -> Result<u32> {
        Ok(self.around.cache.list(&self.identity.plugin_id, self.now_ms(), &key, |list| {
            let mut places: Vec<usize> =
                list.iter().enumerate().filter(|(_, held)| **held == element).map(|(at, _)| at).collect();
            let wanted = if count == 0 { places.len() } else { count.unsigned_abs() as usize };
            if count < 0 {
                places = places.split_off(places.len().saturating_sub(wanted));
            } else {
                places.truncate(wanted);
            }
            for at in places.iter().rev() {
                list.remove(*at);
            }
            places.len() as u32
        }))
    }
}

impl clock::Host for InstanceState {
    fn now_micros(&mut self) -> Result<u64> {
        Ok(u64::try_from(self.now_ms()).unwrap_or(0) * 1000)
    }
}

impl random::Host for InstanceState {
    fn next(&mut self) -> Result<f64> {
        Ok(self.random.next_unit())
    }

    fn bytes(&mut self, count: u32) -> Result<Vec<u8>> {
        if count as usize > self.identity.limits.memory_bytes {
            return Err(Ended::Memory.into());
        }
        Ok(self.random.bytes(count as usize))
    }
}

impl report::Host for InstanceState {
    fn in_hand(&mut self, index: u32) -> Result<()> {
        self.take_in_hand(index);
        Ok(())
    }

    fn finished(&mut self, index: u32, outcome: report::Outcome) -> Result<()> {
        self.finish(index, outcome)
    }

    fn emit(&mut self, event: String) -> Result<()> {
        let limit = self.identity.limits.emitted_per_event;
        if serde_json::from_str::<BTreeMap<Cow<'_, str>, IgnoredAny>>(&event).is_err() {
            let message = "posthog.capture: what was captured is no JSON object; discarded".to_owned();
            InstanceState::log(self, LogSource::System, LogLevel::Warn, message);
        } else if self.in_hand.1.emitted.len() < limit {
            self.in_hand.1.emitted.push(event);
        } else {
            let message = format!("posthog.capture: more than {limit} events from one event; discarded");
            InstanceState::log(self, LogSource::System, LogLevel::Warn, message);
        }
        Ok(())
    }
}

impl types::Host for InstanceState {}
impl source::Host for InstanceState {}

impl waiting::Host for InstanceState {
    fn sleep(&mut self, milliseconds: f64) -> Result<u32> {
        self.check_calls()?;
        let time = Duration::try_from_secs_f64(milliseconds.max(0.0) / 1000.0).unwrap_or(Duration::MAX);
        Ok(self.queue.sleep(time).0 as u32)
    }

    fn cancel(&mut self, call: u32) -> Result<()> {
        self.queue.cancel(CallId(u64::from(call)));
        Ok(())
    }

    fn wait(&mut self) -> Result<Vec<waiting::Wake>> {
        Ok(InstanceState::wait(self))
    }

    fn poll(&mut self) -> Result<Vec<waiting::Wake>> {
        Ok(InstanceState::poll(self))
    }
}

impl http::Host for InstanceState {
    fn start(&mut self, request: http::Request) -> Result<u32> {
        self.check_calls()?;
        Ok(http_calls::start(self, request))
    }
}

impl geoip::Host for InstanceState {
    fn locate(&mut self, ip: String) -> Result<Option<String>> {
        Ok(self.around.geoip.locate(&ip))
    }
}

impl jobs::Host for InstanceState {
    fn enqueue(&mut self, name: String, payload: String, at_ms: f64) -> Result<()> {
        let plugin_id = self.identity.plugin_id.clone();
        self.in_hand.1.jobs.push(JobRequest { plugin_id, name, payload, at_ms });
        Ok(())
    }
}

impl metrics::Host for InstanceState {
    fn observe(&mut self, name: String, operation: metrics::Operation, value: f64) -> Result<()> {
        let operation = match operation {
            metrics::Operation::Sum => MetricOperation::Sum,
            metrics::Operation::Minimum => MetricOperation::Minimum,
            metrics::Operation::Maximum => MetricOperation::Maximum,
        };
        self.around.own_metrics.record(&self.identity.plugin_id, &name, operation, value);
        Ok(())
    }
}
