//! ISO 8601 as PostHog's date library (luxon) reads it: calendar, week and ordinal dates, basic and extended
//! form mixed at will, with or without a time and a zone. A moment without a zone is UTC.
//!
//! A time alone is refused: there it is a time of today, whatever day the worker has.

use crate::calendar::{self, DAY_MS};
use crate::clock::UnixMillis;
use crate::js_date::RANGE_MS;

/// `None` when any part is missing, out of range or left over.
pub fn parse(text: &str) -> Option<UnixMillis> {
    // No text has two of these forms.
    let (day, mut rest) = [date, week_date, ordinal_date].into_iter().find_map(|read| {
        let mut rest = Cursor(text.as_bytes());
        let day = read(&mut rest)?;
        matches!(rest.0.first(), None | Some(b'T')).then_some((day, rest))
    })?;
    let mut ms = day * DAY_MS;
    if rest.take(b'T') {
        ms += time(&mut rest)? - zone(&mut rest)?;
    }
    (rest.0.is_empty() && ms.abs() <= RANGE_MS).then_some(ms)
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn take(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// The next `digits` digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let value = number
            .iter()
            .try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))?;
        self.0 = rest;
        Some(value)
    }

    /// Digits behind a mark that may be missing; without the digits nothing is taken.
    fn further(&mut self, mark: u8, digits: usize) -> Option<i64> {
        let before = self.0;
        self.take(mark);
        let number = self.number(digits);
        if number.is_none() {
            self.0 = before;
        }
        number
    }
}

fn date(cursor: &mut Cursor<'_>) -> Option<i64> {
    let is_negative = cursor.0.first() == Some(&b'-');
    let year = if is_negative || cursor.0.first() == Some(&b'+') {
        cursor.0 = &cursor.0[1..];
        cursor.number(6)? * if is_negative { -1 } else { 1 }
    } else {
        cursor.number(4)?
    };
    let month = cursor.further(b'-', 2);
    let day = month.and_then(|_| cursor.further(b'-', 2));
    calendar::day(year, month.unwrap_or(1), day.unwrap_or(1))
}

fn week_date(cursor: &mut Cursor<'_>) -> Option<i64> {
    let year = cursor.number(4)?;
    cursor.take(b'-');
    cursor.take(b'W').then_some(())?;
    let week = cursor.number(2)?;
    calendar::day_of_week(year, week, cursor.further(b'-', 1).unwrap_or(1))
}

fn ordinal_date(cursor: &mut Cursor<'_>) -> Option<i64> {
    let year = cursor.number(4)?;
    calendar::day_of_year(year, cursor.further(b'-', 3)?)
}

fn time(cursor: &mut Cursor<'_>) -> Option<i64> {
    let hour = cursor.number(2)?;
    let minute = cursor.further(b':', 2);
    let second = minute.and_then(|_| cursor.further(b':', 2));
    let (minute, ms) = (minute.unwrap_or(0), second.map_or(Some(0), |_| fraction(cursor))?);
    let second = second.unwrap_or(0);
    let is_midnight = hour == 24 && (minute, second, ms) == (0, 0, 0);
    let is_time = hour <= 23 && minute <= 59 && second <= 59 && ms <= 999;
    (is_time || is_midnight).then_some(((hour * 60 + minute) * 60 + second) * 1_000 + ms)
}

/// Milliseconds of a second, rounded as a double is.
fn fraction(cursor: &mut Cursor<'_>) -> Option<i64> {
    const LONGEST: usize = 30;
    if !cursor.take(b'.') && !cursor.take(b',') {
        return Some(0);
    }
    let length = cursor.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = cursor.0.split_at((1..=LONGEST).contains(&length).then_some(length)?);
    cursor.0 = rest;
    let part: f64 = format!("0.{}", std::str::from_utf8(digits).ok()?).parse().ok()?;
    Some((part * 1_000.0).floor() as i64)
}

/// Zones that nobody lives in are zones too.
fn zone(cursor: &mut Cursor<'_>) -> Option<i64> {
    if cursor.0.is_empty() || cursor.take(b'Z') {
        return Some(0);
    }
    let sign = if cursor.take(b'-') { -1 } else { cursor.take(b'+').then_some(1)? };
    let hours = cursor.number(2)?;
    Some(sign * (hours * 60 + cursor.further(b':', 2).unwrap_or(0)) * 60_000)
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
        assert_eq!(at("20230102T10:0000+99:99"), Some(36_000_000 - (99 * 60 + 99) * 60_000));
        assert_eq!(at("2023W01-1T00:00:00.9999999999999999Z"), Some(999));
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
            "2023-01-02t10:00",
            "2023-01-02T10:00z",
            " 2023-01-02",
            "2023-01-02T10:00:00.",
            "10:00",
            "T10:00",
            "1672617600000",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
