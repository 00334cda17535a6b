use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::http::limits::HttpLimits;

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(MOCKS_DIR)).unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(MOCKS_DIR).join(name), text).unwrap();
        }
        Self(dir)
    }

    fn load(&self) -> Result<Mocks, MockError> {
        Mocks::load(self.0.path())
    }
}

fn mocks(source: Value) -> Mocks {
    Folder::with(&[("m.json", &source.to_string())]).load().unwrap()
}

fn answer(mocks: &Mocks, request: &HttpRequest) -> Mocked {
    mocks.answer(request, &request.checked(&HttpLimits::default()).unwrap(), &Secrets::new(["hush-hush"]))
}

fn body(mocks: &Mocks, request: &HttpRequest) -> String {
    let response = answer(mocks, request).answer.unwrap_or_else(|failure| panic!("{failure}"));
    String::from_utf8(response.body).unwrap()
}

fn post(url: &str, body: &str) -> HttpRequest {
    HttpRequest { method: "POST".into(), body: body.into(), ..HttpRequest::get(url) }
}

#[test]
fn a_mock_answers_in_full() {
    let mocks = mocks(json!({
        "request": { "url": "https://api.example.com/rates" },
        "response": { "status": 404, "headers": { "X-Quota": 7, "Set-Cookie": ["a=1", "b=2"] }, "json": { "a": [1] } },
        "delay_ms": 40,
    }));
    let mocked = answer(&mocks, &HttpRequest::get("https://api.example.com/rates?base=EUR"));
    assert_eq!(mocked.after, Duration::from_millis(40));
    let response = mocked.answer.unwrap();
    assert_eq!((response.status, response.status_text.as_str()), (404, "Not Found"));
    assert_eq!(response.url, "https://api.example.com/rates?base=EUR");
    assert_eq!(response.body, br#"{"a":[1]}"#);
    let header = |name: &str| response.headers.iter().filter(|(own, _)| own == name).count();
    assert_eq!((header("x-quota"), header("set-cookie"), header("content-type")), (1, 2, 1));
}

#[test]
fn requests_find_their_mock_by_every_field() {
    let mocks = mocks(json!([
        { "request": { "method": "post", "url": "https://a.example" }, "response": { "body": "posted" } },
        { "request": { "url": "https://a.example/q", "query": { "b": "EUR", "n": 1 } }, "response": { "body": "query" } },
        { "request": { "url": "https://a.example/exact?x=1" }, "response": { "body": "exact" } },
        { "request": { "url": "https://a.example/h", "headers": { "Accept": "*/json" } }, "response": { "body": "header" } },
        { "request": { "url": "https://a.example/j", "body": { "a": { "b": 1 } } }, "response": { "body": "json" } },
        { "request": { "url": "https://a.example/t", "body": "a=*" }, "response": { "body": "text" } },
        { "request": { "url": "https://*.cdn.example/*.js" }, "response": { "body": "glob" } },
        { "request": { "url": "*" , "method": "DELETE" }, "response": { "body": "any" } },
    ]));
    let get = HttpRequest::get;
    assert_eq!(body(&mocks, &post("HTTPS://A.example", "x")), "posted");
    assert_eq!(body(&mocks, &get("https://a.example/q?n=1&b=EUR&more=x")), "query");
    assert_eq!(body(&mocks, &get("https://a.example/exact?x=1")), "exact");
    let mut accepting = get("https://a.example/h");
    accepting.headers.push(("accept".into(), "application/json".into()));
    assert_eq!(body(&mocks, &accepting), "header");
    assert_eq!(body(&mocks, &post("https://a.example/j", r#"{"c":0,"a":{"b":1.0}}"#)), "json");
    assert_eq!(body(&mocks, &post("https://a.example/t", "a=5")), "text");
    assert_eq!(body(&mocks, &get("https://x.cdn.example/lib/a.js")), "glob");
    assert_eq!(body(&mocks, &HttpRequest { method: "DELETE".into(), ..get("http://elsewhere.example/") }), "any");
    for other in [
        get("https://a.example"),
        get("https://a.example/q?b=USD&n=1"),
        get("https://a.example/exact?x=1&y=2"),
        get("https://a.example/h"),
        post("https://a.example/j", r#"{"a":{"b":2}}"#),
        post("https://a.example/t", "b=5"),
        get("https://cdn.example/a.js"),
    ] {
        let failure = answer(&mocks, &other).answer.unwrap_err();
        assert_eq!(failure.kind, FailureKind::NoMock, "{}", other.summary());
    }
}

#[test]
fn answers_come_in_sequence_and_run_out() {
    let mocks = mocks(json!([
        { "request": { "url": "http://a.example/" }, "times": 1, "response": { "body": "once" } },
        { "request": { "url": "http://a.example/" }, "times": 4, "responses": [
            { "status": 503 }, { "fail": "network" }, { "body": "well" },
        ] },
        { "request": { "url": "http://a.example/late" }, "fail": "timeout", "delay_ms": 1 },
    ]));
    let call = || answer(&mocks, &HttpRequest::get("http://a.example/")).answer;
    for _ in 0..2 {
        assert_eq!(call().unwrap().body, b"once");
        assert_eq!(call().unwrap().status, 503);
        assert_eq!(call().unwrap_err().kind, FailureKind::Network);
        assert_eq!(call().unwrap().body, b"well");
        assert_eq!(call().unwrap().body, b"well", "the last is repeated");
        let out = call().unwrap_err();
        assert_eq!(out.kind, FailureKind::NoMock);
        assert!(out.message.contains("has given all its"), "{out}");
        mocks.start_over();
    }
    let late = answer(&mocks, &HttpRequest::get("http://a.example/late")).answer.unwrap_err();
    assert_eq!(late.kind, FailureKind::Timeout);
    assert!(late.message.contains("m.json:1"), "{late}");
}

#[test]
fn an_unanswered_call_names_the_nearest_mock_and_the_field() {
    let mocks = mocks(json!([
        { "request": { "url": "https://other.example/" }, "response": {} },
        {
            "name": "rates",
            "request": { "method": "POST", "url": "https://api.example.com/rates", "query": { "base": "EUR" }, "body": { "n": 1 } },
            "response": {},
        },
    ]));
    let request = post("https://api.example.com/rates?base=USD&api_key=12345&s=hush-hush", r#"{"n":2}"#);
    let failure = answer(&mocks, &request).answer.unwrap_err();
    let says = &failure.message;
    assert!(says.contains("POST https://api.example.com/rates?base=USD&api_key=(secret)&s=(secret)"), "{says}");
    assert!(says.contains("the nearest is \"rates\" (mocks/m.json:1)"), "{says}");
    assert!(says.contains("query.base is USD, wanted EUR") && says.contains("body.n is 2, wanted 1"), "{says}");
    assert!(!says.contains("url is"), "what fits is not listed: {says}");
    assert!(!failure.hint.contains("hush") && !failure.hint.contains("12345"), "{}", failure.hint);

    let typo = answer(&mocks, &post("https://api.example.com/rate?base=EUR", r#"{"n":1}"#)).answer.unwrap_err();
    let expected = "url is https://api.example.com/rate, wanted https://api.example.com/rates";
    assert!(typo.message.contains(expected), "{typo}");
    let none = answer(&Mocks::default(), &HttpRequest::get("http://a.example/")).answer.unwrap_err();
    assert!(none.message.contains("no mocks"), "{none}");
}

#[test]
fn what_is_offered_for_pasting_answers_the_call() {
    for request in [
        HttpRequest::get("https://api.example.com:8443/rates/%7Bx%7D?base=US+D&api_key=12345&s=hush-hush"),
        HttpRequest::get("https://api.example.com/hook/hush-hush/send"),
        post("https://api.example.com/rates", r#"{"n":[1,{"a":"b"}]}"#),
        post("https://api.example.com/rates", r#"{"n":"hush-hush"}"#),
        post("http://[::1]:80/", "plain text"),
    ] {
        let failure = answer(&Mocks::default(), &request).answer.unwrap_err();
        let (_, pasted) = failure.hint.split_once('\n').unwrap();
        let pasted = Folder::with(&[("pasted.json", pasted)]).load().unwrap();
        assert_eq!(body(&pasted, &request), "{}", "{}", failure.hint);
    }
}

#[test]
fn errors_in_files_say_where() {
    let request = r#""request": { "url": "http://a.example/" }"#;
    let cases = [
        ("{".to_owned(), 1, "EOF"),
        ("[\n  {\n    \"request\": { \"url\": 5 },\n    \"response\": {}\n  }\n]".to_owned(), 3, "expected a string"),
        (format!("[\n\n  {{ {request}, \"respond\": {{}} }}]"), 3, "unknown field `respond`"),
        (
            format!("[{{ {request}, \"response\": {{}} }},\n  {{ {request} }}]"),
            2,
            "one of response, responses and fail is missing",
        ),
        (format!("{{ \"mocks\": [\n {{ {request}, \"response\": {{}}, \"fail\": \"timeout\" }}] }}"), 2, "only one of"),
        (format!("{{ {request}, \"response\": {{ \"json\": 1, \"body\": \"\" }} }}"), 1, "only one of json"),
        (format!("{{ {request}, \"response\": {{ \"status\": 99 }} }}"), 1, "status 99"),
        (format!("{{ {request}, \"response\": {{ \"base64\": \"?\" }} }}"), 1, "base64"),
        (format!("{{ {request}, \"responses\": [] }}"), 1, "responses is empty"),
        (format!("{{ {request}, \"response\": {{}}, \"times\": 0 }}"), 1, "times is 0"),
        (format!("{{ {request}, \"fail\": \"maybe\" }}"), 1, "unknown variant"),
        (
            "{ \"request\": { \"url\": \"http://a/?x\", \"query\": { \"y\": 1 } }, \"response\": {} }".to_owned(),
            1,
            "use one of them",
        ),
        ("{ \"mocks\": [], \"more\": 1 }".to_owned(), 1, "unknown field `more`"),
    ];
    for (text, line, says) in cases {
        let error = Folder::with(&[("bad.json", &text)]).load().unwrap_err();
        assert_eq!(error.line, line, "{error}\n{text}");
        assert!(error.column > 0, "{error}");
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("mocks/bad.json:{line}:")) && shown.contains(says), "{shown}, not {says}");
        assert_eq!(error.code(), "http_mock_file");
    }
}

#[test]
fn the_column_of_an_error_is_that_of_the_file() {
    let text = r#"[{ "request": { "url": 5 }, "response": {} }]"#;
    let error = Folder::with(&[("bad.json", text)]).load().unwrap_err();
    let expected = text.find('5').unwrap() + 1;
    assert!(error.column.abs_diff(expected) <= 1, "{error}, expected column {expected}");
}

#[test]
fn files_are_read_in_order_and_only_json() {
    let mock = |body: &str| format!(r#"{{ "request": {{ "url": "*" }}, "response": {{ "body": "{body}" }} }}"#);
    let folder = Folder::with(&[
        ("b.json", &mock("second")),
        ("a.json", &format!("\u{feff}{}", mock("first"))),
        (".hidden.json", "not json"),
        ("notes.txt", "not json"),
    ]);
    let mocks = folder.load().unwrap();
    assert_eq!(mocks.len(), 2);
    assert_eq!(body(&mocks, &HttpRequest::get("http://a.example/")), "first");
    assert!(Mocks::load(tempfile::tempdir().unwrap().path()).unwrap().is_empty());
}

#[test]
fn a_body_may_be_a_file_of_the_plugin_and_no_other() {
    let mock = |file: &str| json!({ "request": { "url": "*" }, "response": { "file": file } }).to_string();
    let folder = Folder::with(&[("data.bin", "from a file"), ("m.json", &mock("data.bin"))]);
    assert_eq!(body(&folder.load().unwrap(), &HttpRequest::get("http://a.example/")), "from a file");
    fs::write(folder.0.path().join("plugin.json"), "above").unwrap();
    fs::write(folder.0.path().join("mocks/m.json"), mock("../plugin.json")).unwrap();
    assert_eq!(body(&folder.load().unwrap(), &HttpRequest::get("http://a.example/")), "above");
    std::os::unix::fs::symlink("/etc/hostname", folder.0.path().join("mocks/link")).unwrap();
    for outside in ["/etc/hostname", "../../../../../../../../etc/passwd", "link", "missing.bin"] {
        fs::write(folder.0.path().join("mocks/m.json"), mock(outside)).unwrap();
        let error = folder.load().unwrap_err();
        assert!(error.reason.contains("file "), "{outside}: {error}");
    }
}
