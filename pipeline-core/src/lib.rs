//! The pipeline behind one door: what a shell needs, and nothing else.

pub use weir_api as api;
pub use weir_capture as capture;
pub use weir_event as event;
pub use weir_flow as flow;
pub use weir_generator as generator;
pub use weir_identity as identity;
pub use weir_log as log;
pub use weir_plugins as plugins;
pub use weir_sinks as sinks;
pub use weir_store as store;
pub use weir_trial as trial;
