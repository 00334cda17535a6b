//! From the bytes of a request to the bytes of its JSON: form field, base64, gzip and lz-string, in any
//! of the orders that clients use, with the size bounded before it is allocated.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::CaptureError;
use crate::form::Form;
use crate::inflate::{Bounds, gunzip};
use crate::lz_string;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Three are in use (a form with base64 of gzip); more is an attack or a mistake.
const LAYERS: usize = 4;

/// Padding is often lost on the way through a query string.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How a request said it was packed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Packing<'a> {
    pub content_type: &'a str,
    pub content_encoding: &'a str,
    /// Query parameter `compression`.
    pub compression: &'a str,
    /// Query parameter `data`, used when there is no body.
    pub data: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    /// Base64 too: it is tried on everything that is not JSON.
    Unnamed,
    Gzip,
    LzString,
}

impl Compression {
    fn named(name: &str) -> Result<Self, CaptureError> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "none" | "identity" | "plain" | "base64" | "b64" => Ok(Self::Unnamed),
            "gzip" | "gzip-js" => Ok(Self::Gzip),
            "lz64" | "lz-string" => Ok(Self::LzString),
            other => {
                let name: String = other.chars().take(40).collect();
                Err(CaptureError::Decode(format!(
                    "unsupported compression \"{name}\"; known are gzip, gzip-js, lz64, lz-string, base64"
                )))
            }
        }
    }
}

/// The JSON text of a request, and what the form around it said.
pub fn unwrap_body(body: Vec<u8>, packing: Packing<'_>, limit_bytes: usize) -> Result<(Vec<u8>, Form), CaptureError> {
    let mut bytes = if body.is_empty() { packing.data.unwrap_or_default().as_bytes().to_vec() } else { body };
    let bounds = Bounds::of(bytes.len(), limit_bytes);
    let mut form = read_form(&bytes, packing.content_type)?;
    if let Some(data) = form.data.take() {
        bytes = data;
    }
    let names = [packing.compression, form.compression.as_deref().unwrap_or_default(), packing.content_encoding];
    let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    match Compression::named(name)? {
        Compression::Unnamed => {}
        Compression::Gzip => bytes = gunzip_named(bytes, bounds)?,
        Compression::LzString => bytes = lz_string::decompress_base64(&bytes, bounds)?,
    }
    for _ in 1..LAYERS {
        if bytes.starts_with(&GZIP_MAGIC) {
            bytes = gunzip(&bytes, bounds)?;
        } else if is_form(&bytes) {
            let inner = Form::urlencoded(&bytes);
            bytes = inner.data.clone().unwrap_or_default();
            form = Form { data: None, ..inner };
        } else if let Some(decoded) = unbase64(&bytes) {
            bytes = decoded;
        } else {
            break;
        }
    }
    if bytes.starts_with(&GZIP_MAGIC) {
        return Err(CaptureError::Decode(format!("packed more than {LAYERS} times")));
    }
    if bytes.is_empty() {
        return Err(CaptureError::Empty);
    }
    bounds.check(bytes.len())?;
    Ok((bytes, form))
}

/// A body that is a form, whatever clients label so: some send plain JSON under a form's content type.
fn read_form(bytes: &[u8], content_type: &str) -> Result<Form, CaptureError> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if bytes.starts_with(&GZIP_MAGIC) || starts_json(bytes) {
        Ok(Form::default())
    } else if kind == "multipart/form-data" {
        let form = Form::multipart(bytes, content_type)?;
        if form.data.is_some() { Ok(form) } else { Err(CaptureError::Empty) }
    } else if kind == "application/x-www-form-urlencoded" || is_form(bytes) {
        Ok(Form::urlencoded(bytes))
    } else {
        Ok(Form::default())
    }
}

fn is_form(bytes: &[u8]) -> bool {
    bytes.starts_with(b"data=")
}

fn starts_json(bytes: &[u8]) -> bool {
    matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}

