//! Whether a request is the one a mock is for, and if not, in what.

use serde_json::Value;
use url::Url;

use crate::http::request::HttpRequest;

#[derive(Debug, Clone)]
pub struct Pattern {
    /// Upper case; None for any.
    pub method: Option<String>,
    pub url: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Option<Value>,
}

/// One field in which a request is another than the mock's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub field: String,
    pub wanted: String,
    /// None if the request has nothing there.
    pub found: Option<String>,
}

impl Pattern {
    pub fn fits(&self, request: &HttpRequest, url: &Url) -> bool {
        self.method_differs(request).is_none() && self.url_differs(url).is_none() && self.rest(request, url).is_empty()
    }

    pub fn differences(&self, request: &HttpRequest, url: &Url) -> Vec<Difference> {
        let mut all: Vec<_> = self.method_differs(request).into_iter().chain(self.url_differs(url)).collect();
        all.extend(self.rest(request, url));
        all
    }

    fn method_differs(&self, request: &HttpRequest) -> Option<Difference> {
        let wanted = self.method.as_ref().filter(|wanted| !wanted.eq_ignore_ascii_case(&request.method))?;
        Some(Difference { field: "method".into(), wanted: wanted.clone(), found: Some(request.method.clone()) })
    }

    fn url_differs(&self, url: &Url) -> Option<Difference> {
        let compared = if self.url.contains('?') { url.as_str() } else { before_query(url) };
        (!glob(&self.url, compared)).then(|| Difference {
            field: "url".into(),
            wanted: self.url.clone(),
            found: Some(compared.to_owned()),
        })
    }

    fn rest(&self, request: &HttpRequest, url: &Url) -> Vec<Difference> {
        let mut all = Vec::new();
        for (name, wanted) in &self.query {
            let values: Vec<_> = url.query_pairs().filter(|(own, _)| own == name).map(|(_, value)| value).collect();
            if !values.iter().any(|value| glob(wanted, value)) {
                let found = (!values.is_empty()).then(|| values.join(", "));
                all.push(Difference { field: format!("query.{name}"), wanted: wanted.clone(), found });
            }
        }
        for (name, wanted) in &self.headers {
            let mut values =
                request.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            if !values.clone().any(|value| glob(wanted, value)) {
                all.push(Difference {
                    field: format!("headers.{name}"),
                    wanted: wanted.clone(),
                    found: values.next().cloned(),
                });
            }
        }
        if let Some(wanted) = &self.body {
            all.extend(body_differs(wanted, &request.body));
        }
        all
    }
}

/// The part of a URL that says where, not what.
pub fn before_query(url: &Url) -> &str {
    let text = url.as_str();
    text.split_once('?').map_or(text, |(before, _)| before)
}

fn body_differs(wanted: &Value, body: &[u8]) -> Option<Difference> {
    let text = String::from_utf8_lossy(body);
    let differs = |field: String, wanted: &Value, found: Option<String>| {
        let wanted = wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
        Some(Difference { field, wanted, found })
    };
    if let Value::String(pattern) = wanted {
        return if glob(pattern, &text) { None } else { differs("body".into(), wanted, Some(text.into_owned())) };
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(found) => {
            let (field, wanted, found) = lacks(wanted, &found, "body".to_owned())?;
            differs(field, wanted, found.map(Value::to_string))
        }
        Err(_) => differs("body".into(), wanted, (!body.is_empty()).then(|| text.into_owned())),
    }
}

/// The first place where `found` does not contain `wanted`.
fn lacks<'v>(wanted: &'v Value, found: &'v Value, path: String) -> Option<(String, &'v Value, Option<&'v Value>)> {
    match (wanted, found) {
        (Value::Object(fields), Value::Object(own)) => fields.iter().find_map(|(name, wanted)| {
            let path = format!("{path}.{name}");
            match own.get(name) {
                Some(found) => lacks(wanted, found, path),
                None => Some((path, wanted, None)),
            }
        }),
        (Value::Array(items), Value::Array(own)) if items.len() == own.len() => items
            .iter()
            .zip(own)
            .enumerate()
            .find_map(|(at, (wanted, found))| lacks(wanted, found, format!("{path}[{at}]"))),
        (Value::Number(one), Value::Number(other)) if one == other || one.as_f64() == other.as_f64() => None,
        _ if wanted == found => None,
        _ => Some((path, wanted, Some(found))),
    }
}

/// Whether `*` can stand for runs of characters so that the texts are equal.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    // Splitting gives at least one piece.
    let Some(rest) = text.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let mut rest = rest;
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("*", "anything", true),
            ("a*", "a", true),
            ("a*c", "abc", true),
            ("a*c", "ab", false),
            ("a*a", "a", false),
            ("a*b*c", "a1b2b3c", true),
            ("*b*b*", "ab", false),
            ("*ab", "aab", true),
            ("a**b", "ab", true),
            ("https://*/x", "https://h/y/x", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn json_may_hold_more_but_not_less() {
        let lack = |wanted: &str, found: &str| {
            let (wanted, found) = (serde_json::from_str(wanted).unwrap(), serde_json::from_str(found).unwrap());
            lacks(&wanted, &found, "body".into()).map(|(path, ..)| path)
        };
        assert_eq!(lack(r#"{"a":{"b":1}}"#, r#"{"a":{"b":1.0,"c":2},"d":3}"#), None);
        assert_eq!(lack(r#"{"a":{"b":1}}"#, r#"{"a":{"b":2}}"#).as_deref(), Some("body.a.b"));
        assert_eq!(lack(r#"{"a":[1,{"x":1}]}"#, r#"{"a":[1,{"x":1,"y":2}]}"#), None);
        assert_eq!(lack(r#"{"a":[1,{"x":1}]}"#, r#"{"a":[1,{"x":3}]}"#).as_deref(), Some("body.a[1].x"));
        assert_eq!(lack(r#"{"a":[1]}"#, r#"{"a":[1,2]}"#).as_deref(), Some("body.a"));
        assert_eq!(lack(r#"{"a":null}"#, "{}").as_deref(), Some("body.a"));
    }
}
