//! Reads the body of an answer, decompressed, within its bounds.
//!
//! A bound on what is sent does not bound what it expands to, nor the other way round, so both are counted
//! while reading; nothing is ever kept beyond them. Between pieces the time and the caller's wish to go on
//! are looked at, since a server may send one byte a second for ever.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use thiserror::Error;

use super::request::{FailureKind, HttpFailure};

const PIECE_BYTES: usize = 16 << 10;
/// A header may name several, each expanding the one before.
const MOST_ENCODINGS: usize = 2;

/// When to stop whatever comes.
#[derive(Debug, Clone, Copy)]
pub struct Until<'a> {
    pub deadline: Instant,
    pub cancelled: &'a AtomicBool,
}

/// Passes through the decoders as the source of an [`io::Error`].
#[derive(Debug, Error)]
enum Stop {
    #[error("more bytes were sent than are read")]
    TooLarge,
    #[error("the time is up")]
    Late,
    #[error("the call was given up")]
    Cancelled,
}

/// `encoding` is the value of `Content-Encoding`.
pub fn read(wire: impl Read, encoding: &str, limit_bytes: usize, until: Until<'_>) -> Result<Vec<u8>, HttpFailure> {
    let counted = Counted { inner: wire, left: limit_bytes, until };
    let mut reader = decoder(Box::new(BufReader::with_capacity(PIECE_BYTES, counted)), encoding)?;
    let mut body = Vec::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = match reader.read(&mut piece) {
            Ok(0) => return Ok(body),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failure(&error, limit_bytes)),
        };
        if body.len() + count > limit_bytes {
            return Err(HttpFailure::too_large("the answer", limit_bytes));
        }
        body.extend_from_slice(&piece[..count]);
        // One piece of input may expand to thousands of these.
        until.check().map_err(|stop| failure(&io::Error::other(stop), limit_bytes))?;
    }
}

impl Until<'_> {
    fn check(&self) -> Result<(), Stop> {
        if self.cancelled.load(Ordering::Relaxed) {
            Err(Stop::Cancelled)
        } else if Instant::now() >= self.deadline {
            Err(Stop::Late)
        } else {
            Ok(())
        }
    }
}

struct Counted<'a, R> {
    inner: R,
    left: usize,
    until: Until<'a>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.until.check().map_err(io::Error::other)?;
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count).ok_or_else(|| io::Error::other(Stop::TooLarge))?;
        Ok(count)
    }
}

fn decoder<'r>(wire: Box<dyn BufRead + 'r>, encoding: &str) -> Result<Box<dyn BufRead + 'r>, HttpFailure> {
    let encodings: Vec<String> = encoding.split(',').map(|one| one.trim().to_ascii_lowercase()).collect();
    if encodings.len() > MOST_ENCODINGS {
        return Err(HttpFailure::new(
            FailureKind::Network,
            format!("the answer is compressed {} times", encodings.len()),
            "The server is at fault, or hostile.",
        ));
    }
    let mut reader = wire;
    // The last one named was applied last.
    for one in encodings.iter().rev() {
        let inner: Box<dyn Read + 'r> = match one.as_str() {
            "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(reader)),
            "deflate" => {
                // By the book it is zlib's format; some servers send the bare data.
                let zlib = reader.fill_buf().ok().and_then(|start| start.first()).is_none_or(|byte| byte & 0x0f == 8);
                if zlib { Box::new(ZlibDecoder::new(reader)) } else { Box::new(DeflateDecoder::new(reader)) }
            }
            "br" => Box::new(brotli_decompressor::Decompressor::new(reader, PIECE_BYTES)),
            // None, or one that the plugin asked for itself and can read itself.
            _ => continue,
        };
        reader = Box::new(BufReader::with_capacity(PIECE_BYTES, inner));
    }
    Ok(reader)
}

