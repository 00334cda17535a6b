//! Every path of the capture port, what it answers to pages of other origins, and what libraries ask for.

use serde_json::{Value, json};

use crate::raw_http::{Answer, Raw};
use crate::server::{TOKEN, Weir, scratch, wait_for};

const OK: &str = r#"{"status":"Ok"}"#;

fn event() -> Value {
    json!({"api_key": TOKEN, "event": "e", "distinct_id": "d"})
}

fn tokenless() -> Value {
    json!({"event": "e", "distinct_id": "d"})
}

#[test]
fn every_path_takes_events_with_and_without_a_slash() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let mut sent = 0;
    for path in ["/e", "/i/v0/e", "/capture", "/batch", "/track", "/engage", "/s"] {
        for slash in ["", "/"] {
            let target = format!("{path}{slash}");
            let answer = Raw::connect(&weir.capture).post(&target, "", event().to_string().as_bytes());
            assert_eq!((answer.status, answer.body.as_str()), (200, OK), "{target}");
            let beacon =
                Raw::connect(&weir.capture).post(&format!("{target}?beacon=1"), "", event().to_string().as_bytes());
            assert_eq!((beacon.status, beacon.body.as_str()), (204, ""), "{target}");
            let get = weir
                .http
                .get(format!("{}{target}", weir.capture))
                .query(&[("data", tokenless().to_string().as_str()), ("token", TOKEN)])
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
    let strict = |uuid: &str, name: &str| {
        json!({"event": name, "uuid": uuid, "distinct_id": "d", "timestamp": "2026-01-02T03:04:05Z",
            "session_id": "s1", "options": {}, "properties": {"a": 1}})
    };
    let (good, bad) = ("0190e0b8-7d6c-7abc-8def-000000000001", "0190e0b8-7d6c-7abc-8def-000000000002");
    let body = json!({"created_at": "2026-01-02T03:04:06Z", "batch": [strict(good, "e"), strict(bad, "")]}).to_string();
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
    let header = |answer: &Answer, name: &str| {
        let find =
            |line: &str| line.split_once(": ").filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
        answer.head.lines().find_map(find)
    };
    let origin = "Origin: https://shop.example:8443\r\n";
    for (target, body, status) in
        [("/e/", event().to_string(), 200), ("/e/", "{".into(), 400), ("/x", String::new(), 404)]
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
