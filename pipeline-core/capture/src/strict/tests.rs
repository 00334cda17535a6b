use super::*;

const UUID: &str = "0190e0b8-7d6c-7abc-8def-0123456789ab";

fn event() -> Value {
    json!({"event": "e", "uuid": UUID, "distinct_id": "d", "timestamp": "2026-01-02T03:04:05.678Z",
        "options": {}, "properties": {"a": 1}})
}

fn with(key: &str, value: Value) -> Value {
    let mut event = event();
    event[key] = value;
    event
}

fn sent(events: Value) -> Result<Unpacked, Refusal> {
    let body = json!({"created_at": "2026-01-02T03:04:06Z", "batch": events}).to_string();
    let facts = RequestFacts { token: Some("t".into()), query_sent_at: Some("s".into()), ..RequestFacts::default() };
    unpack(body.as_bytes(), facts, "posthog-test/1.2.3")
}

fn result(event: Value) -> (String, String) {
    let unpacked = sent(json!([event])).expect("a valid request");
    let answer: Value = serde_json::from_str(&unpacked.answer.expect("an answer")).expect("JSON");
    let text = |key: &str| answer["results"][UUID][key].as_str().unwrap_or_default().to_owned();
    assert_eq!(unpacked.records.is_empty(), text("result") == "drop");
    assert_eq!(unpacked.refused.is_empty(), !unpacked.records.is_empty());
    (text("result"), text("details"))
}

#[test]
fn what_stands_beside_the_properties_is_put_into_them() {
    let mut event = with(
        "options",
        json!({"cookieless_mode": true, "disable_skew_correction": true,
        "product_tour_id": "p", "process_person_profile": false}),
    );
    event["session_id"] = "s1".into();
    event["window_id"] = "w1".into();
    let unpacked = sent(json!([event])).expect("a valid request");
    let record = &unpacked.records[0];
    assert_eq!((record.token.as_str(), record.sent_at.as_deref()), ("t", Some("s")));
    let IntakeBody::Events(events) = &record.body else { panic!("events") };
    assert!(events[0].client_uuid);
    let data: Value = serde_json::from_str(&events[0].data).expect("JSON");
    assert_eq!(
        data["properties"],
        json!({"a": 1, "$session_id": "s1", "$window_id": "w1", "$cookieless_mode": true, "$ignore_sent_at": true,
            "$product_tour_id": "p", "$process_person_profile": false, "$lib": "posthog-test",
            "$lib_version": "1.2.3"})
    );
    assert_eq!(data["timestamp"], "2026-01-02T03:04:05.678Z");
}

#[test]
fn each_event_is_judged_alone() {
    let drop = |details: &str| ("drop".to_owned(), details.to_owned());
    assert_eq!(result(event()), ("ok".into(), String::new()));
    assert_eq!(result(with("event", json!(""))), drop("empty_event_name"));
    assert_eq!(result(with("event", json!("x".repeat(201)))), drop("event_name_too_long"));
    assert_eq!(result(with("distinct_id", json!(""))), drop("empty_distinct_id"));
    assert_eq!(result(with("distinct_id", json!("x".repeat(201)))), drop("distinct_id_too_long"));
    assert_eq!(result(with("event", json!("$snapshot"))), drop("missing_snapshot_data"));
    assert_eq!(result(with("properties", json!({"a": "x".repeat(1 << 20)}))), drop("event_too_large"));
    assert_eq!(result(with("distinct_id", json!("Guest"))), ("warning".into(), "illegal_distinct_id".into()));
    for time in [
        "2026-01-02",
        "2026-01-02T03:04:05",
        "yesterday",
        "2026-01-02 03:04:05Z",
        "2026-13-02T03:04:05Z",
        "2026-01-02T03:04:05+24:00",
        "",
    ] {
        assert_eq!(result(with("timestamp", json!(time))), drop("invalid_timestamp"), "{time}");
    }
    for time in ["2026-01-02T03:04:05Z", "2026-01-02t03:04:05.123456z", "2026-01-02T03:04:05.123456+01:00"] {
        assert_eq!(result(with("timestamp", json!(time))).0, "ok", "{time}");
    }
}

#[test]
fn of_a_uuid_given_twice_the_first_counts() {
    let unpacked = sent(json!([event(), with("event", json!("other"))])).expect("a valid request");
    assert_eq!(unpacked.records[0].event_count(), 1);
    assert_eq!(unpacked.refused, [CaptureError::DuplicateUuid]);
    assert_eq!(unpacked.answer, Some(json!({"results": {UUID: {"result": "ok"}}}).to_string()));
}

#[test]
fn a_wrong_shape_refuses_the_request() {
    for (key, value) in [
        ("event", json!(1)),
        ("uuid", json!("x")),
        ("distinct_id", json!(null)),
        ("timestamp", json!(5)),
        ("session_id", json!(1)),
        ("options", json!({"process_person_profile": "yes"})),
        ("properties", json!([])),
    ] {
        let refusal = sent(json!([event(), with(key, value)])).expect_err("a wrong type");
        assert!(matches!(refusal.error, CaptureError::Parse(_)), "{key}");
        assert_eq!((refusal.token.as_str(), refusal.events), ("t", 2));
    }
    assert_eq!(sent(json!([])).expect_err("nothing").error, CaptureError::Empty);
    let nameless = unpack(br#"{"batch": []}"#, RequestFacts::default(), "").expect_err("no created_at");
    assert!(matches!(nameless.error, CaptureError::Parse(_)));
    let body = json!({"created_at": "x", "batch": [event()]}).to_string();
    let refusal = unpack(body.as_bytes(), RequestFacts::default(), "").expect_err("no token");
    assert_eq!(refusal.error, CaptureError::MissingToken);
}
