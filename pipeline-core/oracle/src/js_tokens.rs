//! The words of a date, as V8 takes a text apart before it looks for a date in it.

use crate::javascript;

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Token {
    Number { value: i64, length: usize },
    Symbol(char),
    Word(Word),
    Space,
    Other,
    End,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Word {
    Month(i64),
    /// Hours to add to a 12-hour time.
    HalfDay(i64),
    /// Hours east of UTC. `z` alone is told apart by `zulu`.
    Zone {
        hours: i64,
        zulu: bool,
    },
    TimeSeparator,
    Garbage,
}

pub(crate) struct Scanner {
    tokens: Vec<Token>,
    at: usize,
}

impl Scanner {
    pub fn new(text: &str) -> Self {
        Self { tokens: tokens(text), at: 0 }
    }

    pub fn peek(&self) -> Token {
        self.tokens.get(self.at).copied().unwrap_or(Token::End)
    }

    pub fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    pub fn skip(&mut self, symbol: char) -> bool {
        let found = self.peek() == Token::Symbol(symbol);
        self.at += usize::from(found);
        found
    }

    /// A number of exactly so many digits that `allowed` takes.
    pub fn fixed(&mut self, digits: usize, allowed: impl Fn(i64) -> bool) -> Option<i64> {
        match self.peek() {
            Token::Number { value, length } if length == digits && allowed(value) => {
                self.at += 1;
                Some(value)
            }
            _ => None,
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    // To V8 a NUL is the end.
    let characters: Vec<char> = text.chars().take_while(|character| *character != '\0').collect();
    let run = |from: usize, test: &dyn Fn(char) -> bool| characters[from..].iter().take_while(|c| test(**c)).count();
    let mut found = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let character = characters[at];
        if character.is_ascii_digit() {
            let length = run(at, &|c| c.is_ascii_digit());
            found.push(Token::Number { value: unsigned(&characters[at..at + length]), length });
            at += length;
        } else if matches!(character, ':' | '-' | '+' | '.' | ')') {
            found.push(Token::Symbol(character));
            at += 1;
        } else if character >= 'A' && !is_white_space(character) {
            let length = run(at, &|c| c >= 'A' && !is_white_space(c));
            found.push(Token::Word(word(&characters[at..at + length])));
            at += length;
        } else if is_white_space(character) {
            found.push(Token::Space);
            at += 1;
        } else {
            // Text in parentheses is one token that says nothing.
            at = if character == '(' { after_parentheses(&characters, at) } else { at + 1 };
            found.push(Token::Other);
        }
    }
    found
}

/// V8 reads dates without looking for the line ends of Unicode.
fn is_white_space(character: char) -> bool {
    javascript::is_white_space(character) && !matches!(character, '\u{2028}' | '\u{2029}')
}

fn after_parentheses(characters: &[char], open: usize) -> usize {
    let mut depth = 0;
    for (index, character) in characters.iter().enumerate().skip(open) {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    characters.len()
}

/// V8 keeps nine significant digits of a number and drops the rest.
fn unsigned(digits: &[char]) -> i64 {
    let significant = digits.iter().skip_while(|digit| **digit == '0').take(9);
    significant.fold(0, |value, digit| value * 10 + i64::from(u32::from(*digit) - u32::from('0')))
}

fn word(characters: &[char]) -> Word {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let prefix: String = characters.iter().take(3).map(char::to_ascii_lowercase).collect();
    if let Some(month) = MONTHS.iter().position(|month| *month == prefix) {
        return Word::Month(month as i64 + 1);
    }
    if characters.len() > 3 {
        return Word::Garbage;
    }
    let zone = |hours| Word::Zone { hours, zulu: false };
    match prefix.as_str() {
        "am" => Word::HalfDay(0),
        "pm" => Word::HalfDay(12),
        "t" => Word::TimeSeparator,
        "z" => Word::Zone { hours: 0, zulu: true },
        "ut" | "utc" | "gmt" => zone(0),
        "est" | "cdt" => zone(-5),
        "edt" => zone(-4),
        "cst" | "mdt" => zone(-6),
        "mst" | "pdt" => zone(-7),
        "pst" => zone(-8),
        _ => Word::Garbage,
    }
}
