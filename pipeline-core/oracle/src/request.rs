//! A capture request as it comes off the wire, and what is answered.

use percent_encoding::percent_decode;

/// One HTTP request, before anything is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawRequest {
    pub received_at_ms: i64,
    /// Address of the peer, without port.
    pub peer_ip: String,
    pub method: String,
    pub path: String,
    /// As in the request line, without `?`.
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Where a text ends in a reason of a decoder ("failed to parse request: …"), only the part up to the colon is
    /// a promise.
    pub body: String,
}

/// Paths that take events. None of them behaves differently, but for `/engage`.
const EVENT_PATHS: [&str; 7] = ["/e", "/i/v0/e", "/capture", "/track", "/engage", "/batch", "/s"];

impl RawRequest {
    fn bare_path(&self) -> &str {
        self.path.strip_suffix('/').unwrap_or(&self.path)
    }

    pub(crate) fn takes_events(&self) -> bool {
        EVENT_PATHS.contains(&self.bare_path())
    }

    pub(crate) fn is_engage(&self) -> bool {
        self.bare_path() == "/engage"
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub(crate) fn query_field(&self, name: &str) -> Option<Vec<u8>> {
        form_field(&urlencoded(self.query.as_bytes()), name)
    }

    pub(crate) fn query_text(&self, name: &str) -> Option<String> {
        self.query_field(name).map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    /// Content type without parameters, lower case; empty if there is none.
    pub(crate) fn content_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// First entry of `X-Forwarded-For`, else the peer. Exactly one colon is an IPv4 port, which is cut off.
    pub(crate) fn client_ip(&self) -> String {
        let forwarded = self.header("x-forwarded-for").unwrap_or_default();
        let first = forwarded.split(',').next().unwrap_or_default().trim();
        let address = if first.is_empty() { self.peer_ip.as_str() } else { first };
        match address.split_once(':') {
            Some((host, port)) if !port.contains(':') => host.to_owned(),
            _ => address.to_owned(),
        }
    }

    pub(crate) fn site_url(&self) -> String {
        let scheme = match self.header("x-forwarded-proto") {
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
            _ => "http",
        };
        format!("{scheme}://{}", self.header("host").unwrap_or_default())
    }

    /// The query's `_`: when posthog-js sent it, in milliseconds. Anything else under that name is a cache buster.
    pub(crate) fn query_sent_at_ms(&self) -> Option<i64> {
        const YEAR_2020_MS: i64 = 1_577_836_800_000;
        let milliseconds: i64 = self.query_text("_")?.parse().ok()?;
        (YEAR_2020_MS < milliseconds && milliseconds <= crate::js_date::MAX_DATE_MS).then_some(milliseconds)
    }
}

/// Names and values of an `application/x-www-form-urlencoded` text. Values are bytes: a gzip body may be among them.
pub(crate) fn urlencoded(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let decode = |part: &[u8]| -> Vec<u8> {
        let spaced: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_decode(&spaced).collect()
    };
    let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(equals + 1..).unwrap_or_default();
            (String::from_utf8_lossy(&decode(&pair[..equals])).into_owned(), decode(value))
        })
        .collect()
}

/// Fields of a `multipart/form-data` body; none if it does not follow the form.
pub(crate) fn multipart(content_type: &str, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let Some(boundary) = parameter(content_type, "boundary") else { return Vec::new() };
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // The first delimiter has no line end before it if there is no preamble.
    let framed = [b"\r\n", body].concat();
    let mut fields = Vec::new();
    for part in split(&framed, &delimiter).into_iter().skip(1) {
        let Some(part) = part.strip_prefix(b"\r\n") else { break };
        let Some(end) = find(part, b"\r\n\r\n") else { break };
        let head = String::from_utf8_lossy(&part[..end]).into_owned();
        let disposition = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"));
        if let Some(name) = disposition.and_then(|line| parameter(line, "name")) {
            fields.push((name, part[end + 4..].to_vec()));
        }
    }
    fields
}

/// A parameter of a header, without quotes.
fn parameter(header: &str, name: &str) -> Option<String> {
    let parameters = header.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut found = parameters.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn split<'a>(mut text: &'a [u8], delimiter: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while let Some(at) = find(text, delimiter) {
        parts.push(&text[..at]);
        text = &text[at + delimiter.len()..];
    }
    parts.push(text);
    parts
}

/// Of several fields with one name the last counts.
pub(crate) fn form_field(fields: &[(String, Vec<u8>)], name: &str) -> Option<Vec<u8>> {
    fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (forwarded, expected) in [
            ("", "10.0.0.9"),
            ("1.2.3.4", "1.2.3.4"),
            (" 1.2.3.4:55 , 5.6.7.8", "1.2.3.4"),
            ("2001:db8::1", "2001:db8::1"),
            (", 5.6.7.8", "10.0.0.9"),
        ] {
            let headers = vec![("X-Forwarded-For".to_owned(), forwarded.to_owned())];
            let request = RawRequest { peer_ip: "10.0.0.9".to_owned(), headers, ..RawRequest::default() };
            assert_eq!(request.client_ip(), expected, "{forwarded}");
        }
    }

    #[test]
    fn form_bodies() {
        let fields = urlencoded(b"data=%7B%7d+%2B&compression=gzip&x");
        assert_eq!(form_field(&fields, "data").unwrap(), b"{} +");
        assert_eq!(form_field(&fields, "x").unwrap(), b"");
        let body = b"--B\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n{\"a\":\r\n1}\r\n--B\r\ncontent-disposition: \
            form-data; name=token\r\nContent-Type: text/plain\r\n\r\nt\r\n--B--\r\n";
        let fields = multipart("multipart/form-data; boundary=B", body);
        assert_eq!(form_field(&fields, "data").unwrap(), b"{\"a\":\r\n1}");
        assert_eq!(form_field(&fields, "token").unwrap(), b"t");
    }

    #[test]
    fn underscore_is_milliseconds_since_2020() {
        for (query, expected) in [
            ("_=1700000000000", Some(1_700_000_000_000)),
            ("_=1577836800000", None),
            ("_=1700000000", None),
            ("_=1700000000000.5", None),
            ("ip=1", None),
        ] {
            let request = RawRequest { query: query.to_owned(), ..RawRequest::default() };
            assert_eq!(request.query_sent_at_ms(), expected, "{query}");
        }
    }
}
