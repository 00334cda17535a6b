use serde_json::{Value, json};

use super::*;

fn unpacked(body: &Value) -> Result<Vec<IntakeRecord>, Refusal> {
    unpack(body.to_string().as_bytes(), RequestFacts::default())
}

fn one(body: &Value) -> Result<IntakeRecord, CaptureError> {
    let mut records = unpacked(body).map_err(|refusal| refusal.error)?;
    assert_eq!(records.len(), 1);
    Ok(records.remove(0))
}

fn events(record: &IntakeRecord) -> &[CapturedEvent] {
    match &record.body {
        IntakeBody::Events(events) => events,
        IntakeBody::EdgeRejections { .. } => &[],
    }
}

/// The single event of a batch, with the token on the wrapper.
fn captured(event: Value) -> Result<CapturedEvent, CaptureError> {
    one(&json!({"api_key": "t", "batch": [event]})).map(|record| events(&record)[0].clone())
}

fn refused(body: &Value) -> Refusal {
    unpacked(body).expect_err("a refusal")
}

#[test]
fn single_list_and_batch_are_the_same() {
    let event = json!({"event": "e", "distinct_id": "d", "api_key": "t"});
    let null = json!({"event": "e", "distinct_id": "d", "api_key": "t", "batch": null});
    for body in [event.clone(), json!([event]), json!({"api_key": "t", "batch": [event]}), null.clone()] {
        let record = one(&body).expect("a valid body");
        assert_eq!(record.token, "t");
        assert_eq!(events(&record).len(), 1);
        let data = if body == null { &null } else { &event };
        assert_eq!(events(&record)[0].data, data.to_string());
    }
}

#[test]
fn no_number_of_events_is_too_many() {
    let events = vec![json!({"event": "e", "distinct_id": "d"}); 50_000];
    let record = one(&json!({"api_key": "t", "batch": events})).expect("a valid body");
    assert_eq!(record.event_count(), 50_000);
}

#[test]
fn shapes_that_hold_no_event() {
    assert_eq!(one(&json!([])), Err(CaptureError::Empty));
    assert_eq!(one(&json!({"api_key": "t", "batch": []})), Err(CaptureError::Empty));
    for body in [json!(1), json!("e"), json!([1]), json!({"batch": {}}), json!({"batch": "x"}), json!({"batch": [[]]})]
    {
        assert!(matches!(one(&body), Err(CaptureError::Parse(_))), "{body}");
    }
}

#[test]
fn the_top_level_distinct_id_wins_and_everything_has_a_text() {
    let id = |event: Value| captured(event).map(|event| event.distinct_id);
    assert_eq!(id(json!({"event": "e", "distinct_id": "a", "properties": {"distinct_id": "b"}})), Ok("a".into()));
    assert_eq!(id(json!({"event": "e", "$distinct_id": "c", "properties": {"distinct_id": "b"}})), Ok("c".into()));
    assert_eq!(id(json!({"event": "e", "distinct_id": "", "properties": {"distinct_id": "b"}})), Ok("b".into()));
    assert_eq!(id(json!({"event": "e", "distinct_id": null, "$distinct_id": "c"})), Ok("c".into()));
    assert_eq!(id(json!({"event": "e", "distinct_id": 12})), Ok("12".into()));
    assert_eq!(id(json!({"event": "e", "distinct_id": {"a": [1, null]}})), Ok("{\"a\":[1,null]}".into()));
    assert_eq!(id(json!({"event": "e", "distinct_id": "ä".repeat(201)})), Ok("ä".repeat(200)));
    assert_eq!(id(json!({"event": "e", "distinct_id": ""})), Err(CaptureError::EmptyDistinctId));
    assert_eq!(id(json!({"event": "e", "distinct_id": null})), Err(CaptureError::MissingDistinctId));
    assert_eq!(id(json!({"event": "e", "properties": {"$distinct_id": "b"}})), Err(CaptureError::MissingDistinctId));
}

#[test]
fn names_may_be_anything_but_empty() {
    for nameless in [json!({"distinct_id": "a"}), json!({"event": null, "distinct_id": "a"})] {
        assert_eq!(captured(nameless), Err(CaptureError::EmptyEventName));
    }
    assert_eq!(captured(json!({"event": "", "distinct_id": "a"})), Err(CaptureError::EmptyEventName));
    for named in [json!(1), json!(false), json!({}), json!(["a"])] {
        assert!(captured(json!({"event": named, "distinct_id": "a"})).is_ok(), "{named}");
    }
}

