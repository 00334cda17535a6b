//! The parts of a date as `Date` collects them, before they are a moment.

use std::ops::RangeInclusive;

use crate::calendar::{DAY_MS, days_before};

/// Beyond them no zone leads back into the range of `Date`.
const YEARS: RangeInclusive<i64> = -300_000..=300_000;

/// Up to three numbers that are not a time, and a month by name.
#[derive(Debug, Default)]
pub struct Day {
    pub numbers: Vec<i64>,
    pub named_month: Option<i64>,
    pub is_iso: bool,
}

#[derive(Debug, Default)]
pub struct Time {
    /// Hour, minute, second, millisecond.
    pub parts: Vec<i64>,
    /// 0 for AM, 12 for PM.
    pub half: Option<i64>,
}

#[derive(Debug, Default)]
pub struct Zone {
    pub sign: Option<i64>,
    pub hour: Option<i64>,
    pub minute: Option<i64>,
}

impl Day {
    pub fn add(&mut self, number: i64) -> Option<()> {
        (self.numbers.len() < 3).then(|| self.numbers.push(number))
    }

    /// Its first moment.
    pub fn ms(&self) -> Option<i64> {
        let (year, month, day) = self.date()?;
        // A day that its month does not have is one of the next month.
        YEARS.contains(&year).then(|| (days_before(year, month) + day - 1) * DAY_MS)
    }

    fn date(&self) -> Option<(i64, i64, i64)> {
        let first = *self.numbers.first()?;
        let second = self.numbers.get(1).copied().unwrap_or(1);
        let third = self.numbers.get(2).copied().unwrap_or(1);
        let is_day = |number: i64| (1..=31).contains(&number);
        let (mut year, month, day) = match self.named_month {
            None if self.is_iso || !is_day(first) => (first, second, third),
            None => (third, first, second),
            Some(month) if !is_day(first) => (first, month, second),
            Some(month) => (second, month, first),
        };
        if !self.is_iso {
            year += match year {
                0..=49 => 2_000,
                50..=99 => 1_900,
                _ => 0,
            };
        }
        ((1..=12).contains(&month) && is_day(day)).then_some((year, month, day))
    }
}

impl Time {
    pub fn expects(&self, value: i64) -> bool {
        match self.parts.len() {
            1 | 2 => (0..=59).contains(&value),
            3 => (0..=999).contains(&value),
            _ => false,
        }
    }

    pub fn add(&mut self, value: i64) -> Option<()> {
        (self.parts.len() < 4).then(|| self.parts.push(value))
    }

    /// What has no place any more is left out.
    pub fn finish(&mut self, value: i64) {
        self.parts.push(value);
        self.parts.resize(4, 0);
    }

    pub fn ms(&self) -> Option<i64> {
        let part = |at: usize| self.parts.get(at).copied().unwrap_or(0);
        let (mut hour, minute, second, ms) = (part(0), part(1), part(2), part(3));
        if let Some(half) = self.half {
            (0..=12).contains(&hour).then_some(())?;
            hour = hour % 12 + half;
        }
        let is_midnight = hour == 24 && (minute, second, ms) == (0, 0, 0);
        let is_time = hour <= 23 && minute <= 59 && second <= 59 && ms <= 999;
        (is_time || is_midnight).then_some(((hour * 60 + minute) * 60 + second) * 1_000 + ms)
    }
}

impl Zone {
    pub fn set(&mut self, hours: i64) {
        *self = Self { sign: Some(if hours < 0 { -1 } else { 1 }), hour: Some(hours.abs()), minute: Some(0) };
    }

    pub fn is_utc(&self) -> bool {
        self.hour == Some(0) && self.minute == Some(0)
    }

    pub fn expects(&self, value: i64) -> bool {
        self.hour.is_some() && self.minute.is_none() && (0..=59).contains(&value)
    }

    /// The engine counts in 32 bits without a sign, and takes what then fits 32 bits with one.
    pub fn ms(&self) -> Option<i64> {
        let part = |value: Option<i64>| value.unwrap_or(0) as u32;
        let seconds = part(self.hour).wrapping_mul(3_600).wrapping_add(part(self.minute).wrapping_mul(60));
        let seconds = i64::from(i32::try_from(seconds).ok()?);
        Some(self.sign.unwrap_or(0) * seconds * 1_000)
    }
}

/// The first three digits of a fraction.
pub fn milliseconds(value: i64, digits: usize) -> i64 {
    match digits {
        1 => value * 100,
        2 => value * 10,
        _ => value / 10_i64.pow(digits.min(9) as u32 - 3),
    }
}
