//! Versions by what they are called: `live`, `waiting`, `folder`, or the beginning of an archived one's name.

use std::path::{Path, PathBuf};

use weir_api::diff::{PluginVersion, PluginVersions, VersionRef};
use weir_plugins::{Blueprint, PluginError, Settings};

use super::Shadow;
use super::archive::{Kept, MOST_VERSIONS};
use super::error::ShadowError;
use crate::error::FlowError;

/// A version to compare.
pub struct Chosen {
    pub reference: VersionRef,
    pub blueprint: Blueprint,
    pub settings: Settings,
    /// What a reader should know of it.
    pub notes: Vec<String>,
}

impl Shadow {
    /// What serves, if it is another; else what served last.
    pub(super) fn version_before(&self, id: &str, version: &str) -> Result<Chosen, FlowError> {
        let live = self.chosen(id, "live", None)?;
        if live.reference.version != version {
            return Ok(live);
        }
        let versions = self.archive.versions(id)?;
        let other = versions.iter().find(|kept| kept.version != version);
        let other = other.ok_or_else(|| ShadowError::OneVersion(id.to_owned()))?;
        self.archived(id, other)
    }

    pub(super) fn chosen(&self, id: &str, what: &str, dir: Option<&Path>) -> Result<Chosen, FlowError> {
        let at = |place: &str, (version, blueprint): (String, Blueprint)| Chosen {
            reference: VersionRef { version, place: place.to_owned() },
            settings: blueprint.settings().clone(),
            blueprint,
            notes: Vec::new(),
        };
        let live = self.host.live_blueprint(id)?;
        match what {
            "live" => Ok(at("live", live.ok_or_else(|| ShadowError::NothingServes(id.to_owned()))?)),
            "waiting" => {
                let waiting = self.host.waiting_blueprint(id)?;
                Ok(at("waiting", waiting.ok_or_else(|| PluginError::NothingWaits(id.to_owned()))?))
            }
            "folder" => {
                let own = self.folder(id)?;
                let dir = dir.unwrap_or(&own);
                let settings = self.host.settings(id);
                let not_loaded = |source| ShadowError::NotLoaded { version: dir.display().to_string(), source };
                let blueprint = self.workshop.open(dir).map_err(not_loaded)?.called(id);
                let version = self.workshop.version_of(&blueprint, settings.clone()).map_err(not_loaded)?.0;
                let reference = VersionRef { version, place: "folder".to_owned() };
                Ok(Chosen { reference, blueprint, settings, notes: Vec::new() })
            }
            version => match live {
                Some(live) if live.0.starts_with(version) => Ok(at("live", live)),
                _ => self.archived(id, &self.archive.find(id, version)?),
            },
        }
    }

    fn archived(&self, id: &str, kept: &Kept) -> Result<Chosen, FlowError> {
        let (blueprint, settings) = self.reopened(id, kept)?;
        let not_loaded = |source| ShadowError::NotLoaded { version: kept.version.clone(), source };
        let made = self.workshop.version_of(&blueprint, settings.clone()).map_err(not_loaded)?.0;
        let mut notes = Vec::new();
        if made != kept.version {
            notes.push(format!(
                "Version {} is made with the packages, mocks and secrets of now, and the engine of this Weir, which \
                 makes it {made}.",
                kept.version
            ));
        }
        let reference = VersionRef { version: kept.version.clone(), place: "archived".to_owned() };
        Ok(Chosen { reference, blueprint, settings, notes })
    }

    fn reopened(&self, id: &str, kept: &Kept) -> Result<(Blueprint, Settings), FlowError> {
        let (sources, settings) = self.archive.open(id, kept, &self.host.settings(id))?;
        let dir = self.folder(id).unwrap_or_default();
        let not_loaded = |source| ShadowError::NotLoaded { version: kept.version.clone(), source };
        Ok((self.workshop.reopen(id, &dir, sources).map_err(not_loaded)?, settings))
    }

    /// What served last of a plugin that asks before a new version goes live.
    pub fn served_last(&self, id: &str) -> Result<Option<Blueprint>, FlowError> {
        let Some(newest) = self.archive.versions(id)?.into_iter().next() else { return Ok(None) };
        let (blueprint, settings) = self.reopened(id, &newest)?;
        Ok(Some(blueprint.with_settings(settings)))
    }

    pub fn folder(&self, id: &str) -> Result<PathBuf, FlowError> {
        let view = self.host.views().into_iter().find(|view| view.id == id);
        Ok(view.map(|view| PathBuf::from(view.dir)).ok_or_else(|| PluginError::UnknownPlugin(id.to_owned()))?)
    }

    pub fn versions(&self, id: &str) -> Result<PluginVersions, FlowError> {
        let live = self.host.live_blueprint(id)?.map(|(version, _)| version);
        let waiting = self.host.waiting_blueprint(id)?;
        let waits = waiting.into_iter().map(|(version, blueprint)| {
            let (files, bytes) = blueprint.size();
            PluginVersion { version, is_waiting: true, files: files as u64, bytes, ..PluginVersion::default() }
        });
        let kept = self.archive.versions(id)?.into_iter().map(|kept| PluginVersion {
            is_live: live.as_ref() == Some(&kept.version),
            live_at_ms: kept.live_at_ms,
            is_waiting: false,
            files: kept.files() as u64,
            bytes: kept.bytes(),
            language: kept.language,
            version: kept.version,
        });
        Ok(PluginVersions { versions: waits.chain(kept).collect(), kept: MOST_VERSIONS as u64 })
    }
}
