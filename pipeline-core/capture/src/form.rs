//! Form bodies, urlencoded and multipart: `data` holds the payload, a few other fields speak about it.

use memchr::memmem;

use crate::error::CaptureError;

/// The fields that count; of one that is there twice the last, as in a query string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    pub data: Option<Vec<u8>>,
    pub compression: Option<String>,
    pub api_key: Option<String>,
    pub token: Option<String>,
    pub sent_at: Option<String>,
}

impl Form {
    pub fn urlencoded(body: &[u8]) -> Self {
        let mut form = Self::default();
        for pair in body.split(|byte| *byte == b'&') {
            let equals = memchr::memchr(b'=', pair).unwrap_or(pair.len());
            let value = pair.get(equals + 1..).unwrap_or_default();
            form.set(&percent_decoded(&pair[..equals]), value, percent_decoded);
        }
        form
    }

    pub fn multipart(body: &[u8], content_type: &str) -> Result<Self, CaptureError> {
        let broken = |why: &str| CaptureError::Decode(format!("invalid multipart form: {why}"));
        let boundary = parameter(content_type, "boundary").ok_or_else(|| broken("no boundary"))?;
        let delimiter = format!("\r\n--{boundary}");
        let opening = &delimiter.as_bytes()[2..];
        let start = memmem::find(body, opening).ok_or_else(|| broken("the boundary does not occur"))?;
        let mut rest = &body[start + opening.len()..];
        let mut form = Self::default();
        while !rest.starts_with(b"--") {
            let end = memmem::find(rest, delimiter.as_bytes()).ok_or_else(|| broken("a part has no end"))?;
            let part = rest[..end].strip_prefix(b"\r\n").ok_or_else(|| broken("a boundary is followed by text"))?;
            let blank = memmem::find(part, b"\r\n\r\n").ok_or_else(|| broken("a part has no headers"))?;
            let headers = String::from_utf8_lossy(&part[..blank]);
            let disposition = headers.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition"));
            if let Some(name) = disposition.and_then(|line| parameter(line, "name")) {
                form.set(name.as_bytes(), &part[blank + 4..], <[u8]>::to_vec);
            }
            rest = &rest[end + delimiter.len()..];
        }
        Ok(form)
    }

    fn set(&mut self, name: &[u8], value: &[u8], decode: impl Fn(&[u8]) -> Vec<u8>) {
        let text = || Some(String::from_utf8_lossy(&decode(value)).into_owned());
        match name {
            b"data" => self.data = Some(decode(value)),
            b"compression" => self.compression = text(),
            b"api_key" => self.api_key = text(),
            b"token" => self.token = text(),
            b"sent_at" => self.sent_at = text(),
            _ => {}
        }
    }
}

/// `name=value` or `name="value"` among the parameters of a header.
fn parameter<'a>(header: &'a str, wanted: &str) -> Option<&'a str> {
    header.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"')).filter(|v| !v.is_empty())
    })
}

/// Bytes, not text: a client may send packed data this way.
fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).map(|value| value as u8);
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let escape = (*byte == b'%').then(|| digit(text.get(at + 1)).zip(digit(text.get(at + 2)))).flatten();
        match (byte, escape) {
            (_, Some((high, low))) => {
                decoded.push(high << 4 | low);
                at += 2;
            }
            (b'+', None) => decoded.push(b' '),
            (other, None) => decoded.push(*other),
        }
        at += 1;
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urlencoded_fields_are_read_as_bytes() {
        let form =
            Form::urlencoded(b"data=%7B%22a%22%3A+1%7D&compression=gzip&api_key=a&token=b&x&sent_at=%zz&data=%1f%8B");
        assert_eq!(form.data.as_deref(), Some(&[0x1f, 0x8b][..]), "the last one counts");
        assert_eq!(form.compression.as_deref(), Some("gzip"));
        assert_eq!((form.api_key.as_deref(), form.token.as_deref()), (Some("a"), Some("b")));
        assert_eq!(form.sent_at.as_deref(), Some("%zz"), "a broken escape is text");
        assert_eq!(Form::urlencoded(b"data=a+b%2Bc").data.as_deref(), Some(&b"a b+c"[..]));
    }

    #[test]
    fn multipart_fields_are_read_as_bytes() {
        let body = b"preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\nkey\r\n--XX\r\n\
            content-disposition: form-data; name=\"data\"; filename=\"blob\"\r\nContent-Type: text/plain\r\n\r\n\
            \x1f\x8b\r\n--X\r\n\r\n--XX--\r\n";
        let form = Form::multipart(body, "multipart/form-data; boundary=\"XX\"").expect("a valid form");
        assert_eq!(form.api_key.as_deref(), Some("key"));
        assert_eq!(form.data.as_deref(), Some(&b"\x1f\x8b\r\n--X\r\n"[..]));
    }

    #[test]
    fn broken_multipart_is_refused() {
        for (body, kind) in [
            ("", "multipart/form-data"),
            ("--X\r\n", "multipart/form-data; boundary=X"),
            ("--X\r\nno headers\r\n--X--", "multipart/form-data; boundary=X"),
            ("--Xtext\r\n--X--", "multipart/form-data; boundary=X"),
            ("text", "multipart/form-data; boundary=X"),
        ] {
            assert!(matches!(Form::multipart(body.as_bytes(), kind), Err(CaptureError::Decode(_))), "{body:?}");
        }
    }
}
