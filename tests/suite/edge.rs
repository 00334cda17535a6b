//! What clients may send, what they are told, and what the ledger says of it afterwards.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::server::{TOKEN, Weir, event, scratch};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    // The `gzip` program, so that the packing is not our own.
    let mut child = std::process::Command::new("gzip")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("gzip is on every machine");
    child.stdin.take().expect("a pipe").write_all(bytes).expect("a write");
    child.wait_with_output().expect("an end").stdout
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            (0..4).map(move |digit| {
                if digit <= chunk.len() { ALPHABET[(word >> (18 - 6 * digit) & 63) as usize] as char } else { '=' }
            })
        })
        .collect()
}

#[test]
fn every_path_and_packing_becomes_rows_and_every_refusal_is_counted() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let one = |number: u64| {
        let mut event = event("packed", "ann", number, json!({"number": number}));
        event["api_key"] = TOKEN.into();
        event
    };
    let post = |path: &str| weir.http.post(format!("{}{path}", weir.capture));
    let ok = |response: reqwest::Result<reqwest::blocking::Response>| {
        let response = response.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.text().expect("a body"), r#"{"status":"Ok"}"#);
    };
    ok(post("/batch/").json(&json!({"api_key": TOKEN, "batch": [one(1), one(2)]})).send());
    ok(post("/capture/").json(&one(3)).send());
    ok(post("/e/").body(one(4).to_string()).send());
    ok(post("/i/v0/e").json(&one(5)).send());
    ok(post("/i/v0/e/").header("content-encoding", "gzip").body(gzip(one(6).to_string().as_bytes())).send());
    ok(post("/e/?compression=gzip-js").body(gzip(one(7).to_string().as_bytes())).send());
    ok(post("/e/?compression=base64").form(&[("data", base64(one(8).to_string().as_bytes()))]).send());
    ok(weir.http.get(format!("{}/e/", weir.capture)).query(&[("data", base64(one(9).to_string().as_bytes()))]).send());
    let beacon = post("/e/?beacon=1").json(&one(10)).send().expect("an answer");
    assert_eq!(beacon.status(), 204);

    let refused = |response: reqwest::Result<reqwest::blocking::Response>, status: u16, text: &str| {
        let response = response.expect("an answer");
        assert_eq!(response.status().as_u16(), status);
        let body = response.text().expect("a body");
        assert!(body.starts_with(text), "{body:?}");
    };
    refused(post("/e/").body("{not json").send(), 400, "failed to parse request: ");
    refused(post("/e/").body("").send(), 400, "request holds no event");
    refused(
        post("/e/").json(&json!({"event": "e", "distinct_id": "a"})).send(),
        401,
        "event submitted without an api_key",
    );
    refused(
        post("/e/").json(&json!({"api_key": TOKEN, "event": "e"})).send(),
        400,
        "event submitted without a distinct_id",
    );
    refused(
        post("/e/").json(&json!({"api_key": TOKEN, "event": "", "distinct_id": "a"})).send(),
        400,
        "event submitted with an empty event name",
    );
    refused(
        post("/e/").header("content-encoding", "gzip").body(vec![0x1f, 0x8b, 8, 0, 0]).send(),
        400,
        "failed to decode request: ",
    );

    crate::server::wait_for("refusals to reach the ledger", || (weir.status().ledger.rejected == 6).then_some(()));
    let status = weir.settle();
    assert_eq!((status.ledger.received, status.ledger.stored, status.ledger.unexplained), (16, 10, 0));
    let rows = weir.query("SELECT properties, distinct_id, timestamp, team_id FROM events ORDER BY uuid");
    let numbers: Vec<u64> = rows.iter().filter_map(|row| row["properties"]["number"].as_u64()).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    assert_eq!(rows[0]["timestamp"], "2026-01-02T03:04:05.678Z");
    assert_eq!(weir.audit().differences, Vec::<String>::new());
    weir.stop();
}

#[test]
fn a_retry_is_recognised_and_a_conflict_is_counted() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let first = event("e", "ann", 1, json!({"n": 1}));
    let other = event("e", "ann", 1, json!({"n": 2}));
    assert!(weir.send(std::slice::from_ref(&first)));
    assert!(weir.send(&[first.clone(), first.clone()]));
    assert!(weir.send(&[other]));
    let status = weir.settle();
    assert_eq!((status.ledger.stored, status.ledger.deduplicated, status.conflicting_duplicates), (1, 3, 1));
    weir.stop();
    let weir = Weir::start(&data);
    assert!(weir.send(&[first]), "known after a restart too");
    assert_eq!(weir.settle().ledger.deduplicated, 4);
    assert_eq!(weir.count("events"), 1);
    assert_eq!(weir.audit().differences, Vec::<String>::new());
}

#[test]
fn persons_come_from_distinct_ids() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let events = [
        event("view", "anon-1", 1, json!({"$set_once": {"first": "a"}})),
        event("$identify", "user-1", 2, json!({"$anon_distinct_id": "anon-1", "$set": {"email": "a@example.com"}})),
        event("buy", "user-1", 3, json!({"$set_once": {"first": "b"}, "$set": {"plan": "pro"}})),
        event("view", "someone-else", 4, json!({})),
    ];
    assert!(weir.send(&events));
    weir.settle();
    let persons = weir.query("SELECT * FROM persons ORDER BY is_identified DESC");
    assert_eq!(persons.len(), 2);
    assert_eq!(persons[0]["properties"]["email"], "a@example.com");
    assert_eq!(persons[0]["properties"]["first"], "a");
    assert_eq!(persons[0]["properties"]["plan"], "pro");
    let ids = weir.query("SELECT distinct_id FROM person_distinct_ids WHERE person_id = (SELECT id FROM persons WHERE is_identified = 1) ORDER BY 1");
    let ids: Vec<&Value> = ids.iter().map(|row| &row["distinct_id"]).collect();
    assert_eq!(ids, ["anon-1", "user-1"]);
    let people: u64 = weir
        .query("SELECT count(DISTINCT person_id) AS n FROM events WHERE distinct_id IN ('anon-1', 'user-1')")[0]["n"]
        .as_u64()
        .expect("a count");
    assert_eq!(people, 1, "one person before and after identifying");
}
