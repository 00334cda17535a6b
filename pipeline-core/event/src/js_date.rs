//! What JavaScript's `Date` makes of a text, as the engine under PostHog's workers reads it: ISO 8601
//! first, and where that ends, whatever numbers, month names, times and zones are left, in any order.
//! What `Date` refuses may still be ISO 8601 in a form that it does not know. A moment without a zone is
//! UTC, as on PostHog's servers.

use crate::clock::UnixMillis;
use crate::iso8601;
use crate::js_date_tokens::{Token, Tokens, Word};

/// What JavaScript's `Date` can hold on either side of the epoch.
pub const RANGE_MS: i64 = 8_640_000_000_000_000;

pub fn parse(text: &str) -> Option<UnixMillis> {
    let mut reader =
        Reader { tokens: Tokens::of(text), day: Day::default(), time: Time::default(), zone: Zone::default() };
    let by_engine = reader.read().and_then(|()| reader.moment()).filter(|ms| ms.abs() <= RANGE_MS);
    by_engine.or_else(|| iso8601::parse(text))
}

struct Reader<'a> {
    tokens: Tokens<'a>,
    day: Day,
    time: Time,
    zone: Zone,
}

/// Up to three numbers that are not a time, and a month by name.
#[derive(Debug, Default)]
struct Day {
    numbers: Vec<i64>,
    named_month: Option<i64>,
    is_iso: bool,
}

#[derive(Debug, Default)]
struct Time {
    /// Hour, minute, second, millisecond.
    parts: Vec<i64>,
    /// 0 for AM, 12 for PM.
    half: Option<i64>,
}

#[derive(Debug, Default)]
struct Zone {
    sign: Option<i64>,
    hour: Option<i64>,
    minute: Option<i64>,
}

