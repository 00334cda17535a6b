//! The host's side of the WIT imports: each is a thin door to [`InstanceState`].

use wasmtime::Result;
use weir_event::journal::{LogLevel, LogSource};

use crate::bindings::weir::plugin::{cache, clock, config, log, random, report, source, storage, types};
use crate::state::InstanceState;

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

    fn name(&mut self) -> Result<String> {
        Ok(self.identity.name.clone())
    }
}

impl storage::Host for InstanceState {
    fn get(&mut self, key: String) -> Result<Option<String>> {
        Ok(self.in_hand.writes.get(&self.around.storage, &self.identity.plugin_id, &key))
    }

    fn set(&mut self, key: String, value: String) -> Result<()> {
        self.in_hand.writes.set(key, Some(value));
        Ok(())
    }

    fn delete(&mut self, key: String) -> Result<()> {
        self.in_hand.writes.set(key, None);
        Ok(())
    }

    fn add(&mut self, key: String, by: f64) -> Result<f64> {
        Ok(self.in_hand.writes.add(&self.around.storage, &self.identity.plugin_id, &key, by))
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
}

impl report::Host for InstanceState {
    fn finished(&mut self, index: u32, outcome: report::Outcome) -> Result<()> {
        self.finish(index, outcome)
    }

    fn emit(&mut self, event: String) -> Result<()> {
        let limit = self.around.limits.emitted_per_event;
        if self.in_hand.emitted.len() < limit {
            self.in_hand.emitted.push(event);
        } else {
            let message = format!("posthog.capture: more than {limit} events from one event; discarded");
            InstanceState::log(self, LogSource::System, LogLevel::Warn, message);
        }
        Ok(())
    }
}

impl types::Host for InstanceState {}
impl source::Host for InstanceState {}
