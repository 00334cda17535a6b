//! Timestamps as the pipeline writes them: `2024-05-01T09:59:59.123Z`, or with an offset.

/// Milliseconds since 1970; `None` for anything else.
pub fn milliseconds(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', ' '])?;
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone_at);
    let mut parts = clock.splitn(3, ':');
    let hour: i64 = parts.next()?.parse().ok()?;
    let minute: i64 = parts.next()?.parse().ok()?;
    let second: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61.0;
    if !in_range {
        return None;
    }
    let minutes = (days(year, month, day) * 24 + hour) * 60 + minute - offset(zone)?;
    Some(minutes * 60_000 + (second * 1000.0).round() as i64)
}

/// Minutes east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..4).unwrap_or("0").parse().ok()?;
    Some(sign * (hours * 60 + minutes))
}

/// Days since 1970 in the Gregorian calendar. Years are taken to begin in March, so that the leap day is
/// the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn timestamps_in_every_spelling() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2024-02-29T12:00:00.250Z", Some(1_709_208_000_250)),
            ("2024-02-29T14:30:00.250+02:30", Some(1_709_208_000_250)),
            ("2024-03-01 00:00:00", Some(1_709_251_200_000)),
            ("1969-12-31T23:59:59Z", Some(-1000)),
            ("2024-13-01T00:00:00Z", None),
            ("yesterday", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
