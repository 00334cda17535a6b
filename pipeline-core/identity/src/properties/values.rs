//! How a value is packed.
//!
//! A varint says what follows: 0 a uuid in 16 bytes, because every person has `$creator_event_uuid`; an
//! odd number, twice the length and one, JSON text; an even one, twice (its number and one), a value
//! from the shared table.
//!
//! A value joins that table when it is seen for the second time within some ten thousand others, so that
//! plans and referrers do and addresses do not. The table is bounded; what does not fit stays text.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher as _;
use uuid::Uuid;

const MOST_SHARED: usize = 1 << 16;
const MOST_SHARED_BYTES: usize = 4 << 20;
/// A shorter one is no longer than its number; a longer one is hardly had by two.
const SHARED_LENGTHS: std::ops::RangeInclusive<usize> = 4..=512;
const SIGHTINGS: usize = 1 << 16;

/// A packed value, apart.
#[derive(Debug, Clone, Copy)]
pub enum Packed<'a> {
    Uuid(Uuid),
    Text(&'a [u8]),
    Shared(u32),
}

impl<'a> Packed<'a> {
    pub fn read(mut bytes: &'a [u8]) -> Self {
        match read_varint(&mut bytes) {
            0 => Self::Uuid(Uuid::from_slice(bytes).expect("invariant: written by pack")),
            tag if tag % 2 == 1 => Self::Text(bytes),
            tag => Self::Shared(tag / 2 - 1),
        }
    }
}

/// Moves past a packed value.
pub fn skip(bytes: &mut &[u8]) {
    let length = match read_varint(bytes) {
        0 => 16,
        tag if tag % 2 == 1 => (tag / 2) as usize,
        _ => 0,
    };
    *bytes = &bytes[length..];
}

/// Values that many have.
#[derive(Debug, Default)]
pub struct SharedValues {
    texts: Vec<Box<str>>,
    numbers: HashTable<u32>,
    bytes: usize,
    /// Hashes of values that were seen once, each in the place that it names.
    sighted: Vec<u32>,
    hasher: DefaultHashBuilder,
}

impl SharedValues {
    pub fn text(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }

    /// Packs JSON text.
    pub fn pack(&mut self, text: &str, out: &mut Vec<u8>) {
        if let Some(uuid) = uuid_text(text) {
            out.push(0);
            out.extend_from_slice(uuid.as_bytes());
        } else if let Some(number) = self.number_of(text) {
            write_varint(out, (number + 1) * 2);
        } else {
            write_varint(out, text.len() as u32 * 2 + 1);
            out.extend_from_slice(text.as_bytes());
        }
    }

    fn number_of(&mut self, text: &str) -> Option<u32> {
        if !SHARED_LENGTHS.contains(&text.len()) {
            return None;
        }
        let hash = self.hasher.hash_one(text);
        if let Some(number) = self.numbers.find(hash, |number| &*self.texts[*number as usize] == text) {
            return Some(*number);
        }
        if self.texts.len() == MOST_SHARED || self.bytes + text.len() > MOST_SHARED_BYTES {
            return None;
        }
        self.sighted.resize(SIGHTINGS, 0);
        let place = &mut self.sighted[hash as usize % SIGHTINGS];
        let sighting = (hash >> 32) as u32 | 1;
        if *place != sighting {
            *place = sighting;
            return None;
        }
        let number = self.texts.len() as u32;
        self.bytes += text.len();
        self.texts.push(text.into());
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.numbers.insert_unique(hash, number, |other| hasher.hash_one(&*texts[*other as usize]));
        Some(number)
    }
}

/// A uuid in the one spelling that reading it back gives.
fn uuid_text(text: &str) -> Option<Uuid> {
    if text.len() != 38 {
        return None;
    }
    canonical_uuid(text.strip_prefix('"')?.strip_suffix('"')?)
}

pub fn canonical_uuid(text: &str) -> Option<Uuid> {
    if text.len() != 36 {
        return None;
    }
    let uuid = Uuid::try_parse(text).ok()?;
    (uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(uuid)
}

pub fn write_varint(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

pub fn read_varint(bytes: &mut &[u8]) -> u32 {
    let (mut number, mut shift) = (0, 0);
    while let Some((first, rest)) = bytes.split_first() {
        *bytes = rest;
        number |= u32::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    number
}
