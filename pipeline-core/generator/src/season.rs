//! When it is busy: a week of 168 hours with weights, repeated.
//!
//! A stream has an even time, in which so many events come a second, and a clock time, in which nights are quiet.
//! Each is a function of the other, in integers, so that neither has to be followed from the start.

const HOUR_MS: u64 = 3_600_000;
const HOURS: usize = 168;
const WEEK_MS: u64 = HOURS as u64 * HOUR_MS;
/// 1970-01-05, a Monday.
const FIRST_MONDAY_MS: i64 = 4 * 86_400_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Season {
    /// Sums of the weights before each hour, and of all.
    before: Vec<u64>,
}

impl Season {
    /// Weights of the hours of a day (UTC) and of the days from Monday. All are at least 1.
    pub fn new(hours: &[u32; 24], weekdays: &[u32; 7]) -> Self {
        let mut before = vec![0];
        for day in weekdays {
            for hour in hours {
                let sum = before.last().copied().unwrap_or_default();
                before.push(sum + u64::from(*day.max(&1)) * u64::from(*hour.max(&1)));
            }
        }
        Self { before }
    }

    fn total(&self) -> u128 {
        u128::from(self.before[HOURS])
    }

    /// Even milliseconds to clock milliseconds, of a stream that starts at `start_ms`.
    pub fn clock_ms(&self, start_ms: i64, even_ms: u64) -> i64 {
        let since_monday = start_ms - FIRST_MONDAY_MS;
        let week = since_monday.div_euclid(WEEK_MS as i64);
        let into_week = since_monday.rem_euclid(WEEK_MS as i64) as u64;
        let even = self.even_of(into_week) + even_ms;
        let in_week = self.clock_of(even % WEEK_MS);
        FIRST_MONDAY_MS + (week + (even / WEEK_MS) as i64) * WEEK_MS as i64 + in_week as i64
    }

    /// How much even time of a week has passed when so much clock time has.
    fn even_of(&self, clock_ms: u64) -> u64 {
        let hour = (clock_ms / HOUR_MS) as usize;
        let weight = u128::from(self.before[hour + 1] - self.before[hour]);
        let passed = u128::from(self.before[hour]) * u128::from(HOUR_MS) + weight * u128::from(clock_ms % HOUR_MS);
        (passed * HOURS as u128 / self.total()) as u64
    }

    fn clock_of(&self, even_ms: u64) -> u64 {
        // In weights times milliseconds.
        let passed = u128::from(even_ms) * self.total() / HOURS as u128;
        let hour = self.before.partition_point(|sum| u128::from(*sum) * u128::from(HOUR_MS) <= passed) - 1;
        let hour = hour.min(HOURS - 1);
        let weight = u128::from(self.before[hour + 1] - self.before[hour]);
        let into = passed - u128::from(self.before[hour]) * u128::from(HOUR_MS);
        hour as u64 * HOUR_MS + ((into / weight) as u64).min(HOUR_MS - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_767_603_600_000; // Monday, 2026-01-05T09:00:00Z

    #[test]
    fn an_even_week_changes_nothing() {
        let season = Season::new(&[1; 24], &[1; 7]);
        for ms in [0, 1, 999, 86_400_000, 10 * WEEK_MS + 17] {
            assert_eq!(season.clock_ms(START, ms), START + ms as i64);
        }
    }

    #[test]
    fn busy_hours_get_their_share_and_time_never_runs_back() {
        let mut hours = [1; 24];
        hours[9..17].fill(9);
        let season = Season::new(&hours, &[5, 5, 5, 5, 5, 1, 1]);
        let steps = 20_000;
        let mut busy = 0;
        let mut last = i64::MIN;
        for step in 0..steps {
            let at = season.clock_ms(START, step * (WEEK_MS / steps));
            assert!(at >= last, "{at} after {last}");
            last = at;
            let hour = (at / HOUR_MS as i64).rem_euclid(24);
            busy += u64::from((9..17).contains(&hour));
        }
        // 8 hours of weight 9 of a day's 72 + 16.
        assert!((busy * 100 / steps).abs_diff(7_200 / 88) <= 1, "{busy}");
        // In an hour of weight 9 a millisecond of even time is less than one of the clock's, so nothing is lost.
        assert!((season.clock_ms(START, WEEK_MS) - START - WEEK_MS as i64).abs() <= 2);
    }
}
