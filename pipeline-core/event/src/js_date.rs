//! What JavaScript's `Date` makes of a text, as the engine under PostHog's workers reads it: ISO 8601
//! first, and where that ends, whatever numbers, month names, times and zones are left, in any order.
//! What `Date` refuses may still be ISO 8601 in a form that it does not know. A moment without a zone is
//! UTC, as on PostHog's servers.

use crate::clock::UnixMillis;
use crate::iso8601;
use crate::js_date_fields::{Day, Time, Zone, milliseconds};
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

impl Reader<'_> {
    fn read(&mut self) -> Option<()> {
        let mut token = self.iso()?;
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

    /// Reads as much ISO 8601 as there is and gives what the loose reading starts with. Behind a `T` there
    /// is no loose reading: the rest is ISO 8601 or the text is no date.
    fn iso(&mut self) -> Option<Token> {
        let first = self.tokens.peek();
        let year = if let Token::Symbol(sign @ ('+' | '-')) = first {
            self.tokens.next();
            // There is no year -0; its digits are gone all the same.
            let Some(year) = self.fixed(6, 0..=999_999) else { return Some(first) };
            if sign == '-' && year == 0 {
                return Some(first);
            }
            if sign == '+' { year } else { -year }
        } else {
            let Some(year) = self.fixed(4, 0..=9_999) else { return Some(self.tokens.next()) };
            year
        };
        self.day.numbers.push(year);
        for range in [1..=12, 1..=31] {
            if !self.tokens.skip('-') {
                break;
            }
            let Some(number) = self.fixed(2, range) else { return Some(self.tokens.next()) };
            self.day.numbers.push(number);
        }
        match self.tokens.peek() {
            Token::Word(Word::T) => {
                self.tokens.next();
                self.iso_time()?;
                (self.tokens.peek() == Token::End).then_some(())?;
            }
            Token::End => {}
            _ => return Some(self.tokens.next()),
        }
        self.day.is_iso = true;
        Some(Token::End)
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
            self.time.finish(milliseconds(value, digits));
        } else if self.zone.expects(value) {
            // The engine takes a dot after any number.
            self.tokens.skip('.');
            self.zone.minute = Some(value);
        } else if self.time.expects(value) {
            self.time.finish(value);
            let may_follow = match self.tokens.peek() {
                Token::End | Token::Space | Token::Symbol('+' | '-') => true,
                Token::Word(Word::Zone(0)) => self.tokens.is_z(),
                _ => false,
            };
            may_follow.then_some(())?;
        } else {
            self.tokens.skip('.');
            self.day.add(value)?;
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
        Some(self.day.ms()? + self.time.ms()? - self.zone.ms()?)
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

    /// Each as `new Date(text).getTime()` of Node 20 in UTC; `None` is NaN.
    #[test]
    fn the_nastiest_of_a_million_texts_are_read_as_the_engine_does() {
        for (text, expected) in [
            // Behind a T there is no second reading.
            ("2023-05-31T10:00:00 +0200", None),
            ("2023-01-02T1:00", None),
            ("2023-1-2T10:00", None),
            ("2023-01-02T10:00:00.Z", None),
            ("2023-02-29T24:00:00.000Z", Some(1_677_715_200_000)),
            // A NUL ends the text, a byte order mark is white space, a line separator is a letter.
            ("2023-01-02\0 or so", Some(1_672_617_600_000)),
            ("2 Jan 2023 10:00:00\u{feff}GMT", Some(TEN)),
            ("2 Jan 2023 10:00:00\u{2028}GMT", None),
            ("2 Jan 2023 10:00:00\u{85}GMT", None),
            // A comment counts for nothing, not even for white space.
            ("(a(b)2023) 5", Some(988_675_200_000)),
            ("2 Jan 2023 10:00 (CET)", Some(TEN)),
            ("2 Jan 2023 10:00(CET)", None),
            // The first and the last day, and the year that there is not.
            ("-271821-04-20", Some(-8_640_000_000_000_000)),
            ("275760-09-13", Some(8_640_000_000_000_000)),
            ("+275760-09-13T00:00:00.001Z", None),
            ("-000000 2346Z", Some(11_865_398_400_000)),
            // Zones are counted in 32 bits.
            ("1/1/2023 10:00+1193047:00", Some(1_672_565_296_000)),
            ("1/1/2023 10:00+596524:00", None),
            ("May-1-2023 GMT-8:", Some(1_682_928_000_000)),
            // A time has four parts, whatever else is written.
            ("20::00:60.000 (CET) 201611", Some(6_300_061_531_200_060)),
            ("1/2/23 0:00 PM", Some(TEN + 2 * 3_600_000)),
            ("1/2/23 13:00 PM", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn words_and_bare_numbers_are_not_dates() {
        for text in ["yesterday", "1672653600000", "10:00", "2 Foo 2023", "", "2023-01-02T25:00", "[object Object]"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
