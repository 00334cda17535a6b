//! Versions of plugins: compared, promoted, discarded.

use std::path::Path;

use weir_api::diff::{PluginDiff, PluginDiffLatest, PluginDiffRequest, PluginVersions};
use weir_api::plugin::PluginView;
use weir_plugins::{PluginHost, ReloadMode};

use crate::error::FlowError;
use crate::flow::Flow;
use crate::shadow::Shadow;

/// A plugin that asks serves what served last, until what its folder holds now is promoted.
pub fn serve_last(shadow: &Shadow, host: &PluginHost, dir: &Path) {
    let Some(id) = host.next_id(dir) else { return };
    if host.settings(&id).other.reload != ReloadMode::Ask {
        return;
    }
    match shadow.served_last(&id) {
        Ok(Some(blueprint)) => host.restore_version(&id, blueprint),
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(plugin = id, %error, hint = error.hint(), "what served last is lost: the folder serves");
        }
    }
}

impl Flow {
    /// In chain order.
    pub fn plugin_views(&self) -> Vec<PluginView> {
        self.shadow.views()
    }

    /// Blocks until the plugin's first load has ended.
    pub fn plugin_add(&self, dir: &Path) -> Result<PluginView, FlowError> {
        serve_last(&self.shadow, &self.host, dir);
        Ok(self.host.add(dir)?)
    }

    /// Blocks until both versions have met all events.
    pub fn plugin_diff(&self, request: &PluginDiffRequest) -> Result<PluginDiff, FlowError> {
        self.shadow.diff(request)
    }

    pub fn plugin_diff_latest(&self, id: &str) -> Result<PluginDiffLatest, FlowError> {
        self.shadow.newest(id)
    }

    pub fn plugin_versions(&self, id: &str) -> Result<PluginVersions, FlowError> {
        self.shadow.versions(id)
    }

    /// Blocks until the version that waited serves, or has failed to.
    pub fn plugin_promote(&self, id: &str) -> Result<PluginView, FlowError> {
        let _one_at_a_time = self.configuring();
        Ok(self.host.promote(id)?)
    }

    pub fn plugin_discard(&self, id: &str) -> Result<PluginView, FlowError> {
        let _one_at_a_time = self.configuring();
        Ok(self.host.discard(id)?)
    }
}
