//! HTTP by hand, for requests that no client library would send.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// Long enough for every deadline of the server; it is only there to fail instead of hanging.
const PATIENCE: Duration = Duration::from_mins(1);

pub struct Raw {
    stream: TcpStream,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Raw {
    pub fn connect(url: &str) -> Self {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).expect("the port accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        Self { stream }
    }

    /// The server may have hung up already; then the answer tells.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    pub fn post(&mut self, target: &str, headers: &str, body: &[u8]) -> Answer {
        let head = format!("POST {target} HTTP/1.1\r\nHost: weir\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        self.send(&[head.as_bytes(), body].concat());
        self.answer().unwrap_or_else(|| panic!("no answer to {target}"))
    }

    /// Says that nothing more will be sent, and still listens.
    pub fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).ok();
    }

    /// The next answer; none if the connection ends before it is whole.
    pub fn answer(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.byte()?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let length = header("content-length").map_or(0, |length| length.parse().expect("a number"));
        let body: Option<Vec<u8>> = (0..length).map(|_| self.byte()).collect();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer { status, body: String::from_utf8_lossy(&body?).into_owned(), head })
    }

    /// Waits until the server hangs up.
    pub fn is_hung_up(&mut self) -> bool {
        while self.byte().is_some() {}
        true
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(1) => Some(byte[0]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("the server neither answers nor hangs up")
            }
            Ok(_) | Err(_) => None,
        }
    }
}
