//! A chain of elements read back: what [`crate::elements`] wrote, as PostHog gives it to plugins.

use serde_json::{Map, Value, json};

/// The elements of a chain, innermost first. What is not a chain gives as many as can be read.
pub fn from_chain(chain: &str) -> Vec<Value> {
    let texts = split(chain);
    texts.iter().enumerate().map(|(order, text)| element(text, order)).collect()
}

/// At `;`, but for those in quotes.
fn split(chain: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in chain.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            ';' if !quoted => {
                parts.push(&chain[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(&chain[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

fn element(text: &str, order: usize) -> Value {
    let (head, attributes) = text.split_once(':').unwrap_or((text, ""));
    let mut names = head.split('.');
    let tag = names.next().unwrap_or_default();
    let classes: Vec<&str> = names.filter(|class| !class.is_empty()).collect();
    let mut element = Map::new();
    if !tag.is_empty() {
        element.insert("tag_name".into(), json!(tag));
    }
    if !classes.is_empty() {
        element.insert("attr_class".into(), json!(classes));
    }
    let mut rest = Map::new();
    for (name, value) in pairs(attributes) {
        let number = |value: &str| value.parse::<u64>().map_or(Value::Null, Value::from);
        match name {
            "nth-child" => drop(element.insert("nth_child".into(), number(&value))),
            "nth-of-type" => drop(element.insert("nth_of_type".into(), number(&value))),
            "href" | "text" | "attr_id" => drop(element.insert(name.into(), json!(value))),
            _ => drop(rest.insert(name.into(), json!(value))),
        }
    }
    element.insert("attributes".into(), Value::Object(rest));
    element.insert("order".into(), json!(order));
    Value::Object(element)
}

/// `name="value"` after `name="value"`, with `\"` for a quote inside.
fn pairs(mut text: &str) -> Vec<(&str, String)> {
    let mut pairs = Vec::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let mut value = String::new();
        let mut chars = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            match (c, chars.peek()) {
                ('\\', Some((_, '"'))) => {
                    value.push('"');
                    chars.next();
                }
                ('"', _) => {
                    end = at + 1;
                    break;
                }
                _ => value.push(c),
            }
        }
        pairs.push((name, value));
        text = &rest[end..];
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elements::take_chain;

    #[test]
    fn what_was_written_is_read_back() {
        let given = json!({"$elements": [
            {"tag_name": "a", "$el_text": "Say \"hi\"; now", "attr__href": "/x?a=b", "attr__class": "wide btn",
             "attr__id": "go", "nth_child": 1, "nth_of_type": 2},
            {"tag_name": "div"},
        ]});
        let Value::Object(mut properties) = given else { panic!("an object") };
        let elements = from_chain(&take_chain(&mut properties));
        assert_eq!(elements.len(), 2);
        let first = &elements[0];
        assert_eq!((&first["tag_name"], &first["text"]), (&json!("a"), &json!("Say \"hi\"; now")));
        assert_eq!((&first["href"], &first["attr_id"]), (&json!("/x?a=b"), &json!("go")));
        assert_eq!(first["attr_class"], json!(["btn", "wide"]));
        assert_eq!((&first["nth_child"], &first["nth_of_type"]), (&json!(1), &json!(2)));
        assert_eq!(first["attributes"]["attr__class"], "wide btn");
        assert_eq!((&elements[1]["tag_name"], &elements[1]["order"]), (&json!("div"), &json!(1)));
        assert!(from_chain("").is_empty());
        assert_eq!(from_chain("a:x=\"open").len(), 1);
    }
}