fn failure(error: &io::Error, limit_bytes: usize) -> HttpFailure {
    let inner = error.get_ref();
    match inner.and_then(|inner| inner.downcast_ref::<Stop>()) {
        Some(Stop::TooLarge) => return HttpFailure::too_large("the answer", limit_bytes),
        Some(Stop::Late) => return late(),
        Some(Stop::Cancelled) => return cancelled(),
        None => {}
    }
    let timeout = matches!(inner.and_then(|inner| inner.downcast_ref::<ureq::Error>()), Some(ureq::Error::Timeout(_)));
    if timeout || error.kind() == io::ErrorKind::TimedOut {
        return late();
    }
    HttpFailure::new(
        FailureKind::Network,
        format!("the answer ended early or cannot be decompressed: {error}"),
        "Try again; if it stays, the server is at fault.",
    )
}

pub fn late() -> HttpFailure {
    HttpFailure::new(
        FailureKind::Timeout,
        "the answer took too long",
        "Ask for less at a time, or raise the time a call may take.",
    )
}

pub fn cancelled() -> HttpFailure {
    HttpFailure::new(FailureKind::Network, "the call was given up", "The event or the plugin that made it has ended.")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::Duration;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    static GO_ON: AtomicBool = AtomicBool::new(false);

    fn until() -> Until<'static> {
        Until { deadline: Instant::now() + Duration::from_secs(30), cancelled: &GO_ON }
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_encoding_is_decoded() {
        let text = b"hello, hello, hello".as_slice();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(text).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(text).unwrap();
        // `hello, hello, hello`, uncompressed in brotli's format.
        let mut brotli = vec![0x0b, 0x09, 0x80];
        brotli.extend_from_slice(text);
        brotli.push(0x03);
        for (encoding, sent) in [
            ("", text.to_vec()),
            ("identity", text.to_vec()),
            ("zstd", text.to_vec()),
            ("gzip", gzip(text)),
            ("X-GZIP", gzip(text)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("gzip, gzip", gzip(&gzip(text))),
            ("br", brotli),
        ] {
            assert_eq!(read(sent.as_slice(), encoding, 1000, until()).unwrap(), text, "{encoding}");
        }
    }

    #[test]
    fn bombs_stop_at_the_limit() {
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100 << 10);
        let failure = read(bomb.as_slice(), "gzip", 1 << 20, until()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooLarge);
        let nested = gzip(&bomb);
        assert_eq!(read(nested.as_slice(), "gzip, gzip", 1 << 20, until()).unwrap_err().kind, FailureKind::TooLarge);
        let thrice = read(nested.as_slice(), "gzip, gzip, gzip", 1 << 20, until()).unwrap_err();
        assert_eq!(thrice.kind, FailureKind::Network);
        assert_eq!(read(io::repeat(1), "", 1 << 20, until()).unwrap_err().kind, FailureKind::TooLarge);
    }

    #[test]
    fn empty_members_without_end_are_counted_as_sent() {
        // Each expands to nothing, so only what is sent can stop it.
        let empty = gzip(b"");
        let endless = (0..).flat_map(|_| empty.clone());
        struct Endless<I>(I);
        impl<I: Iterator<Item = u8>> Read for Endless<I> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let mut count = 0;
                for (slot, byte) in buffer.iter_mut().zip(&mut self.0) {
                    *slot = byte;
                    count += 1;
                }
                Ok(count)
            }
        }
        assert_eq!(read(Endless(endless), "gzip", 1 << 20, until()).unwrap_err().kind, FailureKind::TooLarge);
    }

    #[test]
    fn broken_data_and_ended_time_are_told_apart() {
        let mut cut = gzip(b"hello");
        cut.truncate(cut.len() - 4);
        assert_eq!(read(cut.as_slice(), "gzip", 100, until()).unwrap_err().kind, FailureKind::Network);
        assert_eq!(read(b"no gzip".as_slice(), "gzip", 100, until()).unwrap_err().kind, FailureKind::Network);
        let late = Until { deadline: Instant::now(), cancelled: &GO_ON };
        assert_eq!(read(io::repeat(1), "", usize::MAX, late).unwrap_err().kind, FailureKind::Timeout);
        let stopped = AtomicBool::new(true);
        let stop = Until { deadline: Instant::now() + Duration::from_secs(30), cancelled: &stopped };
        assert!(read(io::repeat(1), "", usize::MAX, stop).unwrap_err().message.contains("given up"));
    }
}
