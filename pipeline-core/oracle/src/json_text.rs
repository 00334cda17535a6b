//! JSON as clients of this protocol write it: Python's `NaN` and `Infinity`, and half surrogate pairs in strings.
//!
//! The repairs are made in the text, not in values, because the text of each event is kept byte for byte and is part
//! of its identity.

use serde_json::Value;

/// Arrays and objects inside one another, counted from the root of the request.
const MAX_DEPTH: usize = 127;

/// The repaired text, if it is JSON.
pub(crate) fn parse(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let (repaired, depth) = repair(text);
    if depth > MAX_DEPTH {
        return Err("nested too deeply".to_owned());
    }
    serde_json::from_str::<Value>(&repaired).map_err(|error| error.to_string())?;
    Ok(repaired)
}

/// `NaN` and infinities outside strings become null; lone surrogate escapes inside become their own literal text. Also
/// the depth of nesting.
fn repair(text: &str) -> (String, usize) {
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut in_string = false;
    while let Some(character) = rest.chars().next() {
        let mut taken = character.len_utf8();
        if in_string {
            if character == '\\' {
                let (replacement, length) = escape(rest);
                repaired.push_str(&replacement);
                taken = length;
            } else {
                in_string = character != '"';
                repaired.push(character);
            }
        } else if let Some(word) = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word)) {
            repaired.push_str("null");
            taken = word.len();
        } else {
            match character {
                '"' => in_string = true,
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(depth);
            repaired.push(character);
        }
        rest = &rest[taken..];
    }
    (repaired, deepest)
}

/// What stands for the escape at the front of `text`, and how many bytes it takes.
fn escape(text: &str) -> (String, usize) {
    let unit = |text: &str| -> Option<u16> {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let as_is = |length: usize| (text.get(..length).unwrap_or(text).to_owned(), length.min(text.len()));
    match unit(text) {
        Some(0xd800..=0xdbff) if matches!(text.get(6..).and_then(unit), Some(0xdc00..=0xdfff)) => as_is(12),
        Some(half @ 0xd800..=0xdfff) => (format!("\\\\u{half:04x}"), 6),
        Some(_) => as_is(6),
        // The second character belongs to the escape even if it is a quote; JSON has no longer ones but `\u`.
        None => as_is(1 + text[1..].chars().next().map_or(0, char::len_utf8)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs() {
        for (text, expected) in [
            (r#"{"a":NaN,"b":[Infinity,-Infinity]}"#, r#"{"a":null,"b":[null,null]}"#),
            (r#"{"NaN":"-Infinity \"NaN"}"#, r#"{"NaN":"-Infinity \"NaN"}"#),
            (r#"["\uD83D\uDE00"]"#, r#"["\uD83D\uDE00"]"#),
            (r#"["x\uD83D","\uDE00\ud83dy"]"#, r#"["x\\ud83d","\\ude00\\ud83dy"]"#),
            (r#"{"\uD800":1}"#, r#"{"\\ud800":1}"#),
            (r#"["\\uD800","\\\uD800"]"#, r#"["\\uD800","\\\\ud800"]"#),
            (r#"["\ud800\ud83d\ude00"]"#, r#"["\\ud800\ud83d\ude00"]"#),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_refused() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(127).as_bytes()).is_ok());
        assert!(parse(nested(128).as_bytes()).is_err());
        for text in ["{\"a\":1e400}", "NaNN", "{'a':1}", "{\"a\":1} x", "\u{feff}{}", "-NaN", "[\"\\u12\"]"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(&[b'"', 0xff, b'"']).is_err());
    }
}
