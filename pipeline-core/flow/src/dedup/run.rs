//! A run: sorted entries in a file, its filter and the first key of every page in memory.
//!
//! # On disk
//!
//! ```text
//! header   4,096 bytes: magic "WEIRRUN2" | first and next journal sequence u64 | entries u64 | filter blocks u64
//!          | pages u64 | crc32c of the filter u32 | crc32c of the fences u32 | crc32c of the 56 before u32 | zeros
//! filter   blocks of 64 bytes, padded to 4,096
//! pages    4,096 bytes each: 170 entries of key 16 and payload hash 8, ascending | 12 zeros | crc32c of the
//!          4,092 before u32; the last page is filled with zeros
//! fences   upper half of the first key of every page, u64
//! ```
//!
//! All numbers are little endian. A page is one page of the page cache, and every read of one is
//! verified. Keys are hashes, so a key's value tells about where it is: finding its page among the
//! fences starts there and takes a few steps, whatever the size of the run.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::filter::{BLOCK_BYTES, Filter};
use super::invalid;

pub const PAGE_BYTES: usize = 4096;
pub const ENTRY_BYTES: usize = 24;
pub const PAGE_ENTRIES: usize = 170;
pub const MAGIC: &[u8; 8] = b"WEIRRUN2";
pub const HEADER_BYTES: usize = 60;

/// (key, payload hash)
pub type Entry = (u128, u64);

#[derive(Debug)]
pub struct Run {
    pub path: PathBuf,
    file: File,
    pub next_sequence: u64,
    pub first_sequence: u64,
    pub entries: usize,
    filter: Filter,
    fences: Vec<u64>,
    pages_at: u64,
}

impl Run {
    /// Opens a file and verifies all of it.
    pub fn open_verified(path: &Path) -> io::Result<Self> {
        let run = Self::open(path)?;
        let mut pages = run.pages(64);
        while pages.read_more()? {}
        Ok(run)
    }

    /// Opens a file; its pages are verified when they are read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0)?;
        let sum = |at: usize| u32_at(&header, at);
        if header[..8] != *MAGIC || crc32c::crc32c(&header[..HEADER_BYTES - 4]) != u32_at(&header, HEADER_BYTES - 4) {
            return Err(invalid("its header is damaged"));
        }
        let [first_sequence, next_sequence, entries, blocks, pages] = [8, 16, 24, 32, 40].map(|at| u64_at(&header, at));
        let pages_at = pages_at(blocks as usize);
        let fences_at = pages_at + pages * PAGE_BYTES as u64;
        let has_all = entries > 0 && file.metadata()?.len() == fences_at + pages * 8;
        if !has_all
            || pages != entries.div_ceil(PAGE_ENTRIES as u64)
            || path != path_of(path, first_sequence, next_sequence)
        {
            return Err(invalid("it is not what its header says"));
        }
        let filter =
            Filter::load(blocks as usize, sum(48), |bytes, at| file.read_exact_at(bytes, (PAGE_BYTES + at) as u64))?;
        let mut bytes = vec![0; pages as usize * 8];
        file.read_exact_at(&mut bytes, fences_at)?;
        if crc32c::crc32c(&bytes) != sum(52) {
            return Err(invalid("the checksum of its fences does not fit"));
        }
        let fences = bytes.as_chunks::<8>().0.iter().map(|fence| u64::from_le_bytes(*fence)).collect();
        let path = path.to_owned();
        Ok(Self { path, file, next_sequence, first_sequence, entries: entries as usize, filter, fences, pages_at })
    }

    /// False for a key that is not here, and rarely wrong for others.
    pub fn may_hold(&self, key: u128) -> bool {
        self.filter.may_hold(key)
    }

    pub fn find(&self, key: u128) -> io::Result<Option<u64>> {
        let upper = (key >> 64) as u64;
        let mut page = self.page_of(upper);
        loop {
            let mut bytes = [0; PAGE_BYTES];
            self.file.read_exact_at(&mut bytes, self.pages_at + (page * PAGE_BYTES) as u64)?;
            verify_page(&bytes)?;
            let entries = &bytes[..self.entries_in(page) * ENTRY_BYTES];
            if let Some(payload) = find_in(entries, key) {
                return Ok(Some(payload));
            }
            // Keys that share their upper half with the first of a page may lie before it.
            if page == 0 || self.fences[page] != upper {
                return Ok(None);
            }
            page -= 1;
        }
    }

    /// The last page that begins at or before the key.
    fn page_of(&self, upper: u64) -> usize {
        let count = self.fences.len();
        let guess = ((u128::from(upper) * count as u128) >> 64) as usize;
        let (mut low, mut high, mut step) = (guess, guess, 1);
        while high < count && self.fences[high] <= upper {
            low = high;
            high = (high + step).min(count);
            step *= 2;
        }
        step = 1;
        while low > 0 && self.fences[low] > upper {
            high = low;
            low = low.saturating_sub(step);
            step *= 2;
        }
        (low + self.fences[low..high].partition_point(|fence| *fence <= upper)).saturating_sub(1)
    }

    fn entries_in(&self, page: usize) -> usize {
        (self.entries - page * PAGE_ENTRIES).min(PAGE_ENTRIES)
    }

    /// All entries in order, read `at_once` pages at a time.
    pub fn pages(&self, at_once: usize) -> Pages<'_> {
        Pages { run: self, buffer: vec![0; at_once * PAGE_BYTES], next_page: 0, loaded: 0..0 }
    }

    pub fn let_filter_go(&mut self) {
        self.filter.let_go();
    }

    pub fn resident_bytes(&self) -> usize {
        self.filter.resident_bytes() + self.fences.len() * 8
    }
}

