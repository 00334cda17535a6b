//! What a pipeline is built from.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use weir_event::Clock;
use weir_log::Filesystem;
use weir_plugins::Limits;

use crate::frames::DemoControl;
use crate::projector::StoreProbe;
use crate::sink_wanted::SinkWanted;

pub struct FlowConfig {
    pub data_dir: PathBuf,
    pub filesystem: Arc<dyn Filesystem>,
    pub clock: Arc<dyn Clock>,
    pub plugin_limits: Limits,
    /// A MaxMind City database for plugins; a few demo networks when absent.
    pub geoip_database: Option<PathBuf>,
    /// How identity orders events; a store of the other ordering is rebuilt.
    pub ordering: weir_event::Ordering,
    /// Whether session recordings (`$snapshot`) are stored, and given to `onSnapshot`; dropped if not.
    pub recordings: bool,
    /// Folders of plugins, in chain order.
    pub plugins: Vec<PathBuf>,
    /// Folders of SQL checks, besides those of plugins.
    pub checks: Vec<PathBuf>,
    /// Opens the store in a child process; used after an unclean stop.
    pub store_probe: Option<StoreProbe>,
    /// Sinks that have to be there; those that the journal knows go on as they are.
    pub sinks: Vec<SinkWanted>,
    /// Shown in frames, when there is a demo stream.
    pub demo: Option<Arc<dyn DemoControl>>,
    /// Longest wait at a stop for events that are acked but not stored; they are durable either way.
    pub drain_timeout: Duration,
    /// How often the process was started again after it had ended by itself; `None` when nobody would do that.
    pub restarts: Option<u64>,
}
