//! Requests that are meant to hurt: clear answers, bounded memory, a row in the ledger, and service goes on.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::raw_http::Raw;
use crate::server::{TOKEN, Weir, event, scratch, wait_for};
use crate::wiretap::filter;

/// What a test may add to the server's memory at any moment. One body may be 20 MiB on the wire and as
/// much unpacked, and some of both are in hand at once.
const GROWTH_BYTES: u64 = 256 << 20;
const GZIP: &str = "Content-Encoding: gzip\r\n";

/// The most memory that the server has ever held.
fn peak_bytes(weir: &Weir) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", weir.pid())).expect("the process lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// Runs `attack` on a fresh server, and checks what must hold after each. `attack` gives the number of
/// events that are refused and stored.
fn survives(attack: impl FnOnce(&Weir) -> (u64, u64)) {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    assert!(weir.send(&[event("before", "ann", 1, json!({}))]));
    let before = peak_bytes(&weir);
    let (rejected, stored) = attack(&weir);
    // The last refusal may be noted after its client was answered.
    wait_for("refusals to reach the ledger", || (weir.status().ledger.rejected >= rejected).then_some(()));
    let growth = peak_bytes(&weir) - before;
    assert!(growth < GROWTH_BYTES, "{} MiB more than before", growth >> 20);
    wait_for("a good request to be served", || weir.send(&[event("after", "ann", 2, json!({}))]).then_some(()));
    let ledger = weir.settle().ledger;
    assert_eq!((ledger.rejected, ledger.stored, ledger.unexplained), (rejected, stored + 2, 0));
    assert_eq!(weir.audit().differences, Vec::<String>::new());
    weir.stop();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    filter("gzip", &["-9c"], bytes)
}

fn post(weir: &Weir, headers: &str, body: &[u8]) -> (u16, String) {
    let answer = Raw::connect(&weir.capture).post("/e/", headers, body);
    (answer.status, answer.body)
}

fn refused(weir: &Weir, what: &str, headers: &str, body: &[u8], status: u16, text: &str) {
    let answer = post(weir, headers, body);
    assert!(answer.0 == status && answer.1.starts_with(text), "{what}: {answer:?}");
}

fn one(properties: &Value) -> Vec<u8> {
    json!({"api_key": TOKEN, "event": "e", "distinct_id": "d", "properties": properties}).to_string().into_bytes()
}

#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    survives(|weir| {
        let decode = "failed to decode request: ";
        let zeroes = vec![b'0'; 40 << 20];
        let thousand = gzip(&zeroes);
        assert!(zeroes.len() / thousand.len() > 900);
        refused(weir, "1000:1", GZIP, &thousand, 400, decode);
        // Ten gigabytes in a few kilobytes.
        let million = gzip(&gzip(&gzip(&zeroes[..10 << 20]).repeat(1_000)));
        assert!((10_usize << 30) / million.len() > 1_000_000, "{}", million.len());
        refused(weir, "1000000:1", GZIP, &million, 400, decode);
        let members = gzip(b" ").repeat(10_000);
        refused(weir, "members", GZIP, &members, 400, decode);
        let mut layers = one(&json!({}));
        for _ in 0..6 {
            layers = filter("base64", &["-w0"], &gzip(&layers));
        }
        refused(weir, "layers", "", &layers, 400, "failed to ");
        let numbers = (0..4_000_000).fold(String::new(), |mut text, number| {
            write!(text, "{number},").expect("a String takes everything");
            text
        });
        refused(weir, "25 MB", GZIP, &filter("gzip", &["-1c"], numbers.as_bytes()), 413, "request too large");
        let letters = Raw::connect(&weir.capture).post("/e/?compression=lz64", "", lz_bomb().as_bytes());
        assert!(letters.status == 400 || letters.status == 413, "{letters:?}");
        (6, 0)
    });
}

/// LZ-string of one letter and then always the phrase that is only just being made, each one letter
/// longer than the last: `n` codes are `n * n / 2` letters.
fn lz_bomb() -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = String::new();
    let mut push = |value: u32, count: u32| {
        for place in 0..count {
            bits.push(if value >> place & 1 == 1 { '1' } else { '0' });
        }
    };
    push(0, 2);
    push(u32::from(b'a'), 8);
    let (mut width, mut until_wider) = (3, 4);
    for code in 4..20_000 {
        push(code, width);
        until_wider -= 1;
        if until_wider == 0 {
            until_wider = 1 << width;
            width += 1;
        }
    }
    bits.as_bytes()
        .chunks_exact(6)
        .map(|six| ALPHABET[six.iter().fold(0, |value, bit| value << 1 | usize::from(*bit == b'1'))] as char)
        .collect()
}

