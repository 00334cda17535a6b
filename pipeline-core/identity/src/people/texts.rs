//! Texts of distinct ids, one after another. A uuid, which is what most clients use, takes 16 bytes.

use uuid::Uuid;

use crate::properties::canonical_uuid;

const CHUNK_BYTES: usize = 1 << 20;
const UUID_LENGTH: u16 = u16::MAX;

/// Where a text is.
#[derive(Debug, Clone, Copy)]
pub struct TextPlace {
    /// Chunk number and place in it.
    at: u32,
    length: u16,
}

#[derive(Debug, Default)]
pub struct Texts(Vec<Vec<u8>>);

impl Texts {
    pub fn add(&mut self, text: &str) -> TextPlace {
        match canonical_uuid(text) {
            Some(uuid) => TextPlace { at: self.store(uuid.as_bytes()), length: UUID_LENGTH },
            None => TextPlace { at: self.store(text.as_bytes()), length: text.len() as u16 },
        }
    }

    fn store(&mut self, bytes: &[u8]) -> u32 {
        let has_room = |chunk: &Vec<u8>| chunk.capacity() - chunk.len() >= bytes.len();
        if !self.0.last().is_some_and(has_room) {
            self.0.push(Vec::with_capacity(CHUNK_BYTES));
        }
        let chunk = self.0.len() - 1;
        let place = self.0[chunk].len();
        self.0[chunk].extend_from_slice(bytes);
        (chunk * CHUNK_BYTES + place) as u32
    }

    /// The text as bytes, in `buffer` if it has to be spelled out.
    pub fn get<'a>(&'a self, place: TextPlace, buffer: &'a mut [u8; 36]) -> &'a [u8] {
        let (chunk, start) = (place.at as usize / CHUNK_BYTES, place.at as usize % CHUNK_BYTES);
        if place.length != UUID_LENGTH {
            return &self.0[chunk][start..start + usize::from(place.length)];
        }
        let uuid = Uuid::from_slice(&self.0[chunk][start..start + 16]).expect("invariant: 16 bytes");
        uuid.hyphenated().encode_lower(buffer).as_bytes()
    }
}
