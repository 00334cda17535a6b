//! Names of Rust for names that people gave to properties, events and choices.

use std::collections::BTreeSet;

/// Words that are no names. Those of the second line are none behind `r#` either.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
const NEVER: [&str; 4] = ["self", "super", "crate", "_"];

/// Gives each name once.
pub struct Names(BTreeSet<String>);

impl Names {
    pub fn taken(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// `utm_source` for `utm source`, `user_id` for `userId`; `nameless` for what has no letter.
    pub fn snake(&mut self, name: &str, nameless: &str) -> String {
        let words: Vec<String> = words(name).iter().map(|word| word.to_lowercase()).collect();
        let name = self.once(&started(&words.join("_"), nameless, "_"), "_");
        if KEYWORDS.contains(&name.as_str()) { format!("r#{name}") } else { name }
    }

    /// `OrderPlaced` for `order placed`.
    pub fn camel(&mut self, name: &str, nameless: &str) -> String {
        let word = |word: &String| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + &rest.to_lowercase()
        };
        let joined: String = words(name).iter().map(word).collect();
        self.once(&started(&joined, nameless, ""), "")
    }

    /// The name, or with the first number that makes it another than those before.
    fn once(&mut self, name: &str, joint: &str) -> String {
        let numbered = (2_u32..).map(|n| format!("{name}{joint}{n}"));
        let free = std::iter::once(name.to_owned())
            .chain(numbered)
            .find(|name| !NEVER.contains(&name.as_str()) && !self.0.contains(name))
            .unwrap_or_default();
        self.0.insert(free.clone());
        free
    }
}

fn started(name: &str, nameless: &str, joint: &str) -> String {
    match name.chars().next() {
        None => nameless.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("{nameless}{joint}{name}"),
        Some(_) => name.to_owned(),
    }
}

/// Runs of letters and digits of ASCII, and those cut where a capital follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let cuts = letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit());
        if cuts || !letter.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let Some(last) = words.last_mut().filter(|_| letter.is_ascii_alphanumeric()) {
            last.push(letter);
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_gives_one_of_rust() {
        let mut names = Names::taken(&["of"]);
        for (name, expected) in [
            ("$current_url", "current_url"),
            ("utm source", "utm_source"),
            ("userId", "user_id"),
            ("HTTPStatus", "httpstatus"),
            ("1st", "property_1st"),
            ("", "property"),
            ("日本", "property_2"),
            ("größe", "gr_e"),
            ("type", "r#type"),
            ("self", "self_2"),
            ("of", "of_2"),
            ("user id", "user_id_2"),
        ] {
            assert_eq!(names.snake(name, "property"), expected, "{name}");
        }
        let mut names = Names::taken(&["Self"]);
        for (name, expected) in [
            ("$pageview", "Pageview"),
            ("checkout completed", "CheckoutCompleted"),
            ("CheckoutCompleted", "CheckoutCompleted2"),
            ("self", "Self2"),
            ("2fa", "Event2fa"),
            ("!", "Event"),
        ] {
            assert_eq!(names.camel(name, "Event"), expected, "{name}");
        }
    }
}
