//! One pass over the JSON of a request before it is parsed.
//!
//! Everything after the edge (plugins, store, queries) parses an event again, with a parser that stops
//! at depth 128 and refuses a number beyond a double and half a surrogate pair. So what would fail there
//! fails here, where the client can still be told, or is repaired. The pass looks at every byte outside
//! of strings and jumps through strings, and is not a parser: what it does not understand it leaves to
//! the one that follows.

use std::borrow::Cow;

use memchr::memchr2;

use crate::error::CaptureError;

/// Arrays and objects, counted from the root of the request.
const DEPTH: usize = 127;
/// A number of fewer digits and without an exponent fits a double.
const SAFE_DIGITS: usize = 300;

/// Refuses what no later stage could parse, and writes lone surrogate escapes as the text they were.
pub fn check(json: &[u8]) -> Result<Cow<'_, [u8]>, CaptureError> {
    let mut depth = 0_usize;
    let mut lone: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => at = end_of_string(json, at, &mut lone),
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH {
                    return Err(CaptureError::Parse(format!("nested more than {DEPTH} levels deep at byte {at}")));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'0'..=b'9' => at = end_of_number(json, at - 1)?,
            _ => {}
        }
    }
    Ok(if lone.is_empty() { Cow::Borrowed(json) } else { Cow::Owned(escape(json, &lone)) })
}

/// The position after the closing quote; escapes of half a surrogate pair are noted on the way.
fn end_of_string(json: &[u8], mut at: usize, lone: &mut Vec<usize>) -> usize {
    while let Some(found) = quote_or_backslash(json, at) {
        at = found;
        if json[at] == b'"' {
            return at + 1;
        }
        match surrogate(json, at) {
            Some(0xd800..=0xdbff) if matches!(surrogate(json, at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(_) => {
                lone.push(at);
                at += 6;
            }
            None => at += 2,
        }
    }
    json.len()
}

/// Keys and most values are short, where a call of memchr costs more than looking at a few words.
fn quote_or_backslash(json: &[u8], mut at: usize) -> Option<usize> {
    const WORD: usize = 8;
    const FEW: usize = 6;
    for _ in 0..FEW {
        let Some(word) = json.get(at..at + WORD) else { break };
        let word = u64::from_le_bytes(word.try_into().ok()?);
        let found = zero_bytes(word ^ repeated(b'"')) | zero_bytes(word ^ repeated(b'\\'));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += WORD;
    }
    memchr2(b'"', b'\\', json.get(at..)?).map(|found| at + found)
}

const fn repeated(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The high bit of every byte that is zero. Bytes after the first such one may be marked wrongly; only
/// the first is asked for.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(repeated(1)) & !word & repeated(0x80)
}

/// The code unit of an escape like `\ud83e` at this place, if it is a surrogate.
fn surrogate(json: &[u8], at: usize) -> Option<u16> {
    let escape = json.get(at..at + 6)?;
    if escape[0] != b'\\' || escape[1] != b'u' || !matches!(escape[2], b'd' | b'D') {
        return None;
    }
    let digits = std::str::from_utf8(&escape[2..]).ok()?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..=0xdfff).contains(unit))
}

fn end_of_number(json: &[u8], start: usize) -> Result<usize, CaptureError> {
    let rest = &json[start..];
    let mut has_exponent = false;
    let mut length = 0;
    while let Some(byte) = rest.get(length) {
        match byte {
            b'0'..=b'9' | b'.' | b'+' | b'-' => {}
            b'e' | b'E' => has_exponent = true,
            _ => break,
        }
        length += 1;
    }
    if has_exponent || length > SAFE_DIGITS {
        let number = std::str::from_utf8(&rest[..length]).ok().and_then(|text| text.parse::<f64>().ok());
        if number.is_some_and(f64::is_infinite) {
            return Err(CaptureError::Parse(format!("number out of range at byte {start}")));
        }
    }
    Ok(start + length)
}

/// A second backslash makes the escape six characters of text; its digits become lower case.
fn escape(json: &[u8], lone: &[usize]) -> Vec<u8> {
    let mut repaired = Vec::with_capacity(json.len() + lone.len());
    let mut copied = 0;
    for at in lone {
        repaired.extend_from_slice(&json[copied..*at]);
        repaired.push(b'\\');
        copied = at + 6;
        repaired.extend(json[*at..copied].iter().map(u8::to_ascii_lowercase));
    }
    repaired.extend_from_slice(&json[copied..]);
    repaired
}

