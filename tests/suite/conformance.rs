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

#[test]
fn every_path_takes_events_with_and_without_a_slash() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let mut sent = 0;
    for path in ["/e", "/i/v0/e", "/capture", "/batch", "/track", "/engage", "/s"] {
        for slash in ["", "/"] {
            let target = format!("{path}{slash}");
            let answer = Raw::connect(&weir.capture).post(&target, "", one().to_string().as_bytes());
            assert_eq!((answer.status, answer.body.as_str()), (200, OK), "{target}");
            let beacon =
                Raw::connect(&weir.capture).post(&format!("{target}?beacon=1"), "", one().to_string().as_bytes());
            assert_eq!((beacon.status, beacon.body.as_str()), (204, ""), "{target}");
            let get = weir
                .http
                .get(format!("{}{target}", weir.capture))
                .query(&[("data", without("api_key").to_string().as_str()), ("token", TOKEN)])
                .send()
                .expect("an answer");
            assert_eq!(get.status(), 200, "{target}");
            sent += 3;
            let put = weir.http.put(format!("{}{target}", weir.capture)).send().expect("an answer");
            assert_eq!(put.status(), 405);
        }
    }
    let snapshot = json!({"api_key": TOKEN, "event": "$snapshot", "distinct_id": "d",
        "properties": {"$snapshot_data": [], "$session_id": "s"}});
    let answer = Raw::connect(&weir.capture).post("/s/", "", snapshot.to_string().as_bytes());
    assert_eq!(answer.status, 200);
    assert_eq!(weir.settle().ledger.received, sent + 1);
    for (path, status) in [
        ("/", 200),
        ("/_liveness", 200),
        ("/_readiness", 200),
        ("/test/black_hole", 200),
        ("/i/v0/ai", 404),
        ("/x", 404),
    ] {
        let answer = weir.http.get(format!("{}{path}", weir.capture)).send().expect("an answer");
        assert_eq!(answer.status(), status, "{path}");
    }
    weir.stop();
}

#[test]
fn the_strict_endpoint_answers_for_each_event() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let target = "/i/v1/analytics/events";
    let event = |uuid: &str, name: &str| {
        json!({"event": name, "uuid": uuid, "distinct_id": "d", "timestamp": "2026-01-02T03:04:05Z",
            "session_id": "s1", "options": {}, "properties": {"a": 1}})
    };
    let (good, bad) = ("0190e0b8-7d6c-7abc-8def-000000000001", "0190e0b8-7d6c-7abc-8def-000000000002");
    let body = json!({"created_at": "2026-01-02T03:04:06Z", "batch": [event(good, "e"), event(bad, "")]}).to_string();
    let headers = format!("Authorization: Bearer {TOKEN}\r\nPostHog-Sdk-Info: posthog-test/1.0\r\n");
    let answer = Raw::connect(&weir.capture).post(target, &headers, body.as_bytes());
    assert_eq!(answer.status, 200);
    let results: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(
        results["results"],
        json!({good: {"result": "ok"}, bad: {"result": "drop", "details": "empty_event_name"}})
    );
    let nobody = Raw::connect(&weir.capture).post(target, "", body.as_bytes());
    assert_eq!(nobody.status, 401);
    assert!(nobody.body.starts_with(r#"{"error":"missing_token""#), "{}", nobody.body);
    wait_for("refusals to reach the ledger", || (weir.status().ledger.rejected >= 3).then_some(()));
    let ledger = weir.settle().ledger;
    assert_eq!((ledger.rejected, ledger.stored, ledger.unexplained), (3, 1, 0));
    let rows = weir.query("SELECT properties FROM events");
    assert_eq!(rows[0]["properties"]["$session_id"], "s1");
    assert_eq!(rows[0]["properties"]["$lib"], "posthog-test");
    weir.stop();
}

#[test]
fn pages_of_every_origin_may_send_and_read_refusals() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let header = |answer: &crate::raw_http::Answer, name: &str| {
        let find =
            |line: &str| line.split_once(": ").filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
        answer.head.lines().find_map(find)
    };
    let origin = "Origin: https://shop.example:8443\r\n";
    for (target, body, status) in
        [("/e/", one().to_string(), 200), ("/e/", "{".into(), 400), ("/x", String::new(), 404)]
    {
        let answer = Raw::connect(&weir.capture).post(target, origin, body.as_bytes());
        assert_eq!(answer.status, status);
        let allowed = header(&answer, "access-control-allow-origin");
        assert_eq!(allowed.as_deref(), Some("https://shop.example:8443"), "{}", answer.head);
        assert_eq!(header(&answer, "access-control-allow-credentials").as_deref(), Some("true"));
        assert_eq!(header(&answer, "vary").as_deref(), Some("Origin"));
        let without = Raw::connect(&weir.capture).post(target, "", body.as_bytes());
        assert_eq!(header(&without, "access-control-allow-origin"), None, "nobody asked");
    }
    let mut raw = Raw::connect(&weir.capture);
    raw.send(
        b"OPTIONS /e/?compression=nonsense HTTP/1.1\r\nHost: weir\r\nOrigin: null\r\n\
          Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type,traceparent,x-own\r\n\
          Access-Control-Request-Private-Network: true\r\n\r\n",
    );
    let preflight = raw.answer().expect("an answer");
    assert_eq!(preflight.status, 200);
    assert_eq!(header(&preflight, "access-control-allow-origin").as_deref(), Some("null"));
    assert_eq!(header(&preflight, "access-control-allow-methods").as_deref(), Some("GET, POST, OPTIONS"));
    let headers = header(&preflight, "access-control-allow-headers");
    assert_eq!(headers.as_deref(), Some("content-type,traceparent,x-own"));
    assert_eq!(header(&preflight, "access-control-allow-private-network").as_deref(), Some("true"));
    weir.stop();
}

#[test]
fn what_libraries_ask_for_at_start_has_the_shape_they_expect() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let get = |path: &str| {
        let answer = weir.http.get(format!("{}{path}", weir.capture)).send().expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
        (kind, answer.text().expect("a body"))
    };
    let json = |path: &str| serde_json::from_str::<Value>(&get(path).1).expect("JSON");
    assert_eq!(json("/decide/")["featureFlags"], json!([]));
    assert_eq!(json("/decide/?v=2")["featureFlags"], json!({}));
    assert_eq!(json("/decide?v=3")["featureFlagPayloads"], json!({}));
    assert_eq!(json("/flags/?v=2")["flags"], json!({}));
    assert_eq!(json("/flags/?v=2&config=true")["supportedCompression"], json!(["gzip", "gzip-js", "lz64"]));
    assert_eq!(json("/array/phc_a/config")["sessionRecording"], false);
    assert_eq!(json("/api/feature_flag/local_evaluation?token=t")["flags"], json!([]));
    assert_eq!(json("/flags/definitions/?send_cohorts")["flags"], json!([]));
    assert_eq!(json("/api/surveys/?token=t")["surveys"], json!([]));
    for script in ["/array/phc_a/config.js", "/static/array.js", "/static/recorder.js?v=1", "/site_app/1/2/3/"] {
        assert!(get(script).0.starts_with("text/javascript"), "{script}");
    }
    assert!(get("/array/phc_a/config.js").1.contains("_POSTHOG_REMOTE_CONFIG['phc_a']"));
    let hostile = weir.http.get(format!("{}/array/'];alert(1);['/config.js", weir.capture)).send().expect("an answer");
    assert_eq!(hostile.status(), 404);
    weir.stop();
}
