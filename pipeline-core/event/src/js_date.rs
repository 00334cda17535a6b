//! What JavaScript's `Date` understands beyond ISO 8601: RFC 2822, `toString()`, and the loose forms
//! that people type. A moment without a zone is UTC, as on PostHog's servers.

use crate::clock::UnixMillis;
use crate::iso8601;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Zones that engines know by name, in minutes east of Greenwich.
const ZONES: [(&str, i64); 11] = [
    ("z", 0),
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
];

pub fn parse(text: &str) -> Option<UnixMillis> {
    iso8601::parse(text).or_else(|| spaced_iso(text)).or_else(|| loose(text))
}

/// `2023-01-02 10:00:00+02`: SQL's form.
fn spaced_iso(text: &str) -> Option<UnixMillis> {
    let (day, time) = text.trim().split_once(' ')?;
    // The zone may stand apart.
    iso8601::parse(&format!("{day}T{}", time.trim().replacen(' ', "", 1)))
}

#[derive(Debug, Default)]
struct Loose {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    time_ms: i64,
    zone_ms: i64,
}

fn loose(text: &str) -> Option<UnixMillis> {
    let mut found = Loose::default();
    // A comment in parentheses is a zone's long name.
    let text = text.split('(').next().unwrap_or_default();
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        found.word(word)?;
    }
    let day_ms = iso8601::day_ms(found.year?, found.month?, found.day?)?;
    Some(day_ms + found.time_ms - found.zone_ms)
}

impl Loose {
    fn word(&mut self, word: &str) -> Option<()> {
        let lower = word.to_ascii_lowercase();
        if word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit()) {
            let padded = if word.as_bytes().get(1) == Some(&b':') { format!("0{word}") } else { word.to_owned() };
            let (time_ms, zone_ms) = iso8601::time_and_zone(&padded)?;
            (self.time_ms, self.zone_ms) = (time_ms, zone_ms);
        } else if word.contains('/') {
            self.slashed(word)?;
        } else if word.starts_with(|c: char| c.is_ascii_digit()) {
            let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let suffix = &lower[digits.len()..];
            if !["", "st", "nd", "rd", "th"].contains(&suffix) {
                return None;
            }
            let number: u32 = digits.parse().ok()?;
            if digits.len() <= 2 && self.day.is_none() {
                self.day = Some(number);
            } else {
                self.year = Some(i32::try_from(number).ok()?);
            }
        } else if lower == "am" || lower == "pm" {
            let hours = self.time_ms / 3_600_000;
            match (lower.as_str(), hours) {
                ("pm", 1..=11) => self.time_ms += 12 * 3_600_000,
                ("am", 12) => self.time_ms -= 12 * 3_600_000,
                _ => {}
            }
        } else if let Some(month) = index_of(&MONTHS, &lower) {
            self.month = Some(u32::try_from(month).ok()? + 1);
        } else if index_of(&WEEKDAYS, &lower).is_none() {
            self.zone(&lower)?;
        }
        Some(())
    }

    fn zone(&mut self, lower: &str) -> Option<()> {
        let sign_at = lower.find(['+', '-']).unwrap_or(lower.len());
        let (name, offset) = lower.split_at(sign_at);
        let named = if name.is_empty() { 0 } else { ZONES.iter().find(|(known, _)| *known == name)?.1 };
        let offset = if offset.is_empty() { 0 } else { iso8601::time_and_zone(&format!("00:00{offset}"))?.1 };
        self.zone_ms = named * 60_000 + offset;
        Some(())
    }

    /// `2023/01/02` or, as in America, `01/02/2023`.
    fn slashed(&mut self, word: &str) -> Option<()> {
        let parts: Vec<&str> = word.split('/').collect();
        let [first, second, third] = parts[..] else { return None };
        let (year, month, day) = if first.len() == 4 { (first, second, third) } else { (third, first, second) };
        (self.year, self.month, self.day) =
            (Some(year.parse().ok()?), Some(month.parse().ok()?), Some(day.parse().ok()?));
        Some(())
    }
}

fn index_of(names: &[&str], word: &str) -> Option<usize> {
    // Long forms count too, and so does a dot after a short one.
    let word = word.trim_end_matches('.');
    (word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .then(|| names.iter().position(|name| word.starts_with(name)))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: i64 = 1_672_653_600_000; // 2023-01-02T10:00:00Z

    #[test]
    fn the_forms_that_people_and_engines_write() {
        for text in [
            "2023-01-02T10:00:00Z",
            "2023-01-02 10:00:00",
            "2023-01-02 12:00:00+02",
            "2023-01-02 12:00:00 +02:00",
            "Mon, 02 Jan 2023 10:00:00 GMT",
            "Mon, 02 Jan 2023 05:00:00 EST",
            "Mon Jan 02 2023 11:00:00 GMT+0100 (Central European Standard Time)",
            "Jan 2, 2023 10:00",
            "January 2nd, 2023 10:00 AM",
            "2 January 2023 10:00:00 UTC",
            "2023/01/02 10:00",
            "01/02/2023 10:00:00",
            "1/2/2023 10:00 am",
        ] {
            assert_eq!(parse(text), Some(TEN), "{text}");
        }
        assert_eq!(parse("1/2/2023 10:00 pm"), Some(TEN + 12 * 3_600_000));
    }

    #[test]
    fn words_and_bare_numbers_are_not_dates() {
        for text in ["yesterday", "12", "1672653600000", "10:00", "Foo 2 2023", ""] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
