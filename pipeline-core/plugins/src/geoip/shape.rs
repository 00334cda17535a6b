//! A City record as MaxMind's reader for Node hands it on: names of fields in camel case, parts that are
//! always there, flags that are always true or false, and the address asked for among the traits.

use serde_json::{Map, Value, json};

const FLAGS: [&str; 9] = [
    "isAnonymous",
    "isAnonymousProxy",
    "isAnonymousVpn",
    "isHostingProvider",
    "isLegitimateProxy",
    "isPublicProxy",
    "isResidentialProxy",
    "isSatelliteProvider",
    "isTorExitNode",
];

/// Absent from a record only when empty.
const PARTS: [&str; 3] = ["city", "location", "postal"];

pub fn city(record: Value, ip: &str, network: Option<String>) -> Value {
    let Value::Object(mut record) = camel_case(record) else { return Value::Null };
    for part in PARTS {
        record.entry(part).or_insert_with(|| json!({}));
    }
    record.entry("subdivisions").or_insert_with(|| json!([]));
    if let Some(Value::Object(country)) = record.get_mut("registeredCountry") {
        flag(country, "isInEuropeanUnion");
    }
    if let Value::Object(traits) = record.entry("traits").or_insert_with(|| json!({})) {
        FLAGS.iter().for_each(|name| flag(traits, name));
        traits.insert("ipAddress".to_owned(), json!(ip));
        if let Some(network) = network {
            traits.insert("network".to_owned(), json!(network));
        }
    }
    Value::Object(record)
}

fn flag(fields: &mut Map<String, Value>, name: &str) {
    let set = fields.get(name).is_some_and(|value| value != &json!(false) && value != &json!(0));
    fields.insert(name.to_owned(), Value::Bool(set));
}

fn camel_case(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(camel_case).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (camel_case_name(&name), camel_case(value))).collect())
        }
        other => other,
    }
}

/// `iso_code` to `isoCode`; languages such as `pt-BR` stay.
fn camel_case_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut raise = false;
    for letter in name.chars() {
        if letter == '_' {
            raise = !out.is_empty();
        } else if std::mem::take(&mut raise) {
            out.extend(letter.to_uppercase());
        } else {
            out.push(letter);
        }
    }
    out
}
