//! What one plugin may use.

use std::time::Duration;

use weir_api::plugin::PluginLimits;

use crate::presets;

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
    /// WebAssembly instructions of one event; nothing is counted when absent.
    pub instructions_per_event: Option<u64>,
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
            instructions_per_event: None,
            memory_bytes: 64 << 20,
            output_bytes: 1 << 20,
            log_lines_per_second: 1000,
            http_calls_per_event: 50,
            emitted_per_event: 100,
        }
    }
}

impl Limits {
    /// Whether instructions are counted.
    pub const fn is_metered(&self) -> bool {
        self.instructions_per_event.is_some()
    }

    /// With what is set for a plugin.
    #[must_use]
    pub fn with(&self, settings: &PluginLimits) -> Self {
        let mut limits = self.clone();
        if let Some(preset) = settings.preset.as_deref().and_then(presets::find) {
            limits.set(&preset.limits());
        }
        limits.set(settings);
        limits
    }

    fn set(&mut self, settings: &PluginLimits) {
        if let Some(ms) = settings.cpu_ms_per_event {
            self.cpu_per_event = Duration::from_millis(ms.clamp(1, 600_000));
            self.cpu_task = self.cpu_task.max(self.cpu_per_event);
        }
        if let Some(ms) = settings.wait_ms_per_event {
            self.wait = Duration::from_millis(ms.clamp(1, 600_000));
        }
        if let Some(instructions) = settings.instructions_per_event {
            self.instructions_per_event = Some(instructions).filter(|most| *most > 0);
        }
        if let Some(mib) = settings.memory_mib {
            self.memory_bytes = (mib.clamp(4, 2048) as usize) << 20;
        }
        if let Some(kib) = settings.output_kib {
            self.output_bytes = (kib.clamp(1, 64 << 10) as usize) << 10;
        }
        if let Some(lines) = settings.log_lines_per_second {
            self.log_lines_per_second = u32::try_from(lines).unwrap_or(u32::MAX);
        }
        if let Some(calls) = settings.http_calls_per_event {
            self.http_calls_per_event = u32::try_from(calls).unwrap_or(u32::MAX);
        }
    }
}
