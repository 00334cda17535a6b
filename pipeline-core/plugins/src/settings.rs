//! What a user sets for one plugin.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use weir_event::journal::PluginAttachment;

use crate::http::HttpSettings;
use crate::limits::Limits;
use crate::presets;

/// What becomes of an event whose processing failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// It goes on, as in PostHog.
    #[default]
    Continue,
    Drop,
    DeadLetter,
}

impl OnError {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Drop => "drop",
            Self::DeadLetter => "dead_letter",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Continue, Self::Drop, Self::DeadLetter].into_iter().find(|known| known.as_str() == name)
    }
}

/// Limits that differ from the preset's, which differ from Weir's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitSettings {
    pub preset: Option<String>,
    pub cpu_ms_per_event: Option<u64>,
    pub wait_ms_per_event: Option<u64>,
    pub memory_mib: Option<u64>,
    pub output_kib: Option<u64>,
    pub log_lines_per_second: Option<u64>,
    pub http_calls_per_event: Option<u64>,
}

impl LimitSettings {
    pub fn apply(&self, base: &Limits) -> Limits {
        let mut limits = base.clone();
        if let Some(preset) = self.preset.as_deref().and_then(presets::find) {
            preset.limits().set(&mut limits);
        }
        self.set(&mut limits);
        limits
    }

    /// Fields that are given win.
    pub fn merge(&mut self, newer: Self) {
        // Another preset starts from its own figures.
        if newer.preset.is_some() && newer.preset != self.preset {
            *self = Self { preset: newer.preset.clone(), ..Self::default() };
        }
        let take = |own: &mut Option<u64>, newer: Option<u64>| *own = newer.or(*own);
        take(&mut self.cpu_ms_per_event, newer.cpu_ms_per_event);
        take(&mut self.wait_ms_per_event, newer.wait_ms_per_event);
        take(&mut self.memory_mib, newer.memory_mib);
        take(&mut self.output_kib, newer.output_kib);
        take(&mut self.log_lines_per_second, newer.log_lines_per_second);
        take(&mut self.http_calls_per_event, newer.http_calls_per_event);
    }

    fn set(&self, limits: &mut Limits) {
        if let Some(ms) = self.cpu_ms_per_event {
            limits.cpu_per_event = Duration::from_millis(ms.clamp(1, 600_000));
            limits.cpu_task = limits.cpu_task.max(limits.cpu_per_event);
        }
        if let Some(ms) = self.wait_ms_per_event {
            limits.wait = Duration::from_millis(ms.clamp(1, 600_000));
        }
        if let Some(mib) = self.memory_mib {
            limits.memory_bytes = (mib.clamp(4, 2048) as usize) << 20;
        }
        if let Some(kib) = self.output_kib {
            limits.output_bytes = (kib.clamp(1, 64 << 10) as usize) << 10;
        }
        if let Some(lines) = self.log_lines_per_second {
            limits.log_lines_per_second = u32::try_from(lines).unwrap_or(u32::MAX);
        }
        if let Some(calls) = self.http_calls_per_event {
            limits.http_calls_per_event = u32::try_from(calls).unwrap_or(u32::MAX);
        }
    }
}

/// Everything that is not a config value, as it is journalled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OtherSettings {
    pub http: HttpSettings,
    pub limits: LimitSettings,
    pub on_error: OnError,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Values that win over the manifest's defaults, secrets included.
    pub values: BTreeMap<String, Option<String>>,
    pub attachments: Vec<PluginAttachment>,
    pub is_disabled: bool,
    pub other: OtherSettings,
}