/// Data that is said to be gzip: as it is, or in base64 where the way was not clean.
fn gunzip_named(bytes: Vec<u8>, bounds: Bounds) -> Result<Vec<u8>, CaptureError> {
    if bytes == b"undefined" {
        return Err(CaptureError::Decode(
            "data being loaded from the request body for decompression is the literal string 'undefined'".into(),
        ));
    }
    if bytes.is_empty() {
        return Err(CaptureError::Empty);
    }
    let decoded = if bytes.starts_with(&GZIP_MAGIC) { None } else { unbase64(&bytes) };
    gunzip(decoded.as_deref().unwrap_or(&bytes), bounds)
}

/// Decodes base64, but only where the text cannot be JSON already and becomes something of use.
fn unbase64(bytes: &[u8]) -> Option<Vec<u8>> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if matches!(first, b'{' | b'[' | b'"') {
        return None;
    }
    // A plus sign becomes a space in a form that did not escape it; a line's end is no digit.
    let text: Vec<u8> = bytes
        .trim_ascii_end()
        .iter()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .map(|byte| match byte {
            b' ' | b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    let useful = |decoded: &Vec<u8>| {
        decoded.starts_with(&GZIP_MAGIC) || starts_json(decoded) || is_form(decoded) || looks_base64(decoded)
    };
    LENIENT.decode(text).ok().filter(useful)
}

/// Base64 inside base64: the inner text of an object or list starts with one of these, that of gzip with
/// the third.
fn looks_base64(bytes: &[u8]) -> bool {
    [&b"ey"[..], b"W3", b"H4sI"].iter().any(|start| bytes.starts_with(start))
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;

    use super::*;
    use crate::inflate::tests::gzip;

    const JSON: &[u8] = br#"{"event":"e","distinct_id":"d~?\u00fb"}"#;
    const PLAIN: Packing<'_> = Packing { content_type: "", content_encoding: "", compression: "", data: None };
    const FORM: Packing<'_> = Packing { content_type: "application/x-www-form-urlencoded", ..PLAIN };

    fn json_of(body: &[u8], packing: Packing<'_>) -> Result<Vec<u8>, CaptureError> {
        unwrap_body(body.to_vec(), packing, 1_000_000).map(|(json, _)| json)
    }

    fn escaped(bytes: &[u8]) -> String {
        url::form_urlencoded::byte_serialize(bytes).collect()
    }

    #[test]
    fn every_packing_gives_the_same_json() {
        let base64 = BASE64_STANDARD.encode(JSON);
        let packed64 = BASE64_STANDARD.encode(gzip(JSON));
        let lz = lz_str::compress_to_base64(std::str::from_utf8(JSON).expect("text"));
        let multipart = [
            &b"--B\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n"[..],
            &gzip(JSON),
            b"\r\n--B\r\nContent-Disposition: form-data; name=\"compression\"\r\n\r\ngzip-js\r\n--B--\r\n",
        ]
        .concat();
        let by_query = |compression| Packing { compression, ..PLAIN };
        let named = |content_encoding| Packing { content_encoding, ..PLAIN };
        let query = |data, compression| Packing { data: Some(data), compression, ..PLAIN };
        let multi = Packing { content_type: "multipart/form-data; boundary=B", ..PLAIN };
        let cases: Vec<(Vec<u8>, Packing<'_>)> = vec![
            (JSON.to_vec(), PLAIN),
            (JSON.to_vec(), FORM),
            (JSON.to_vec(), by_query("base64")),
            (JSON.to_vec(), named("identity")),
            (gzip(JSON), named("gzip")),
            (gzip(JSON), named("GZIP")),
            (gzip(JSON), by_query("gzip-js")),
            (gzip(JSON), PLAIN),
            (gzip(&gzip(JSON)), PLAIN),
            (base64.clone().into_bytes(), PLAIN),
            (base64.replace('=', "").replace('+', "-").replace('/', "_").into_bytes(), PLAIN),
            (format!("{}\r\n{}\n", &base64[..20], &base64[20..]).into_bytes(), PLAIN),
            (BASE64_STANDARD.encode(&base64).into_bytes(), PLAIN),
            (packed64.clone().into_bytes(), PLAIN),
            (packed64.clone().into_bytes(), by_query("gzip-js")),
            (lz.clone().into_bytes(), by_query("lz64")),
            (lz.clone().into_bytes(), by_query("lz-string")),
            (format!("data={}&compression=lz64", escaped(lz.as_bytes())).into_bytes(), FORM),
            (format!("data={}", escaped(base64.as_bytes())).into_bytes(), FORM),
            (format!("data={}", escaped(base64.as_bytes())).into_bytes(), PLAIN),
            (format!("data={base64}&compression=base64").into_bytes(), FORM),
            (format!("data={}&compression=gzip-js", escaped(&gzip(JSON))).into_bytes(), FORM),
            (gzip(format!("data={}", escaped(JSON)).as_bytes()), Packing { content_encoding: "gzip", ..FORM }),
            (multipart, multi),
            (Vec::new(), query(&base64, "")),
            (Vec::new(), query(&packed64, "gzip")),
            (Vec::new(), query(&lz, "lz64")),
        ];
        for (index, (body, packing)) in cases.into_iter().enumerate() {
            assert_eq!(json_of(&body, packing).as_deref(), Ok(JSON), "case {index}");
        }
    }

    #[test]
    fn what_cannot_be_unpacked_says_so() {
        let four = gzip(&gzip(&gzip(&gzip(&gzip(JSON)))));
        let gz = Packing { compression: "gzip", ..PLAIN };
        for (body, packing, text) in [
            (JSON, gz, "invalid gzip data"),
            (b"undefined", gz, "data being loaded from the request body"),
            (JSON, Packing { compression: "brotli", ..PLAIN }, "unsupported compression \"brotli\""),
            (JSON, Packing { content_encoding: "br", ..PLAIN }, "unsupported compression \"br\""),
            (JSON, Packing { compression: "lz64", ..PLAIN }, "invalid lz-string data"),
            (&four, PLAIN, "packed more than"),
        ] {
            let result = json_of(body, packing);
            assert!(matches!(&result, Err(CaptureError::Decode(why)) if why.contains(text)), "{text}: {result:?}");
        }
    }

    #[test]
    fn nothing_is_no_event() {
        for (body, packing) in [(&b""[..], PLAIN), (b"data=", FORM), (b"", Packing { compression: "gzip", ..PLAIN })] {
            assert_eq!(json_of(body, packing), Err(CaptureError::Empty));
        }
    }

    #[test]
    fn text_that_is_no_base64_of_anything_stays_as_it_is() {
        for text in [&b"hello"[..], b"abcd", b"123", b"\"eyJhIjoxfQ==\""] {
            assert_eq!(json_of(text, PLAIN).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_the_form_says_comes_along() {
        let (_, form) = unwrap_body(b"data=%7B%7D&api_key=a&token=t&sent_at=s".to_vec(), FORM, 1_000).expect("a form");
        assert_eq!(form.api_key.as_deref(), Some("a"));
        assert_eq!(form.token.as_deref(), Some("t"));
        assert_eq!(form.sent_at.as_deref(), Some("s"));
    }

    #[test]
    fn a_bomb_in_any_layer_is_refused() {
        let bomb = gzip(&vec![b' '; 50_000_000]);
        let limit = Err(CaptureError::TooLarge { limit_bytes: 1_000_000 });
        assert_eq!(json_of(&bomb, PLAIN), limit);
        assert_eq!(json_of(&gzip(&bomb), PLAIN), limit);
        assert_eq!(json_of(BASE64_STANDARD.encode(&bomb).as_bytes(), PLAIN), limit);
    }
}
