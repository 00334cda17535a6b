//! Numbers as people read them. Every figure on the page goes through here, so that the same
//! quantity looks the same everywhere.

/// `1234567` as `1,234,567`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

pub fn signed(value: i64) -> String {
    let sign = if value < 0 { "−" } else { "" };
    format!("{sign}{}", count(value.unsigned_abs()))
}

/// Events a second: a decimal while it is small enough to matter.
pub fn rate(value: f64) -> String {
    if !value.is_finite() || value <= 0.0 {
        "0".into()
    } else if value < 9.95 {
        format!("{value:.1}")
    } else {
        count(value.round() as u64)
    }
}

/// At most five characters, for a box in the graph: `12.3k`, `1.2M`.
pub fn short(value: f64) -> String {
    match value {
        v if v < 9_999.5 => rate(v),
        v if v < 99_950.0 => format!("{:.1}k", v / 1e3),
        v if v < 999_500.0 => format!("{:.0}k", v / 1e3),
        v => format!("{:.1}M", v / 1e6),
    }
}

/// A duration given in milliseconds, with three significant digits and a unit.
pub fn millis(value: f64) -> String {
    if !value.is_finite() || value < 0.0 {
        return "–".into();
    }
    match value {
        0.0 => "0 ms".into(),
        v if v < 0.0995 => format!("{:.0} µs", v * 1e3),
        v if v < 0.9995 => format!("{v:.2} ms"),
        v if v < 9.95 => format!("{v:.1} ms"),
        v if v < 999.5 => format!("{v:.0} ms"),
        v if v < 9_995.0 => format!("{:.2} s", v / 1e3),
        v if v < 59_950.0 => format!("{:.1} s", v / 1e3),
        v => uptime(v / 1e3),
    }
}

pub fn micros(value: f64) -> String {
    if value < 1_000.0 { format!("{value:.0} µs") } else { millis(value / 1e3) }
}

/// How far behind a reader is: always in seconds, because the bar is in seconds.
pub fn behind(lag_ms: f64) -> String {
    let seconds = lag_ms / 1e3;
    if seconds < 9.995 { format!("{seconds:.2}") } else { rate(seconds) }
}

pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut amount = value as f64;
    let mut unit = 0;
    while amount >= 1023.5 && unit < UNITS.len() - 1 {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 || amount >= 99.95 {
        format!("{amount:.0} {}", UNITS[unit])
    } else {
        format!("{amount:.1} {}", UNITS[unit])
    }
}

/// `3 h 04 min`, `2 min 10 s`, `45 s`.
pub fn uptime(seconds: f64) -> String {
    let total = seconds.max(0.0) as u64;
    let (days, hours, minutes, rest) = (total / 86_400, total / 3_600 % 24, total / 60 % 60, total % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, m) => format!("{m} min {rest:02} s"),
        (0, h, m) => format!("{h} h {m:02} min"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

/// Time of day with milliseconds. `offset_minutes` is what JavaScript's `getTimezoneOffset` gives:
/// minutes to add to local time to get UTC.
pub fn clock(unix_ms: i64, offset_minutes: i32) -> String {
    const DAY: i64 = 86_400_000;
    let local = (unix_ms - i64::from(offset_minutes) * 60_000).rem_euclid(DAY);
    let (hours, minutes) = (local / 3_600_000, local / 60_000 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:03}", local / 1_000 % 60, local % 1_000)
}

/// The same without milliseconds.
pub fn seconds(unix_ms: i64, offset_minutes: i32) -> String {
    let mut text = clock(unix_ms, offset_minutes);
    text.truncate("00:00:00".len());
    text
}

/// How long until a moment, rounded up so that it is never early.
pub fn countdown(left_ms: i64) -> String {
    if left_ms <= 0 { "now".into() } else { format!("in {}", uptime((left_ms as f64 / 1e3).ceil())) }
}

/// How long since a moment.
pub fn ago(past_ms: i64) -> String {
    if past_ms < 1_000 { "just now".into() } else { format!("{} ago", uptime(past_ms as f64 / 1e3)) }
}

/// With a capital first letter.
pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A version as a person compares it: the first seven digits.
pub fn short_version(version: &str) -> &str {
    version.get(..7).unwrap_or(version)
}

/// `dead_lettered` as `dead lettered`.
pub fn words(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        assert_eq!([count(0), count(999), count(1_000), count(12_345_678)], ["0", "999", "1,000", "12,345,678"]);
        assert_eq!(signed(-1_500), "−1,500");
    }

    #[test]
    fn rates_keep_a_decimal_only_while_small() {
        assert_eq!([rate(0.0), rate(0.42), rate(9.96), rate(1_999.6)], ["0", "0.4", "10", "2,000"]);
        assert_eq!([rate(f64::NAN), rate(-3.0)], ["0", "0"]);
        assert_eq!([short(9_999.0), short(12_340.0), short(250_000.0), short(2e6)], ["9,999", "12.3k", "250k", "2.0M"]);
    }

    #[test]
    fn durations_pick_their_unit() {
        let cases = [0.0, 0.042, 0.42, 2.34, 23.4, 999.4, 1_230.0, 12_300.0, 130_000.0];
        let want = ["0 ms", "42 µs", "0.42 ms", "2.3 ms", "23 ms", "999 ms", "1.23 s", "12.3 s", "2 min 10 s"];
        assert_eq!(cases.map(millis), want);
        assert_eq!([micros(87.4), micros(1_870.0)], ["87 µs", "1.9 ms"]);
        assert_eq!([behind(184.0), behind(12_000.0)], ["0.18", "12"]);
    }

    #[test]
    fn bytes_and_uptime() {
        assert_eq!([bytes(512), bytes(1_536), bytes(157_286_400)], ["512 B", "1.5 KiB", "150 MiB"]);
        assert_eq!([uptime(45.0), uptime(11_050.0), uptime(90_000.0)], ["45 s", "3 h 04 min", "1 d 1 h"]);
    }

    #[test]
    fn countdowns_are_never_early() {
        assert_eq!(
            [countdown(-5), countdown(0), countdown(1), countdown(59_001)],
            ["now", "now", "in 1 s", "in 1 min 00 s"]
        );
        assert_eq!([ago(20), ago(61_500)], ["just now", "1 min 01 s ago"]);
    }

    #[test]
    fn clock_is_local() {
        let noon = 1_700_000_000_000; // 22:13:20 UTC
        assert_eq!(clock(noon, 0), "22:13:20.000");
        assert_eq!(clock(noon + 7, -60), "23:13:20.007");
        assert_eq!(clock(-1, 0), "23:59:59.999");
    }

    #[test]
    fn versions_are_cut_not_panicked_on() {
        assert_eq!([short_version("abc123def456"), short_version("ab"), short_version("")], ["abc123d", "ab", ""]);
    }
}