impl Reader<'_> {
    fn read(&mut self) -> Option<()> {
        let mut token = if self.iso().is_some() { Token::End } else { self.tokens.next() };
        let mut number_seen = !self.day.numbers.is_empty();
        while token != Token::End {
            match token {
                Token::Number { value, .. } => {
                    number_seen = true;
                    self.number(value)?;
                }
                Token::Word(Word::Half(half)) if !self.time.parts.is_empty() => self.time.half = Some(half),
                Token::Word(Word::Month(month)) => {
                    self.day.named_month = Some(month);
                    self.tokens.skip('-');
                }
                Token::Word(Word::Zone(hours)) if number_seen => self.zone.set(hours),
                // Words that mean nothing may only stand before the first number, and apart from it.
                Token::Word(_) if number_seen || matches!(self.tokens.peek(), Token::Number { .. }) => return None,
                Token::Symbol(sign @ ('+' | '-')) if self.zone.is_utc() || !self.time.parts.is_empty() => {
                    number_seen = true;
                    self.zone.sign = Some(if sign == '+' { 1 } else { -1 });
                    self.offset()?;
                }
                Token::Symbol('+' | '-' | ')') if number_seen => return None,
                _ => {}
            }
            token = self.tokens.next();
        }
        Some(())
    }

    /// Reads as much ISO 8601 as there is; `Some` when that was everything.
    fn iso(&mut self) -> Option<()> {
        let sign = match self.tokens.peek() {
            Token::Symbol(sign @ ('+' | '-')) => {
                // A sign without a six-digit year is left for the loose reading.
                let year = self.tokens.after_next();
                let Token::Number { value, digits: 6 } = year else { return None };
                if sign == '-' && value == 0 {
                    return None;
                }
                self.tokens.next();
                Some(if sign == '+' { 1 } else { -1 })
            }
            _ => None,
        };
        let year = self.fixed(if sign.is_some() { 6 } else { 4 }, 0..=999_999)?;
        self.day.numbers.push(sign.unwrap_or(1) * year);
        if self.tokens.skip('-') {
            let month = self.fixed(2, 1..=12)?;
            self.day.numbers.push(month);
            if self.tokens.skip('-') {
                let day = self.fixed(2, 1..=31)?;
                self.day.numbers.push(day);
            }
        }
        if self.tokens.peek() == Token::Word(Word::T) {
            self.tokens.next();
            self.iso_time()?;
        }
        if self.tokens.peek() != Token::End {
            return None;
        }
        self.day.is_iso = true;
        Some(())
    }

    fn iso_time(&mut self) -> Option<()> {
        let hour = self.fixed(2, 0..=24)?;
        self.time.parts.push(hour);
        let latest = if hour == 24 { 0 } else { 59 };
        self.tokens.skip(':').then_some(())?;
        let minute = self.fixed(2, 0..=latest)?;
        self.time.parts.push(minute);
        if self.tokens.skip(':') {
            let second = self.fixed(2, 0..=latest)?;
            self.time.parts.push(second);
            if self.tokens.skip('.') {
                let Token::Number { value, digits } = self.tokens.peek() else { return None };
                if hour == 24 && value > 0 {
                    return None;
                }
                self.tokens.next();
                self.time.parts.push(milliseconds(value, digits));
            }
        }
        match self.tokens.peek() {
            Token::Word(Word::Zone(0)) if self.tokens.is_z() => {
                self.tokens.next();
                self.zone.set(0);
            }
            Token::Symbol(sign @ ('+' | '-')) => {
                self.tokens.next();
                self.zone.sign = Some(if sign == '+' { 1 } else { -1 });
                if let Token::Number { value, digits: 4 } = self.tokens.peek() {
                    self.tokens.next();
                    (value / 100 <= 23 && value % 100 <= 59).then_some(())?;
                    (self.zone.hour, self.zone.minute) = (Some(value / 100), Some(value % 100));
                } else {
                    self.zone.hour = Some(self.fixed(2, 0..=23)?);
                    self.tokens.skip(':').then_some(())?;
                    self.zone.minute = Some(self.fixed(2, 0..=59)?);
                }
            }
            _ => {}
        }
        Some(())
    }

    /// A number of just so many digits within a range; left where it is if it is another.
    fn fixed(&mut self, wanted: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        match self.tokens.peek() {
            Token::Number { value, digits } if digits == wanted && range.contains(&value) => {
                self.tokens.next();
                Some(value)
            }
            _ => None,
        }
    }

    fn number(&mut self, value: i64) -> Option<()> {
        if self.tokens.skip(':') {
            if self.tokens.skip(':') {
                self.time.parts.is_empty().then_some(())?;
                self.time.parts.extend([value, 0]);
            } else {
                self.time.add(value)?;
                self.tokens.skip('.');
            }
        } else if self.tokens.peek() == Token::Symbol('.') && self.time.expects(value) {
            self.tokens.next();
            self.time.add(value)?;
            let Token::Number { value, digits } = self.tokens.next() else { return None };
            self.time.finish(milliseconds(value, digits))?;
        } else if self.zone.expects(value) {
            // The engine takes a dot after any number.
            self.tokens.skip('.');
            self.zone.minute = Some(value);
        } else if self.time.expects(value) {
            self.time.finish(value)?;
            let may_follow = match self.tokens.peek() {
                Token::End | Token::Space | Token::Symbol('+' | '-') => true,
                Token::Word(Word::Zone(0)) => self.tokens.is_z(),
                _ => false,
            };
            may_follow.then_some(())?;
        } else {
            self.tokens.skip('.');
            (self.day.numbers.len() < 3).then_some(())?;
            self.day.numbers.push(value);
            self.tokens.skip('-');
        }
        Some(())
    }

    /// What follows the sign of a zone; nothing may.
    fn offset(&mut self) -> Option<()> {
        let (value, digits) = match self.tokens.peek() {
            Token::Number { value, digits } => {
                self.tokens.next();
                (value, digits)
            }
            _ => (0, 0),
        };
        (self.zone.hour, self.zone.minute) = if self.tokens.peek() == Token::Symbol(':') {
            (Some(value), None)
        } else {
            match digits {
                1 | 2 => (Some(value), Some(0)),
                3 | 4 => (Some(value / 100), Some(value % 100)),
                _ => return None,
            }
        };
        Some(())
    }

    fn moment(&self) -> Option<UnixMillis> {
        let (year, month, day) = self.day.date()?;
        // A day that its month does not have is one of the next month.
        let first_ms = iso8601::day_ms(i32::try_from(year).ok()?, u32::try_from(month).ok()?, 1)?;
        let day_ms = first_ms + (day - 1) * 86_400_000;
        Some(day_ms + self.time.ms()? - self.zone.ms())
    }
}

