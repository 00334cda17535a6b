//! What a fault can be told, checked.

use std::time::Duration;

use weir_api::fault::{FaultRequest, FaultSetting};

use super::catalogue::Fault;
use super::error::FaultError;

/// Longest time for which a fault can be started: a day.
const LONGEST_S: f64 = 86_400.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    Plugin,
    Sink,
    Every,
    DelayMs,
    OffsetS,
}

impl Setting {
    pub const ALL: [Self; 5] = [Self::Plugin, Self::Sink, Self::Every, Self::DelayMs, Self::OffsetS];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::Sink => "sink",
            Self::Every => "every",
            Self::DelayMs => "delay_ms",
            Self::OffsetS => "offset_s",
        }
    }

    const fn summary(self) -> &'static str {
        match self {
            Self::Plugin => "the plugin that it strikes; the first of the chain if it is left out",
            Self::Sink => "the sink that it strikes; all that try for ever if it is left out",
            Self::Every => "one in so many is struck",
            Self::DelayMs => "milliseconds to wait",
            Self::OffsetS => "seconds to jump by; negative is back",
        }
    }

    /// What is possible; names are looked up later.
    const fn range(self) -> (i64, i64) {
        match self {
            Self::Plugin | Self::Sink => (0, 0),
            Self::Every => (1, 1_000_000),
            Self::DelayMs => (1, 60_000),
            Self::OffsetS => (-315_360_000, 315_360_000),
        }
    }
}

/// What is in force while a fault is active.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    pub plugin: Option<String>,
    pub sink: Option<String>,
    pub every: u64,
    pub delay: Duration,
    pub offset_ms: i64,
    pub lasts: Option<Duration>,
}

impl Settings {
    /// Of a request; what is left out is as the catalogue has it.
    pub fn of(fault: Fault, request: &FaultRequest) -> Result<Self, FaultError> {
        let about = fault.about();
        for setting in Setting::ALL {
            let is_its_own = about.settings.iter().any(|(own, _)| *own == setting);
            if given(request, setting) && !is_its_own {
                return Err(FaultError::NoSuchSetting { fault: about.name, setting: setting.name() });
            }
        }
        let number = |setting: Setting, asked: Option<i64>| -> Result<i64, FaultError> {
            let own = about.settings.iter().find(|(own, _)| *own == setting).map_or(0, |(_, default)| *default);
            let Some(value) = asked else { return Ok(own) };
            let (least, most) = setting.range();
            let fits = (least..=most).contains(&value) && (value != 0 || setting != Setting::OffsetS);
            if fits { Ok(value) } else { Err(FaultError::OutOfRange { setting: setting.name(), value, least, most }) }
        };
        let asked = |value: Option<u64>| value.map(|value| i64::try_from(value).unwrap_or(i64::MAX));
        let lasts = match request.for_s {
            Some(seconds) if !(seconds > 0.0 && seconds <= LONGEST_S) => {
                return Err(FaultError::Duration(seconds.to_string()));
            }
            seconds => seconds.map(Duration::from_secs_f64),
        };
        Ok(Self {
            plugin: request.plugin.clone(),
            sink: request.sink.clone(),
            every: number(Setting::Every, asked(request.every))?.unsigned_abs().max(1),
            delay: Duration::from_millis(number(Setting::DelayMs, asked(request.delay_ms))?.unsigned_abs()),
            offset_ms: number(Setting::OffsetS, request.offset_s)? * 1_000,
            lasts,
        })
    }

    /// As people are shown them.
    pub fn views(&self, fault: Fault) -> Vec<FaultSetting> {
        let value = |setting| match setting {
            Setting::Plugin => self.plugin.clone().unwrap_or_default(),
            Setting::Sink => self.sink.clone().unwrap_or_default(),
            Setting::Every => self.every.to_string(),
            Setting::DelayMs => self.delay.as_millis().to_string(),
            Setting::OffsetS => (self.offset_ms / 1_000).to_string(),
        };
        let view = |(setting, _): &(Setting, i64)| {
            // Without a name it is none, and not all.
            let summary = match (fault, setting) {
                (Fault::DuplicateDelivery, Setting::Sink) => "a sink that gets its batches twice too",
                _ => setting.summary(),
            };
            FaultSetting { name: setting.name().into(), summary: summary.into(), value: value(*setting) }
        };
        fault.about().settings.iter().map(view).collect()
    }
}

fn given(request: &FaultRequest, setting: Setting) -> bool {
    match setting {
        Setting::Plugin => request.plugin.is_some(),
        Setting::Sink => request.sink.is_some(),
        Setting::Every => request.every.is_some(),
        Setting::DelayMs => request.delay_ms.is_some(),
        Setting::OffsetS => request.offset_s.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_fault_does_not_have_and_what_is_out_of_range_is_refused() {
        let request = |change: fn(&mut FaultRequest)| {
            let mut request = FaultRequest { running: true, ..FaultRequest::default() };
            change(&mut request);
            request
        };
        let slow = Settings::of(Fault::SlowPlugin, &request(|request| request.delay_ms = Some(7))).expect("it fits");
        assert_eq!((slow.delay, slow.every, slow.lasts), (Duration::from_millis(7), 1, None));
        let trap = Settings::of(Fault::PluginTrap, &request(|_| {})).expect("it fits");
        assert_eq!(trap.every, 10);
        let foreign = Settings::of(Fault::DiskFull, &request(|request| request.delay_ms = Some(7)));
        assert!(foreign.expect_err("it has none").to_string().contains("disk_full has no setting delay_ms"));
        type Change = fn(&mut FaultRequest);
        let refused: [(Fault, Change); 5] = [
            (Fault::PluginTrap, |request| request.every = Some(0)),
            (Fault::SlowPlugin, |request| request.delay_ms = Some(60_001)),
            (Fault::ClockJump, |request| request.offset_s = Some(0)),
            (Fault::DiskFull, |request| request.for_s = Some(0.0)),
            (Fault::DiskFull, |request| request.for_s = Some(f64::NAN)),
        ];
        for (fault, change) in refused {
            assert!(Settings::of(fault, &request(change)).is_err(), "{}", fault.name());
        }
    }
}
