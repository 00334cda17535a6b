//! What a user sets for one plugin.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_api::plugin::PluginLimits;
use weir_event::journal::{LogLevel, PluginAttachment};

use crate::http::HttpSettings;

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

/// What becomes of a new version once it is built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReloadMode {
    /// It goes live.
    #[default]
    Auto,
    /// It waits to be promoted.
    Ask,
}

impl ReloadMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Ask => "ask",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Auto, Self::Ask].into_iter().find(|known| known.as_str() == name)
    }

    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
    fn is_default(&self) -> bool {
        *self == Self::Auto
    }
}

/// Of two settings of limits the newer, where it says something.
pub fn merged(own: &PluginLimits, newer: PluginLimits) -> PluginLimits {
    // Another preset starts from its own figures.
    let starts_anew = newer.preset.is_some() && newer.preset != own.preset;
    let own = if starts_anew { PluginLimits::default() } else { own.clone() };
    PluginLimits {
        preset: newer.preset.or(own.preset),
        cpu_ms_per_event: newer.cpu_ms_per_event.or(own.cpu_ms_per_event),
        wait_ms_per_event: newer.wait_ms_per_event.or(own.wait_ms_per_event),
        instructions_per_event: newer.instructions_per_event.or(own.instructions_per_event),
        memory_mib: newer.memory_mib.or(own.memory_mib),
        output_kib: newer.output_kib.or(own.output_kib),
        log_lines_per_second: newer.log_lines_per_second.or(own.log_lines_per_second),
        http_calls_per_event: newer.http_calls_per_event.or(own.http_calls_per_event),
    }
}

/// Everything that is not a config value, as it is journalled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OtherSettings {
    pub http: HttpSettings,
    /// Those that differ from the preset's, which differ from Weir's own.
    pub limits: PluginLimits,
    pub on_error: OnError,
    /// Console lines below it are not kept. The host's lines and errors always are.
    #[serde(skip_serializing_if = "is_everything")]
    pub log_level: LogLevel,
    /// Left out when it is the default, so that it is no part of what names a version.
    #[serde(skip_serializing_if = "ReloadMode::is_default")]
    pub reload: ReloadMode,
}

impl Default for OtherSettings {
    fn default() -> Self {
        Self {
            http: HttpSettings::default(),
            limits: PluginLimits::default(),
            on_error: OnError::default(),
            log_level: LogLevel::Debug,
            reload: ReloadMode::default(),
        }
    }
}

/// Left out, so that plugins for which it is not set keep the names of their versions.
#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
fn is_everything(level: &LogLevel) -> bool {
    *level == LogLevel::Debug
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Values that win over the manifest's defaults, secrets included.
    pub values: BTreeMap<String, Option<String>>,
    pub attachments: Vec<PluginAttachment>,
    pub is_disabled: bool,
    pub other: OtherSettings,
}
