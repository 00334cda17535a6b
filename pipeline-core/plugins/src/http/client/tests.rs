use std::io::{self, Read as _, Write as _};
use std::net::IpAddr;
use std::sync::Mutex;
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::http::allow_list::AllowList;
use crate::http::egress::Resolve;
use crate::http::test_server::{TestServer, reply};

static GO_ON: AtomicBool = AtomicBool::new(false);

/// Gives its answers one after the other, the last again and again.
#[derive(Debug)]
struct Answers(Mutex<Vec<&'static str>>, Mutex<usize>);

impl Answers {
    fn new(ips: &[&'static str]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(ips.to_vec()), Mutex::new(0)))
    }

    fn asked(&self) -> usize {
        *self.1.lock().unwrap()
    }
}

impl Resolve for Answers {
    fn resolve(&self, _: &str, _: Duration) -> io::Result<Vec<IpAddr>> {
        *self.1.lock().unwrap() += 1;
        let mut left = self.0.lock().unwrap();
        let ip = if left.len() > 1 { left.remove(0) } else { left[0] };
        Ok(vec![ip.parse().unwrap()])
    }
}

fn client_with(grants: &[String], resolver: Arc<dyn Resolve>, limits: HttpLimits) -> Client {
    let allowed = AllowList::parse(["*"]).unwrap();
    Client::new(Arc::new(Egress::new(allowed, grants.iter().map(String::as_str), resolver).unwrap()), limits)
}

fn client(server: &TestServer, limits: HttpLimits) -> Client {
    client_with(&[server.address.to_string()], Answers::new(&["127.0.0.1"]), limits)
}

fn get(client: &Client, url: &str) -> Result<HttpResponse, HttpFailure> {
    client.send(&HttpRequest::get(url), &GO_ON)
}

#[test]
fn a_call_goes_out_and_comes_back_whole() {
    let server =
        TestServer::start(|_, stream| reply(stream, "201 Created", "X-Name: caf\u{e9}\r\nx-name: b\r\n", b"hello"));
    let request = HttpRequest {
        method: "POST".into(),
        url: server.url("/path?q=1#fragment"),
        headers: vec![
            ("X-One".into(), "1".into()),
            ("Content-Length".into(), "999".into()),
            ("Transfer-Encoding".into(), "chunked".into()),
            ("Host".into(), server.address.to_string()),
        ],
        body: b"sent".to_vec(),
        redirect: Redirect::Follow,
    };
    let response = client(&server, HttpLimits::default()).send(&request, &GO_ON).unwrap();
    assert_eq!((response.status, response.status_text.as_str()), (201, "Created"));
    assert_eq!(response.body, b"hello");
    assert!(!response.redirected);
    assert_eq!(response.url, server.url("/path?q=1"));
    let names: Vec<_> = response.headers.iter().filter(|(name, _)| name == "x-name").collect();
    assert_eq!(names.len(), 2);

    let asked = &server.asked()[0];
    assert_eq!(asked.line(), "POST /path?q=1 HTTP/1.1");
    assert_eq!(asked.body, b"sent");
    let head = asked.head.to_ascii_lowercase();
    assert!(head.contains("x-one: 1\r\n"));
    assert!(head.contains("accept-encoding: gzip, deflate, br\r\n"));
    assert!(head.contains("user-agent: weir-plugins/"));
    assert!(head.contains("content-length: 4\r\n") && !head.contains("chunked"), "{head}");
    assert_eq!(head.matches("host:").count(), 1);
}

#[test]
fn every_method_is_sent_as_it_is() {
    let server = TestServer::start(|_, stream| reply(stream, "200 OK", "", b""));
    let client = client(&server, HttpLimits::default());
    for (method, body) in [
        ("GET", ""),
        ("HEAD", ""),
        ("POST", ""),
        ("POST", "x"),
        ("PUT", "x"),
        ("PATCH", "x"),
        ("DELETE", ""),
        ("DELETE", "x"),
        ("OPTIONS", ""),
        ("REPORT", "x"),
    ] {
        let request = HttpRequest { method: method.into(), body: body.into(), ..HttpRequest::get(server.url("/m")) };
        client.send(&request, &GO_ON).unwrap_or_else(|failure| panic!("{method} {body}: {failure}"));
        let asked = server.asked().pop().unwrap();
        assert_eq!(asked.line(), format!("{method} /m HTTP/1.1"));
        assert_eq!(asked.body, body.as_bytes(), "{method}");
    }
}

#[test]
fn without_a_grant_this_machine_is_out_of_reach() {
    let server = TestServer::start(|_, stream| reply(stream, "200 OK", "", b"inside"));
    let port = server.address.port();
    let client = client_with(&[], Answers::new(&["127.0.0.1"]), HttpLimits::default());
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "rebound.example", "localhost"] {
        let failure = get(&client, &format!("http://{host}:{port}/")).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused, "{host}: {failure}");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn a_name_that_is_bound_anew_is_refused_although_a_connection_is_open() {
    let server = TestServer::start(|_, stream| reply(stream, "200 OK", "", b"first"));
    let names = Answers::new(&["127.0.0.1", "127.0.0.2"]);
    let client = client_with(&[server.address.to_string()], names.clone(), HttpLimits::default());
    let url = format!("http://rebound.example:{}/", server.address.port());
    assert_eq!(get(&client, &url).unwrap().body, b"first");
    assert_eq!(names.asked(), 1, "the address that was checked is the one connected to");
    let failure = get(&client, &url).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message.contains("127.0.0.2"), "{failure}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn redirects_are_followed_and_each_is_checked() {
    let server = TestServer::start(|asked, stream| {
        let to = |place: &str| format!("Location: {place}\r\n");
        match asked.line().split(' ').nth(1).unwrap() {
            "/start" => reply(stream, "302 Found", &to("/next"), b"ignored"),
            "/next" => reply(stream, "307 Temporary Redirect", &to("end?x=1"), b""),
            "/meta" => reply(stream, "302 Found", &to("http://169.254.169.254/latest/meta-data/"), b""),
            "/name" => reply(stream, "302 Found", &to("http://inside.example/"), b""),
            "/file" => reply(stream, "302 Found", &to("file:///etc/passwd"), b""),
            "/loop" => reply(stream, "302 Found", &to("/loop"), b""),
            "/bare" => reply(stream, "302 Found", "", b"no target"),
            _ => reply(stream, "200 OK", "", b"end"),
        }
    });
    let client = client(&server, HttpLimits::default());
    let response = get(&client, &server.url("/start")).unwrap();
    assert_eq!((response.body.as_slice(), response.redirected), (b"end".as_slice(), true));
    assert_eq!(response.url, server.url("/end?x=1"));
    for path in ["/meta", "/name", "/file"] {
        assert_eq!(get(&client, &server.url(path)).unwrap_err().kind, FailureKind::Refused, "{path}");
    }
    let before = server.asked().len();
    let looping = get(&client, &server.url("/loop")).unwrap_err();
    assert_eq!(looping.kind, FailureKind::Network);
    assert!(looping.message.contains("more than 5 redirects"), "{looping}");
    assert_eq!(server.asked().len() - before, 6);
    let bare = get(&client, &server.url("/bare")).unwrap();
    assert_eq!((bare.status, bare.body.as_slice()), (302, b"no target".as_slice()));
}

#[test]
fn a_redirect_elsewhere_takes_no_credentials_along() {
    let other = TestServer::start(|_, stream| reply(stream, "200 OK", "", b""));
    let target = other.url("/");
    let server = TestServer::start(move |_, stream| {
        reply(stream, "307 Temporary Redirect", &format!("Location: {target}\r\n"), b"");
    });
    let grants = [server.address.to_string(), other.address.to_string()];
    let client = client_with(&grants, Answers::new(&["127.0.0.1"]), HttpLimits::default());
    let request = HttpRequest {
        method: "POST".into(),
        headers: vec![("Authorization".into(), "Bearer t".into()), ("X-Kept".into(), "1".into())],
        body: b"again".to_vec(),
        ..HttpRequest::get(server.url("/"))
    };
    client.send(&request, &GO_ON).unwrap();
    assert!(server.asked()[0].head.contains("Bearer t"));
    let asked = &other.asked()[0];
    assert!(
        !asked.head.contains("Bearer t") && asked.head.to_ascii_lowercase().contains("x-kept: 1"),
        "{}",
        asked.head
    );
    assert_eq!(asked.body, b"again");
}

#[test]
fn answers_are_bounded_in_every_dimension() {
    let server = TestServer::start(|asked, stream| match asked.line().split(' ').nth(1).unwrap() {
        "/large" => reply(stream, "200 OK", "", &vec![b'x'; 200 << 10]),
        "/bomb" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&vec![0; 32 << 20]).unwrap();
            reply(stream, "200 OK", "Content-Encoding: gzip\r\n", &encoder.finish().unwrap());
        }
        "/endless" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
            while stream.write_all(chunk.as_bytes()).is_ok() {}
        }
        "/header" => reply(stream, "200 OK", &format!("x-long: {}\r\n", "y".repeat(100 << 10)), b""),
        _ => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(b"small").unwrap();
            reply(stream, "200 OK", "Content-Encoding: gzip\r\n", &encoder.finish().unwrap());
        }
    });
    let client = client(&server, HttpLimits { response_body_bytes: 100 << 10, ..HttpLimits::default() });
    assert_eq!(get(&client, &server.url("/small")).unwrap().body, b"small");
    for path in ["/large", "/bomb", "/endless", "/header"] {
        let failure = get(&client, &server.url(path)).expect_err(path);
        assert_eq!(failure.kind, FailureKind::TooLarge, "{path}: {failure}");
    }
}

