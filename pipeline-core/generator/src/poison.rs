//! Content that is allowed and that breaks careless code, and properties of the wrong type.

use crate::random::{Random, between};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poison {
    Nul,
    HalfSurrogate,
    HugeNumbers,
    Deep,
    Prototype,
    LongText,
    EmptyName,
    Bidirectional,
    /// A timestamp that is none.
    NoTime,
}

const ALL: [Poison; 9] = [
    Poison::Nul,
    Poison::HalfSurrogate,
    Poison::HugeNumbers,
    Poison::Deep,
    Poison::Prototype,
    Poison::LongText,
    Poison::EmptyName,
    Poison::Bidirectional,
    Poison::NoTime,
];
const DEPTH: usize = 60;
const LONG: usize = 20_000;

impl Poison {
    pub fn draw(random: &mut Random) -> Self {
        ALL[between(random, 0, ALL.len() as u64 - 1) as usize]
    }

    /// Further properties, as JSON without braces.
    pub fn properties(self) -> String {
        match self {
            Self::Nul => r#""note":"before\u0000after""#.to_owned(),
            Self::HalfSurrogate => r#""note":"half \ud83d of it""#.to_owned(),
            Self::HugeNumbers => r#""huge":1e308,"beyond":9007199254740993,"tiny":5e-324"#.to_owned(),
            Self::Deep => format!(r#""deep":{}{}"#, "[".repeat(DEPTH), "]".repeat(DEPTH)),
            Self::Prototype => r#""__proto__":{"polluted":true},"constructor":"x""#.to_owned(),
            Self::LongText => format!(r#""note":"{}""#, "long ".repeat(LONG / 5)),
            Self::EmptyName => r#""":"a property without a name""#.to_owned(),
            Self::Bidirectional => "\"note\":\"\u{202e}txet sdrawkcab\u{202c} a\u{301}\u{302}\u{303}\"".to_owned(),
            Self::NoTime => String::new(),
        }
    }

    pub const fn is_no_time(self) -> bool {
        matches!(self, Self::NoTime)
    }
}

/// JSON of a type that a property most likely does not have.
pub fn of_wrong_type(random: &mut Random) -> &'static str {
    ["null", "\"n/a\"", "[]", "{\"value\":null}", "true", "-1"][between(random, 0, 5) as usize]
}
