//! Places in the source move with every edit, so messages are compared without them.

/// Without each ` (index.js:3:9)`, with a function's name after it or not.
pub fn without(message: &str) -> String {
    let mut plain = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(" (") {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let end = from.find(')').map(|end| end + 1).filter(|end| is_place(&from[2..end - 1]));
        if let Some(end) = end {
            rest = &from[end..];
        } else {
            plain.push_str(&from[..2]);
            rest = &from[2..];
        }
    }
    plain.push_str(rest);
    plain
}

/// `index.js:3:9`, perhaps with a function's name.
fn is_place(text: &str) -> bool {
    let mut parts = text.split(' ').next().unwrap_or_default().rsplitn(3, ':');
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    is_number(parts.next()) && is_number(parts.next()) && parts.next().is_some_and(|file| !file.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_go_and_everything_else_stays() {
        for (message, wanted) in [
            ("Error: x (index.js:3:9)", "Error: x"),
            ("Error: x (src/a b.js:3:9)", "Error: x (src/a b.js:3:9)"),
            ("Error: x\n    at f (index.js:2:79)\n    at g (index.js:4:1)", "Error: x\n    at f\n    at g"),
            ("TypeError: no (really) (index.ts:1:2 processEvent)", "TypeError: no (really)"),
            ("at 10:30:15 (10:30)", "at 10:30:15 (10:30)"),
            ("plain (", "plain ("),
            ("ü (é)", "ü (é)"),
        ] {
            assert_eq!(without(message), wanted, "{message}");
        }
    }
}