/// A run's entries, read from front to back.
#[derive(Debug)]
pub struct Pages<'a> {
    run: &'a Run,
    buffer: Vec<u8>,
    next_page: usize,
    /// Indexes of the entries in the buffer that were not taken yet.
    loaded: std::ops::Range<usize>,
}

impl Pages<'_> {
    /// The entry that [`Pages::advance`] would take.
    pub fn peek(&mut self) -> io::Result<Option<Entry>> {
        if self.loaded.is_empty() && !self.read_more()? {
            return Ok(None);
        }
        let (page, place) = (self.loaded.start / PAGE_ENTRIES, self.loaded.start % PAGE_ENTRIES);
        Ok(Some(entry_at(&self.buffer, page * PAGE_BYTES + place * ENTRY_BYTES)))
    }

    pub fn advance(&mut self) {
        self.loaded.start += 1;
    }

    /// False at the end.
    fn read_more(&mut self) -> io::Result<bool> {
        let pages = (self.buffer.len() / PAGE_BYTES).min(self.run.fences.len() - self.next_page);
        if pages == 0 {
            return Ok(false);
        }
        let bytes = &mut self.buffer[..pages * PAGE_BYTES];
        self.run.file.read_exact_at(bytes, self.run.pages_at + (self.next_page * PAGE_BYTES) as u64)?;
        bytes.as_chunks().0.iter().try_for_each(verify_page)?;
        self.next_page += pages;
        self.loaded = 0..(pages - 1) * PAGE_ENTRIES + self.run.entries_in(self.next_page - 1);
        Ok(true)
    }
}

/// Where pages begin behind a filter of this many blocks.
pub fn pages_at(blocks: usize) -> u64 {
    (PAGE_BYTES + (blocks * BLOCK_BYTES).next_multiple_of(PAGE_BYTES)) as u64
}

/// The name of a run beside `neighbour`.
pub fn path_of(neighbour: &Path, first_sequence: u64, next_sequence: u64) -> PathBuf {
    neighbour.with_file_name(format!("{first_sequence:020}-{next_sequence:020}.run"))
}

fn verify_page(page: &[u8; PAGE_BYTES]) -> io::Result<()> {
    let sum = crc32c::crc32c(&page[..PAGE_BYTES - 4]);
    if sum == u32_at(page, PAGE_BYTES - 4) { Ok(()) } else { Err(invalid("the checksum of a page does not fit")) }
}

fn find_in(entries: &[u8], key: u128) -> Option<u64> {
    let (mut low, mut high) = (0, entries.len() / ENTRY_BYTES);
    while low < high {
        let middle = usize::midpoint(low, high);
        let (found, payload) = entry_at(entries, middle * ENTRY_BYTES);
        match found.cmp(&key) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Some(payload),
        }
    }
    None
}

fn entry_at(bytes: &[u8], at: usize) -> Entry {
    let mut key = [0; 16];
    key.copy_from_slice(&bytes[at..at + 16]);
    (u128::from_le_bytes(key), u64_at(bytes, at + 16))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}
