//! Gzip, with an end: how much may come out is decided from how much came in, before it is allocated.

use std::io::Read as _;

use flate2::bufread::GzDecoder;

use crate::error::CaptureError;

/// JSON of real clients shrinks 5 to 30 times; a hundred times is a bomb.
const RATIO: usize = 100;
/// A short body of one letter shrinks more than that and harms nobody.
const ALWAYS_ALLOWED_BYTES: usize = 1 << 20;
/// Clients send one member; each further one costs a new decoder.
const MEMBERS: usize = 16;
const CHUNK_BYTES: usize = 64 << 10;

/// The most that any layer of a request may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    limit_bytes: usize,
    by_ratio_bytes: usize,
}

impl Bounds {
    pub const fn of(wire_bytes: usize, limit_bytes: usize) -> Self {
        let by_ratio_bytes = wire_bytes.saturating_mul(RATIO).saturating_add(ALWAYS_ALLOWED_BYTES);
        Self { limit_bytes, by_ratio_bytes }
    }

    pub fn check(self, unpacked_bytes: usize) -> Result<(), CaptureError> {
        if unpacked_bytes > self.limit_bytes {
            Err(CaptureError::TooLarge { limit_bytes: self.limit_bytes })
        } else if unpacked_bytes > self.by_ratio_bytes {
            Err(CaptureError::Decode(format!("the data grows more than {RATIO} times")))
        } else {
            Ok(())
        }
    }
}

pub fn gunzip(packed: &[u8], bounds: Bounds) -> Result<Vec<u8>, CaptureError> {
    let damaged = |error: std::io::Error| CaptureError::Decode(format!("invalid gzip data: {error}"));
    let mut unpacked = Vec::new();
    let mut rest = packed;
    for _ in 0..MEMBERS {
        let mut decoder = GzDecoder::new(rest);
        loop {
            let filled = unpacked.len();
            // One chunk past the bound is the most that is ever allocated beyond it.
            unpacked.resize(filled + CHUNK_BYTES.min(rest.len().saturating_mul(8).max(512)), 0);
            let read = decoder.read(&mut unpacked[filled..]).map_err(damaged)?;
            unpacked.truncate(filled + read);
            bounds.check(unpacked.len())?;
            if read == 0 {
                break;
            }
        }
        rest = decoder.into_inner();
        if rest.is_empty() {
            return Ok(unpacked);
        }
    }
    Err(CaptureError::Decode(format!("invalid gzip data: more than {MEMBERS} members")))
}

#[cfg(test)]
pub mod tests {
    use std::io::Write as _;

    use super::*;

    pub fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("a Vec takes everything");
        encoder.finish().expect("a Vec takes everything")
    }

    fn unpacked(packed: &[u8], limit_bytes: usize) -> Result<Vec<u8>, CaptureError> {
        gunzip(packed, Bounds::of(packed.len(), limit_bytes))
    }

    #[test]
    fn what_was_packed_comes_out() {
        let text: Vec<u8> = (0..300_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
        assert_eq!(unpacked(&gzip(&text), 20 << 20), Ok(text));
        assert_eq!(unpacked(&gzip(b""), 20 << 20), Ok(Vec::new()));
    }

    #[test]
    fn members_follow_each_other_up_to_a_limit() {
        let two = [gzip(b"[1,"), gzip(b"2]")].concat();
        assert_eq!(unpacked(&two, 1_000), Ok(b"[1,2]".to_vec()));
        let many = gzip(b" ").repeat(MEMBERS + 1);
        assert!(matches!(unpacked(&many, 1_000), Err(CaptureError::Decode(_))));
    }

    #[test]
    fn a_bomb_is_refused_by_size_or_by_ratio() {
        let bomb = gzip(&vec![b' '; 50_000_000]);
        assert_eq!(unpacked(&bomb, 1_000_000), Err(CaptureError::TooLarge { limit_bytes: 1_000_000 }));
        assert!(matches!(unpacked(&bomb, usize::MAX), Err(CaptureError::Decode(text)) if text.contains("100 times")));
        assert!(unpacked(&gzip(&vec![b' '; 1_000_000]), 20 << 20).is_ok(), "short bodies may shrink as they like");
    }

    #[test]
    fn damage_says_so() {
        let mut torn = gzip(b"{\"event\":\"e\"}");
        torn.truncate(15);
        assert!(matches!(unpacked(&torn, 1_000), Err(CaptureError::Decode(text)) if text.starts_with("invalid gzip")));
        let followed = [gzip(b"{}"), b"garbage".to_vec()].concat();
        assert!(matches!(unpacked(&followed, 1_000), Err(CaptureError::Decode(_))));
    }
}
