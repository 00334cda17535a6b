//! Whose project a request is for (SPEC 1.4, 1.13). The first truthy find counts.

use serde_json::{Map, Value};

use crate::javascript::truthy;
use crate::refusal::Refusal;
use crate::request::{RawRequest, form_field};

const MAX_TOKEN: usize = 64;

/// What the query (of a GET) or the form says for all events.
pub(crate) fn of_request(request: &RawRequest, form: &[(String, Vec<u8>)]) -> Option<Value> {
    let get = request.method.eq_ignore_ascii_case("GET");
    let query = ["token", "api_key"].into_iter().filter(|_| get).filter_map(|name| request.query_field(name));
    let form = ["api_key", "token"].into_iter().filter_map(|name| form_field(form, name));
    let mut texts = query.chain(form).map(|text| String::from_utf8_lossy(&text).into_owned());
    texts.find(|text| !text.is_empty()).map(Value::String)
}

/// What an object says of itself.
pub(crate) fn of_object(object: &Map<String, Value>) -> Option<Value> {
    ["$token", "token", "api_key"].iter().find_map(|key| object.get(*key).filter(|token| truthy(token))).cloned()
}

/// What an event says of itself, if nothing speaks for the request.
pub(crate) fn of_event(event: &Map<String, Value>) -> Option<Value> {
    let in_properties = || event.get("properties")?.get("token").filter(|token| truthy(token)).cloned();
    of_object(event).or_else(in_properties)
}

/// The token as text, if its form allows that it is one.
pub(crate) fn checked(token: Option<&Value>) -> Result<String, Refusal> {
    let Value::String(token) = token.ok_or(Refusal::NoToken)? else {
        return Err(Refusal::BadToken("not_string"));
    };
    if token.chars().count() > MAX_TOKEN {
        return Err(Refusal::BadToken("too_long"));
    }
    if !token.is_ascii() {
        return Err(Refusal::BadToken("not_ascii"));
    }
    if token.starts_with("phx_") {
        return Err(Refusal::BadToken("personal_api_key"));
    }
    Ok(token.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::event::read;
    use crate::request::RawRequest;

    fn post(path: &str, body: &str) -> RawRequest {
        RawRequest { method: "POST".to_owned(), path: path.to_owned(), body: body.into(), ..RawRequest::default() }
    }

    #[test]
    fn tokens() {
        let token = |request: RawRequest| read(&request).unwrap().token;
        let bare = json!({"event": "x", "distinct_id": "d"});
        assert_eq!(
            token(post(
                "/e",
                &json!({"batch": [{"event": "x", "distinct_id": "d", "token": "own"}], "api_key": "w"}).to_string()
            )),
            "w"
        );
        assert_eq!(
            token(post(
                "/e",
                &json!([{"event": "x", "distinct_id": "d", "properties": {"token": "p"}}, bare]).to_string()
            )),
            "p"
        );
        assert_eq!(
            token(post("/e", &json!({"event": "x", "distinct_id": "d", "api_key": "k", "token": ""}).to_string())),
            "k"
        );
        let get = RawRequest {
            method: "GET".to_owned(),
            query: r#"token=q&data={"event":"x","distinct_id":"d","token":"b"}"#.to_owned(),
            ..post("/e", "")
        };
        assert_eq!(token(get), "q");
    }
}
