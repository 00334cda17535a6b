//! From the bytes of a request to the JSON text in it: where the payload is, and what it is wrapped in (SPEC 1.2, 1.13).

use std::io::Read;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::json_text;
use crate::refusal::Refusal;
use crate::request::{RawRequest, form_field, multipart, urlencoded};

/// Bytes on the wire, and bytes after decompression.
const MAX_BYTES: usize = 20 * 1024 * 1024;

/// What a request carries.
#[derive(Debug)]
pub(crate) struct Payload {
    /// Text that parses as JSON, with the repairs of [`json_text::repair`] done.
    pub json: String,
    pub form: Vec<(String, Vec<u8>)>,
}

pub(crate) fn payload(request: &RawRequest) -> Result<Payload, Refusal> {
    if request.body.len() > MAX_BYTES {
        return Err(Refusal::TooLarge);
    }
    let (data, form) = find_data(request);
    if data.is_empty() {
        return Err(Refusal::NoEvent);
    }
    let name = request
        .query_text("compression")
        .or_else(|| form_field(&form, "compression").map(|name| String::from_utf8_lossy(&name).into_owned()))
        .or_else(|| request.header("content-encoding").map(str::to_owned))
        .unwrap_or_default();
    let bytes = decompress(&name.trim().to_ascii_lowercase(), data)?;
    if bytes.is_empty() {
        return Err(Refusal::NoEvent);
    }
    let parsed = json_text::parse(&bytes);
    if let Ok(json) = parsed {
        return Ok(Payload { json, form });
    }
    // What is no JSON may be base64 of it, or base64 of a gzip of it; if it is neither, the first error stands.
    if let Some(decoded) = base64_decode(&bytes) {
        let unwrapped = if is_gzip(&decoded) { gunzip(&decoded)? } else { decoded };
        if let Ok(json) = json_text::parse(&unwrapped) {
            return Ok(Payload { json, form });
        }
    }
    Err(Refusal::Parse(parsed.expect_err("invariant: the other case has returned")))
}

/// GET: query. Form content types: the form. Any other POST: the body itself, or the query if that is empty.
fn find_data(request: &RawRequest) -> (Vec<u8>, Vec<(String, Vec<u8>)>) {
    let query = || request.query_field("data").unwrap_or_default();
    if request.method.eq_ignore_ascii_case("GET") {
        return (query(), Vec::new());
    }
    let form = match request.content_type().as_str() {
        "application/x-www-form-urlencoded" => urlencoded(&request.body),
        "multipart/form-data" => multipart(request.header("content-type").unwrap_or_default(), &request.body),
        _ if request.body.is_empty() => return (query(), Vec::new()),
        _ => return (request.body.clone(), Vec::new()),
    };
    (form_field(&form, "data").filter(|data| !data.is_empty()).unwrap_or_else(query), form)
}

fn decompress(name: &str, data: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    match name {
        "gzip" | "gzip-js" if data == b"undefined" => Err(Refusal::Decode(
            "data being loaded from the request body for decompression is the literal string 'undefined'".to_owned(),
        )),
        "gzip" | "gzip-js" => gunzip(&data),
        "lz64" | "lz-string" => {
            let text = String::from_utf8_lossy(&data).replace(' ', "+");
            let units = lz_str::decompress_from_base64(&text).filter(|units| !units.is_empty());
            let units = units.ok_or_else(|| Refusal::Decode("not an LZ-string".to_owned()))?;
            limit(utf16(&units).into_bytes(), data.len())
        }
        "base64" | "b64" => base64_decode(&data).ok_or_else(|| Refusal::Decode("not base64".to_owned())),
        "" | "none" | "identity" | "plain" if is_gzip(&data) => gunzip(&data),
        "" | "none" | "identity" | "plain" => Ok(data),
        other => Err(Refusal::Decode(format!("unknown compression {other}"))),
    }
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut text = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(MAX_BYTES as u64 + 1);
    reader.read_to_end(&mut text).map_err(|error| Refusal::Decode(error.to_string()))?;
    limit(text, bytes.len())
}

