//! What values were seen to be, and that in the words of each language.

use std::collections::BTreeSet;

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    Anything,
    Boolean,
    List(BTreeSet<Type>),
    Null,
    Number,
    Object,
    Text,
}

impl Type {
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::Text,
            Value::Object(_) => Self::Object,
            Value::Array(elements) => Self::List(elements.iter().map(Self::of).collect()),
        }
    }

    /// As the database names types.
    pub fn in_shape(shape: &Value) -> Self {
        match shape {
            Value::Object(_) => Self::Object,
            // A list without elements has a shape of NULL, as one of nulls has.
            Value::Array(elements) => {
                Self::List(elements.iter().map(Self::in_shape).filter(|element| *element != Self::Null).collect())
            }
            Value::String(name) => match name.as_str() {
                "NULL" => Self::Null,
                "BOOLEAN" => Self::Boolean,
                "VARCHAR" => Self::Text,
                "BIGINT" | "UBIGINT" | "HUGEINT" | "UHUGEINT" | "DOUBLE" => Self::Number,
                _ => Self::Anything,
            },
            _ => Self::Anything,
        }
    }

    fn typescript(&self) -> String {
        match self {
            Self::Anything => "unknown".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Number => "number".to_owned(),
            Self::Object => "Record<string, unknown>".to_owned(),
            Self::Text => "string".to_owned(),
            Self::List(elements) => match elements.len() {
                0 => "unknown[]".to_owned(),
                1 => format!("{}[]", typescript(elements)),
                _ => format!("({})[]", sorted(elements.iter().map(Self::typescript).collect())),
            },
        }
    }

    fn python(&self) -> String {
        match self {
            Self::Anything => "Any".to_owned(),
            Self::Boolean => "bool".to_owned(),
            Self::Null => "None".to_owned(),
            Self::Number => "int | float".to_owned(),
            Self::Object => "dict[str, Any]".to_owned(),
            Self::Text => "str".to_owned(),
            Self::List(elements) if elements.is_empty() => "list[Any]".to_owned(),
            Self::List(elements) => format!("list[{}]", python(elements)),
        }
    }
}

fn sorted(mut names: Vec<String>) -> String {
    names.sort();
    names.join(" | ")
}

pub fn typescript(types: &BTreeSet<Type>) -> String {
    union(types, Type::typescript, "unknown")
}

pub fn python(types: &BTreeSet<Type>) -> String {
    union(types, Type::python, "Any")
}

fn union(types: &BTreeSet<Type>, name: impl Fn(&Type) -> String, anything: &str) -> String {
    if types.contains(&Type::Anything) {
        return anything.to_owned();
    }
    // What is absent comes last, as people write it.
    let (nothing, something): (Vec<_>, Vec<_>) = types.iter().partition(|one| **one == Type::Null);
    let mut names: Vec<String> = something.into_iter().map(&name).collect();
    names.sort();
    names.extend(nothing.into_iter().map(name));
    names.join(" | ")
}
