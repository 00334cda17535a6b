//! What people ask of the palette.

use std::time::Instant;

use weir_api::fault::{FaultList, FaultRequest, FaultView};

use super::catalogue::Fault;
use super::error::FaultError;
use super::settings::Settings;
use crate::error::FlowError;
use crate::flow::Flow;
use crate::store_handle::StoreState;

/// All three headers of the database file.
const DAMAGE: [u8; 3 * 4_096] = [0xa5; 3 * 4_096];

impl Flow {
    /// Every fault, and how it stands.
    pub fn faults(&self) -> FaultList {
        FaultList {
            faults: Fault::ALL.into_iter().map(|fault| self.fault_view(fault)).collect(),
            supervised: self.faults.restarts.is_some(),
            restarts: self.faults.restarts.unwrap_or_default(),
        }
    }

    /// Starts or stops one. Returns when it strikes, or does not any more.
    pub fn fault(&self, request: &FaultRequest) -> Result<FaultList, FlowError> {
        let fault = match &request.name {
            Some(name) => Some(Fault::from_name(name).ok_or_else(|| FaultError::Unknown(name.clone()))?),
            None => None,
        };
        match (fault, request.running) {
            (Some(fault), true) => self.start_fault(fault, request)?,
            (Some(fault), false) => self.faults.end(fault),
            (None, false) => self.faults.end_all(),
            (None, true) => return Err(FaultError::Unnamed.into()),
        }
        if fault.is_none_or(|fault| fault == Fault::DiskFull) {
            // Otherwise it would be seen when the disk is measured the next time.
            self.intake.measure_disk();
        }
        Ok(self.faults())
    }

    fn start_fault(&self, fault: Fault, request: &FaultRequest) -> Result<(), FaultError> {
        let mut settings = Settings::of(fault, request)?;
        match fault {
            Fault::SlowPlugin | Fault::PluginTrap | Fault::PluginLoop => {
                let known = self.host.processors();
                settings.plugin = Some(match settings.plugin.take() {
                    Some(id) if known.contains(&id) => id,
                    Some(id) => return Err(FaultError::UnknownPlugin(id)),
                    None => known.into_iter().next().ok_or(FaultError::NoPlugin)?,
                });
            }
            Fault::Sink429 | Fault::Sink5xx | Fault::SinkTimeout | Fault::DuplicateDelivery => {
                let sinks = self.sinks.tries();
                match &settings.sink {
                    Some(name) if !sinks.iter().any(|(known, _)| known == name) => {
                        return Err(FaultError::UnknownSink(name.clone()));
                    }
                    None if fault != Fault::DuplicateDelivery && !sinks.iter().any(|(_, for_ever)| *for_ever) => {
                        return Err(FaultError::NoSink);
                    }
                    _ => {}
                }
            }
            Fault::KillMidBatch if self.faults.restarts.is_none() => return Err(FaultError::Unsupervised),
            Fault::StoreCorruption => {
                self.store_is_ready()?;
                self.faults.start(fault, settings)?;
                return self.damage_store().inspect_err(|_| self.faults.end(fault));
            }
            _ => {}
        }
        self.faults.start(fault, settings)
    }

    fn store_is_ready(&self) -> Result<(), FaultError> {
        match self.shared.store.state() {
            StoreState::Ready => Ok(()),
            other => Err(FaultError::StoreNotReady(other.as_str())),
        }
    }

    /// Closing the file gives up the lock that this process holds on it, which is put aside in a moment.
    fn damage_store(&self) -> Result<(), FaultError> {
        let file = self.filesystem.open(&self.data_dir.store()).map_err(FaultError::StoreFile)?;
        file.write_all_at(&DAMAGE, 0).and_then(|()| file.sync_data()).map_err(FaultError::StoreFile)?;
        self.faults.struck(Fault::StoreCorruption);
        Ok(())
    }

    fn fault_view(&self, fault: Fault) -> FaultView {
        let about = fault.about();
        let unavailable = match fault {
            Fault::SlowPlugin | Fault::PluginTrap | Fault::PluginLoop if self.host.processors().is_empty() => {
                Some(FaultError::NoPlugin)
            }
            Fault::Sink429 | Fault::Sink5xx | Fault::SinkTimeout if self.sinks.is_empty() => Some(FaultError::NoSink),
            Fault::KillMidBatch if self.faults.restarts.is_none() => Some(FaultError::Unsupervised),
            Fault::StoreCorruption => self.store_is_ready().err(),
            _ => None,
        };
        let now = Instant::now();
        let (settings, times) = match self.faults.active().get(&fault) {
            Some(active) => {
                let remaining = active.until.map(|until| until.saturating_duration_since(now).as_secs_f64());
                (Some(active.settings.clone()), Some((now.duration_since(active.since).as_secs_f64(), remaining)))
            }
            None => (Settings::of(fault, &FaultRequest::default()).ok(), None),
        };
        FaultView {
            name: about.name.into(),
            title: about.title.into(),
            place: about.place.into(),
            summary: about.summary.into(),
            effect: about.effect.into(),
            settings: settings.map(|settings| settings.views(fault)).unwrap_or_default(),
            active: times.is_some(),
            active_for_s: times.map(|(since, _)| since),
            remaining_s: times.and_then(|(_, remaining)| remaining),
            strikes: self.faults.strikes(fault),
            unavailable: unavailable.filter(|_| times.is_none()).map(|error| format!("{error}: {}", error.hint())),
        }
    }
}
