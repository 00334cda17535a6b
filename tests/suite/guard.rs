//! The control port against pages of strangers and callers without a token.

use reqwest::blocking::Response;
use serde_json::json;

use crate::server::{Weir, scratch};

#[test]
fn the_control_port_answers_only_its_own() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let host = weir.control.trim_start_matches("http://").to_owned();
    let status_url = format!("{}/api/v1/status", weir.control);
    let call = |headers: &[(&str, &str)]| -> u16 {
        let mut request = weir.http.post(&status_url).json(&json!({}));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().map(|response: Response| response.status().as_u16()).expect("an answer")
    };
    let bearer = format!("Bearer {}", weir.token);
    assert_eq!(call(&[("authorization", &bearer)]), 200);
    assert_eq!(call(&[]), 401, "no token");
    assert_eq!(call(&[("authorization", "Bearer wrong")]), 401);
    assert_eq!(call(&[("authorization", &bearer), ("host", "evil.example")]), 403, "a rebound name");
    assert_eq!(call(&[("authorization", &bearer), ("origin", "http://evil.example")]), 403, "a foreign page");
    assert_eq!(call(&[("authorization", &bearer), ("origin", "null")]), 403, "a sandboxed frame");
    assert_eq!(call(&[("authorization", &bearer), ("origin", &weir.control)]), 200);

    // The page is public on loopback, to a right Host and no foreign Origin; data behind it is not.
    let page = weir.http.get(&weir.control).send().expect("an answer");
    assert_eq!(page.status(), 200);
    let policy = page.headers().get("content-security-policy").expect("a policy");
    assert!(policy.to_str().expect("text").starts_with("default-src 'self'"));
    let live = weir.http.get(format!("{}/api/live", weir.control)).header("host", &host).send().expect("an answer");
    assert_eq!(live.status(), 401);

    // A code opens the door once, for the browser that brought it.
    let link = weir.call::<pipeline_core::api::registry::OpenLink>(&Default::default()).expect("a link").url;
    let code = link.split("#code=").nth(1).expect("a code in the fragment");
    let redeem = || {
        weir.http.post(format!("{}/api/session", weir.control)).json(&json!({"code": code})).send().expect("an answer")
    };
    let first = redeem();
    assert_eq!(first.status(), 204);
    let cookie = first.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    assert_eq!(redeem().status(), 401);
    let pair = cookie.split(';').next().expect("a pair");
    assert_eq!(call(&[("cookie", pair)]), 200);

    // The run file holds the token, so it is its owner's alone.
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(data.join("run.json")).expect("a run file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn commands_find_the_server_and_say_what_is_wrong() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(arguments)
            .arg("--data")
            .arg(&data)
            .env_remove("WEIR_URL")
            .env_remove("WEIR_TOKEN")
            .output()
            .expect("the binary runs");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    assert!(weir.send(&[crate::server::event("e", "a", 1, json!({"k": [1, {"x": "y"}]}))]));
    weir.settle();
    let (code, out, _) = run(&["query", "SELECT event, properties FROM events", "--json"]);
    assert_eq!(code, Some(0));
    let row: serde_json::Value = serde_json::from_str(out.trim()).expect("one JSON object on one line");
    assert_eq!((&row["event"], &row["properties"]["k"][1]["x"]), (&json!("e"), &json!("y")));
    let (code, out, _) = run(&["status", "--json"]);
    assert_eq!(code, Some(0));
    let status: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    for key in [
        "received",
        "emitted",
        "stored",
        "dropped",
        "rejected",
        "dead_lettered",
        "deduplicated",
        "in_flight",
        "unexplained",
    ] {
        assert!(status[key].is_i64(), "{key}");
    }
    assert!(status["plugins"].is_array());
    let (code, _, said) = run(&["query", "DELETE FROM event_rows"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("read-only"), "{said}");
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["serve", "--capture", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data"])
        .arg(&data)
        .output()
        .expect("the binary runs");
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by process"));
    weir.stop();
    let (code, out, _) = run(&["query", "SELECT count(*) AS n FROM events", "--json"]);
    assert_eq!((code, out.trim()), (Some(0), r#"{"n":1}"#), "without a server the store is read");
    let (code, _, said) = run(&["status"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("no server runs on"), "{said}");
}
