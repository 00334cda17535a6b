//! The elements of an autocaptured click as one text, innermost first: `tag.class:name="value"…;…`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::js;
use crate::time::is_truthy;

const TEXT_CHARS: usize = 400;
const HREF_CHARS: usize = 2048;

/// Takes the elements out of an event's properties. A ready-made `$elements_chain` is preferred.
pub fn take_chain(properties: &mut Map<String, Value>) -> String {
    let ready = match properties.get("$elements_chain") {
        Some(Value::String(chain)) if !chain.is_empty() => Some(chain.clone()),
        _ => None,
    };
    let elements = match properties.get("$elements") {
        Some(Value::Array(elements)) if !elements.is_empty() => properties.shift_remove("$elements"),
        _ => None,
    };
    if let Some(chain) = ready {
        properties.shift_remove("$elements_chain");
        return js::without_nul(chain);
    }
    match elements {
        Some(Value::Array(elements)) => js::without_nul(chain(&elements)),
        _ => String::new(),
    }
}

fn chain(elements: &[Value]) -> String {
    elements.iter().filter_map(Value::as_object).map(element).collect::<Vec<_>>().join(";")
}

fn element(element: &Map<String, Value>) -> String {
    let given = |key: &str| element.get(key).filter(|value| is_truthy(value)).map(js::string);
    let mut text = given("tag_name").unwrap_or_default();
    for class in classes(element.get("attr__class")) {
        text.push('.');
        text.extend(class.chars().filter(|c| *c != '"'));
    }
    let mut attributes: BTreeMap<&str, String> = BTreeMap::new();
    for key in ["nth_child", "nth_of_type"] {
        let name = if key == "nth_child" { "nth-child" } else { "nth-of-type" };
        attributes.insert(name, given(key).unwrap_or_else(|| "0".into()));
    }
    let cut = |text: String, limit: usize| text.chars().take(limit).collect::<String>();
    attributes.extend(given("$el_text").map(|text| ("text", cut(text, TEXT_CHARS))));
    attributes.extend(given("attr__href").map(|href| ("href", cut(href, HREF_CHARS))));
    attributes.extend(given("attr__id").map(|id| ("attr_id", id)));
    for (key, value) in element.iter().filter(|(key, _)| key.starts_with("attr__")) {
        attributes.insert(key, if value.is_null() { String::new() } else { js::string(value) });
    }
    text.push(':');
    for (name, value) in attributes {
        text.push_str(name);
        text.push_str("=\"");
        text.push_str(&value.replace('"', "\\\""));
        text.push('"');
    }
    text
}

fn classes(value: Option<&Value>) -> Vec<String> {
    let mut classes = match value {
        Some(Value::Array(items)) => items.iter().map(js::string).collect(),
        Some(value) if is_truthy(value) => js::string(value).split(' ').map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    classes.sort_by(|left, right| left.encode_utf16().cmp(right.encode_utf16()));
    classes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chain_of(elements: Value) -> String {
        let Value::Object(mut properties) = json!({"$elements": elements}) else { panic!("an object") };
        take_chain(&mut properties)
    }

    #[test]
    fn a_click_becomes_one_text() {
        let chain = chain_of(json!([
            {"tag_name": "a", "$el_text": "Say \"hi\"", "attr__href": "/x", "attr__class": "wide btn", "attr__id": "go",
             "attr__data-attr": "\"quoted\"", "nth_child": 1, "nth_of_type": 2},
            {"tag_name": "div", "attr__class": ["b", "a"]},
        ]));
        assert_eq!(
            chain,
            r#"a.btn.wide:attr__class="wide btn"attr__data-attr="\"quoted\""attr__href="/x"attr__id="go"attr_id="go"href="/x"nth-child="1"nth-of-type="2"text="Say \"hi\"";div.a.b:attr__class="b,a"nth-child="0"nth-of-type="0""#
        );
    }

    #[test]
    fn texts_are_cut_and_a_ready_chain_is_preferred() {
        let chain = chain_of(json!([{"tag_name": "p", "$el_text": "x".repeat(500)}]));
        assert_eq!(chain.matches('x').count(), 400 + 1, "400 and the one of `text`");
        let Value::Object(mut properties) = json!({"$elements_chain": "a:", "$elements": [{}], "k": 1}) else {
            panic!()
        };
        assert_eq!(take_chain(&mut properties), "a:");
        assert_eq!(Value::Object(properties), json!({"k": 1}));
    }

    #[test]
    fn without_elements_nothing_changes() {
        let Value::Object(mut properties) = json!({"$elements": [], "k": 1}) else { panic!() };
        assert_eq!(take_chain(&mut properties), "");
        assert_eq!(Value::Object(properties), json!({"$elements": [], "k": 1}));
    }
}
