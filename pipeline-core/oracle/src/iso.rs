//! ISO-8601 as the reference's date library reads it: calendar, week and ordinal dates, in basic or extended form,
//! with an optional time and offset. It reads `sent_at`, and those `timestamp`s that `Date` does not understand.

use chrono::{Datelike, NaiveDate, Weekday};

/// Milliseconds since the epoch; without an offset the text is UTC.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let day = calendar_date(date).or_else(|| week_date(date)).or_else(|| ordinal_date(date))?;
    let day_ms = day.signed_duration_since(NaiveDate::default()).num_milliseconds();
    Some(day_ms + time.map_or(Some(0), time_of_day)?)
}

/// Takes exactly `count` digits off the front.
fn digits(text: &mut &str, count: usize) -> Option<i64> {
    let (head, rest) = text.split_at_checked(count)?;
    if !head.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *text = rest;
    head.parse().ok()
}

fn skip(text: &mut &str, symbol: char) {
    *text = text.strip_prefix(symbol).unwrap_or(text);
}

/// `YYYY`, `±YYYYYY`, then month and day, with or without dashes.
fn calendar_date(text: &str) -> Option<NaiveDate> {
    let mut rest = text;
    let year = if let Some(unsigned) = text.strip_prefix(['+', '-']) {
        rest = unsigned;
        let year = digits(&mut rest, 6)?;
        if text.starts_with('-') { -year } else { year }
    } else {
        digits(&mut rest, 4)?
    };
    let mut parts = [1, 1];
    for part in &mut parts {
        if rest.is_empty() {
            break;
        }
        skip(&mut rest, '-');
        *part = digits(&mut rest, 2)?;
    }
    if !rest.is_empty() {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, parts[0] as u32, parts[1] as u32)
}

/// `YYYY-Www[-D]`
fn week_date(text: &str) -> Option<NaiveDate> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    skip(&mut rest, '-');
    rest = rest.strip_prefix('W')?;
    let week = digits(&mut rest, 2)?;
    let mut day = 1;
    if !rest.is_empty() {
        skip(&mut rest, '-');
        day = digits(&mut rest, 1)?;
    }
    if !rest.is_empty() || !(1..=7).contains(&day) {
        return None;
    }
    let weekday = Weekday::try_from(day as u8 - 1).ok()?;
    NaiveDate::from_isoywd_opt(year as i32, week as u32, weekday)
}

/// `YYYY-DDD`
fn ordinal_date(text: &str) -> Option<NaiveDate> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    skip(&mut rest, '-');
    let day = digits(&mut rest, 3)?;
    let date = NaiveDate::from_yo_opt(year as i32, day as u32)?;
    (rest.is_empty() && date.year() == year as i32).then_some(date)
}

/// `HH[:mm[:ss[.s…]]]` and `Z`, `±HH` or `±HH:mm`, colons optional. The offset is taken off.
fn time_of_day(text: &str) -> Option<i64> {
    let mut rest = text;
    let hour = digits(&mut rest, 2)?;
    let (mut minute, mut second, mut thousandths) = (0, 0, 0);
    if let Some(value) = next_pair(&mut rest) {
        minute = value;
        if let Some(value) = next_pair(&mut rest) {
            second = value;
            if let Some(fraction) = rest.strip_prefix(['.', ',']) {
                let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
                if !(1..=30).contains(&length) {
                    return None;
                }
                thousandths = format!("{:0<3}", &fraction[..length])[..3].parse().ok()?;
                rest = &fraction[length..];
            }
        }
    }
    let whole_day = hour == 24 && minute == 0 && second == 0 && thousandths == 0;
    if (hour > 23 && !whole_day) || minute > 59 || second > 59 {
        return None;
    }
    let offset_minutes = match rest.chars().next() {
        None => 0,
        Some('Z') if rest.len() == 1 => 0,
        Some(sign @ ('+' | '-')) => {
            rest = &rest[1..];
            let hours = digits(&mut rest, 2)?;
            let minutes = if rest.is_empty() { 0 } else { next_pair(&mut rest)? };
            if !rest.is_empty() {
                return None;
            }
            (hours * 60 + minutes) * if sign == '-' { -1 } else { 1 }
        }
        Some(_) => return None,
    };
    Some(((hour * 60 + minute - offset_minutes) * 60 + second) * 1000 + thousandths)
}

/// Two digits, after a colon or at once. Leaves the text alone if it is something else.
fn next_pair(text: &mut &str) -> Option<i64> {
    let mut rest = text.strip_prefix(':').unwrap_or(text);
    let value = digits(&mut rest, 2)?;
    *text = rest;
    Some(value)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn all_forms_of_iso_8601() {
        for (text, expected) in [
            ("2023", "2023-01-01T00:00:00Z"),
            ("2023-02", "2023-02-01T00:00:00Z"),
            ("202302", "2023-02-01T00:00:00Z"),
            ("20230203", "2023-02-03T00:00:00Z"),
            ("2023-02-03T04", "2023-02-03T04:00:00Z"),
            ("20230203T040506", "2023-02-03T04:05:06Z"),
            ("2023-02-03T04:05:06,7", "2023-02-03T04:05:06.700Z"),
            ("2023-02-03T04:05:06.789123Z", "2023-02-03T04:05:06.789Z"),
            ("2023-02-03T24:00:00", "2023-02-04T00:00:00Z"),
            ("2023-02-03T04:05+01", "2023-02-03T03:05:00Z"),
            ("20230203T0405-0130", "2023-02-03T05:35:00Z"),
            ("2023-W05", "2023-01-30T00:00:00Z"),
            ("2023-W05-5", "2023-02-03T00:00:00Z"),
            ("2023W055T10", "2023-02-03T10:00:00Z"),
            ("2023-034", "2023-02-03T00:00:00Z"),
            ("2023034T12:00", "2023-02-03T12:00:00Z"),
            ("+002023-02-03", "2023-02-03T00:00:00Z"),
        ] {
            let expected = DateTime::parse_from_rfc3339(expected).unwrap().timestamp_millis();
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_iso_8601() {
        for text in [
            "",
            "2023-13",
            "2023-02-29",
            "2023-02-03 04:05",
            "2023-02-03T25:00",
            "2023-02-03T04:60",
            "2023-W54",
            "2023-366",
            "2023-02-03T04:05:06.",
            "2023-02-03Z",
            " 2023",
            "1675400000000",
            "2023-02-03T04:05 PM",
            "2023-02-03Tü",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
