//! When scheduled functions are due: at second 0 of each minute, hour or UTC day.

use crate::clock::UnixMillis;

const MINUTE_MS: i64 = 60_000;

/// Milliseconds between two runs of a scheduled function; `None` for a name that no clock knows.
pub fn period_ms(schedule: &str) -> Option<i64> {
    match schedule {
        "runEveryMinute" => Some(MINUTE_MS),
        "runEveryHour" => Some(60 * MINUTE_MS),
        "runEveryDay" => Some(24 * 60 * MINUTE_MS),
        _ => None,
    }
}

/// The newest moment, now included, at which something of this period was due.
pub fn newest_due_ms(now_ms: UnixMillis, period_ms: i64) -> UnixMillis {
    now_ms - now_ms.rem_euclid(period_ms)
}

/// The next one after it.
pub fn next_due_ms(now_ms: UnixMillis, period_ms: i64) -> UnixMillis {
    newest_due_ms(now_ms, period_ms) + period_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_at_the_beginning_of_the_period_and_not_before() {
        let hour = period_ms("runEveryHour").expect("a schedule");
        assert_eq!(newest_due_ms(3_600_000, hour), 3_600_000);
        assert_eq!(newest_due_ms(3_599_999, hour), 0);
        assert_eq!(next_due_ms(3_600_000, hour), 7_200_000);
        assert_eq!(newest_due_ms(-1, hour), -3_600_000, "before 1970 as after it");
        assert_eq!(period_ms("runEverySecond"), None);
    }
}
