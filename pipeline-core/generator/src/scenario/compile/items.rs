//! Places, devices and catalogues: lists of items that have the same fields.

use std::ops::Range;

use serde_json::Value;
use toml::Spanned;

use super::Found;
use crate::catalogue::{Catalogue, Field};
use crate::faker::Locale;
use crate::random::Weights;
use crate::scenario::error::Fault;
use crate::scenario::source::Item;

const DEFAULT_PLACES: [(&str, &str); 2] = [("locale", "en"), ("network", "192.0.2")];

pub fn places(source: &Spanned<Vec<Spanned<Item>>>) -> Found<Catalogue> {
    if source.get_ref().is_empty() {
        return Err(Fault::new(source.span(), "there are no places", "give one a city and a country"));
    }
    catalogue("places", source.get_ref(), &DEFAULT_PLACES)
}

pub fn locale(places: &Catalogue, at: usize, source: &Spanned<Vec<Spanned<Item>>>) -> Found<Locale> {
    let field = places.items[at].iter().find(|field| field.name == "locale");
    let name = field.and_then(|field| field.value.as_str()).unwrap_or("en");
    Locale::from_name(name).ok_or_else(|| {
        let span = source.get_ref()[at].span();
        Fault::new(
            span,
            format!("there are no values in the locale {name:?}"),
            format!("possible: {}", Locale::NAMES.join(", ")),
        )
    })
}

/// By how much a place's clocks are ahead of UTC.
pub fn zone_hours(places: &Catalogue, at: usize, source: &Spanned<Vec<Spanned<Item>>>) -> Found<i64> {
    let Some(field) = places.items[at].iter().find(|field| field.name == "zone_hours") else { return Ok(0) };
    field.value.as_i64().filter(|hours| (-12..=14).contains(hours)).ok_or_else(|| {
        Fault::new(source.get_ref()[at].span(), "zone_hours is out of range", "whole hours from -12 to 14")
    })
}

/// Items with a weight, all with the same fields.
pub fn catalogue(name: &str, source: &[Spanned<Item>], defaults: &[(&str, &str)]) -> Found<Catalogue> {
    let mut items: Vec<Vec<Field>> = Vec::new();
    let mut weights = Vec::new();
    for spanned in source {
        let mut item = spanned.get_ref().clone();
        let weight = match item.remove("weight") {
            None => Some(1.0),
            Some(toml::Value::Integer(weight)) => Some(weight as f64),
            Some(toml::Value::Float(weight)) => Some(weight),
            Some(_) => None,
        };
        weights.push(
            weight
                .filter(|weight| *weight >= 0.0)
                .ok_or_else(|| Fault::new(spanned.span(), "a weight is a number from 0", "leave it out for 1"))?,
        );
        for (key, value) in defaults {
            item.entry((*key).to_owned()).or_insert_with(|| toml::Value::String((*value).to_owned()));
        }
        let fields: Vec<Field> =
            item.into_iter().map(|(key, value)| field(key, value, &spanned.span())).collect::<Found<_>>()?;
        if let Some(first) = items.first() {
            let of = |fields: &[Field]| fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
            let (own, others) = (of(&fields), of(first));
            if own != others {
                let hint = format!("the first one has: {}", others.join(", "));
                return Err(Fault::new(spanned.span(), format!("items of {name} need the same fields"), hint));
            }
        }
        items.push(fields);
    }
    if items.is_empty() {
        // Of devices there need not be any; then everybody has the one that has no fields.
        items.push(Vec::new());
        weights.push(1.0);
    }
    Ok(Catalogue { name: name.to_owned(), items, weights: Weights::new(weights) })
}

fn field(name: String, value: toml::Value, span: &Range<usize>) -> Found<Field> {
    let value = match value {
        toml::Value::String(text) => Value::from(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::from(flag),
        _ => {
            let hint = "fields are texts, numbers and true or false";
            return Err(Fault::new(span.clone(), format!("{name} cannot be the field of an item"), hint));
        }
    };
    Ok(Field::new(name, value))
}
