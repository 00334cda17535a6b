//! From the bytes of a request to the bytes of its JSON: form field, base64 and gzip, in any of the
//! orders that clients use, with the size bounded before it is allocated.

use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::CaptureError;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

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

/// Fields of a form body that are not `data`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormFields {
    pub token: Option<String>,
    pub sent_at: Option<String>,
}

/// The JSON text of a request.
pub fn unwrap_body(
    body: Vec<u8>,
    packing: Packing<'_>,
    limit_bytes: usize,
) -> Result<(Vec<u8>, FormFields), CaptureError> {
    let mut fields = FormFields::default();
    let mut compression = first_named([packing.compression, packing.content_encoding]);
    let mut bytes = body;
    if bytes.is_empty() {
        bytes = packing.data.unwrap_or_default().as_bytes().to_vec();
    } else if packing.content_type.starts_with("application/x-www-form-urlencoded") && !looks_packed(&bytes) {
        let mut data = None;
        for (name, value) in url::form_urlencoded::parse(&bytes) {
            match &*name {
                "data" => data = Some(value.into_owned()),
                "compression" if packing.compression.is_empty() => compression = value.to_lowercase(),
                "api_key" => fields.token = Some(value.into_owned()),
                "token" if fields.token.is_none() => fields.token = Some(value.into_owned()),
                "sent_at" => fields.sent_at = Some(value.into_owned()),
                _ => {}
            }
        }
        // Some clients label plain JSON as a form.
        if let Some(data) = data {
            bytes = data.into_bytes();
        }
    }
    if bytes.is_empty() {
        return Err(CaptureError::Empty);
    }
    // At most three layers are in use (base64 of gzip of base64); a fourth is an attack or a mistake.
    for _ in 0..3 {
        if bytes.starts_with(&GZIP_MAGIC) {
            bytes = gunzip(&bytes, limit_bytes)?;
        } else if let Some(decoded) = unbase64(&bytes) {
            bytes = decoded;
        } else {
            break;
        }
    }
    if compression.starts_with("gzip") && bytes == b"undefined" {
        return Err(CaptureError::Decode(
            "data being loaded from the request body for decompression is the literal string 'undefined'".into(),
        ));
    }
    if bytes.len() > limit_bytes {
        return Err(CaptureError::TooLarge { limit_bytes });
    }
    Ok((bytes, fields))
}

fn first_named<const N: usize>(names: [&str; N]) -> String {
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_lowercase()
}

fn looks_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP_MAGIC) || matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}

fn gunzip(bytes: &[u8], limit_bytes: usize) -> Result<Vec<u8>, CaptureError> {
    let mut json = Vec::with_capacity((bytes.len() * 4).min(limit_bytes));
    // One byte more than allowed is enough to know, and no more is ever allocated.
    flate2::read::MultiGzDecoder::new(bytes)
        .take(limit_bytes as u64 + 1)
        .read_to_end(&mut json)
        .map_err(|error| CaptureError::Decode(format!("invalid gzip data: {error}")))?;
    if json.len() > limit_bytes { Err(CaptureError::TooLarge { limit_bytes }) } else { Ok(json) }
}

/// Decodes base64, but only where the text cannot be JSON already.
fn unbase64(bytes: &[u8]) -> Option<Vec<u8>> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if matches!(first, b'{' | b'[' | b'"') {
        return None;
    }
    // A plus sign becomes a space in a form that did not escape it.
    let text: Vec<u8> = bytes
        .iter()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .map(|byte| match byte {
            b' ' | b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    LENIENT.decode(text).ok().filter(|decoded| {
        decoded.starts_with(&GZIP_MAGIC)
            || matches!(decoded.iter().find(|b| !b.is_ascii_whitespace()), Some(b'{' | b'['))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::prelude::BASE64_STANDARD;

    use super::*;

    const JSON: &[u8] = br#"{"event":"e","distinct_id":"d~?\u00fb"}"#;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("a Vec takes everything");
        encoder.finish().expect("a Vec takes everything")
    }

    fn json_of(body: &[u8], packing: Packing<'_>) -> Result<Vec<u8>, CaptureError> {
        unwrap_body(body.to_vec(), packing, 1_000_000).map(|(json, _)| json)
    }

    #[test]
    fn every_packing_gives_the_same_json() {
        let base64 = BASE64_STANDARD.encode(JSON);
        let plain = Packing::default();
        let form = Packing { content_type: "application/x-www-form-urlencoded", ..plain };
        let query = Packing { data: Some(&base64), ..plain };
        let encoded: String = url::form_urlencoded::byte_serialize(base64.as_bytes()).collect();
        let named = Packing { content_encoding: "gzip", ..plain };
        let cases: [(Vec<u8>, Packing<'_>); 8] = [
            (JSON.to_vec(), plain),
            (gzip(JSON), named),
            (gzip(JSON), plain),
            (base64.clone().into_bytes(), plain),
            (format!("data={encoded}").into_bytes(), form),
            (format!("data={base64}&compression=base64").into_bytes(), form),
            (BASE64_STANDARD.encode(gzip(JSON)).into_bytes(), plain),
            (Vec::new(), query),
        ];
        for (index, (body, packing)) in cases.into_iter().enumerate() {
            assert_eq!(json_of(&body, packing).as_deref(), Ok(JSON), "case {index}");
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let bomb = gzip(&vec![b' '; 50_000_000]);
        assert_eq!(json_of(&bomb, Packing::default()), Err(CaptureError::TooLarge { limit_bytes: 1_000_000 }));
    }

    #[test]
    fn damaged_gzip_says_so() {
        let mut torn = gzip(JSON);
        torn.truncate(15);
        assert!(matches!(json_of(&torn, Packing::default()), Err(CaptureError::Decode(_))));
    }
}
