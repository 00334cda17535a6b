//! What to tell an author whose call no mock answers: what was asked, the mock that comes nearest and in
//! what it differs, and a mock that would answer.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use url::Url;

use super::Mock;
use super::matching::{Difference, before_query};
use crate::http::recording::{is_secret_header, redacted_url};
use crate::http::request::{FailureKind, HttpFailure, HttpRequest, authority};
use crate::secrets::Secrets;

/// Of a value shown in an error.
const SHOWN_CHARACTERS: usize = 200;
/// Of a body offered for pasting.
const PASTED_BODY_BYTES: usize = 2000;

pub fn unanswered(
    mocks: &[Arc<Mock>],
    used: &[u32],
    request: &HttpRequest,
    url: &Url,
    secrets: &Secrets,
) -> HttpFailure {
    let mut message = format!("no mock answers {} {}", request.method, redacted_url(url, secrets));
    let nearest = mocks
        .iter()
        .zip(used)
        .map(|(mock, used)| (mock, *used, mock.request.differences(request, url)))
        .min_by_key(|(mock, _, differences)| distance(mock, differences, url));
    match nearest {
        None => message.push_str("; the plugin has no mocks"),
        Some((mock, used, differences)) => {
            let _ = write!(message, "; the nearest is {}: ", mock.label);
            if differences.is_empty() {
                let _ = write!(message, "it fits, but has given all its {used} answers (times)");
            }
            for (place, difference) in differences.iter().enumerate() {
                message.push_str(if place == 0 { "" } else { ", " });
                message.push_str(&secrets.redact(&told(difference)));
            }
        }
    }
    let file = authority(url).replace(':', "-").replace(['[', ']'], "");
    let hint = format!(
        "Put this into mocks/{file}.json, or switch HTTP on for this plugin:\n{}",
        serde_json::to_string_pretty(&to_paste(request, url, secrets)).unwrap_or_default()
    );
    HttpFailure::new(FailureKind::NoMock, message, hint)
}

/// Small for a mock that was probably meant.
fn distance(mock: &Mock, differences: &[Difference], url: &Url) -> usize {
    differences
        .iter()
        .map(|difference| match difference.field.as_str() {
            "url" => {
                let (own, asked) = (mock.request.url.as_bytes(), before_query(url).as_bytes());
                let common = own.iter().zip(asked).take_while(|(one, other)| one == other).count();
                100 + 100 * (own.len().max(asked.len()) - common) / own.len().max(asked.len()).max(1)
            }
            "method" => 30,
            _ => 10,
        })
        .sum()
}

fn told(difference: &Difference) -> String {
    let header = difference.field.strip_prefix("headers.");
    let hidden = header.is_some_and(is_secret_header);
    let wanted = if hidden { "another value" } else { &shortened(&difference.wanted) };
    match &difference.found {
        None => format!("{} is missing, wanted {wanted}", difference.field),
        Some(_) if hidden => format!("{} has {wanted}", difference.field),
        Some(found) => format!("{} is {}, wanted {wanted}", difference.field, shortened(found)),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

fn to_paste(request: &HttpRequest, url: &Url, secrets: &Secrets) -> Value {
    let mut wanted = Map::new();
    wanted.insert("method".into(), json!(request.method));
    let clean = redacted_url(url, secrets);
    // A secret in the path becomes a `*`, so that what is pasted fits.
    let any = |text: &str| text.replace(crate::secrets::SECRET_PLACEHOLDER, "*");
    let clean = Url::parse(&clean).unwrap_or_else(|_| url.clone());
    wanted.insert("url".into(), json!(any(before_query(&clean))));
    let query: Map<_, _> = clean.query_pairs().map(|(name, value)| (name.into_owned(), json!(any(&value)))).collect();
    if !query.is_empty() {
        wanted.insert("query".into(), Value::Object(query));
    }
    if !request.body.is_empty()
        && request.body.len() <= PASTED_BODY_BYTES
        && let Ok(mut body) = serde_json::from_slice::<Value>(&request.body)
    {
        let before = body.clone();
        secrets.redact_json(&mut body);
        // JSON has no `*`; a body with a secret in it cannot be asked for.
        if body == before && !body.is_string() {
            wanted.insert("body".into(), body);
        }
    }
    json!({ "request": wanted, "response": { "status": 200, "json": {} } })
}
