//! Pieces of source text, most of them TypeScript, that hold whatever is put into them.

use std::fmt::Write as _;

/// A property's name: as it is if it is an identifier, else quoted.
pub fn key(name: &str) -> String {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '$';
    let mut letters = name.chars();
    let is_identifier = letters.next().is_some_and(is_start)
        && letters.all(|c| is_start(c) || c.is_ascii_digit())
        && name != "__proto__";
    if is_identifier { name.to_owned() } else { string(name) }
}

/// A literal of text.
pub fn string(text: &str) -> String {
    let mut literal = String::from("'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => {
                literal.push('\\');
                literal.push(c);
            }
            '\n' => literal.push_str("\\n"),
            // Writing into a String does not fail. Line separators would end the line in older readers.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                let _ = write!(literal, "\\u{:04x}", c as u32);
            }
            c => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

/// A comment above a declaration, on one line, that its text cannot end. None without text.
pub fn comment(text: &str) -> Option<String> {
    let line = one_line(text).replace("*/", "*\\/");
    (!line.is_empty()).then(|| format!("    /** {line} */"))
}

pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_when_they_have_to_be() {
        for (name, expected) in [
            ("email", "email"),
            ("$current_url", "$current_url"),
            ("utm source", "'utm source'"),
            ("1st", "'1st'"),
            ("", "''"),
            ("it's\\\n", r"'it\'s\\\n'"),
            ("größe", "'größe'"),
            ("__proto__", "'__proto__'"),
            ("\u{2028}", "'\\u2028'"),
        ] {
            assert_eq!(key(name), expected);
        }
    }

    #[test]
    fn a_comment_stays_one() {
        assert_eq!(comment("ends */ here\nand there").as_deref(), Some("    /** ends *\\/ here and there */"));
        assert_eq!(comment("  "), None);
    }
}
