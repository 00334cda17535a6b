//! SQL values as JSON.

use duckdb::types::{TimeUnit, ValueRef};
use serde_json::{Number, Value, json};

/// JSON columns become the JSON they hold, times ISO 8601 in UTC, integers beyond 2^53 text.
pub fn to_json(value: ValueRef<'_>, column_type: &str) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Boolean(flag) => flag.into(),
        ValueRef::TinyInt(number) => number.into(),
        ValueRef::SmallInt(number) => number.into(),
        ValueRef::Int(number) => number.into(),
        ValueRef::BigInt(number) => number.into(),
        ValueRef::UTinyInt(number) => number.into(),
        ValueRef::USmallInt(number) => number.into(),
        ValueRef::UInt(number) => number.into(),
        ValueRef::UBigInt(number) => number.into(),
        // Sums are HUGEINT; most fit an ordinary number.
        ValueRef::HugeInt(number) => i64::try_from(number).map_or_else(|_| number.to_string().into(), Value::from),
        ValueRef::UHugeInt(number) => u64::try_from(number).map_or_else(|_| number.to_string().into(), Value::from),
        ValueRef::Float(number) => Number::from_f64(f64::from(number)).map_or(Value::Null, Value::Number),
        ValueRef::Double(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        ValueRef::Decimal(number) => {
            let text = number.to_string();
            text.parse::<f64>().ok().and_then(Number::from_f64).map_or(Value::String(text), Value::Number)
        }
        ValueRef::Timestamp(unit, count) => Value::String(timestamp(unit, count)),
        ValueRef::Date32(days) => Value::String(date(days)),
        ValueRef::Text(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            if column_type == "JSON" {
                serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()))
            } else {
                Value::String(text.into_owned())
            }
        }
        ValueRef::Blob(bytes) => json!({"blob_bytes": bytes.len()}),
        other => nested(&other.to_owned()),
    }
}

fn nested(value: &duckdb::types::Value) -> Value {
    use duckdb::types::Value as Sql;
    match value {
        Sql::List(items) | Sql::Array(items) => Value::Array(items.iter().map(nested).collect()),
        Sql::Struct(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), nested(value))).collect())
        }
        Sql::Enum(text) => text.clone().into(),
        other => match ValueRef::from(other) {
            ValueRef::List(..)
            | ValueRef::Struct(..)
            | ValueRef::Map(..)
            | ValueRef::Array(..)
            | ValueRef::Union(..)
            | ValueRef::Enum(..) => Value::String(format!("{other:?}")),
            simple => to_json(simple, ""),
        },
    }
}

fn timestamp(unit: TimeUnit, count: i64) -> String {
    let micros = unit.to_micros(count);
    let whole = weir_event::time::iso(micros.div_euclid(1_000));
    match micros.rem_euclid(1_000) {
        0 => whole,
        rest => whole.replace('Z', &format!("{rest:03}Z")),
    }
}

fn date(days: i32) -> String {
    let iso = weir_event::time::iso(i64::from(days) * 86_400_000);
    iso.split('T').next().unwrap_or_default().to_owned()
}