impl Day {
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
    fn expects(&self, value: i64) -> bool {
        match self.parts.len() {
            1 | 2 => (0..=59).contains(&value),
            3 => (0..=999).contains(&value),
            _ => false,
        }
    }

    fn add(&mut self, value: i64) -> Option<()> {
        (self.parts.len() < 4).then(|| self.parts.push(value))
    }

    fn finish(&mut self, value: i64) -> Option<()> {
        self.add(value)?;
        self.parts.resize(4, 0);
        Some(())
    }

    fn ms(&self) -> Option<i64> {
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
    fn set(&mut self, hours: i64) {
        *self = Self { sign: Some(if hours < 0 { -1 } else { 1 }), hour: Some(hours.abs()), minute: Some(0) };
    }

    fn is_utc(&self) -> bool {
        self.hour == Some(0) && self.minute == Some(0)
    }

    fn expects(&self, value: i64) -> bool {
        self.hour.is_some() && self.minute.is_none() && (0..=59).contains(&value)
    }

    fn ms(&self) -> i64 {
        self.sign.unwrap_or(0) * (self.hour.unwrap_or(0) * 60 + self.minute.unwrap_or(0)) * 60_000
    }
}

/// The first three digits of a fraction.
fn milliseconds(value: i64, digits: usize) -> i64 {
    match digits {
        1 => value * 100,
        2 => value * 10,
        _ => value / 10_i64.pow(digits.min(9) as u32 - 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: i64 = 1_672_653_600_000; // 2023-01-02T10:00:00Z

    #[test]
    fn the_forms_that_people_and_engines_write() {
        for text in [
            "2023-01-02T10:00:00Z",
            "2023-01-02t10:00z",
            "2023-01-02 10:00:00",
            "2023-01-02 12:00:00+02",
            "2023-01-02 12:00:00 +02:00",
            "Mon, 02 Jan 2023 10:00:00 GMT",
            "Mon, 02 Jan 2023 05:00:00 EST",
            "Mon Jan 02 2023 11:00:00 GMT+0100 (Central European Standard Time)",
            "Jan 2, 2023 10:00",
            "January 2 2023 10:00 AM",
            "2 January 2023 10:00:00 UTC",
            "2023/01/02 10:00",
            "01/02/2023 10:00:00",
            "1/2/23 10:00 am",
            "2023-W01-1T10:00",
            "20230102T100000Z",
        ] {
            assert_eq!(parse(text), Some(TEN), "{text}");
        }
        assert_eq!(parse("1/2/2023 10:00 pm"), Some(TEN + 12 * 3_600_000));
    }

    #[test]
    fn the_engine_is_followed_where_it_is_strange() {
        let day = |text: &str| parse(text).map(|ms| crate::time::iso(ms)[..10].to_owned());
        assert_eq!(day("2023-02-31").as_deref(), Some("2023-03-03"));
        assert_eq!(day("5").as_deref(), Some("2001-05-01"));
        assert_eq!(day("2023-005").as_deref(), Some("2023-05-01"));
        assert_eq!(day("2023-013").as_deref(), Some("2023-01-13"), "an ordinal that is no month");
    }

    #[test]
    fn words_and_bare_numbers_are_not_dates() {
        for text in ["yesterday", "1672653600000", "10:00", "2 Foo 2023", "", "2023-01-02T25:00", "[object Object]"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
