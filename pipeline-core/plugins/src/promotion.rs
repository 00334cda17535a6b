//! Versions that ask before they go live, and what is known of those that do: for whoever compares them.

use std::path::Path;
use std::sync::mpsc::sync_channel;

use weir_api::plugin::PluginView;

use crate::blueprint::Blueprint;
use crate::error::PluginError;
use crate::host::{Message, PluginHost, folder};
use crate::reloads::Reloads;
use crate::slot::{lock, unique_id};
use crate::storage::StorageSnapshot;

impl PluginHost {
    /// What the plugin in a folder would be called; `None` when it is no plugin or is in the chain already.
    pub fn next_id(&self, dir: &Path) -> Option<String> {
        let (dir, real) = folder(dir).ok()?;
        let slots = lock(&self.shared.slots);
        (!slots.iter().any(|slot| slot.is_in(&dir, &real))).then(|| unique_id(&dir, &slots))
    }

    /// What a plugin serves before its folder is looked at; meant for the start of one that asks.
    pub fn restore_version(&self, id: &str, blueprint: Blueprint) {
        self.shared.pin(id, blueprint);
    }

    /// Name and blueprint of the version that serves.
    pub fn live_blueprint(&self, id: &str) -> Result<Option<(String, Blueprint)>, PluginError> {
        Ok(self.slot(id)?.blueprint())
    }

    /// The same of the version that waits to be promoted.
    pub fn waiting_blueprint(&self, id: &str) -> Result<Option<(String, Blueprint)>, PluginError> {
        Ok(self.slot(id)?.waiting())
    }

    /// Makes the version live that waits; blocks until its load has ended.
    pub fn promote(&self, id: &str) -> Result<PluginView, PluginError> {
        let slot = self.slot(id)?;
        if slot.waiting().is_none() {
            return Err(PluginError::NothingWaits(id.to_owned()));
        }
        let (done, wait) = sync_channel(1);
        self.send(Message::Promote(id.to_owned(), done))?;
        wait.recv().map_err(|_| PluginError::Stopped)?;
        Ok(self.seen(&slot))
    }

    /// Forgets the version that waits. The folder stays as it is; the next save builds again.
    pub fn discard(&self, id: &str) -> Result<PluginView, PluginError> {
        let slot = self.slot(id)?;
        if slot.take_waiting().is_none() {
            return Err(PluginError::NothingWaits(id.to_owned()));
        }
        slot.settle(true);
        Ok(self.seen(&slot))
    }

    /// Versions that went live or wait to, for one reader.
    pub fn reloads(&self) -> &Reloads {
        &self.shared.reloads
    }

    /// Everything that plugins store now.
    pub fn storage_snapshot(&self) -> StorageSnapshot {
        self.shared.around.storage.snapshot()
    }
}