#[test]
fn a_slow_answer_ends_at_the_limit() {
    let server = TestServer::start(|asked, stream| {
        let drip = |stream: &mut std::net::TcpStream, bytes: &[u8]| {
            for byte in bytes.iter().cycle() {
                thread::sleep(Duration::from_millis(20));
                if stream.write_all(&[*byte]).is_err() {
                    return;
                }
            }
        };
        match asked.line().split(' ').nth(1).unwrap() {
            "/never" => thread::sleep(Duration::from_secs(20)),
            "/header" => drip(stream, b"HTTP/1.1 200 OK\r\nx: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"),
            _ => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
                drip(stream, b"x");
            }
        }
    });
    let client = client(&server, HttpLimits { total: Duration::from_millis(300), ..HttpLimits::default() });
    for path in ["/never", "/header", "/body"] {
        let begun = Instant::now();
        let failure = get(&client, &server.url(path)).expect_err(path);
        assert_eq!(failure.kind, FailureKind::Timeout, "{path}: {failure}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{path} took {:?}", begun.elapsed());
    }
}

#[test]
fn giving_up_ends_a_call_in_the_middle() {
    let server = TestServer::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
    });
    let client = client(&server, HttpLimits::default());
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = cancelled.clone();
    let stopper = thread::Builder::new()
        .spawn(move || {
            thread::sleep(Duration::from_millis(100));
            flag.store(true, std::sync::atomic::Ordering::Relaxed);
        })
        .unwrap();
    let begun = Instant::now();
    let failure = client.send(&HttpRequest::get(server.url("/")), &cancelled).unwrap_err();
    assert!(failure.message.contains("given up"), "{failure}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    stopper.join().unwrap();
}

