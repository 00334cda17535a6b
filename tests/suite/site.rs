//! A throw-away web site: a few files on a port, which is an origin of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

pub struct Site {
    pub url: String,
}

impl Site {
    /// Serves until the test's process ends. Files are (path, content type, content).
    pub fn serve(files: Vec<(String, &'static str, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serve = move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines().map_while(Result::ok);
                let Some(first) = lines.next() else { continue };
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let target = first.split(' ').nth(1).unwrap_or("/");
                let path = target.split('?').next().unwrap_or_default();
                let (status, kind, content) = match files.iter().find(|(name, _, _)| name == path) {
                    Some((_, kind, content)) => ("200 OK", *kind, content.as_slice()),
                    // Browsers ask for an icon; its absence would be an error on the console.
                    None if path == "/favicon.ico" => ("200 OK", "image/x-icon", &b""[..]),
                    None => ("404 Not Found", "text/plain", &b""[..]),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    content.len()
                );
                stream.write_all(&[head.as_bytes(), content].concat()).ok();
            }
        };
        std::thread::Builder::new().name("site".into()).spawn(serve).expect("a thread");
        Self { url }
    }
}