/// Python writes `NaN`, `Infinity` and `-Infinity` where JSON has no word; they become null. Called only
/// when parsing failed. `None` if there is none of them.
pub fn without_bare_constants(json: &[u8]) -> Option<Vec<u8>> {
    let mut repaired = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        let rest = &json[at..];
        let found = [&b"NaN"[..], b"-Infinity", b"Infinity"].into_iter().find(|word| rest.starts_with(word));
        if let Some(word) = found {
            repaired.extend_from_slice(&json[copied..at]);
            repaired.extend_from_slice(b"null");
            at += word.len();
            copied = at;
        } else if *byte == b'"' {
            at = end_of_string(json, at + 1, &mut Vec::new());
        } else {
            at += 1;
        }
    }
    (copied > 0).then(|| {
        repaired.extend_from_slice(&json[copied..]);
        repaired
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(json: &str) -> Result<String, CaptureError> {
        check(json.as_bytes()).map(|bytes| String::from_utf8(bytes.into_owned()).expect("text"))
    }

    #[test]
    fn depth_is_counted_outside_of_strings() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(checked(&nested(127)).is_ok());
        assert!(matches!(checked(&nested(128)), Err(CaptureError::Parse(_))));
        assert!(matches!(checked(&nested(100_000)), Err(CaptureError::Parse(_))));
        assert!(checked(&format!("[\"{}\"]", "[{".repeat(1_000))).is_ok());
        assert!(checked(&format!("[{}]", vec!["[]"; 1_000].join(","))).is_ok());
        assert!(serde_json::from_str::<serde_json::Value>(&nested(127)).is_ok(), "the parser's limit is the same");
        assert!(serde_json::from_str::<serde_json::Value>(&nested(128)).is_err(), "the parser's limit is the same");
    }

    #[test]
    fn numbers_beyond_a_double_are_refused() {
        let digits = "9".repeat(400);
        for number in ["1e400", "-1e400", "1E+309", "1.8e308", &digits, "123456789e301"] {
            assert!(matches!(checked(&format!("{{\"a\":{number}}}")), Err(CaptureError::Parse(_))), "{number}");
        }
        let long = "1".repeat(308);
        for number in ["1e308", "1e-400", "0e999999999", "-0", "1.5", "1.7976931348623157e308", &long] {
            let json = format!("[{number}]");
            assert_eq!(checked(&json).as_deref(), Ok(&*json));
            assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{number}");
        }
        assert!(checked(r#"{"1e400":"1e400"}"#).is_ok(), "in strings it is text");
    }

    #[test]
    fn lone_surrogates_become_the_text_of_their_escape() {
        for (json, value) in [
            (r#""\ud800""#, r"\ud800"),
            (r#""\uDC00""#, r"\udc00"),
            (r#""a\uD83E\uDD80b""#, "a🦀b"),
            (r#""\ud83e\ud83e\udd80""#, r"\ud83e🦀"),
            (r#""\\ud800""#, r"\ud800"),
            (r#""\"\ud800\"""#, r#""\ud800""#),
        ] {
            let text = checked(json).expect("nothing to refuse");
            assert_eq!(serde_json::from_str::<String>(&text).as_deref().ok(), Some(value), "{json}");
        }
        let text = checked(r#"{"\uD800":1}"#).expect("nothing to refuse");
        assert_eq!(text, r#"{"\\ud800":1}"#, "keys too");
    }

    #[test]
    fn what_is_no_json_passes_through() {
        for text in ["", "\"", "\"\\", "\"\\u", "\"\\ud8", "]]]", "hello", "-", "\u{1f}", "12e"] {
            assert_eq!(checked(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn bare_constants_become_null_outside_of_strings() {
        let repair = |text: &str| without_bare_constants(text.as_bytes()).map(|b| String::from_utf8(b).expect("text"));
        assert_eq!(
            repair(r#"{"a":NaN,"b":[Infinity,-Infinity],"c":"NaN \" NaN"}"#).as_deref(),
            Some(r#"{"a":null,"b":[null,null],"c":"NaN \" NaN"}"#)
        );
        assert_eq!(repair(r#"{"a":nan}"#), None);
    }
}