/// One connection over TLS for `name`, and the certificate to trust for it.
fn secure_server(name: &str) -> (std::net::SocketAddr, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let certificate = made.cert.der().to_vec();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::new(config);
    thread::Builder::new()
        .spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
                let mut tls = rustls::Stream::new(&mut connection, &mut stream);
                let mut head = [0; 4096];
                // The client may turn away from the certificate.
                let _ = tls.read(&mut head);
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecure");
            }
        })
        .unwrap();
    (address, certificate)
}

#[test]
fn certificates_are_checked_against_the_name_while_the_address_is_ours() {
    let (address, certificate) = secure_server("api.example.com");
    let egress = || {
        let allowed = AllowList::parse(["*"]).unwrap();
        let grant = address.to_string();
        Arc::new(Egress::new(allowed, [grant.as_str()], Answers::new(&["127.0.0.1"])).unwrap())
    };
    let root = ureq::tls::Certificate::from_der(&certificate).to_owned();
    let roots = ureq::tls::RootCerts::new_with_certs(&[root]);
    let trusting = Client::with_tls(egress(), HttpLimits::default(), TlsConfig::builder().root_certs(roots).build());
    let url = |name: &str| format!("https://{name}:{}/", address.port());
    assert_eq!(get(&trusting, &url("api.example.com")).unwrap().body, b"secure");
    let other_name = get(&trusting, &url("other.example.com")).unwrap_err();
    assert_eq!(other_name.kind, FailureKind::Network, "{other_name}");
    assert!(other_name.message.contains("certificate"), "{other_name}");
    let stranger = get(&Client::new(egress(), HttpLimits::default()), &url("api.example.com")).unwrap_err();
    assert_eq!(stranger.kind, FailureKind::Network, "{stranger}");
    assert!(stranger.message.contains("certificate"), "{stranger}");
}

#[test]
fn what_is_no_http_is_a_network_error() {
    let server = TestServer::start(|_, stream| {
        let _ = stream.write_all(b"220 smtp ready\r\n");
        let _ = stream.shutdown(std::net::Shutdown::Both);
    });
    let client = client(&server, HttpLimits { total: Duration::from_secs(5), ..HttpLimits::default() });
    assert_eq!(get(&client, &server.url("/")).unwrap_err().kind, FailureKind::Network);
    let secure = server.url("/").replace("http:", "https:");
    assert_ne!(get(&client, &secure).unwrap_err().kind, FailureKind::Refused, "TLS fails, and fails as such");

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = client_with(&[closed.to_string()], Answers::new(&["127.0.0.1"]), HttpLimits::default());
    let failure = get(&nobody, &format!("http://{closed}/")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Network, "{failure}");
}
