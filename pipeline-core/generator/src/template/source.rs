//! What a file may write where a value is made, before names in it are looked up.
//!
//! A value that is none of the generators below is itself; a table that has none of their keys is an object. Texts
//! may hold placeholders: `"https://shop.example{product.path}"`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use weir_event::suggestion::nearest;

use crate::faker::Faker;
use crate::rate::Rate;

#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Source>),
    Object(BTreeMap<String, Source>),
    OneOf {
        choices: Vec<Source>,
        weights: Option<Vec<f64>>,
    },
    /// Between each two neighbours lies the same share of values.
    Int(Vec<i64>),
    /// The same in units of the last place.
    Decimal {
        bounds: Vec<i64>,
        places: u32,
    },
    Fake(Faker),
    Maybe {
        rate: Rate,
        then: Box<Source>,
    },
    Repeat {
        of: Box<Source>,
        length: (u64, u64),
    },
    /// `a` a letter, `A` a capital, `9` a digit, `x` a hexadecimal digit, `\` before what is meant as it is.
    Pattern(String),
    Uuid,
}

/// The key that makes a table a generator, and what else may stand beside it.
pub const GENERATORS: [(&str, &[&str]); 10] = [
    ("one_of", &["weights"]),
    ("int", &[]),
    ("decimal", &["places"]),
    ("fake", &[]),
    ("maybe", &["then"]),
    ("list", &["length"]),
    ("pattern", &[]),
    ("uuid", &[]),
    ("null", &[]),
    ("object", &[]),
];

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = Source;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or a table that makes one")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Source, E> {
        Ok(Source::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Source, E> {
        Ok(Source::Integer(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Source, E> {
        if value.is_finite() { Ok(Source::Float(value)) } else { Err(E::custom("JSON has no such number")) }
    }

    fn visit_str<E>(self, value: &str) -> Result<Source, E> {
        Ok(Source::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Source, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = sequence.next_element()? {
            list.push(element);
        }
        Ok(Source::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Source, A::Error> {
        let mut table = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, Source>()? {
            table.insert(key, value);
        }
        table_of(table).map_err(de::Error::custom)
    }
}

fn table_of(mut table: BTreeMap<String, Source>) -> Result<Source, String> {
    let Some((key, beside)) = GENERATORS.into_iter().find(|(key, _)| table.contains_key(*key)) else {
        return Ok(Source::Object(table));
    };
    if let Some(stranger) = table.keys().find(|name| *name != key && !beside.contains(&name.as_str())) {
        let meant = nearest(stranger, beside.iter().copied()).map(|meant| format!("; did you mean `{meant}`?"));
        return Err(format!(
            "`{stranger}` means nothing beside `{key}`{}",
            meant.unwrap_or_else(|| format!("; an object that has a key `{key}` is written {{ object = {{ … }} }}"))
        ));
    }
    let own = table.remove(key).unwrap_or(Source::Null);
    match key {
        "one_of" => one_of(own, table.remove("weights")),
        "int" => Ok(Source::Int(ascending(whole_numbers(own).ok_or("int = [low, high], in whole numbers")?)?)),
        "decimal" => decimal(&own, table.get("places")),
        "fake" => {
            let Source::Text(name) = &own else { return Err("fake = \"name\"".to_owned()) };
            Faker::from_name(name).map(Source::Fake).ok_or_else(|| match nearest(name, Faker::NAMES.iter().copied()) {
                Some(meant) => format!("there is no fake value `{name}`; did you mean `{meant}`?"),
                None => format!("there is no fake value `{name}`; possible: {}", Faker::NAMES.join(", ")),
            })
        }
        "maybe" => {
            let then = table.remove("then").ok_or("maybe = 0.3 needs `then`, the value")?;
            let rate = number(&own).and_then(Rate::new).ok_or("maybe is a share from 0 to 1")?;
            Ok(Source::Maybe { rate, then: Box::new(then) })
        }
        "list" => {
            let length = table.remove("length").and_then(whole_numbers);
            let length = length.filter(|bounds| bounds.len() == 2 && bounds[0] >= 0 && bounds[1] <= 1_000);
            let length = ascending(length.ok_or("list needs length = [low, high], at most 1000")?)?;
            Ok(Source::Repeat { of: Box::new(own), length: (length[0] as u64, length[1] as u64) })
        }
        "pattern" => match own {
            Source::Text(pattern) => Ok(Source::Pattern(pattern)),
            _ => Err("pattern = \"AA-9999\"".to_owned()),
        },
        "uuid" if own == Source::Bool(true) => Ok(Source::Uuid),
        "null" if own == Source::Bool(true) => Ok(Source::Null),
        "object" => match own {
            Source::Object(object) => Ok(Source::Object(object)),
            _ => Err("object is a table without generators' keys of its own; nest them in its values".to_owned()),
        },
        _ => Err(format!("`{key}` can only be true")),
    }
}

fn one_of(own: Source, weights: Option<Source>) -> Result<Source, String> {
    let Source::List(choices) = own else { return Err("one_of = [first, second, …]".to_owned()) };
    if choices.is_empty() {
        return Err("one_of has nothing to choose from".to_owned());
    }
    let weights = match weights {
        None => None,
        Some(Source::List(weights)) => {
            let weights: Option<Vec<f64>> = weights.iter().map(number).collect();
            Some(
                weights
                    .filter(|weights| weights.iter().all(|weight| *weight >= 0.0))
                    .ok_or("weights are numbers from 0")?,
            )
        }
        Some(_) => return Err("weights = [3, 1]".to_owned()),
    };
    if let Some(weights) = &weights
        && weights.len() != choices.len()
    {
        return Err(format!("{} weights for {} choices", weights.len(), choices.len()));
    }
    Ok(Source::OneOf { choices, weights })
}

fn decimal(own: &Source, places: Option<&Source>) -> Result<Source, String> {
    let places = match places {
        None => 2,
        Some(Source::Integer(places @ 0..=6)) => *places as u32,
        Some(_) => return Err("places is a whole number from 0 to 6".to_owned()),
    };
    let Source::List(bounds) = own else { return Err("decimal = [low, high]".to_owned()) };
    let unit = f64::from(10_u32.pow(places));
    let bounds: Option<Vec<i64>> = bounds.iter().map(|bound| Some((number(bound)? * unit).round() as i64)).collect();
    Ok(Source::Decimal { bounds: ascending(bounds.ok_or("decimal = [low, high], in numbers")?)?, places })
}

fn number(source: &Source) -> Option<f64> {
    match source {
        Source::Integer(number) => Some(*number as f64),
        Source::Float(number) => Some(*number),
        _ => None,
    }
}

fn whole_numbers(source: Source) -> Option<Vec<i64>> {
    let Source::List(list) = source else { return None };
    list.into_iter().map(|element| if let Source::Integer(number) = element { Some(number) } else { None }).collect()
}

fn ascending(bounds: Vec<i64>) -> Result<Vec<i64>, String> {
    const FARTHEST: i64 = 1 << 53;
    if bounds.len() < 2 {
        return Err("it needs two numbers, the least and the most; more say how values are spread".to_owned());
    }
    if bounds.iter().any(|bound| bound.abs() > FARTHEST) {
        return Err("numbers beyond 2^53 do not survive JSON".to_owned());
    }
    if bounds.is_sorted() { Ok(bounds) } else { Err("the numbers are not in ascending order".to_owned()) }
}
