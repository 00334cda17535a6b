//! The tokens of a date that `Date` reads: numbers, words, single signs.

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Hours east of Greenwich.
const ZONES: [(&str, i64); 12] = [
    ("ut", 0),
    ("utc", 0),
    ("z", 0),
    ("gmt", 0),
    ("edt", -4),
    ("est", -5),
    ("cdt", -5),
    ("cst", -6),
    ("mdt", -6),
    ("mst", -7),
    ("pdt", -7),
    ("pst", -8),
];
/// Further digits of a number are read and not counted.
const SIGNIFICANT_DIGITS: usize = 9;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Number { value: i64, digits: usize },
    Word(Word),
    Symbol(char),
    Space,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Month(i64),
    /// AM or PM: hours to add.
    Half(i64),
    Zone(i64),
    /// Between a date and a time.
    T,
    Unknown,
}

#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub fn of(text: &'a str) -> Self {
        // The engine takes a NUL for the end of the text.
        Self { rest: text.split('\0').next().unwrap_or_default() }
    }

    pub fn peek(&self) -> Token {
        let mut ahead = *self;
        ahead.read()
    }

    /// Whether the next word is a bare `Z`.
    pub fn is_z(&self) -> bool {
        let mut letters = self.rest.chars().take_while(char::is_ascii_alphabetic);
        letters.next().is_some_and(|letter| letter.eq_ignore_ascii_case(&'z')) && letters.next().is_none()
    }

    pub fn next(&mut self) -> Token {
        self.read()
    }

    pub fn skip(&mut self, symbol: char) -> bool {
        let found = self.peek() == Token::Symbol(symbol);
        if found {
            self.read();
        }
        found
    }

    fn read(&mut self) -> Token {
        let Some(first) = self.rest.chars().next() else { return Token::End };
        if first.is_ascii_digit() {
            let digits = self.take(|c| c.is_ascii_digit());
            let significant = digits.trim_start_matches('0');
            let kept = &significant[..significant.len().min(SIGNIFICANT_DIGITS)];
            return Token::Number { value: kept.parse().unwrap_or(0), digits: digits.len() };
        }
        if is_word(first) {
            return Token::Word(word(self.take(is_word)));
        }
        if is_space(first) {
            self.take(is_space);
            return Token::Space;
        }
        self.rest = &self.rest[first.len_utf8()..];
        if first == '(' {
            // A comment wherever it stands, but no white space.
            self.skip_comment();
        }
        Token::Symbol(first)
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn skip_comment(&mut self) {
        let mut depth = 1;
        let end = self.rest.char_indices().find(|(_, c)| {
            depth += i32::from(*c == '(') - i32::from(*c == ')');
            depth == 0
        });
        self.rest = end.map_or("", |(at, _)| &self.rest[at + 1..]);
    }
}

fn is_word(c: char) -> bool {
    c >= 'A' && !is_space(c)
}

/// White space as the engine's date reader has it: the byte order mark is, the line ends of Unicode are not.
fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}'))
}

fn word(text: &str) -> Word {
    let lower = text.to_ascii_lowercase();
    let head: String = lower.chars().take(3).collect();
    if let Some(month) = MONTHS.iter().position(|month| *month == head) {
        return Word::Month(month as i64 + 1);
    }
    if let Some((_, hours)) = ZONES.iter().find(|(name, _)| *name == lower) {
        return Word::Zone(*hours);
    }
    match lower.as_str() {
        "am" => Word::Half(0),
        "pm" => Word::Half(12),
        "t" => Word::T,
        _ => Word::Unknown,
    }
}