#[test]
fn strange_json_is_stored_or_refused() {
    survives(|weir| {
        let parse = "failed to parse request: ";
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        refused(weir, "depth", "", deep.as_bytes(), 400, parse);
        let inside = format!(r#"{{"event":"e","distinct_id":"d","properties":{{"a":{deep}}}}}"#);
        refused(weir, "depth inside", "", inside.as_bytes(), 400, parse);
        refused(weir, "invalid UTF-8", "", b"{\"event\":\"\xc3\x28\"}", 400, parse);
        refused(weir, "NUL", "", b"\0\0\0\0", 400, parse);
        refused(weir, "empty batch", "", br#"{"api_key":"phc_test","batch":[]}"#, 400, "request holds no event");
        let large = one(&json!({"text": "x".repeat(19 << 20)}));
        refused(weir, "19 MB event", "", &large, 400, "maximum event size exceeded");
        let larger = one(&json!({"text": "x".repeat(21 << 20)}));
        refused(weir, "21 MB event", "", &larger, 413, "request too large");
        refused(
            weir,
            "gzip named, base64 sent",
            GZIP,
            &filter("base64", &[], &one(&json!({}))),
            400,
            "failed to decode",
        );

        let keys = (0..100_000).fold(String::new(), |mut text, key| {
            write!(text, "\"{key:x}\":0,").expect("a String takes everything");
            text
        });
        // The hash of many languages is the same for "Aa" and "BB", and so for all words of these.
        let flood = (0..1 << 14).fold(String::new(), |mut text, word| {
            let key: String = (0..14).map(|bit| if word >> bit & 1 == 1 { "Aa" } else { "BB" }).collect();
            write!(text, "\"{key}\":0,").expect("a String takes everything");
            text
        });
        let twice = (0..50_000).fold(String::new(), |mut text, value| {
            write!(text, "\"k\":{value},").expect("a String takes everything");
            text
        });
        for properties in [keys, flood, twice] {
            let mut body = String::from(r#"{"api_key":"phc_test","event":"keys","distinct_id":"d","properties":{"#);
            body.push_str(properties.trim_end_matches(','));
            body.push_str("}}");
            assert_eq!(post(weir, "", body.as_bytes()).0, 200);
        }
        assert_eq!(post(weir, "", br#"{"api_key":"phc_test","event":"nul\u0000","distinct_id":"d\u0000"}"#).0, 200);
        weir.settle();
        let last = weir.query("SELECT properties->>'$.k' AS k FROM events WHERE properties->>'$.k' IS NOT NULL");
        assert_eq!(last[0]["k"], "49999", "of a key given often the last counts");
        (8, 4)
    });
}

#[test]
fn framing_that_lies_is_refused_and_pipelining_works() {
    survives(|weir| {
        let body = String::from_utf8(one(&json!({}))).expect("text");
        let length = body.len();
        let request = format!("POST /e/ HTTP/1.1\r\nHost: weir\r\nContent-Length: {length}\r\n\r\n{body}");
        let mut raw = Raw::connect(&weir.capture);
        raw.send(request.repeat(3).as_bytes());
        for _ in 0..3 {
            assert_eq!(raw.answer().expect("an answer each").status, 200);
        }
        // Too short a length: a cut body, and its rest as the next request.
        let mut raw = Raw::connect(&weir.capture);
        raw.send(request.replace(&format!("Length: {length}"), "Length: 20").as_bytes());
        assert_eq!(raw.answer().expect("an answer").status, 400);
        assert!(raw.is_hung_up() || raw.answer().is_some_and(|answer| answer.status == 400));
        // Two lengths, no number, and a chunk size that is none.
        for head in [
            "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            "Content-Length: -1\r\n\r\n{}",
            "Content-Length: 99999999999999999999999\r\n\r\n{}",
        ] {
            let mut raw = Raw::connect(&weir.capture);
            raw.send(format!("POST /e/ HTTP/1.1\r\nHost: weir\r\n{head}").as_bytes());
            assert_eq!(raw.answer().map(|answer| answer.status), Some(400), "{head}");
        }
        let chunked = "POST /e/ HTTP/1.1\r\nHost: weir\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut raw = Raw::connect(&weir.capture);
        raw.send(format!("{chunked}ZZ\r\n{{}}\r\n").as_bytes());
        assert!(raw.answer().is_none_or(|answer| answer.status == 400));
        // A chunk that promises more memory than there is.
        let mut raw = Raw::connect(&weir.capture);
        raw.send(format!("{chunked}fffffffffffffff\r\n{{").as_bytes());
        raw.finish();
        assert!(raw.answer().is_none_or(|answer| answer.status == 400));
        // A body in chunks of one byte each is slow and right.
        let mut bytes = chunked.to_owned();
        for byte in body.bytes() {
            write!(bytes, "1\r\n{}\r\n", byte as char).expect("a String takes everything");
        }
        bytes.push_str("0\r\n\r\n");
        let mut raw = Raw::connect(&weir.capture);
        raw.send(bytes.as_bytes());
        assert_eq!(raw.answer().expect("an answer").status, 200);
        // Announced too large: refused before it is sent.
        let mut raw = Raw::connect(&weir.capture);
        raw.send(b"POST /e/ HTTP/1.1\r\nHost: weir\r\nContent-Length: 30000000\r\nExpect: 100-continue\r\n\r\n");
        assert_eq!(raw.answer().expect("an answer").status, 413);
        // A head without end.
        let mut raw = Raw::connect(&weir.capture);
        raw.send(format!("GET /e/?data={} HTTP/1.1\r\nHost: weir\r\n\r\n", "x".repeat(200_000)).as_bytes());
        assert!(raw.answer().is_none_or(|answer| matches!(answer.status, 414 | 431)));
        // Cut body, bad chunk, endless chunk, too large, endless head.
        (5, 4)
    });
}

#[test]
fn bodies_that_never_end_are_counted_and_given_up() {
    survives(|weir| {
        let head = b"POST /e/ HTTP/1.1\r\nHost: weir\r\nContent-Length: 1000\r\n\r\n{\"api_key\":";
        // Hangs up inside the body.
        let mut gone = Raw::connect(&weir.capture);
        gone.send(head);
        drop(gone);
        // Says that it will send no more, and listens.
        let mut ended = Raw::connect(&weir.capture);
        ended.send(head);
        ended.finish();
        assert!(ended.answer().is_none_or(|answer| answer.status == 400));
        // Many that say nothing more, each announcing much.
        let mut silent: Vec<_> = (0..200).map(|_| Raw::connect(&weir.capture)).collect();
        for raw in &mut silent {
            raw.send(b"POST /e/ HTTP/1.1\r\nHost: weir\r\nContent-Length: 20000000\r\n\r\n{\"api_key\":");
        }
        assert!(weir.send(&[event("meanwhile", "ann", 3, json!({}))]), "others are served meanwhile");
        for raw in &mut silent {
            assert_eq!(raw.answer().expect("an answer").status, 408);
        }
        // Sends all and hangs up without waiting: it has sent.
        let body = one(&json!({"left": true}));
        let mut left = Raw::connect(&weir.capture);
        left.send(format!("POST /e/ HTTP/1.1\r\nHost: weir\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
        left.send(&body);
        drop(left);
        wait_for("the event of who left", || (weir.settle().ledger.stored >= 3).then_some(()));
        (202, 2)
    });
}

#[test]
fn ten_thousand_connections_that_say_nothing_pass() {
    survives(|weir| {
        let files = rlimit::increase_nofile_limit(u64::MAX).expect("a limit");
        let count = usize::try_from(files).unwrap_or(10_000).saturating_sub(500).min(10_000);
        let mut idle: Vec<_> = (0..count).map(|_| Raw::connect(&weir.capture)).collect();
        for raw in &mut idle {
            // Half a head, as slowly as possible.
            raw.send(b"POST /e/ HTTP/1.1\r\nX-Slow: ");
        }
        // A new client is told that there is no room, until those that say nothing are given up.
        let body = String::from_utf8(one(&json!({}))).expect("text");
        let request = format!("POST /e/ HTTP/1.1\r\nHost: weir\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        wait_for("a new client to be served", || {
            let mut raw = Raw::connect(&weir.capture);
            raw.send(request.as_bytes());
            let status = raw.answer().map(|answer| answer.status);
            assert!(matches!(status, None | Some(200 | 503)), "{status:?}");
            (status == Some(200)).then_some(())
        });
        let crowd = &mut idle[count / 2..];
        assert!(crowd.iter_mut().all(Raw::is_hung_up), "those that came when it was full are given up soon");
        (0, 1)
    });
}
