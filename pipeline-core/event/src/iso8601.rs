//! ISO 8601 as clients write it: calendar, week and ordinal dates, basic and extended, with or without
//! a time and a zone. A moment without a zone is UTC.

use chrono::{NaiveDate, Weekday};

use crate::clock::UnixMillis;

const DAY_MS: i64 = 86_400_000;

/// `None` when any part is missing, out of range or left over.
pub fn parse(text: &str) -> Option<UnixMillis> {
    let mut cursor = Cursor(text.trim().as_bytes());
    let day_ms = date(&mut cursor)?;
    if cursor.0.is_empty() {
        return Some(day_ms);
    }
    cursor.take(b'T').or_else(|| cursor.take(b't'))?;
    let (time_ms, zone_ms) = time(&mut cursor)?;
    cursor.0.is_empty().then(|| day_ms + time_ms - zone_ms)
}

/// A time of day and its zone, both in milliseconds; the zone is 0 where none is given.
pub fn time_and_zone(text: &str) -> Option<(i64, i64)> {
    let mut cursor = Cursor(text.as_bytes());
    let parts = time(&mut cursor)?;
    cursor.0.is_empty().then_some(parts)
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn take(&mut self, byte: u8) -> Option<()> {
        let rest = self.0.strip_prefix(&[byte])?;
        self.0 = rest;
        Some(())
    }

    /// How many digits come next.
    fn run(&self) -> usize {
        self.0.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// The next `digits` digits.
    fn number(&mut self, digits: usize) -> Option<u32> {
        if self.run() < digits {
            return None;
        }
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        std::str::from_utf8(number).ok()?.parse().ok()
    }

    fn skip_digits(&mut self) {
        self.0 = &self.0[self.run()..];
    }
}

fn date(cursor: &mut Cursor<'_>) -> Option<i64> {
    let sign = match cursor.0.first() {
        Some(b'+') => Some(1),
        Some(b'-') => Some(-1),
        _ => None,
    };
    let year = if let Some(sign) = sign {
        cursor.0 = &cursor.0[1..];
        sign * i32::try_from(cursor.number(6)?).ok()?
    } else {
        i32::try_from(cursor.number(4)?).ok()?
    };
    let extended = cursor.take(b'-').is_some();
    let day = if cursor.take(b'W').is_some() {
        let week = cursor.number(2)?;
        let weekday = match (extended, cursor.run()) {
            (false, 1..) => cursor.number(1)?,
            (true, _) if cursor.take(b'-').is_some() => cursor.number(1)?,
            _ => 1,
        };
        let weekday = Weekday::try_from(u8::try_from(weekday.checked_sub(1)?).ok()?).ok()?;
        NaiveDate::from_isoywd_opt(year, week, weekday)?
    } else {
        match (extended, cursor.run()) {
            (_, 3) => NaiveDate::from_yo_opt(year, cursor.number(3)?)?,
            (true, 2) => {
                let month = cursor.number(2)?;
                let day = if cursor.take(b'-').is_some() { cursor.number(2)? } else { 1 };
                NaiveDate::from_ymd_opt(year, month, day)?
            }
            (false, 4) => NaiveDate::from_ymd_opt(year, cursor.number(2)?, cursor.number(2)?)?,
            (false, 2) => NaiveDate::from_ymd_opt(year, cursor.number(2)?, 1)?,
            (false, 0) => NaiveDate::from_ymd_opt(year, 1, 1)?,
            _ => return None,
        }
    };
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
}

fn time(cursor: &mut Cursor<'_>) -> Option<(i64, i64)> {
    let hour = cursor.number(2)?;
    let (mut minute, mut second, mut millis) = (0, 0, 0);
    let extended = cursor.take(b':').is_some();
    if extended || cursor.run() >= 2 {
        minute = cursor.number(2)?;
        let more = if extended { cursor.take(b':').is_some() } else { cursor.run() >= 2 };
        if more {
            second = cursor.number(2)?;
            if cursor.take(b'.').or_else(|| cursor.take(b',')).is_some() {
                // The third digit is the last that a millisecond has; JavaScript cuts there too.
                let kept = cursor.run().clamp(1, 3);
                millis = cursor.number(kept)? * [100, 10, 1][kept - 1];
                cursor.skip_digits();
            }
        }
    }
    let midnight = hour == 24 && (minute, second, millis) == (0, 0, 0);
    if (hour > 23 && !midnight) || minute > 59 || second > 59 {
        return None;
    }
    let time_ms = i64::from(((hour * 60 + minute) * 60 + second) * 1_000 + millis);
    Some((time_ms, zone(cursor)?))
}

fn zone(cursor: &mut Cursor<'_>) -> Option<i64> {
    if cursor.0.is_empty() || cursor.take(b'Z').is_some() || cursor.take(b'z').is_some() {
        return Some(0);
    }
    let sign = if cursor.take(b'+').is_some() {
        1
    } else {
        cursor.take(b'-')?;
        -1
    };
    let hours = cursor.number(2)?;
    let colon = cursor.take(b':').is_some();
    let minutes = if colon || cursor.run() >= 2 { cursor.number(2)? } else { 0 };
    (hours <= 23 && minutes <= 59).then(|| sign * i64::from(hours * 60 + minutes) * 60_000)
}

/// Milliseconds from the epoch to the start of a day.
pub fn day_ms(year: i32, month: u32, day: u32) -> Option<i64> {
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    Some(date.signed_duration_since(epoch).num_days() * DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 1_672_617_600_000; // 2023-01-02T00:00:00Z, a Monday

    #[test]
    fn every_form_of_one_day_is_that_day() {
        for text in
            ["2023-01-02", "20230102", "2023-W01-1", "2023W011", "2023-W01", "2023-002", "2023002", "+002023-01-02"]
        {
            assert_eq!(parse(text), Some(DAY), "{text}");
        }
        assert_eq!(parse("2023"), Some(DAY - DAY_MS));
        assert_eq!(parse("2023-01"), Some(DAY - DAY_MS));
    }

    #[test]
    fn times_and_zones_are_read() {
        let at = |text: &str| parse(text).map(|ms| ms - DAY);
        assert_eq!(at("2023-01-02T10"), Some(36_000_000));
        assert_eq!(at("2023-01-02T10:00"), Some(36_000_000));
        assert_eq!(at("2023-01-02T10:00:00.123456Z"), Some(36_000_123));
        assert_eq!(at("2023-01-02T100000,5+02"), Some(28_800_500));
        assert_eq!(at("20230102T1000"), Some(36_000_000));
        assert_eq!(at("2023-01-02T10:00:00+0530"), Some(16_200_000));
        assert_eq!(at("2023-01-02T10:00:00-01:00"), Some(39_600_000));
        assert_eq!(at("2023-01-02T24:00:00Z"), Some(DAY_MS));
    }

    #[test]
    fn what_is_out_of_range_or_left_over_is_refused() {
        for text in [
            "",
            "soon",
            "2023-13-01",
            "2023-02-30",
            "2023-01-02T25:00",
            "2023-01-02T10:61",
            "2023-01-02T23:59:60Z",
            "2023-01-02T10:00:00Q",
            "2023-01-02 10:00",
            "10:00",
            "1672617600000",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
