//! A destination that fails: real HTTP on loopback, so that a sink meets it as it meets any other.
//!
//! It answers one request at a time, which is what a sink sends, and keeps nothing of what it is sent. It ends when it
//! is dropped.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{io, mem};

use super::Fault;

/// Somebody who sends nothing for so long is not a sink.
const SILENCE: Duration = Duration::from_secs(10);
/// How often a request that is not answered looks whether it is over.
const LOOK: Duration = Duration::from_millis(50);

pub struct Destination {
    fault: Fault,
    address: SocketAddr,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Destination {
    /// `wait` is what a 429 asks for; it is told in whole seconds.
    pub fn start(fault: Fault, wait: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let ending: Arc<AtomicBool> = Arc::default();
        let is_ending = Arc::clone(&ending);
        let thread = thread::Builder::new().name("fault-destination".into()).spawn(move || {
            for stream in listener.incoming() {
                if is_ending.load(Ordering::Acquire) {
                    return;
                }
                let served = stream.and_then(|stream| serve(stream, fault, wait, &is_ending));
                if let Err(error) = served {
                    tracing::debug!(%error, "a sink left the failing destination");
                }
            }
        })?;
        Ok(Self { fault, address, ending, thread: Some(thread) })
    }

    /// Says what it is to whoever reads the error of the sink.
    pub fn url(&self) -> String {
        format!("http://{}/fault/{}", self.address, self.fault.name())
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Release);
        // Wakes the thread, which waits for a connection.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = mem::take(&mut self.thread) {
            thread.join().ok();
        }
    }
}

fn serve(stream: TcpStream, fault: Fault, wait: Duration, ending: &AtomicBool) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut bytes = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        let length = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if let Some(length) = length.and_then(|(_, value)| value.trim().parse().ok()) {
            bytes = length;
        }
    }
    // An answer before the end of the request would look like a broken connection.
    io::copy(&mut reader.take(bytes), &mut io::sink())?;
    if fault == Fault::SinkTimeout {
        return stay_silent(&stream, ending);
    }
    let head = if fault == Fault::Sink429 {
        format!("429 Too Many Requests\r\nRetry-After: {}", wait.as_millis().div_ceil(1_000))
    } else {
        "503 Service Unavailable".to_owned()
    };
    let said = format!("the fault {} is active", fault.name());
    write!(&stream, "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}", said.len())
}

/// Until the other side has enough of it.
fn stay_silent(mut stream: &TcpStream, ending: &AtomicBool) -> io::Result<()> {
    stream.set_read_timeout(Some(LOOK))?;
    while !ending.load(Ordering::Acquire) {
        match stream.read(&mut [0; 64]) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