/// A small body may not unfold into a large one. The lower of the two limits is the one that answers.
fn limit(text: Vec<u8>, wire: usize) -> Result<Vec<u8>, Refusal> {
    let by_size = 100 * wire + 1024 * 1024;
    if text.len() <= by_size.min(MAX_BYTES) {
        Ok(text)
    } else if by_size < MAX_BYTES {
        Err(Refusal::Decode("the body unfolds to more than 100 times its size".to_owned()))
    } else {
        Err(Refusal::TooLarge)
    }
}

/// Spaces were plus signs before a form decoder saw them; padding is as it comes; either alphabet.
fn base64_decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = bytes.iter().map(|byte| if *byte == b' ' { b'+' } else { *byte }).collect();
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let attempt = |alphabet| GeneralPurpose::new(alphabet, config).decode(&text[..end]).ok();
    attempt(&STANDARD).or_else(|| attempt(&URL_SAFE))
}

/// Half a surrogate pair cannot be in text; it becomes its escape, which the later repair makes literal.
fn utf16(units: &[u16]) -> String {
    let text = char::decode_utf16(units.iter().copied());
    text.map(|unit| unit.map_or_else(|half| format!("\\u{:04x}", half.unpaired_surrogate()), String::from)).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use base64::engine::general_purpose::STANDARD;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn post(content_type: &str, query: &str, body: Vec<u8>) -> RawRequest {
        RawRequest {
            method: "POST".to_owned(),
            query: query.to_owned(),
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body,
            ..RawRequest::default()
        }
    }

    #[test]
    fn every_wrapping_leads_to_the_same_text() {
        let json = r#"{"event":"a","s":"ünï 😀"}"#;
        let base64 = STANDARD.encode(json);
        let escaped = percent_encoding::utf8_percent_encode(json, percent_encoding::NON_ALPHANUMERIC).to_string();
        let lz = lz_str::compress_to_base64(json);
        let lz_form = percent_encoding::utf8_percent_encode(&lz, percent_encoding::NON_ALPHANUMERIC).to_string();
        for (name, request) in [
            ("plain", post("application/json; charset=utf-8", "", json.into())),
            ("no type", post("", "", json.into())),
            ("other type", post("application/octet-stream", "", json.into())),
            ("gzip", post("text/plain", "compression=gzip-js", gzip(json.as_bytes()))),
            ("gzip unnamed", post("text/plain", "", gzip(json.as_bytes()))),
            ("gzip in base64", post("text/plain", "", STANDARD.encode(gzip(json.as_bytes())).into())),
            ("base64", post("text/plain", "compression=base64", base64.clone().into())),
            ("base64 unnamed", post("text/plain", "", base64.trim_end_matches('=').into())),
            // As the JavaScript library writes it.
            (
                "lz64 of lz-string",
                post("", "compression=lz64", b"N4IgpgbmB2AuIC4QEMQBoQGdEgD/QHuACQXg3AAPZAF8g===".to_vec()),
            ),
            ("lz64", post("text/plain", "compression=lz64", lz.clone().into())),
            ("form", post("application/x-www-form-urlencoded", "", format!("data={escaped}").into())),
            ("form base64", post("application/x-www-form-urlencoded", "", format!("data={base64}").into())),
            (
                "form lz64",
                post("application/x-www-form-urlencoded", "", format!("compression=lz64&data={lz_form}").into()),
            ),
            ("get", RawRequest { method: "GET".to_owned(), ..post("", &format!("data={escaped}"), Vec::new()) }),
        ] {
            assert_eq!(payload(&request).unwrap().json, json, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_decoded() {
        let refused = |query: &str, body: &[u8]| payload(&post("", query, body.to_vec())).unwrap_err().rule();
        assert_eq!(refused("compression=gzip", b"undefined"), "decode");
        assert_eq!(refused("compression=gzip", b"{}"), "decode");
        assert_eq!(refused("compression=brotli", b"{}"), "decode");
        assert_eq!(refused("compression=lz64", b"!"), "decode");
        assert_eq!(refused("compression=base64", b"{}"), "decode");
        assert_eq!(refused("", b"{"), "parse");
        assert_eq!(refused("", b""), "no_event");
        assert_eq!(refused("", &vec![b' '; MAX_BYTES + 1]), "request_too_large");
        assert_eq!(refused("", &gzip(&vec![b' '; 3 * 1024 * 1024])), "decode");
    }
}
