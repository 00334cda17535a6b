//! What one plugin may use.

use std::time::Duration;

/// Budgets of one instance. CPU time is time the thread spent computing: a busy machine does not make a
/// plugin slower in these terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub cpu_per_event: Duration,
    /// Also for loading the source and for `teardownPlugin`.
    pub cpu_setup: Duration,
    /// For one call of `exportEvents`, a schedule or a job.
    pub cpu_task: Duration,
    /// Waiting of one event for answers of the host: timers, HTTP.
    pub wait: Duration,
    /// Timers and requests of one instance that have no answer yet.
    pub calls_under_way: usize,
    /// What plugin code may allocate; the engine itself comes on top.
    pub memory_bytes: usize,
    /// JSON of one event after one plugin.
    pub output_bytes: usize,
    pub log_lines_per_second: u32,
    /// HTTP requests of one event or call.
    pub http_calls_per_event: u32,
    /// Events one call may make with `posthog.capture`.
    pub emitted_per_event: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu_per_event: Duration::from_millis(100),
            cpu_setup: Duration::from_secs(5),
            cpu_task: Duration::from_secs(5),
            wait: Duration::from_secs(30),
            calls_under_way: 1000,
            memory_bytes: 64 << 20,
            output_bytes: 1 << 20,
            log_lines_per_second: 1000,
            http_calls_per_event: 50,
            emitted_per_event: 100,
        }
    }
}
