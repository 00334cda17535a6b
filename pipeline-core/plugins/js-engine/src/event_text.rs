//! Where the properties are in the text of an event.
//!
//! Most of an event is its properties, and many plugins never look at them, so they are read apart from
//! the rest and only when asked for. The text comes from the host, which writes compact JSON without
//! repeated keys; anything that is not found as expected is read whole instead.

const KEY: &[u8] = b"\"properties\":";

/// The byte range of the value of the top-level key `properties`, if that is an object.
pub fn properties(text: &str) -> Option<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let mut depth = 0_u32;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b'"' => {
                let is_key = depth == 1 && bytes[at..].starts_with(KEY) && matches!(bytes[at - 1], b'{' | b',');
                if is_key {
                    let start = at + KEY.len();
                    return (bytes.get(start) == Some(&b'{')).then(|| end_of_object(bytes, start)).flatten();
                }
                at = end_of_string(bytes, at)?;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn end_of_object(bytes: &[u8], start: usize) -> Option<std::ops::Range<usize>> {
    let mut depth = 0_u32;
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(start..at + 1);
                }
            }
            b'"' => at = end_of_string(bytes, at)?,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The position of the closing quote.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}
