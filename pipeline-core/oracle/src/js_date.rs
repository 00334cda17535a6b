//! `new Date(text)` of V8, the engine under the reference's worker: first the exact ES5 form, then its forgiving
//! older parser. Its quirks are kept, because what it reads decides where an event lands (SPEC 2.1).
//!
//! Local times are UTC: the worker's time zone is.

use chrono::NaiveDate;

use crate::js_tokens::{Scanner, Token, Word};

/// The largest distance from the epoch that a `Date` can hold.
pub(crate) const MAX_DATE_MS: i64 = 8_640_000_000_000_000;

/// `new Date(number)`: whole milliseconds, none if out of range.
pub(crate) fn from_number(number: f64) -> Option<i64> {
    (number.abs() <= MAX_DATE_MS as f64).then(|| number.trunc() as i64)
}

/// `new Date(text)`; none is `Invalid Date`.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let mut scanner = Scanner::new(text);
    let mut date = Parts::default();
    match es5(&mut scanner, &mut date) {
        Es5::Whole => {}
        Es5::Invalid => return None,
        Es5::Rest(token) => legacy(&mut scanner, token, &mut date)?,
    }
    date.milliseconds()
}

/// What has been read of a date so far.
#[derive(Default)]
struct Parts {
    day: Vec<i64>,
    named_month: Option<i64>,
    iso: bool,
    time: Vec<i64>,
    half_day: Option<i64>,
    zone_sign: Option<i64>,
    zone_hour: Option<i64>,
    zone_minute: Option<i64>,
}

impl Parts {
    fn add_day(&mut self, value: i64) -> Option<()> {
        (self.day.len() < 3).then(|| self.day.push(value))
    }

    fn add_time(&mut self, value: i64) -> Option<()> {
        (self.time.len() < 4).then(|| self.time.push(value))
    }

    fn add_final_time(&mut self, value: i64) {
        // A time that is full already stays as it is.
        let _full = self.add_time(value);
        self.time.resize(4, 0);
    }

    fn expects_time(&self, value: i64) -> bool {
        match self.time.len() {
            1 | 2 => (0..60).contains(&value),
            3 => (0..1000).contains(&value),
            _ => false,
        }
    }

    fn expects_zone_minute(&self, value: i64) -> bool {
        self.zone_hour.is_some() && self.zone_minute.is_none() && (0..60).contains(&value)
    }

    fn set_zone(&mut self, hours: i64) {
        self.zone_sign = Some(if hours < 0 { -1 } else { 1 });
        self.zone_hour = Some(hours.abs());
        self.zone_minute = Some(0);
    }

    fn milliseconds(self) -> Option<i64> {
        let day = self.days()?;
        let time = self.time_of_day()?;
        // V8 multiplies in unsigned 32 bits and gives up on what does not fit signed ones.
        let (hour, minute) = (self.zone_hour.unwrap_or(0) as u32, self.zone_minute.unwrap_or(0) as u32);
        let seconds = hour.wrapping_mul(3600).wrapping_add(minute.wrapping_mul(60));
        let offset = self.zone_sign.unwrap_or(0) * i64::from(i32::try_from(seconds).ok()?) * 1000;
        let milliseconds = day.checked_mul(86_400_000)? + time - offset;
        (milliseconds.abs() <= MAX_DATE_MS).then_some(milliseconds)
    }

    /// Days since the epoch. A day beyond the end of its month runs on into the next.
    fn days(&self) -> Option<i64> {
        let is_day = |value: i64| (1..=31).contains(&value);
        if self.day.is_empty() {
            return None;
        }
        let mut parts = self.day.clone();
        parts.resize(3, 1);
        let (mut year, month, day) = match self.named_month {
            None if self.iso || !is_day(parts[0]) => (parts[0], parts[1], parts[2]),
            None => (parts[2], parts[0], parts[1]),
            Some(month) if !is_day(parts[0]) => (parts[0], month, parts[1]),
            Some(month) => (parts[1], month, parts[0]),
        };
        if !self.iso {
            year += match year {
                0..=49 => 2000,
                50..=99 => 1900,
                _ => 0,
            };
        }
        if !(1..=12).contains(&month) || !is_day(day) {
            return None;
        }
        // The calendar repeats every 400 years; chrono's ends before that of `Date` does.
        let cycles = (year - 2000).div_euclid(400);
        let first = NaiveDate::from_ymd_opt((year - cycles * 400) as i32, month as u32, 1)?;
        let days = first.signed_duration_since(NaiveDate::default()).num_days();
        Some(cycles * 146_097 + days + day - 1)
    }

