//! JSON as coloured lines, indented by two. One line is a list of spans with a kind each.

use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Key,
    Text,
    Number,
    Word,
    Mark,
}

impl Kind {
    pub const fn class(self) -> &'static str {
        match self {
            Self::Key => "j-key",
            Self::Text => "j-text",
            Self::Number => "j-number",
            Self::Word => "j-word",
            Self::Mark => "j-mark",
        }
    }
}

pub type Line = Vec<(Kind, String)>;

pub fn lines(value: &Value) -> Vec<Line> {
    let mut out = vec![Line::new()];
    write(&mut out, value, 0);
    out
}

/// The kind of a scalar; an object or array counts as punctuation.
pub const fn kind_of(value: &Value) -> Kind {
    match value {
        Value::String(_) => Kind::Text,
        Value::Number(_) => Kind::Number,
        Value::Bool(_) | Value::Null => Kind::Word,
        Value::Array(_) | Value::Object(_) => Kind::Mark,
    }
}

/// On one line, cut with an ellipsis after `limit` characters.
pub fn compact(value: &Value, limit: usize) -> String {
    let text = value.to_string();
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Text over several lines if it is JSON; other text as it is.
pub fn pretty(text: &str) -> String {
    let value = serde_json::from_str::<Value>(text).and_then(|value| serde_json::to_string_pretty(&value));
    value.unwrap_or_else(|_| text.to_owned())
}

fn write(out: &mut Vec<Line>, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            push(out, Kind::Mark, "{");
            for (index, (key, inner)) in map.iter().enumerate() {
                open_line(out, depth + 1);
                push(out, Kind::Key, Value::from(key.as_str()).to_string());
                push(out, Kind::Mark, ": ");
                write(out, inner, depth + 1);
                if index + 1 < map.len() {
                    push(out, Kind::Mark, ",");
                }
            }
            open_line(out, depth);
            push(out, Kind::Mark, "}");
        }
        Value::Array(items) if !items.is_empty() => {
            push(out, Kind::Mark, "[");
            for (index, inner) in items.iter().enumerate() {
                open_line(out, depth + 1);
                write(out, inner, depth + 1);
                if index + 1 < items.len() {
                    push(out, Kind::Mark, ",");
                }
            }
            open_line(out, depth);
            push(out, Kind::Mark, "]");
        }
        scalar => push(out, kind_of(scalar), scalar.to_string()),
    }
}

fn open_line(out: &mut Vec<Line>, depth: usize) {
    out.push(vec![(Kind::Mark, "  ".repeat(depth))]);
}

fn push(out: &mut [Line], kind: Kind, text: impl Into<String>) {
    if let Some(line) = out.last_mut() {
        line.push((kind, text.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: &Value) -> String {
        let line = |line: Line| line.into_iter().map(|(_, text)| text).collect::<String>();
        lines(value).into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn reads_as_pretty_json() {
        let value = json!({"a": [1, {"b": null}], "c": {}, "d": "q\"uote", "e": []});
        assert_eq!(text(&value), serde_json::to_string_pretty(&value).expect("a value is always JSON"));
    }

    #[test]
    fn only_json_is_made_pretty() {
        assert_eq!(pretty("{\"a\":1}"), "{\n  \"a\": 1\n}");
        assert_eq!([pretty("{cut o"), pretty("")], ["{cut o", ""]);
    }

    #[test]
    fn compact_cuts_at_characters() {
        assert_eq!(compact(&json!("ééé"), 3), "\"éé…");
        assert_eq!(compact(&json!([1]), 10), "[1]");
    }
}
