//! Short-lived text by key, shared by all instances of the plugin. In memory; effects are immediate.

use std::time::Duration;

use crate::bindings::weir::plugin::cache as host;

pub fn get(key: &str) -> Option<String> {
    host::get(key)
}

/// Kept until `ttl` is over, or as long as there is room.
pub fn set(key: &str, value: &str, ttl: Option<Duration>) {
    host::set(key, value, ttl.map(|ttl| ttl.as_secs_f64()));
}

pub fn incr(key: &str) -> f64 {
    host::incr(key)
}

/// True when the key exists.
pub fn expire(key: &str, ttl: Duration) -> bool {
    host::expire(key, ttl.as_secs_f64())
}

/// Each element goes to the front of a list; returns its new length.
pub fn push(key: &str, elements: &[String]) -> u32 {
    host::lpush(key, elements)
}

/// Both ends included; negative positions count from the end.
pub fn range(key: &str, first: i32, last: i32) -> Vec<String> {
    host::lrange(key, first, last)
}

pub fn len(key: &str) -> u32 {
    host::llen(key)
}

/// From the front.
pub fn pop(key: &str, count: u32) -> Vec<String> {
    host::lpop(key, count)
}

/// Removes `count` equal elements: from the front, from the back when negative, all when 0.
pub fn remove(key: &str, count: i32, element: &str) -> u32 {
    host::lrem(key, count, element)
}
