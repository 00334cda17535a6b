//! What a client really sends: a relay in front of the capture port that keeps every byte of both
//! directions, and reads requests and events from them. So what is stored is compared with what went
//! over the wire, whatever the client says of itself.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

type Bytes = Arc<Mutex<Vec<u8>>>;

pub struct Wiretap {
    pub url: String,
    /// Of each connection: what the client said, what the server said.
    connections: Arc<Mutex<Vec<(Bytes, Bytes)>>>,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Wiretap {
    pub fn before(server: &str) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let connections: Arc<Mutex<Vec<(Bytes, Bytes)>>> = Arc::default();
        let kept = Arc::clone(&connections);
        spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(upstream) = TcpStream::connect(&server) else { return };
                let (said, answered) = (Bytes::default(), Bytes::default());
                kept.lock().expect("no panic").push((Arc::clone(&said), Arc::clone(&answered)));
                let back = (upstream.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
                spawn(move || relay(client, upstream, &said));
                spawn(move || relay(back.0, back.1, &answered));
            }
        });
        Self { url, connections }
    }

    /// All whole requests so far.
    pub fn requests(&self) -> Vec<Request> {
        let connections = self.connections.lock().expect("no panic");
        connections.iter().flat_map(|(said, _)| requests(&said.lock().expect("no panic"))).collect()
    }

    /// The statuses of all answers so far, with the heads of those that are errors.
    pub fn failures(&self) -> Vec<String> {
        let connections = self.connections.lock().expect("no panic");
        let mut failures = Vec::new();
        for (said, answered) in connections.iter() {
            let answered = String::from_utf8_lossy(&answered.lock().expect("no panic")).into_owned();
            let failed = answered.split("HTTP/1.1 ").skip(1).filter(|answer| !answer.starts_with('2'));
            let asked = requests(&said.lock().expect("no panic"));
            let targets: Vec<_> = asked.iter().map(|request| request.target.as_str()).collect();
            failures.extend(failed.map(|answer| format!("{targets:?}: {answer}")));
        }
        failures
    }

    /// Every event of every request, as JSON.
    pub fn events(&self) -> Vec<Value> {
        self.requests().iter().filter(|request| request.is_about_events()).flat_map(Request::events).collect()
    }
}

impl Request {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    fn is_about_events(&self) -> bool {
        self.method == "POST"
            && ["/e", "/i/v0/e", "/i/v1/analytics/events", "/batch", "/capture", "/s", "/track", "/engage"]
                .contains(&self.path().trim_end_matches('/'))
    }

    fn events(&self) -> Vec<Value> {
        let mut bytes = self.body.clone();
        if let Some(data) = bytes.strip_prefix(b"data=") {
            let data = url_decoded(data.split(|byte| *byte == b'&').next().unwrap_or_default());
            bytes = filter("base64", &["-d"], &data);
        }
        if bytes.starts_with(&[0x1f, 0x8b]) {
            bytes = filter("gzip", &["-dc"], &bytes);
        }
        let body: Value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.target, String::from_utf8_lossy(&bytes)));
        match &body {
            Value::Array(events) => events.clone(),
            Value::Object(object) => match object.get("batch") {
                Some(Value::Array(events)) => events.clone(),
                _ => vec![body.clone()],
            },
            _ => panic!("{}: {body}", self.target),
        }
    }
}

fn spawn(task: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().name("wiretap".into()).spawn(task).expect("a thread");
}

fn relay(mut from: TcpStream, mut to: TcpStream, kept: &Bytes) {
    let mut chunk = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        kept.lock().expect("no panic").extend_from_slice(&chunk[..read]);
        if to.write_all(&chunk[..read]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Write).ok();
}

fn requests(mut stream: &[u8]) -> Vec<Request> {
    let mut requests = Vec::new();
    while let Some(end) = find(stream, b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&stream[..end]).into_owned();
        let rest = &stream[end + 4..];
        let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
        let mut words = line.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let header = |name: &str| {
            headers.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let whole = if header("transfer-encoding").is_some() {
            dechunked(rest)
        } else {
            let length = header("content-length").map_or(0, |length| length.parse().expect("a number"));
            rest.get(..length).map(|body| (body.to_vec(), length))
        };
        let Some((body, length)) = whole else { break };
        requests.push(Request { method, target, headers: headers.to_owned(), body });
        stream = &rest[length..];
    }
    requests
}

/// The body, and how many bytes it took; nothing as long as it is not whole.
fn dechunked(stream: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line = find(&stream[at..], b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&stream[at..at + line]).ok()?.trim(), 16).ok()?;
        at += line + 2;
        body.extend_from_slice(stream.get(at..at + size)?);
        at += size + 2;
        if size == 0 {
            return Some((body, at));
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn url_decoded(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text).replace('+', " ");
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        decoded.push(u8::from_str_radix(&part[..2], 16).expect("an escape"));
        decoded.extend_from_slice(&part.as_bytes()[2..]);
    }
    decoded
}

/// Bytes through a program of the system, so that packing and unpacking is not our own.
pub fn filter(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().expect("an end").stdout
    })
}
