//! The limits of platforms that run such plugins, with year and source.

use weir_api::plugin::PluginLimits;

#[derive(Debug, Clone, Copy)]
pub struct Preset {
    pub name: &'static str,
    pub title: &'static str,
    pub source: &'static str,
    /// What the platform does with an event that breaks a limit.
    pub consequence: &'static str,
    cpu_ms: u64,
    wait_ms: u64,
    /// 0 when the platform does not count them.
    instructions: u64,
    memory_mib: Option<u64>,
    output_kib: Option<u64>,
}

impl Preset {
    pub fn limits(&self) -> PluginLimits {
        PluginLimits {
            preset: Some(self.name.to_owned()),
            cpu_ms_per_event: Some(self.cpu_ms),
            wait_ms_per_event: Some(self.wait_ms),
            instructions_per_event: Some(self.instructions),
            memory_mib: self.memory_mib,
            output_kib: self.output_kib,
            ..PluginLimits::default()
        }
    }
}

pub const PRESETS: &[Preset] = &[
    Preset {
        name: "weir",
        title: "Weir",
        source: "Weir's own defaults: tight enough to notice what will hurt in production",
        consequence: "PostHog would have stored this event as it entered the plugin and logged the error",
        cpu_ms: 100,
        wait_ms: 30_000,
        instructions: 0,
        memory_mib: Some(64),
        output_kib: Some(1024),
    },
    Preset {
        name: "posthog-plugins-2022",
        title: "PostHog plugins (2022)",
        source: "PostHog plugin server, December 2022: TASK_TIMEOUT of 30 seconds for loops and promises",
        consequence: "PostHog's plugin server would have stored this event as it entered the plugin and logged the error",
        cpu_ms: 30_000,
        wait_ms: 30_000,
        instructions: 0,
        memory_mib: None,
        output_kib: Some(1024),
    },
    Preset {
        name: "posthog-hog",
        title: "PostHog transformations (today)",
        source: "PostHog documentation of Hog transformations, 2025: 100 ms for each event, no asynchronous calls",
        consequence: "PostHog would have stored this event unchanged and counted the transformation as failed",
        cpu_ms: 100,
        wait_ms: 100,
        instructions: 0,
        memory_mib: None,
        output_kib: Some(1024),
    },
    Preset {
        name: "tealium",
        title: "Tealium EventStream functions",
        source: "Tealium documentation of data transformation functions, 2025: 150 ms, 32 MB, 64 KB",
        consequence: "Tealium would have passed this event on untransformed",
        cpu_ms: 150,
        wait_ms: 150,
        instructions: 0,
        memory_mib: Some(32),
        output_kib: Some(64),
    },
    Preset {
        name: "shopify-functions",
        title: "Shopify Functions",
        source: "Shopify documentation of Functions, 2025: 11 million instructions, 10,000 kB of memory, 20 kB of output, no network",
        consequence: "Shopify would have ended the function, and the checkout would have gone on without it",
        cpu_ms: 1_000,
        wait_ms: 1,
        instructions: 11_000_000,
        memory_mib: Some(10),
        output_kib: Some(20),
    },
];

pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// What production would have done with an event whose processing failed in this way.
pub fn consequence(preset: Option<&str>, kind: &str) -> String {
    let platform = preset.and_then(find).unwrap_or(&PRESETS[0]);
    match kind {
        "exception" => "PostHog would have stored this event with the changes made so far and logged the error",
        "output" => "PostHog would have refused this event for its size and written an ingestion warning",
        _ => platform.consequence,
    }
    .to_owned()
}
