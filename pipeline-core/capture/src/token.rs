//! Which project a request is for: where a token may stand, and what one looks like.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::CaptureError;
use crate::fields::{Fields, string};

const LIMIT_CHARS: usize = 64;

/// What stands where a token may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim<'a> {
    Text(Cow<'a, str>),
    /// Something true that is not a string, as JSON.
    Other(Cow<'a, str>),
}

impl<'a> Claim<'a> {
    /// Null, "", false, 0 and empty structures are no claim: the next place is asked.
    fn of(raw: Option<&'a RawValue>) -> Option<Self> {
        let raw = raw?.get();
        if raw.starts_with('"') {
            return string(raw).filter(|text| !text.is_empty()).map(Self::Text);
        }
        let counts = match serde_json::from_str::<Value>(raw) {
            Ok(Value::Null | Value::Bool(false)) | Err(_) => false,
            Ok(Value::Number(number)) => number.as_f64() != Some(0.0),
            Ok(Value::Array(list)) => !list.is_empty(),
            Ok(Value::Object(object)) => !object.is_empty(),
            Ok(Value::Bool(true) | Value::String(_)) => true,
        };
        counts.then_some(Self::Other(Cow::Borrowed(raw)))
    }

    pub fn of_text(text: &str) -> Option<Claim<'static>> {
        (!text.is_empty()).then(|| Claim::Text(Cow::Owned(text.to_owned())))
    }

    /// Of an event, or of the wrapper around events.
    pub fn of_object(fields: &Fields<'a>, properties: Option<&Fields<'a>>) -> Option<Self> {
        [fields.dollar_token, fields.token, fields.api_key, properties.and_then(|properties| properties.token)]
            .into_iter()
            .find_map(Self::of)
    }

    /// The token, if it can be one.
    pub fn check(&self) -> Result<&str, CaptureError> {
        let Self::Text(token) = self else { return Err(CaptureError::InvalidToken("not_string")) };
        let reason = if token.chars().count() > LIMIT_CHARS {
            "too_long"
        } else if !token.is_ascii() {
            "not_ascii"
        } else if token.starts_with("phx_") {
            "personal_api_key"
        } else {
            return Ok(token);
        };
        Err(CaptureError::InvalidToken(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(json: &str) -> Option<Result<String, &'static str>> {
        let raw = RawValue::from_string(json.to_owned()).expect("JSON");
        let fields = Fields { token: Some(&raw), ..Fields::default() };
        Claim::of_object(&fields, None).map(|claim| {
            claim.check().map(str::to_owned).map_err(|error| match error {
                CaptureError::InvalidToken(reason) => reason,
                other => panic!("{other}"),
            })
        })
    }

    #[test]
    fn a_token_is_short_ascii_and_not_personal() {
        assert_eq!(claim("\"phc_1\""), Some(Ok("phc_1".into())));
        assert_eq!(claim(&format!("\"{}\"", "a".repeat(64))), Some(Ok("a".repeat(64))));
        assert_eq!(claim(&format!("\"{}\"", "a".repeat(65))), Some(Err("too_long")));
        assert_eq!(claim("\"k\u{e4}se\""), Some(Err("not_ascii")));
        assert_eq!(claim("\"phx_secret\""), Some(Err("personal_api_key")));
        for other in ["1", "true", "[1]", "{\"a\":1}"] {
            assert_eq!(claim(other), Some(Err("not_string")), "{other}");
        }
        for nothing in ["null", "\"\"", "false", "0", "0.0", "[]", "{ }"] {
            assert_eq!(claim(nothing), None, "{nothing}");
        }
    }
}