    fn time_of_day(&self) -> Option<i64> {
        let mut parts = self.time.clone();
        parts.resize(4, 0);
        if let Some(half_day) = self.half_day {
            if !(0..=12).contains(&parts[0]) {
                return None;
            }
            parts[0] = parts[0] % 12 + half_day;
        }
        let usual = (0..24).contains(&parts[0])
            && (0..60).contains(&parts[1])
            && (0..60).contains(&parts[2])
            && (0..1000).contains(&parts[3]);
        (usual || parts == [24, 0, 0, 0]).then(|| ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + parts[3])
    }
}

enum Es5 {
    Whole,
    Invalid,
    /// Not this form: the older parser goes on with this token, and keeps what was read.
    Rest(Token),
}

/// `[+-YY]YYYY[-MM[-DD]][THH:mm[:ss[.s…]][Z|±HH:mm|±HHmm]]`
fn es5(scanner: &mut Scanner, date: &mut Parts) -> Es5 {
    if let Token::Symbol(sign @ ('+' | '-')) = scanner.peek() {
        let sign_token = scanner.next();
        let Some(year) = scanner.fixed(6, |_| true) else { return Es5::Rest(sign_token) };
        if sign == '-' && year == 0 {
            return Es5::Rest(sign_token);
        }
        date.day.push(if sign == '-' { -year } else { year });
    } else if let Some(year) = scanner.fixed(4, |_| true) {
        date.day.push(year);
    } else {
        return Es5::Rest(scanner.next());
    }
    for limit in [12, 31] {
        if !scanner.skip('-') {
            break;
        }
        match scanner.fixed(2, |value| (1..=limit).contains(&value)) {
            Some(value) => date.day.push(value),
            None => return Es5::Rest(scanner.next()),
        }
    }
    match scanner.peek() {
        Token::Word(Word::TimeSeparator) => {
            scanner.next();
            if es5_time(scanner, date).is_none() || scanner.peek() != Token::End {
                return Es5::Invalid;
            }
        }
        Token::End => date.set_zone(0),
        _ => return Es5::Rest(scanner.next()),
    }
    date.iso = true;
    Es5::Whole
}

fn es5_time(scanner: &mut Scanner, date: &mut Parts) -> Option<()> {
    let hour = scanner.fixed(2, |value| value <= 24)?;
    let limit = if hour == 24 { 1 } else { 60 };
    date.time.push(hour);
    if !scanner.skip(':') {
        return None;
    }
    date.time.push(scanner.fixed(2, |value| value < limit)?);
    if scanner.skip(':') {
        date.time.push(scanner.fixed(2, |value| value < limit)?);
        if scanner.skip('.') {
            match scanner.next() {
                Token::Number { value, .. } if hour == 24 && value > 0 => return None,
                Token::Number { value, length } => date.time.push(thousandths(value, length)),
                _ => return None,
            }
        }
    }
    match scanner.peek() {
        Token::Word(Word::Zone { zulu: true, .. }) => {
            scanner.next();
            date.set_zone(0);
        }
        Token::Symbol(sign @ ('+' | '-')) => {
            scanner.next();
            date.zone_sign = Some(if sign == '-' { -1 } else { 1 });
            let (hour, minute) = if let Some(both) = scanner.fixed(4, |n| n / 100 < 24 && n % 100 < 60) {
                (both / 100, both % 100)
            } else {
                let hour = scanner.fixed(2, |value| value < 24)?;
                if !scanner.skip(':') {
                    return None;
                }
                (hour, scanner.fixed(2, |value| value < 60)?)
            };
            date.zone_hour = Some(hour);
            date.zone_minute = Some(minute);
        }
        _ => {}
    }
    Some(())
}

/// The first three digits of a fraction.
fn thousandths(value: i64, length: usize) -> i64 {
    match length.min(9) {
        1 => value * 100,
        2 => value * 10,
        digits => value / 10_i64.pow(digits as u32 - 3),
    }
}

