//! A plugin's folder as it was read, with what had to be built for it: enough to make its version again,
//! here and now or out of an archive.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use weir_api::plugin::Diagnostic;

use crate::language::{Artifact, Order};
use crate::manifest::Manifest;
use crate::settings::Settings;
use crate::sources::Snapshot;
use crate::version::manifest;

#[derive(Clone)]
pub struct Blueprint {
    pub(crate) order: Order,
    pub(crate) artifact: Artifact,
    manifest: Manifest,
}

/// What a blueprint is made of, for whoever keeps it. Machine code is no part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// By path relative to the folder.
    pub texts: BTreeMap<String, String>,
    /// The component that the manifest names, with its path.
    pub component: Option<(String, Vec<u8>)>,
    /// The component that was built from the texts, so that nobody has to build it once more.
    pub built: Option<Vec<u8>>,
}

impl Blueprint {
    pub(crate) fn new(order: Order, artifact: Artifact) -> Result<Self, Box<Diagnostic>> {
        let manifest = manifest(&order.snapshot)?;
        Ok(Self { order, artifact, manifest })
    }

    /// The folder's name; of a plugin in a host its id.
    pub fn plugin_id(&self) -> &str {
        &self.order.plugin_id
    }

    pub fn dir(&self) -> &Path {
        &self.order.dir
    }

    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What was set for the plugin when it was read; the default away from a host.
    pub const fn settings(&self) -> &Settings {
        &self.order.settings
    }

    /// As another one has it set.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.order.settings = settings;
        self
    }

    /// As another plugin of a host is called.
    #[must_use]
    pub fn called(mut self, plugin_id: &str) -> Self {
        plugin_id.clone_into(&mut self.order.plugin_id);
        self
    }

    /// Source files by path, for excerpts.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.order.snapshot.texts.get(path).map(String::as_str)
    }

    /// Number and bytes of its files.
    pub fn size(&self) -> (usize, u64) {
        let Snapshot { texts, component } = &*self.order.snapshot;
        let bytes = texts.values().map(String::len).chain(component.iter().map(|(_, bytes)| bytes.len()));
        (texts.len() + usize::from(component.is_some()), bytes.map(|bytes| bytes as u64).sum())
    }

    pub fn sources(&self) -> Sources {
        let Snapshot { texts, component } = (*self.order.snapshot).clone();
        let built = match &self.artifact {
            // What is no part of the folder was built from it.
            Artifact::Component { bytes, .. } if component.is_none() => Some(bytes.to_vec()),
            Artifact::Component { .. } | Artifact::Source | Artifact::Python { .. } => None,
        };
        Sources { texts, component, built }
    }
}

impl Sources {
    pub(crate) fn into_snapshot(self) -> (Arc<Snapshot>, Option<Vec<u8>>) {
        (Arc::new(Snapshot { texts: self.texts, component: self.component }), self.built)
    }
}
