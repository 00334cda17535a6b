//! Autocapture elements as the chain text that is stored (SPEC 5.11).

use serde_json::{Map, Value};

use crate::javascript::{string, truthy, truthy_key};

const MAX_TEXT: usize = 400;
const MAX_HREF: usize = 2048;

/// Takes the elements out of the properties. A ready-made chain is preferred.
pub(crate) fn take_chain(properties: &mut Map<String, Value>) -> String {
    let mut chain = String::new();
    if let Some(Value::Array(elements)) = properties.get("$elements")
        && !elements.is_empty()
    {
        let texts: Vec<String> = elements.iter().map(element_text).collect();
        chain = texts.join(";");
        properties.shift_remove("$elements");
    }
    if let Some(Value::String(ready)) = properties.get("$elements_chain")
        && !ready.is_empty()
    {
        chain.clone_from(ready);
        properties.shift_remove("$elements_chain");
    }
    chain
}

/// `tag.class.class:name="value"name="value"`
fn element_text(element: &Value) -> String {
    let nothing = Map::new();
    let element = element.as_object().unwrap_or(&nothing);
    let mut text = truthy_key(element, "tag_name").map(string).unwrap_or_default();
    for class in classes(element) {
        text.push('.');
        text.push_str(&class.replace('"', ""));
    }

    let mut attributes = vec![
        ("nth-child".to_owned(), position(element, "nth_child")),
        ("nth-of-type".to_owned(), position(element, "nth_of_type")),
    ];
    for (name, key, limit) in
        [("text", "$el_text", MAX_TEXT), ("href", "attr__href", MAX_HREF), ("attr_id", "attr__id", usize::MAX)]
    {
        if let Some(value) = element.get(key).filter(|value| truthy(value)) {
            attributes.push((name.to_owned(), string(value).chars().take(limit).collect()));
        }
    }
    let all = element.iter().filter(|(key, _)| key.starts_with("attr__"));
    attributes.extend(all.map(|(key, value)| (key.clone(), string(value))));
    attributes.sort();

    text.push(':');
    for (name, value) in attributes {
        let escape = |text: &str| text.replace('"', "\\\"");
        text.extend([&escape(&name), "=\"", &escape(&value), "\""]);
    }
    text
}

/// Classes of a text are what single spaces part, empty ones included.
fn classes(element: &Map<String, Value>) -> Vec<String> {
    let mut classes: Vec<String> = match truthy_key(element, "attr__class") {
        None => Vec::new(),
        Some(Value::Array(classes)) => classes.iter().map(string).collect(),
        Some(other) => string(other).split(' ').map(str::to_owned).collect(),
    };
    classes.sort();
    classes
}

fn position(element: &Map<String, Value>, key: &str) -> String {
    element.get(key).filter(|value| !value.is_null()).map_or_else(|| "0".to_owned(), string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chain(properties: Value) -> (String, Value) {
        let Value::Object(mut properties) = properties else { panic!("not an object") };
        let chain = take_chain(&mut properties);
        (chain, Value::Object(properties))
    }

    #[test]
    fn a_worked_example() {
        let (text, rest) = chain(json!({
            "$elements": [
                {"tag_name": "a", "$el_text": "Say \"hi\"", "attr__href": "/x", "attr__class": "btn \"big\" active",
                 "attr__id": "go", "attr__data-n": 5, "nth_child": 2, "nth_of_type": 1, "other": "ignored"},
                {"tag_name": "div", "attr__class": ["b", "a"]},
                {},
            ],
            "kept": 1,
        }));
        assert_eq!(
            text,
            concat!(
                r#"a.big.active.btn:attr__class="btn \"big\" active"attr__data-n="5"attr__href="/x"attr__id="go""#,
                r#"attr_id="go"href="/x"nth-child="2"nth-of-type="1"text="Say \"hi\"";"#,
                r#"div.a.b:attr__class="b,a"nth-child="0"nth-of-type="0";"#,
                r#":nth-child="0"nth-of-type="0""#,
            )
        );
        assert_eq!(rest, json!({"kept": 1}));
    }

    #[test]
    fn long_values_are_cut() {
        let (text, _) = chain(json!({"$elements": [{"$el_text": "t".repeat(401), "attr__href": "h".repeat(2049)}]}));
        assert!(text.contains(&format!("text=\"{}\"", "t".repeat(400))));
        assert!(text.contains(&format!("attr__href=\"{}\"href=\"{}\"", "h".repeat(2049), "h".repeat(2048))));
    }

    #[test]
    fn a_ready_chain_is_preferred() {
        assert_eq!(chain(json!({"$elements_chain": "a:", "$elements": [{}]})), ("a:".to_owned(), json!({})));
        let untouched = json!({"$elements_chain": "", "$elements": []});
        assert_eq!(chain(untouched.clone()), (String::new(), untouched));
    }
}
