//! Status, text and ledger of every kind of request, as a table.

use serde_json::{Value, json};

use crate::raw_http::Raw;
use crate::server::{TOKEN, Weir, scratch, wait_for};
use crate::wiretap::filter;

const OK: &str = r#"{"status":"Ok"}"#;

/// What is sent, and what comes of it.
struct Case {
    what: &'static str,
    target: &'static str,
    headers: &'static str,
    body: Vec<u8>,
    status: u16,
    /// The start of the answer's body.
    text: &'static str,
    /// The rule that refuses and the number of events it counts; none if the events are stored.
    refused: Option<(&'static str, u64)>,
    stored: u64,
}

fn accepted(what: &'static str, target: &'static str, headers: &'static str, body: impl Into<Vec<u8>>) -> Case {
    Case { what, target, headers, body: body.into(), status: 200, text: OK, refused: None, stored: 1 }
}

fn refused(what: &'static str, body: &Value, status: u16, text: &'static str, rule: &'static str, events: u64) -> Case {
    let refused = Some((rule, events));
    Case { what, target: "/batch/", headers: "", body: body.to_string().into(), status, text, refused, stored: 0 }
}

fn undecodable(what: &'static str, target: &'static str, headers: &'static str, body: impl Into<Vec<u8>>) -> Case {
    let refused = Some(("undecodable_body", 1));
    let text = "failed to decode request: ";
    Case { what, target, headers, body: body.into(), status: 400, text, refused, stored: 0 }
}

fn unparseable(what: &'static str, body: impl Into<Vec<u8>>) -> Case {
    let refused = Some(("unparseable_body", 1));
    let text = "failed to parse request: ";
    Case { what, target: "/e/", headers: "", body: body.into(), status: 400, text, refused, stored: 0 }
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const MULTIPART: &str = "Content-Type: multipart/form-data; boundary=BBB\r\n";
/// The event of `one`, packed with LZ-string by another implementation than the server's.
const LZ: &str = "N4IghgDglg+g1gUwJ4gFwggCwMYwC4IDOeIANCAgG4IB2J6CZIAJlMVDdnjFM2iyAC+QA====";
const GZIP: &str = "Content-Encoding: gzip\r\n";

fn one() -> Value {
    json!({"api_key": TOKEN, "event": "e", "distinct_id": "d"})
}

fn with(key: &str, value: Value) -> Value {
    let mut event = one();
    event[key] = value;
    event
}

fn without(key: &str) -> Value {
    let mut event = one();
    event.as_object_mut().expect("an object").remove(key);
    event
}

fn packings() -> Vec<Case> {
    let json = one().to_string();
    let gz = filter("gzip", &["-c"], json.as_bytes());
    let base64 = String::from_utf8(filter("base64", &["-w0"], json.as_bytes())).expect("ASCII");
    let gz64 = String::from_utf8(filter("base64", &["-w0"], &gz)).expect("ASCII");
    let escaped = |text: &str| text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let multipart = [
        &b"--BBB\r\nContent-Disposition: form-data; name=\"data\"; filename=\"blob\"\r\n\r\n"[..],
        &gz,
        b"\r\n--BBB--\r\n",
    ]
    .concat();
    vec![
        accepted("plain", "/e/", "Content-Type: application/json; charset=utf-8\r\n", json.clone()),
        accepted("text", "/e/", "Content-Type: text/plain\r\n", json.clone()),
        accepted("labelled as a form", "/e/", FORM, json.clone()),
        accepted("gzip by header", "/e/", GZIP, gz.clone()),
        accepted("gzip by query", "/e/?compression=gzip-js&ver=1.2.3", "", gz.clone()),
        accepted("gzip by its first bytes", "/e/", "", gz.clone()),
        accepted("base64 unnamed", "/e/", "", base64.clone()),
        accepted("base64 in a form", "/e/?compression=base64", FORM, format!("data={}", escaped(&base64))),
        accepted("base64 in a form, unescaped", "/e/", FORM, format!("data={base64}&compression=base64")),
        accepted("gzip in base64", "/e/", "", gz64.clone()),
        accepted("gzip in base64 in a form", "/e/", FORM, format!("data={}&compression=gzip", escaped(&gz64))),
        accepted("lz64 by query", "/e/?compression=lz64", "", LZ),
        accepted("lz-string in a form", "/e/?compression=lz-string", FORM, format!("data={LZ}")),
        accepted("multipart", "/e/", MULTIPART, multipart),
        accepted("a parameter given twice", "/e/?compression=lz64&compression=&compression=none", "", json.clone()),
        undecodable("unknown compression", "/e/?compression=zip", "", json.clone()),
        undecodable("unknown encoding", "/e/", "Content-Encoding: br\r\n", json.clone()),
        undecodable("gzip that is none", "/e/", GZIP, json.clone()),
        undecodable("gzip that is cut", "/e/", GZIP, gz[..gz.len() - 9].to_vec()),
        undecodable("gzip of undefined", "/e/?compression=gzip-js", "", "undefined"),
        undecodable("lz64 that is none", "/e/?compression=lz64", "", json),
        undecodable("multipart without an end", "/e/", MULTIPART, "--BBB\r\n"),
        unparseable("no JSON", "{not json"),
        unparseable("two values", "{}{}"),
        unparseable("invalid UTF-8", b"{\"event\":\"\xff\xfe\"}".to_vec()),
        unparseable("a raw NUL", b"{\"event\":\"a\0b\"}".to_vec()),
        unparseable("too deep", format!("{}{}", "[".repeat(128), "]".repeat(128))),
        unparseable("a number beyond a double", r#"{"event":"e","distinct_id":"d","properties":{"n":1e400}}"#),
        unparseable("a scalar", "12"),
        unparseable("a list of scalars", "[1]"),
    ]
}

fn shapes() -> Vec<Case> {
    let batch = |events: Value| json!({"api_key": TOKEN, "batch": events});
    let bare = |token: Value| json!({"event": "e", "distinct_id": "d", "properties": {"token": token}});
    let ok = |what, body: Value| accepted(what, "/batch/", "", body.to_string());
    let parse = "failed to parse request: ";
    vec![
        ok("a list", json!([one()])),
        ok("a wrapper", batch(json!([without("api_key")]))),
        ok("batch is null", with("batch", Value::Null)),
        ok("a name that is no string", with("event", json!(12))),
        ok("an id that is no string", with("distinct_id", json!({"a": 1}))),
        ok("the id in the properties", json!({"api_key": TOKEN, "event": "e", "properties": {"distinct_id": "d"}})),
        ok("no properties", with("properties", Value::Null)),
        ok("an empty uuid", with("uuid", json!(""))),
        ok("a uuid without hyphens", with("uuid", json!("0190e0b87d6c7abc8def0123456789ab"))),
        ok("a NUL escape", with("properties", json!({"a": "x\u{0}y"}))),
        accepted(
            "python constants",
            "/e/",
            "",
            r#"{"api_key":"phc_test","event":"e","distinct_id":"d","properties":{"a":NaN,"b":-Infinity}}"#,
        ),
        accepted("half a surrogate pair", "/e/", "", r#"{"api_key":"phc_test","event":"e","distinct_id":"d\ud800"}"#),
        accepted("nameless on /engage", "/engage/", "", without("event").to_string()),
        refused("an empty list", &json!([]), 400, "request holds no event", "no_event", 1),
        refused("an empty batch", &batch(json!([])), 400, "request holds no event", "no_event", 1),
        refused("batch is no list", &batch(json!({})), 400, parse, "unparseable_body", 1),
        refused("properties are no object", &with("properties", json!([])), 400, parse, "unparseable_body", 1),
        refused("sent_at is no string", &with("sent_at", json!(1)), 400, parse, "unparseable_body", 1),
        refused("an invalid uuid", &with("uuid", json!("nope")), 400, parse, "unparseable_body", 1),
        refused("no name", &without("event"), 400, "event submitted with an empty event name", "empty_event_name", 1),
        refused(
            "one of three without a name",
            &batch(json!([one(), one(), {"distinct_id": "d"}])),
            400,
            "event submitted with an empty event name",
            "empty_event_name",
            3,
        ),
        refused(
            "an empty id",
            &with("distinct_id", json!("")),
            400,
            "event submitted with an empty distinct_id",
            "empty_distinct_id",
            1,
        ),
        refused(
            "no id",
            &without("distinct_id"),
            400,
            "event submitted without a distinct_id",
            "missing_distinct_id",
            1,
        ),
        refused(
            "a recording without data",
            &with("event", json!("$snapshot")),
            400,
            "replay event submitted without snapshot data",
            "missing_snapshot_data",
            1,
        ),
        refused(
            "an event over a mebibyte",
            &with("properties", json!({"a": "x".repeat(1 << 20)})),
            400,
            "maximum event size exceeded",
            "event_too_large",
            1,
        ),
        refused("no token", &without("api_key"), 401, "event submitted without an api_key", "missing_token", 1),
        refused(
            "two tokens",
            &json!([bare(json!("a")), bare(json!("b"))]),
            401,
            "batch submitted with inconsistent api_key values",
            "mixed_tokens",
            2,
        ),
        refused("a number as token", &bare(json!(5)), 401, "API key is not valid: not_string", "invalid_token", 1),
        refused(
            "a long token",
            &bare(json!("x".repeat(65))),
            401,
            "API key is not valid: too_long",
            "invalid_token",
            1,
        ),
        refused("a token of letters", &bare(json!("ключ")), 401, "API key is not valid: not_ascii", "invalid_token", 1),
        refused(
            "a personal key",
            &bare(json!("phx_x")),
            401,
            "API key is not valid: personal_api_key",
            "invalid_token",
            1,
        ),
    ]
}

fn refusals_by_rule(weir: &Weir, rule: &str) -> u64 {
    let url = format!("{}/metrics", weir.control);
    let text = weir.http.get(url).bearer_auth(&weir.token).send().and_then(reqwest::blocking::Response::text);
    let line = format!("weir_capture_rejected_events_total{{rule=\"{rule}\"}} ");
    text.expect("metrics").lines().find_map(|text| text.strip_prefix(&line)?.parse().ok()).unwrap_or_default()
}

#[test]
fn every_request_is_answered_and_counted_as_the_table_says() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let (mut stored, mut rejected) = (0, 0);
    for case in packings().into_iter().chain(shapes()) {
        let before = case.refused.map(|(rule, _)| refusals_by_rule(&weir, rule));
        let answer = Raw::connect(&weir.capture).post(case.target, case.headers, &case.body);
        assert_eq!(answer.status, case.status, "{}: {}", case.what, answer.body);
        assert!(answer.body.starts_with(case.text), "{}: {}", case.what, answer.body);
        if let (Some((rule, events)), Some(before)) = (case.refused, before) {
            assert_eq!(refusals_by_rule(&weir, rule), before + events, "{}", case.what);
            rejected += events;
        }
        stored += case.stored;
    }
    wait_for("refusals to reach the ledger", || (weir.status().ledger.rejected >= rejected).then_some(()));
    let ledger = weir.settle().ledger;
    assert_eq!((ledger.rejected, ledger.stored, ledger.unexplained), (rejected, stored, 0));
    assert_eq!(weir.count("events"), stored);
    assert_eq!(weir.count("events WHERE event = '$identify'"), 1);
    assert_eq!(weir.audit().differences, Vec::<String>::new());
    weir.stop();
}
