use super::*;
use crate::http::limits::HttpLimits;
use crate::http::mock::Mocks;

fn response(body: &[u8], headers: &[(&str, &str)]) -> HttpResponse {
    HttpResponse {
        status: 200,
        status_text: "OK".into(),
        url: "https://elsewhere.example/after".into(),
        redirected: true,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.to_vec(),
    }
}

fn secrets() -> Secrets {
    Secrets::new(["hush-hush"])
}

fn record(dir: &Path, request: &HttpRequest, response: &HttpResponse) -> String {
    let url = request.checked(&HttpLimits::default()).unwrap();
    let path = Recorder::new(dir, secrets()).record(request, &url, response).unwrap();
    assert!(!path.to_string_lossy().contains("hush"), "{}", path.display());
    fs::read_to_string(path).unwrap()
}

fn requests() -> Vec<HttpRequest> {
    let with = |url: &str, kind: &str, body: &str| HttpRequest {
        method: "POST".into(),
        headers: vec![("Content-Type".into(), kind.into()), ("Authorization".into(), "Bearer hush-hush".into())],
        body: body.into(),
        ..HttpRequest::get(url)
    };
    vec![
        HttpRequest::get("https://api.example.com/v1/x?base=EUR&api_key=k-1234&q=a+b&token=t-5678&s=hush-hush"),
        HttpRequest::get("https://hooks.example.com/services/hush-hush/post"),
        with(
            "https://api.example.com/j",
            "application/json",
            r#"{"name":"n","password":"p-9999","list":[{"secret":"q-8888"}]}"#,
        ),
        with("https://api.example.com/j", "application/json", r#"[{"x":"hush-hush"}]"#),
        with(
            "https://api.example.com/f",
            "application/x-www-form-urlencoded",
            "grant=a&client_secret=c-7777&u=hush-hush",
        ),
        with("https://api.example.com/t", "text/plain", "a line with hush-hush in it"),
    ]
}

#[test]
fn a_sample_answers_the_request_it_was_made_from() {
    for request in requests() {
        let dir = tempfile::tempdir().unwrap();
        let answer = response(br#"{"rate":1.5}"#, &[("content-type", "application/json"), ("content-length", "12")]);
        record(dir.path(), &request, &answer);
        let mocks = Mocks::load(dir.path()).unwrap();
        assert_eq!(mocks.len(), 1);
        let url = request.checked(&HttpLimits::default()).unwrap();
        let mocked = mocks.answer(&request, &url, &secrets()).answer.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(mocked.body, br#"{"rate":1.5}"#);
        assert_eq!(mocked.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    }
}

#[test]
fn nothing_secret_is_written_down() {
    let answer = response(
        br#"{"access_token":"z-6666","note":"hush-hush","rate":1}"#,
        &[("set-cookie", "sid=w-5555"), ("x-api-key", "v-4444"), ("location", "https://a.example/?k=hush-hush")],
    );
    for request in requests() {
        let dir = tempfile::tempdir().unwrap();
        let text = record(dir.path(), &request, &answer);
        for secret in ["hush", "Bearer", "k-1234", "t-5678", "p-9999", "q-8888", "c-7777", "z-6666", "w-5555", "v-4444"]
        {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(text.contains("\"rate\": 1"), "the rest is there: {text}");
    }
}

#[test]
fn one_request_has_one_file_and_another_has_another() {
    let dir = tempfile::tempdir().unwrap();
    let request = |n: u32| HttpRequest::get(format!("https://api.example.com/v1?n={n}"));
    record(dir.path(), &request(1), &response(b"old", &[]));
    record(dir.path(), &request(1), &response(b"new", &[]));
    record(dir.path(), &request(2), &response(&[0, 159, 146, 150], &[]));
    let mut names: Vec<_> = fs::read_dir(dir.path().join(MOCKS_DIR))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("recorded-get-api.example.com-v1-")), "{names:?}");
    let mocks = Mocks::load(dir.path()).unwrap();
    let body = |n: u32| {
        let request = request(n);
        let url = request.checked(&HttpLimits::default()).unwrap();
        mocks.answer(&request, &url, &secrets()).answer.unwrap().body
    };
    assert_eq!((body(1), body(2)), (b"new".to_vec(), vec![0, 159, 146, 150]));
}

#[test]
fn names_of_secrets_are_known() {
    for name in [
        "api_key",
        "apikey",
        "X-Api-Key",
        "key",
        "access_token",
        "X-Auth-Token",
        "client_secret",
        "Password",
        "sig",
        "x-key",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in ["keyword", "monkey", "base", "tokens_used", "x", "author", "signal", "passenger"] {
        assert!(!is_secret_name(name), "{name}");
    }
    assert!(is_secret_header("AUTHORIZATION") && is_secret_header("Cookie") && !is_secret_header("Accept"));
}
