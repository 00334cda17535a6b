//! What texts look like: enough to make others that look the same, and nothing of what they say.

use uuid::Uuid;
use weir_event::js_date;

/// Longer texts are prose.
const LONGEST_MASK: usize = 48;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    Uuid,
    Email,
    Url,
    Address,
    Moment,
    Prose,
    /// Letters as `a` and `A`, digits as `9`; only ASCII punctuation is left as it is.
    Mask(String),
}

pub fn of(text: &str) -> Shape {
    if Uuid::try_parse(text).is_ok() {
        return Shape::Uuid;
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        return Shape::Url;
    }
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Shape::Address;
    }
    if text.contains('@') && !text.contains(' ') {
        return Shape::Email;
    }
    let has_date =
        text.len() >= 10 && text.as_bytes()[4] == b'-' && text.starts_with(|first: char| first.is_ascii_digit());
    if has_date && js_date::parse(text).is_some() {
        return Shape::Moment;
    }
    if text.contains(char::is_whitespace) || text.chars().count() > LONGEST_MASK || text.is_empty() {
        return Shape::Prose;
    }
    Shape::Mask(text.chars().map(masked).collect())
}

fn masked(letter: char) -> char {
    match letter {
        letter if letter.is_ascii_digit() => '9',
        letter if letter.is_uppercase() => 'A',
        letter if letter.is_ascii_punctuation() => letter,
        _ => 'a',
    }
}

/// A pattern that makes texts of a shape; `None` is prose.
pub fn pattern(shape: &Shape) -> Option<String> {
    match shape {
        Shape::Url => Some(format!("{}aaaaa/aaaaaaa", literally("https://www.example.com/"))),
        Shape::Address => Some(format!("{}9", literally("192.0.2.1"))),
        // Any two digits behind these are a moment.
        Shape::Moment => Some(format!(
            "{}9{}9{}9{}9{}",
            literally("2026-01-1"),
            literally("T1"),
            literally(":0"),
            literally(":0"),
            literally(".000Z")
        )),
        Shape::Mask(mask) => Some(
            mask.chars()
                .map(|letter| if letter == '\\' || letter == 'x' { format!("\\{letter}") } else { letter.to_string() })
                .collect(),
        ),
        Shape::Uuid | Shape::Email | Shape::Prose => None,
    }
}

fn literally(text: &str) -> String {
    let literal = |letter: char| if "aA9x\\".contains(letter) { format!("\\{letter}") } else { letter.to_string() };
    text.chars().map(literal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_tell_nothing_of_what_is_said() {
        for (text, shape) in [
            ("0190a5b1-7c3e-7d4a-9f10-5a6b7c8d9e0f", Shape::Uuid),
            ("ann@corp.example", Shape::Email),
            ("https://corp.example/secret?token=1", Shape::Url),
            ("10.1.2.3", Shape::Address),
            ("2024-11-05T10:11:12Z", Shape::Moment),
            ("two words", Shape::Prose),
            ("INV-2024/88x", Shape::Mask("AAA-9999/99a".into())),
            ("Zürich", Shape::Mask("Aaaaaa".into())),
        ] {
            assert_eq!(of(text), shape, "{text}");
        }
        assert_eq!(pattern(&Shape::Mask("AA-9".into())).as_deref(), Some("AA-9"));
        assert_eq!(pattern(&Shape::Address).as_deref(), Some("1\\92.0.2.19"));
    }
}
