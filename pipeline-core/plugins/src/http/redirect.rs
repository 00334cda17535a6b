//! Where a redirect leads and what is asked there, by the rules of `fetch`.

use ureq::http::{HeaderMap, StatusCode, header::LOCATION};
use url::Url;

use super::request::{FailureKind, HttpFailure, HttpRequest, target};

/// Meant for one origin and nobody else.
const FOR_ONE_ORIGIN: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "www-authenticate"];

/// About a body that is no longer sent.
const ABOUT_THE_BODY: [&str; 5] =
    ["content-encoding", "content-language", "content-length", "content-location", "content-type"];

/// None if the answer is no redirect, or one without a target, which then is the answer.
pub fn next(status: StatusCode, headers: &HeaderMap, url: &Url) -> Result<Option<Url>, HttpFailure> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = headers.get(LOCATION) else { return Ok(None) };
    let location = String::from_utf8_lossy(location.as_bytes());
    let joined = url.join(&location).map_err(|error| {
        HttpFailure::new(
            FailureKind::Network,
            format!("{url} redirects to {location:?}, which is no URL: {error}"),
            "The server is at fault; ask for the final URL.",
        )
    })?;
    target(joined.as_str()).map(Some)
}

/// Turns a request to `from` into the one to send to `to`.
pub fn rewrite(request: &mut HttpRequest, status: StatusCode, from: &Url, to: &Url) {
    let becomes_get = match status.as_u16() {
        303 => !matches!(request.method.as_str(), "GET" | "HEAD"),
        301 | 302 => request.method == "POST",
        _ => false,
    };
    if becomes_get {
        "GET".clone_into(&mut request.method);
        request.body.clear();
        drop_headers(request, &ABOUT_THE_BODY);
    }
    if from.origin() != to.origin() {
        drop_headers(request, &FOR_ONE_ORIGIN);
    }
    // Made from the URL of each hop.
    drop_headers(request, &["host"]);
    to.as_str().clone_into(&mut request.url);
}

fn drop_headers(request: &mut HttpRequest, names: &[&str]) {
    request.headers.retain(|(own, _)| !names.iter().any(|name| name.eq_ignore_ascii_case(own)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirected(method: &str, status: u16, to: &str) -> HttpRequest {
        let header = |name: &str| (name.to_owned(), "x".to_owned());
        let mut request = HttpRequest {
            method: method.to_owned(),
            url: "https://a.example/1".to_owned(),
            headers: vec![header("Authorization"), header("COOKIE"), header("Content-Type"), header("Accept")],
            body: b"body".to_vec(),
            redirect: crate::http::Redirect::Follow,
        };
        let from = Url::parse(&request.url).unwrap();
        let to = Url::parse(to).unwrap();
        rewrite(&mut request, StatusCode::from_u16(status).unwrap(), &from, &to);
        request
    }

    #[test]
    fn methods_change_as_fetch_has_it() {
        for (method, status, expected) in [
            ("POST", 301, "GET"),
            ("POST", 302, "GET"),
            ("POST", 303, "GET"),
            ("PUT", 301, "PUT"),
            ("DELETE", 302, "DELETE"),
            ("PUT", 303, "GET"),
            ("HEAD", 303, "HEAD"),
            ("POST", 307, "POST"),
            ("POST", 308, "POST"),
        ] {
            let request = redirected(method, status, "https://a.example/2");
            assert_eq!(request.method, expected, "{method} {status}");
            assert_eq!(request.body.is_empty(), expected == "GET");
            assert_eq!(request.header("content-type").is_none(), expected == "GET");
            assert!(request.header("authorization").is_some(), "the origin is the same");
        }
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        for elsewhere in ["https://b.example/", "http://a.example/", "https://a.example:8443/", "https://x.a.example/"]
        {
            let request = redirected("POST", 307, elsewhere);
            assert_eq!(request.header("authorization"), None, "{elsewhere}");
            assert_eq!(request.header("cookie"), None, "{elsewhere}");
            assert_eq!(request.header("accept"), Some("x"));
        }
        assert!(redirected("GET", 307, "https://A.example:443/").header("cookie").is_some());
    }

    #[test]
    fn a_redirect_leads_to_http_only() {
        let from = Url::parse("https://a.example/x/y").unwrap();
        let to = |location: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, location.parse().unwrap());
            next(StatusCode::FOUND, &headers, &from)
        };
        assert_eq!(to("../z?q#f").unwrap().unwrap().as_str(), "https://a.example/z?q");
        assert_eq!(to("//b.example").unwrap().unwrap().as_str(), "https://b.example/");
        for bad in ["file:///etc/passwd", "ftp://b.example/", "javascript:1", "http://u:p@b.example/", "http://"] {
            assert!(to(bad).is_err(), "{bad}");
        }
        assert_eq!(next(StatusCode::FOUND, &HeaderMap::new(), &from).unwrap(), None);
        assert_eq!(next(StatusCode::OK, &HeaderMap::new(), &from).unwrap(), None);
    }
}
