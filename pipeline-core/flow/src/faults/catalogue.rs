//! The faults by name, with what each does and shows.

use super::settings::Setting;

/// In the order of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    DuplicateDelivery,
    DiskFull,
    ClockJump,
    SlowPlugin,
    PluginTrap,
    PluginLoop,
    WorkerStall,
    KillMidBatch,
    StoreCorruption,
    Sink429,
    Sink5xx,
    SinkTimeout,
}

pub struct About {
    pub name: &'static str,
    pub title: &'static str,
    pub place: &'static str,
    pub summary: &'static str,
    pub effect: &'static str,
    /// With their values when nobody says otherwise; those without are names of plugins and sinks.
    pub settings: &'static [(Setting, i64)],
}

impl Fault {
    pub const ALL: [Self; 12] = [
        Self::DuplicateDelivery,
        Self::DiskFull,
        Self::ClockJump,
        Self::SlowPlugin,
        Self::PluginTrap,
        Self::PluginLoop,
        Self::WorkerStall,
        Self::KillMidBatch,
        Self::StoreCorruption,
        Self::Sink429,
        Self::Sink5xx,
        Self::SinkTimeout,
    ];
    pub const COUNT: usize = Self::ALL.len();

    pub const fn name(self) -> &'static str {
        self.about().name
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    pub const fn about(self) -> About {
        match self {
            Self::DuplicateDelivery => About {
                name: "duplicate_delivery",
                title: "Duplicate delivery",
                place: "capture",
                summary: "requests are taken in twice, as from a client that lost the answer and sent again; a sink that \
                          is named gets its batches twice too",
                effect: "deduplicated rises, stored rises as without it; the sink's destination sees the same \
                         idempotency key twice",
                settings: &[(Setting::Every, 2), (Setting::Sink, 0)],
            },
            Self::DiskFull => About {
                name: "disk_full",
                title: "Disk full",
                place: "capture",
                summary: "the file system of the data directory says that no space is left",
                effect: "below its reserve capture answers 503 with Retry-After before it writes anything; what is in \
                         flight is stored, and clients send the rest again",
                settings: &[],
            },
            Self::ClockJump => About {
                name: "clock_jump",
                title: "Clock jump",
                place: "capture",
                summary: "the pipeline's wall clock jumps, and back when it is over",
                effect: "the time of receipt jumps, and with it the times of events whose client says when it sent them; \
                         schedules of plugins see it too; order, persons and deduplication do not",
                settings: &[(Setting::OffsetS, 3_600)],
            },
            Self::SlowPlugin => About {
                name: "slow_plugin",
                title: "Slow plugin",
                place: "plugins",
                summary: "each event waits in one plugin",
                effect: "the plugin's waiting time rises, events queue up in the intake log on disk, and capture goes on",
                settings: &[(Setting::Plugin, 0), (Setting::DelayMs, 50)],
            },
            Self::PluginTrap => About {
                name: "plugin_trap",
                title: "Plugin trap",
                place: "plugins",
                summary: "one plugin ends in a trap on some events",
                effect: "the event goes on as it entered the plugin, labelled Error and named in `$plugins_failed`; its \
                         instance and `global` are gone, and a new one goes on",
                settings: &[(Setting::Plugin, 0), (Setting::Every, 10)],
            },
            Self::PluginLoop => About {
                name: "plugin_loop",
                title: "Plugin loop",
                place: "plugins",
                summary: "one plugin computes on some events until its CPU limit ends it",
                effect: "as a trap, and each costs the whole CPU limit: throughput falls, events queue up on disk",
                settings: &[(Setting::Plugin, 0), (Setting::Every, 50)],
            },
            Self::WorkerStall => About {
                name: "worker_stall",
                title: "Worker stall",
                place: "plugins",
                summary: "the plugin stage takes no more events",
                effect: "everything that is acked waits in the intake log on disk: in flight rises, unexplained stays 0",
                settings: &[],
            },
            Self::KillMidBatch => About {
                name: "kill_mid_batch",
                title: "Kill and restart mid-batch",
                place: "process",
                summary: "SIGKILL to the whole server after the plugins of a batch ran and before the journal has it; \
                          needs `weir serve --supervise`",
                effect: "the server is gone, is started again on the same ports and data, and runs that batch once more; \
                         what was acked is there",
                settings: &[],
            },
            Self::StoreCorruption => About {
                name: "store_corruption",
                title: "Store corruption",
                place: "store",
                summary: "the beginning of the store's file is overwritten, once",
                effect: "it is noticed within half a second, put aside, and rebuilt from the logs to the same digests \
                         while capture goes on; sinks are sent nothing twice",
                settings: &[],
            },
            Self::Sink429 => About {
                name: "sink_429",
                title: "Sink 429",
                place: "sinks",
                summary: "batches go to a destination that answers 429 with Retry-After, in place of their own",
                effect: "the sink waits as long as it is asked to and tries again; pending rises, nothing is given up",
                settings: &[(Setting::Sink, 0), (Setting::DelayMs, 1_000)],
            },
            Self::Sink5xx => About {
                name: "sink_5xx",
                title: "Sink 5xx",
                place: "sinks",
                summary: "batches go to a destination that answers 503, in place of their own",
                effect: "the sink backs off, twice as long each time, and tries again; pending rises",
                settings: &[(Setting::Sink, 0)],
            },
            Self::SinkTimeout => About {
                name: "sink_timeout",
                title: "Sink time-outs",
                place: "sinks",
                summary: "batches go to a destination that takes them and never answers, in place of their own",
                effect: "the sink gives each attempt up after a while, backs off and tries again; pending rises",
                settings: &[(Setting::Sink, 0), (Setting::DelayMs, 1_000)],
            },
        }
    }
}
