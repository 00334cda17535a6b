//! What a plugin returned, before anybody else gets it.
//!
//! The text comes from `JSON.stringify` of a sandbox, so it is compact and nearly always an event. A hostile
//! `toJSON` can make it anything, a getter can name another team, a text cut in the middle of a character
//! leaves half of one, and what is nested too deeply cannot be read by those who come later. One pass over
//! the text finds all of these.

use std::borrow::Cow;
use std::ops::Range;

const TEAM: &[u8] = b"\"team_id\":";
/// Readers of JSON take about 128; those who come later wrap events in objects of their own.
const DEEPEST: u32 = 100;

/// An event that can go on.
#[derive(Debug, PartialEq, Eq)]
pub struct Returned {
    pub text: String,
    /// It named another team, and has its own again.
    pub had_moved: bool,
}

/// `before` is the event as the plugin got it. The error says what is wrong.
pub fn checked(before: &str, text: String) -> Result<Returned, String> {
    if !text.starts_with('{') {
        return Err("TypeError: processEvent must return an event, or null to drop it".to_owned());
    }
    let found = scan(&text);
    if found.depth > DEEPEST {
        return Err(format!("Error: the event is nested deeper than {DEEPEST} levels"));
    }
    let team = scan(before).team.map(|range| &before[range]);
    let had_moved = team.is_some() && found.team.clone().map(|range| &text[range]) != team;
    let text = match team.filter(|_| had_moved) {
        Some(team) => with_team(&text, found.team, team),
        None => text,
    };
    let text = if found.has_half { well_formed(&text).into_owned() } else { text };
    Ok(Returned { text, had_moved })
}

fn with_team(text: &str, found: Option<Range<usize>>, team: &str) -> String {
    match found {
        Some(range) => format!("{}{team}{}", &text[..range.start], &text[range.end..]),
        None if text == "{}" => format!("{{\"team_id\":{team}}}"),
        None => format!("{{\"team_id\":{team},{}", &text[1..]),
    }
}

#[derive(Debug, Default)]
struct Found {
    depth: u32,
    /// Of the value of the top-level key.
    team: Option<Range<usize>>,
    /// A surrogate without its other half.
    has_half: bool,
}

fn scan(text: &str) -> Found {
    let bytes = text.as_bytes();
    let mut found = Found::default();
    let (mut depth, mut at) = (0_u32, 0);
    let mut team_start = None;
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => {
                depth += 1;
                found.depth = found.depth.max(depth);
            }
            byte @ (b'}' | b']' | b',') => {
                if depth == 1
                    && let Some(start) = team_start.take()
                {
                    found.team = Some(start..at);
                }
                depth -= u32::from(byte != b',' && depth > 0);
            }
            b'"' => {
                if depth == 1 && at > 0 && matches!(bytes[at - 1], b'{' | b',') && bytes[at..].starts_with(TEAM) {
                    at += TEAM.len();
                    team_start = Some(at);
                    continue;
                }
                at = end_of_string(bytes, at, &mut found.has_half);
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The position of the closing quote.
fn end_of_string(bytes: &[u8], start: usize, has_half: &mut bool) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at,
            b'\\' => {
                if let Some(unit) = surrogate(bytes, at) {
                    if is_pair(bytes, at, unit) {
                        at += 12;
                    } else {
                        *has_half = true;
                        at += 6;
                    }
                } else {
                    at += 2;
                }
            }
            _ => at += 1,
        }
    }
    at
}

/// The UTF-16 unit that is escaped here, if it is half a character.
fn surrogate(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let unit = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (0xd800..0xe000).contains(&unit).then_some(unit)
}

fn is_pair(bytes: &[u8], at: usize, first: u16) -> bool {
    first < 0xdc00 && surrogate(bytes, at + 6).is_some_and(|second| second >= 0xdc00)
}

/// With U+FFFD in the place of halves.
fn well_formed(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(next) = text[at..].find('\\') {
        at += next;
        match surrogate(bytes, at) {
            Some(unit) if is_pair(bytes, at, unit) => at += 12,
            Some(_) => {
                out.push_str(&text[copied..at]);
                out.push('\u{fffd}');
                at += 6;
                copied = at;
            }
            None => at += 2,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"{"event":"e","team_id":2,"properties":{"team_id":5,"a":"\"team_id\":7,"}}"#;

    fn text(after: &str) -> (String, bool) {
        let returned = checked(BEFORE, after.to_owned()).expect("an event");
        (returned.text, returned.had_moved)
    }

    #[test]
    fn an_event_of_the_same_team_passes_as_it_is() {
        for same in [BEFORE, r#"{"properties":{"team_id":9},"team_id":2}"#, r#"{"team_id":2}"#] {
            assert_eq!(text(same), (same.to_owned(), false));
        }
        let without = checked("{}", r#"{"team_id":9}"#.to_owned()).expect("an event");
        assert!(!without.had_moved, "it came without a team");
    }

    #[test]
    fn another_team_is_taken_back() {
        let moved = [
            (r#"{"team_id":9,"a":1}"#, r#"{"team_id":2,"a":1}"#),
            (r#"{"a":1,"team_id":{"a":[2,3]}}"#, r#"{"a":1,"team_id":2}"#),
            (r#"{"a":1,"team_id":"2"}"#, r#"{"a":1,"team_id":2}"#),
            (r#"{"a":{"team_id":2}}"#, r#"{"team_id":2,"a":{"team_id":2}}"#),
            ("{}", r#"{"team_id":2}"#),
        ];
        for (after, wanted) in moved {
            assert_eq!(text(after), (wanted.to_owned(), true));
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for wrong in ["1", "\"text\"", "[{}]", "null", ""] {
            assert!(checked(BEFORE, wrong.to_owned()).is_err(), "{wrong}");
        }
        let deep = |levels: usize| format!("{{\"team_id\":2,\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(checked(BEFORE, deep(99)).is_ok());
        assert!(checked(BEFORE, deep(100)).expect_err("too deep").contains("deeper than 100"));
    }

    #[test]
    fn halves_of_characters_are_replaced() {
        let cases = [
            (r"\ud800", "\u{fffd}"),
            (r"a\udfffb\ud83d\ude00", "a\u{fffd}b\\ud83d\\ude00"),
            (r"\udc00\ud800", "\u{fffd}\u{fffd}"),
            (r"\\ud800", r"\\ud800"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}\\ud83d\\ude00"),
        ];
        for (inside, wanted) in cases {
            let (text, _) = text(&format!("{{\"team_id\":2,\"a\":\"{inside}\"}}"));
            assert_eq!(text, format!("{{\"team_id\":2,\"a\":\"{wanted}\"}}"));
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }
}
