//! Values that are made anew each time: texts with placeholders, choices, numbers, lists.

mod path;
mod render;
mod source;

pub use path::{Names, Path, PersonField};
pub use render::{Cast, Scene, quoted};
#[cfg(test)]
pub use source::GENERATORS;
pub use source::Source;

use crate::faker::Faker;
use crate::random::Weights;
use crate::rate::Rate;

/// Longest pattern; a longer value is a text.
const LONGEST_PATTERN: usize = 200;

/// A value with everything looked up.
#[derive(Debug, Clone)]
pub enum Template {
    /// JSON.
    Literal(String),
    /// A placeholder by itself keeps its type.
    Whole(Path),
    Text(Vec<Piece>),
    List(Vec<Template>),
    Object(Vec<Property>),
    OneOf(Vec<Template>, Weights),
    Int(Vec<i64>),
    Decimal(Vec<i64>, u32),
    Fake(Faker),
    Maybe(Rate, Box<Template>),
    Repeat(Box<Template>, (u64, u64)),
    Pattern(String),
    Uuid,
}

#[derive(Debug, Clone)]
pub enum Piece {
    Words(String),
    Value(Path),
}

/// A key, quoted and with its colon, and what stands behind it.
#[derive(Debug, Clone)]
pub struct Property {
    pub name: String,
    pub key: String,
    pub template: Template,
}

impl Property {
    pub fn new(name: String, template: Template) -> Self {
        let mut key = String::new();
        quoted(&name, &mut key);
        key.push(':');
        Self { name, key, template }
    }
}

impl Template {
    /// Looks up every name; the error says which is unknown, and what may be meant.
    pub fn new(source: &Source, names: &Names<'_>) -> Result<Self, (String, String)> {
        let all = |list: &[Source]| list.iter().map(|part| Self::new(part, names)).collect::<Result<Vec<_>, _>>();
        Ok(match source {
            Source::Null => Self::Literal("null".to_owned()),
            Source::Bool(value) => Self::Literal(value.to_string()),
            Source::Integer(value) => Self::Literal(value.to_string()),
            Source::Float(value) => Self::Literal(serde_json::Value::from(*value).to_string()),
            Source::Text(text) => return Self::of_text(text, names),
            Source::List(list) => Self::List(all(list)?),
            Source::Object(object) => Self::Object(properties(object.iter(), names)?),
            Source::OneOf { choices, weights } => {
                let weights = weights.clone().unwrap_or_else(|| vec![1.0; choices.len()]);
                let weights = Weights::new(weights);
                if weights.is_empty() {
                    return Err(("all weights are 0".to_owned(), String::new()));
                }
                Self::OneOf(all(choices)?, weights)
            }
            Source::Int(bounds) => Self::Int(bounds.clone()),
            Source::Decimal { bounds, places } => Self::Decimal(bounds.clone(), *places),
            Source::Fake(faker) => Self::Fake(*faker),
            Source::Maybe { rate, then } => Self::Maybe(*rate, Box::new(Self::new(then, names)?)),
            Source::Repeat { of, length } => Self::Repeat(Box::new(Self::new(of, names)?), *length),
            Source::Pattern(pattern) if pattern.len() > LONGEST_PATTERN => {
                return Err((format!("a pattern has at most {LONGEST_PATTERN} characters"), String::new()));
            }
            Source::Pattern(pattern) => Self::Pattern(pattern.clone()),
            Source::Uuid => Self::Uuid,
        })
    }

    fn of_text(text: &str, names: &Names<'_>) -> Result<Self, (String, String)> {
        let mut pieces = Vec::new();
        let mut words = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let brace = &rest[at..=at];
            words.push_str(&rest[..at]);
            // Doubled, it is meant as it is.
            if rest[at + 1..].starts_with(brace) {
                words.push_str(brace);
                rest = &rest[at + 2..];
                continue;
            }
            let hint = || "a brace that is meant as it is stands twice: {{".to_owned();
            let end = rest[at..].find('}').filter(|_| brace == "{");
            let Some(end) = end else { return Err((format!("there is a lone {brace} in {text:?}"), hint())) };
            let path = names.path(&rest[at + 1..at + end])?;
            if !words.is_empty() {
                pieces.push(Piece::Words(std::mem::take(&mut words)));
            }
            pieces.push(Piece::Value(path));
            rest = &rest[at + end + 1..];
        }
        words.push_str(rest);
        Ok(match (pieces.as_slice(), words.is_empty()) {
            ([], _) => {
                let mut json = String::new();
                quoted(&words, &mut json);
                Self::Literal(json)
            }
            ([Piece::Value(path)], true) => Self::Whole(path.clone()),
            (_, true) => Self::Text(pieces),
            (_, false) => {
                pieces.push(Piece::Words(words));
                Self::Text(pieces)
            }
        })
    }
}

/// In the order of their names.
pub fn properties<'s>(
    sources: impl Iterator<Item = (&'s String, &'s Source)>,
    names: &Names<'_>,
) -> Result<Vec<Property>, (String, String)> {
    sources
        .map(|(name, source)| {
            let template =
                Template::new(source, names).map_err(|(reason, hint)| (format!("{name}: {reason}"), hint))?;
            Ok(Property::new(name.clone(), template))
        })
        .collect()
}