fn legacy(scanner: &mut Scanner, first: Token, date: &mut Parts) -> Option<()> {
    let mut number_seen = !date.day.is_empty();
    let mut token = first;
    while token != Token::End {
        match token {
            Token::Number { value, .. } => {
                number_seen = true;
                legacy_number(scanner, value, date)?;
            }
            Token::Word(Word::HalfDay(hours)) if !date.time.is_empty() => date.half_day = Some(hours),
            Token::Word(Word::Month(month)) => {
                date.named_month = Some(month);
                scanner.skip('-');
            }
            Token::Word(Word::Zone { hours, .. }) if number_seen => date.set_zone(hours),
            // A word that means nothing may stand before the first number, not right at it.
            Token::Word(_) if number_seen || matches!(scanner.peek(), Token::Number { .. }) => return None,
            Token::Symbol(sign @ ('+' | '-'))
                if !date.time.is_empty() || (date.zone_hour == Some(0) && date.zone_minute == Some(0)) =>
            {
                date.zone_sign = Some(if sign == '-' { -1 } else { 1 });
                number_seen = true;
                let (mut value, mut digits) = (0, 0);
                if let Token::Number { value: number, length } = scanner.peek() {
                    scanner.next();
                    (value, digits) = (number, length);
                }
                (date.zone_hour, date.zone_minute) = match digits {
                    _ if scanner.peek() == Token::Symbol(':') => (Some(value), None),
                    1 | 2 => (Some(value), Some(0)),
                    3 | 4 => (Some(value / 100), Some(value % 100)),
                    _ => return None,
                };
            }
            Token::Symbol('+' | '-' | ')') if number_seen => return None,
            _ => {}
        }
        token = scanner.next();
    }
    Some(())
}

fn legacy_number(scanner: &mut Scanner, value: i64, date: &mut Parts) -> Option<()> {
    if scanner.skip(':') {
        if scanner.skip(':') {
            if !date.time.is_empty() {
                return None;
            }
            date.time.extend([value, 0]);
        } else {
            date.add_time(value)?;
            scanner.skip('.');
        }
    } else if scanner.skip('.') && date.expects_time(value) {
        date.add_time(value)?;
        match scanner.next() {
            Token::Number { value, length } => date.add_final_time(thousandths(value, length)),
            _ => return None,
        }
    } else if date.expects_zone_minute(value) {
        date.zone_minute = Some(value);
    } else if date.expects_time(value) {
        date.add_final_time(value);
        let ends = matches!(
            scanner.peek(),
            Token::End | Token::Space | Token::Symbol('+' | '-') | Token::Word(Word::Zone { zulu: true, .. })
        );
        if !ends {
            return None;
        }
    } else {
        date.add_day(value)?;
        scanner.skip('-');
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What V8 12 answers to `new Date(text).getTime()` in UTC.
    #[test]
    fn as_v8_reads_it() {
        for (text, expected) in [
            ("2023-01-02", Some(1_672_617_600_000)),
            ("2023-01-02T10:00", Some(1_672_653_600_000)),
            ("2023-1-2", Some(1_672_617_600_000)),
            ("2023-01-02 10:00:00.5+01:00", Some(1_672_650_000_500)),
            ("2023-01-02T10:00:00+01", None),
            ("2023-01-02T10", None),
            ("2023-02-31", Some(1_677_801_600_000)),
            ("2023-012", Some(1_701_388_800_000)),
            ("2023-045", None),
            ("20230102", None),
            ("13", None),
            ("12", Some(1_007_164_800_000)),
            ("0", Some(946_684_800_000)),
            ("1/2/49", Some(2_493_158_400_000)),
            ("Jan 2, 2023 10:00", Some(1_672_653_600_000)),
            ("2 january 2023 10:00 PM EST", Some(1_672_714_800_000)),
            ("Mon Jan 02 2023 10:00:00 GMT+0100 (CET)", Some(1_672_650_000_000)),
            ("+275760-09-13T00:00:00Z", Some(MAX_DATE_MS)),
            ("+275760-09-13T00:00:00.001Z", None),
            ("-271821-04-20T00:00:00Z", Some(-MAX_DATE_MS)),
            ("-000000-01-01", Some(978_307_200_000)),
            ("2023-01-02\0 or so", Some(1_672_617_600_000)),
            ("2 Jan 2023 10:00\u{2028}GMT", None),
            ("1/1/2023 10:00+1193047:00", Some(1_672_565_296_000)),
            ("1/1/2023 10:00+596524:00", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
