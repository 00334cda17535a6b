//! Lists of things that events are about: products, articles, devices.

use serde_json::Value;

use crate::random::Weights;

/// Ten-thousandths, so that sums of prices are exact.
const SCALE: f64 = 10_000.0;

#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    pub value: Value,
    /// The value as JSON.
    pub json: String,
    /// Of a number.
    pub ten_thousandths: Option<i64>,
}

impl Field {
    pub fn new(name: String, value: Value) -> Self {
        let ten_thousandths = value.as_f64().map(|number| (number * SCALE).round() as i64);
        Self { name, json: value.to_string(), ten_thousandths, value }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    pub name: String,
    /// Every item has the same fields, in the same order.
    pub items: Vec<Vec<Field>>,
    pub weights: Weights,
}

impl Catalogue {
    pub fn field_names(&self) -> Vec<String> {
        self.items.first().into_iter().flatten().map(|field| field.name.clone()).collect()
    }
}

/// A sum as a JSON number without needless zeros.
pub fn number(ten_thousandths: i64) -> String {
    let (whole, part) = (ten_thousandths.unsigned_abs() / 10_000, ten_thousandths.unsigned_abs() % 10_000);
    let sign = if ten_thousandths < 0 { "-" } else { "" };
    if part == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part:04}").trim_end_matches('0').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact() {
        let prices = [0.1, 0.2, 129.0, 14.5];
        let sum = prices.iter().filter_map(|price| Field::new(String::new(), (*price).into()).ten_thousandths).sum();
        assert_eq!(number(sum), "143.8");
        assert_eq!((number(-15_000), number(20_000), number(0)), ("-1.5".into(), "2".into(), "0".into()));
    }
}