#[test]
fn engage_names_the_nameless() {
    let facts = RequestFacts { engage: true, ..RequestFacts::default() };
    for (body, name) in [
        (r#"{"distinct_id":"x","api_key":"t"}"#, "$identify"),
        (r#"{"distinct_id":"x","api_key":"t","event":null } "#, "$identify"),
        (r#"[{"distinct_id":"x","api_key":"t","event":""}]"#, "$identify"),
        (r#"{"distinct_id":"x","api_key":"t","event":"kept"}"#, "kept"),
    ] {
        let records = unpack(body.as_bytes(), facts.clone()).expect("a valid body");
        let data: Value = serde_json::from_str(&events(&records[0])[0].data).expect("still JSON");
        assert_eq!(data["event"], name);
    }
}

#[test]
fn properties_are_an_object_or_absent() {
    assert!(captured(json!({"event": "e", "distinct_id": "a", "properties": null})).is_ok());
    for properties in [json!([]), json!("x"), json!(1), json!(false)] {
        let event = json!({"event": "e", "distinct_id": "a", "properties": properties});
        assert!(matches!(captured(event), Err(CaptureError::Parse(_))), "{properties}");
    }
}

#[test]
fn uuids_are_read_as_python_reads_them() {
    const UUID: &str = "0190e0b8-7d6c-7abc-8def-0123456789ab";
    let uuid = |value: Value| captured(json!({"event": "e", "distinct_id": "a", "uuid": value}));
    let plain = UUID.replace('-', "");
    for form in [UUID.into(), UUID.to_uppercase(), plain.clone(), format!("{{{UUID}}}"), format!("urn:uuid:{UUID}")] {
        let event = uuid(json!(form)).expect("a uuid");
        assert!(event.client_uuid);
        assert_eq!(event.uuid.to_string(), UUID, "{form}");
    }
    for nothing in [json!(null), json!("")] {
        let event = uuid(nothing).expect("no uuid is fine");
        assert!(!event.client_uuid);
        assert_eq!(event.uuid.get_version_num(), 7);
    }
    for invalid in [json!(1), json!("x"), json!(format!("{plain}0")), json!({}), json!(format!(" {UUID}"))] {
        assert!(matches!(uuid(invalid.clone()), Err(CaptureError::Parse(_))), "{invalid}");
    }
}

#[test]
fn recordings_must_hold_data() {
    let snapshot =
        |properties: Value| captured(json!({"event": "$snapshot", "distinct_id": "a", "properties": properties}));
    assert!(snapshot(json!({"$snapshot_data": []})).is_ok());
    assert_eq!(snapshot(json!({"$snapshot_data": null})), Err(CaptureError::MissingSnapshotData));
    assert_eq!(snapshot(json!({})), Err(CaptureError::MissingSnapshotData));
}

#[test]
fn one_event_is_at_most_a_mebibyte() {
    let event = |bytes: usize| json!({"event": "e", "distinct_id": "a", "properties": {"x": "y".repeat(bytes)}});
    let frame = event(0).to_string().len();
    assert!(captured(event(EVENT_LIMIT_BYTES - frame)).is_ok());
    assert_eq!(captured(event(EVENT_LIMIT_BYTES - frame + 1)), Err(CaptureError::EventTooLarge));
}

#[test]
fn tokens_are_found_in_order_and_compared() {
    let event = |token: Value| json!({"event": "e", "distinct_id": "d", "properties": {"token": token}});
    let token = |body: Value| one(&body).map(|record| record.token);
    assert_eq!(token(json!([event(json!("a")), event(json!("a"))])), Ok("a".into()));
    assert_eq!(token(json!([event(json!(null)), event(json!("a")), event(json!(""))])), Ok("a".into()));
    assert_eq!(token(json!([event(json!("a")), event(json!("b"))])), Err(CaptureError::MixedTokens));
    assert_eq!(token(json!({"token": "w", "batch": [event(json!("a")), event(json!("b"))]})), Ok("w".into()));
    assert_eq!(token(json!({"batch": [event(json!("a"))]})), Ok("a".into()));
    assert_eq!(
        token(json!({"$token": "1", "token": "2", "api_key": "3", "event": "e", "distinct_id": "d"})),
        Ok("1".into())
    );
    assert_eq!(token(json!({"token": "2", "api_key": "3", "event": "e", "distinct_id": "d"})), Ok("2".into()));
    assert_eq!(token(json!({"token": "", "api_key": "3", "event": "e", "distinct_id": "d"})), Ok("3".into()));
    assert_eq!(token(event(json!("p"))), Ok("p".into()));
    assert_eq!(token(json!({"event": "e", "distinct_id": "d"})), Err(CaptureError::MissingToken));
    assert_eq!(token(event(json!("phx_1"))), Err(CaptureError::InvalidToken("personal_api_key")));
    assert_eq!(token(event(json!(5))), Err(CaptureError::InvalidToken("not_string")));
    let facts = RequestFacts { token: Some("q".into()), ..RequestFacts::default() };
    let body = json!([event(json!("a")), event(json!("b"))]).to_string();
    assert_eq!(unpack(body.as_bytes(), facts).map(|records| records[0].token.clone()), Ok("q".into()));
}

#[test]
fn the_first_fault_in_order_is_told() {
    let nameless = json!({"distinct_id": "d"});
    let homeless = json!({"event": "e"});
    let misshapen = json!({"event": "e", "distinct_id": "d", "properties": 1});
    let fine = json!({"event": "e", "distinct_id": "d"});
    assert!(matches!(refused(&json!([nameless, misshapen])).error, CaptureError::Parse(_)));
    assert_eq!(refused(&json!([fine, homeless, nameless])).error, CaptureError::MissingDistinctId);
    assert_eq!(refused(&json!([nameless, homeless])).error, CaptureError::EmptyEventName);
    assert_eq!(refused(&json!({"api_key": "phx_1", "batch": [nameless]})).error, CaptureError::EmptyEventName);
    assert_eq!(refused(&json!([{"event": "e", "uuid": "x"}])).error, CaptureError::MissingDistinctId);
    let mixed = json!([{"api_key": "a", "event": "e", "distinct_id": "d"}, {"api_key": "b"}]);
    assert_eq!(refused(&mixed).error, CaptureError::MixedTokens);
}

#[test]
fn a_refusal_names_the_project_and_counts_its_events() {
    let noted = |body: Value| {
        let refusal = refused(&body);
        (refusal.token, refusal.events)
    };
    let nameless = json!({"distinct_id": "d"});
    let bad_shape = json!({"properties": 1});
    assert_eq!(noted(json!({"api_key": "t", "batch": [nameless, nameless]})), ("t".into(), 2));
    assert_eq!(noted(json!({"api_key": "t", "batch": [bad_shape, nameless, nameless]})), ("t".into(), 3));
    assert_eq!(noted(json!([nameless, {"token": "u"}])), ("u".into(), 2));
    assert_eq!(noted(json!({"api_key": "t", "batch": []})), ("t".into(), 1));
    assert_eq!(noted(json!({"api_key": "phx_secret", "event": "e", "distinct_id": "d"})), (String::new(), 1));
    let facts = RequestFacts { token: Some("q".into()), ..RequestFacts::default() };
    assert_eq!(unpack(b"{", facts).expect_err("no JSON").token, "q");
}

#[test]
fn sent_at_comes_from_the_query_the_body_or_the_form() {
    let body =
        |sent_at: Value| json!({"api_key": "t", "event": "e", "distinct_id": "d", "sent_at": sent_at}).to_string();
    let facts = |query: Option<&str>, form: Option<&str>| RequestFacts {
        query_sent_at: query.map(Into::into),
        form_sent_at: form.map(Into::into),
        ..RequestFacts::default()
    };
    let sent = |body: String, facts| unpack(body.as_bytes(), facts).map(|records| records[0].sent_at.clone());
    assert_eq!(sent(body(json!("b")), facts(Some("q"), Some("f"))), Ok(Some("q".into())));
    assert_eq!(sent(body(json!("b")), facts(None, Some("f"))), Ok(Some("b".into())));
    assert_eq!(sent(body(json!(null)), facts(None, Some("f"))), Ok(Some("f".into())));
    assert_eq!(sent(body(json!(null)), facts(None, None)), Ok(None));
    assert!(matches!(sent(body(json!(5)), facts(Some("q"), None)).map_err(|r| r.error), Err(CaptureError::Parse(_))));
    let list = json!([{"api_key": "t", "event": "e", "distinct_id": "d", "sent_at": 5}]).to_string();
    assert_eq!(sent(list, facts(None, None)), Ok(None), "a list has none of its own");
}

#[test]
fn internal_events_have_the_loopback_address() {
    let event =
        |internal: Value| json!({"event": "e", "distinct_id": "d", "properties": {"capture_internal": internal}});
    let facts = RequestFacts { ip: "1.2.3.4".into(), ..RequestFacts::default() };
    let of = |flags: Vec<Value>| {
        let body = json!({"api_key": "t", "batch": flags.into_iter().map(event).collect::<Vec<_>>()}).to_string();
        let records = unpack(body.as_bytes(), facts.clone()).expect("a valid body");
        records.into_iter().map(|record| (record.ip.clone(), events(&record).len())).collect::<Vec<_>>()
    };
    assert_eq!(of(vec![json!(null), json!(false)]), [("1.2.3.4".to_owned(), 2)]);
    assert_eq!(of(vec![json!(true), json!(0)]), [("127.0.0.1".to_owned(), 2)]);
    let mixed = of(vec![json!(null), json!(1), json!(1), json!(false)]);
    assert_eq!(mixed, [("1.2.3.4".to_owned(), 1), ("127.0.0.1".to_owned(), 2), ("1.2.3.4".to_owned(), 1)]);
}

#[test]
fn python_constants_and_lone_surrogates_are_repaired() {
    let body = br#"{"api_key":"t","event":"e","distinct_id":"\uD800","properties":{"a":NaN,"b":[-Infinity]}}"#;
    let records = unpack(body, RequestFacts::default()).expect("a valid body after repair");
    let event = &events(&records[0])[0];
    assert_eq!(event.distinct_id, "\\ud800");
    let data: Value = serde_json::from_str(&event.data).expect("JSON");
    assert_eq!(data["properties"], json!({"a": null, "b": [null]}));
    for broken in [&b"{\"a\":NaN"[..], b"nan", b"{'a': 1}", b"{\"a\":\"\xff\"}", b"{\"a\":\"\0\"}", b"{}{}"] {
        let refusal = unpack(broken, RequestFacts::default()).expect_err("no JSON");
        assert!(matches!(refusal.error, CaptureError::Parse(_)));
    }
}
