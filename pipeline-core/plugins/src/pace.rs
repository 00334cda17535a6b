//! How time passes for a plugin that waits.
//!
//! Live, as it does for everybody. In a trial, by the trial's clock: who waits for a timer or a slow mock
//! moves the clock to the moment it waits for and goes on at once. So a test of a plugin that sleeps for an
//! hour takes no time, `Date.now()` agrees with what was waited for, and every run waits equally long.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use weir_event::clock::UnixMillis;
use weir_event::{Clock as _, ManualClock};

#[derive(Debug, Clone, Default)]
pub enum Pace {
    #[default]
    Real,
    Clocked(Arc<ClockedPace>),
}

#[derive(Debug)]
pub struct ClockedPace {
    clock: Arc<ManualClock>,
    /// The same moment on both clocks.
    began: Instant,
    began_ms: UnixMillis,
}

impl Pace {
    pub fn of(clock: Arc<ManualClock>) -> Self {
        let began_ms = clock.now_ms();
        Self::Clocked(Arc::new(ClockedPace { clock, began: Instant::now(), began_ms }))
    }

    pub fn now(&self) -> Instant {
        match self {
            Self::Real => Instant::now(),
            Self::Clocked(pace) => pace.now(),
        }
    }

    /// Moves the clock to a moment, unless it moves by itself.
    pub fn skip_to(&self, at: Instant) -> bool {
        let Self::Clocked(pace) = self else { return false };
        pace.skip_to(at);
        true
    }

    pub fn sleep(&self, duration: Duration) {
        if !self.skip_to(self.now() + duration) {
            thread::sleep(duration);
        }
    }
}

impl ClockedPace {
    fn now(&self) -> Instant {
        let passed_ms = u64::try_from(self.clock.now_ms() - self.began_ms).unwrap_or(0);
        self.began + Duration::from_millis(passed_ms)
    }

    fn skip_to(&self, at: Instant) {
        // A part of a millisecond is waited for whole, or the moment would never come.
        let left = at.saturating_duration_since(self.now()).as_nanos().div_ceil(1_000_000);
        self.clock.advance(i64::try_from(left).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_moves_the_clock_and_takes_no_time() {
        let clock = Arc::new(ManualClock::at(5_000));
        let pace = Pace::of(Arc::clone(&clock));
        let began = pace.now();
        pace.sleep(Duration::from_hours(1));
        assert_eq!(pace.now() - began, Duration::from_hours(1));
        assert_eq!(clock.now_ms(), 5_000 + 3_600_000);
        pace.sleep(Duration::from_micros(1));
        assert_eq!(clock.now_ms(), 5_000 + 3_600_001);
        clock.advance(10);
        assert_eq!(pace.now() - began, Duration::from_millis(3_600_011));
        assert!(!Pace::Real.skip_to(Instant::now()));
    }
}
