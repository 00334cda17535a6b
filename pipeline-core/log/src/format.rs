//! Bytes of segment and record headers. See the crate's page for the layout.

pub const SEGMENT_MAGIC: &[u8; 8] = b"WEIRLOG1";
pub const SEGMENT_HEADER_BYTES: usize = 32;
pub const RECORD_HEADER_BYTES: usize = 32;
/// A length beyond this is damage, not a record.
pub const MAX_PAYLOAD_BYTES: usize = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    pub first_offset: u64,
    pub first_sequence: u64,
}

impl SegmentHeader {
    pub fn encode(self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(SEGMENT_MAGIC);
        bytes[8..16].copy_from_slice(&self.first_offset.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_sequence.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..24]);
        bytes[24..28].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Option<Self> {
        let whole = bytes[..8] == *SEGMENT_MAGIC && crc32c::crc32c(&bytes[..24]) == u32_at(bytes, 24);
        whole.then(|| Self { first_offset: u64_at(bytes, 8), first_sequence: u64_at(bytes, 16) })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHeader {
    pub payload_bytes: u32,
    pub checksum: u32,
    /// Offset of the record's first event.
    pub offset: u64,
    pub sequence: u64,
    pub events: u32,
}

impl RecordHeader {
    /// Appends header and payload to `buffer`.
    pub fn write(buffer: &mut Vec<u8>, offset: u64, sequence: u64, events: u32, payload: &[u8]) {
        let mut bytes = [0; RECORD_HEADER_BYTES];
        bytes[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes[8..16].copy_from_slice(&offset.to_le_bytes());
        bytes[16..24].copy_from_slice(&sequence.to_le_bytes());
        bytes[24..28].copy_from_slice(&events.to_le_bytes());
        let checksum = checksum(&bytes, payload);
        bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
        buffer.extend_from_slice(&bytes);
        buffer.extend_from_slice(payload);
    }

    pub fn decode(bytes: &[u8; RECORD_HEADER_BYTES]) -> Self {
        Self {
            payload_bytes: u32_at(bytes, 0),
            checksum: u32_at(bytes, 4),
            offset: u64_at(bytes, 8),
            sequence: u64_at(bytes, 16),
            events: u32_at(bytes, 24),
        }
    }

    /// Whether the stored checksum fits this header and payload.
    pub fn fits(&self, header: &[u8; RECORD_HEADER_BYTES], payload: &[u8]) -> bool {
        checksum(header, payload) == self.checksum
    }

    /// Bytes of the whole record on disk.
    pub fn record_bytes(&self) -> u64 {
        RECORD_HEADER_BYTES as u64 + u64::from(self.payload_bytes)
    }
}

/// Over the length too: a length that was torn must not point at a valid-looking neighbour.
fn checksum(header: &[u8; RECORD_HEADER_BYTES], payload: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&header[..4]);
    let sum = crc32c::crc32c_append(sum, &header[8..]);
    crc32c::crc32c_append(sum, payload)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let mut whole = Vec::new();
        RecordHeader::write(&mut whole, 7, 3, 2, b"payload");
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut header = [0; RECORD_HEADER_BYTES];
            header.copy_from_slice(&bytes[..RECORD_HEADER_BYTES]);
            let decoded = RecordHeader::decode(&header);
            assert!(!decoded.fits(&header, &bytes[RECORD_HEADER_BYTES..]), "bit {bit} went unnoticed");
        }
    }
}
