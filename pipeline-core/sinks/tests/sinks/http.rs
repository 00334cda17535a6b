use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use weir_event::ManualClock;
use weir_sinks::{Batch, Delivery, HttpSink, Sink, Stop};

use crate::support::event;

/// Reads one request and gives its head and body.
fn request(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).unwrap();
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return (head.to_owned(), body.to_owned());
            }
        }
    }
}

/// Requests, and connections that wait for an answer.
type Served = (Vec<(String, String)>, Vec<TcpStream>);

/// A server that gives these answers, one connection each; an empty one is never given.
fn server(answers: &'static [&'static str]) -> (String, JoinHandle<Served>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    let thread = thread::Builder::new()
        .spawn(move || {
            let mut open = Vec::new();
            let mut requests = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                requests.push(request(&mut stream));
                if answer.is_empty() {
                    open.push(stream);
                } else {
                    let head = "connection: close\r\ncontent-length: 4\r\n";
                    write!(stream, "HTTP/1.1 {answer}\r\n{head}\r\nbody").unwrap();
                }
            }
            (requests, open)
        })
        .unwrap();
    (url, thread)
}

fn sink(url: &str) -> HttpSink {
    HttpSink::new(url, "out", Arc::new(ManualClock::at(0))).unwrap().with_timeout(Duration::from_millis(200))
}

fn batch() -> Batch {
    Batch { key: "id:3-5".into(), first_offset: 3, until_offset: 5, events: vec![event(3), event(4)] }
}

#[test]
fn each_answer_means_what_it_says() {
    let (url, server) = server(&[
        "200 OK",
        "204 No Content",
        "500 Internal Server Error",
        "429 Too Many Requests\r\nretry-after: 9",
        "503 Service Unavailable\r\nretry-after: Thu, 01 Jan 1970 00:00:07 GMT",
        "400 Bad Request",
        "302 Found\r\nlocation: http://127.0.0.1:1/",
        "",
    ]);
    let mut sink = sink(&url);
    let mut deliver = || sink.deliver(&batch(), &Stop::default());
    assert_eq!(deliver(), Delivery::delivered());
    assert_eq!(deliver(), Delivery::delivered());
    assert!(matches!(deliver(), Delivery::Retry { after: None, reason } if reason.ends_with("Error: body")));
    assert!(matches!(deliver(), Delivery::Retry { after: Some(after), .. } if after == Duration::from_secs(9)));
    assert!(matches!(deliver(), Delivery::Retry { after: Some(after), .. } if after == Duration::from_secs(7)));
    assert!(matches!(deliver(), Delivery::Failed { reason } if reason.contains("400 Bad Request: body")));
    assert!(matches!(deliver(), Delivery::Failed { reason } if reason.contains("302")));
    assert!(matches!(deliver(), Delivery::Retry { .. }), "no answer in time");
    let (requests, _) = server.join().unwrap();
    for (head, body) in &requests {
        assert!(head.starts_with("POST /events HTTP/1.1") && head.contains("idempotency-key: id:3-5"), "{head}");
        assert!(body.starts_with(r#"{"sink":"out","key":"id:3-5","first_offset":3,"until_offset":5,"events":[{"#));
    }
}

#[test]
fn nobody_there_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let delivery = sink(&url).deliver(&batch(), &Stop::default());
    assert!(matches!(&delivery, Delivery::Retry { reason, .. } if reason.contains("refused")), "{delivery:?}");
}

#[test]
fn a_stop_does_not_wait_for_an_answer() {
    let (url, server) = server(&[""]);
    let stop = Stop::default();
    stop.stop();
    let mut sink = sink(&url).with_timeout(Duration::from_mins(10));
    assert_eq!(sink.deliver(&batch(), &stop), Delivery::retry("the server is stopping"));
    server.join().unwrap();
}
