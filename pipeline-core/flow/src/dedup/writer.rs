//! Writes a run from entries in order, holding one block of the filter and a few pages at a time.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::filter::{Block, block_of, blocks_for};
use super::run::{ENTRY_BYTES, Entry, HEADER_BYTES, MAGIC, PAGE_BYTES, PAGE_ENTRIES, pages_at, path_of};

const BUFFER_BYTES: usize = 64 * PAGE_BYTES;

#[derive(Debug)]
pub struct RunWriter {
    path: PathBuf,
    draft: PathBuf,
    file: File,
    sequences: (u64, u64),
    blocks: usize,
    filter: Region,
    block: Block,
    /// Blocks before this one are written.
    block_at: usize,
    pages: Region,
    entries: usize,
    fences: Vec<u8>,
    last_key: Option<u128>,
}

/// A part of the file that is written from front to back.
#[derive(Debug)]
struct Region {
    buffer: Vec<u8>,
    written_to: u64,
    checksum: u32,
}

impl Region {
    fn new(from: u64) -> Self {
        Self { buffer: Vec::with_capacity(BUFFER_BYTES), written_to: from, checksum: 0 }
    }

    fn flush(&mut self, file: &File) -> io::Result<()> {
        file.write_all_at(&self.buffer, self.written_to)?;
        self.checksum = crc32c::crc32c_append(self.checksum, &self.buffer);
        self.written_to += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn flush_if_full(&mut self, file: &File) -> io::Result<()> {
        if self.buffer.len() >= BUFFER_BYTES { self.flush(file) } else { Ok(()) }
    }
}

impl RunWriter {
    /// A run in `dir` of at most `most_entries` from the journal records of `sequences`.
    pub fn create(dir: &Path, sequences: (u64, u64), most_entries: usize) -> io::Result<Self> {
        let path = path_of(&dir.join("run"), sequences.0, sequences.1);
        let draft = path.with_extension("draft");
        let blocks = blocks_for(most_entries);
        Ok(Self {
            file: File::create(&draft)?,
            path,
            draft,
            sequences,
            blocks,
            filter: Region::new(PAGE_BYTES as u64),
            block: Block::default(),
            block_at: 0,
            pages: Region::new(pages_at(blocks)),
            entries: 0,
            fences: Vec::with_capacity(most_entries.div_ceil(PAGE_ENTRIES) * 8),
            last_key: None,
        })
    }

    /// Keys come in ascending order; of equal ones the first counts.
    pub fn push(&mut self, (key, payload): Entry) -> io::Result<()> {
        if self.last_key == Some(key) {
            return Ok(());
        }
        debug_assert!(self.last_key < Some(key), "keys ascend");
        self.last_key = Some(key);
        self.write_blocks(block_of(key, self.blocks))?;
        self.block.add(key);
        if self.entries.is_multiple_of(PAGE_ENTRIES) {
            self.end_page()?;
            self.fences.extend_from_slice(&((key >> 64) as u64).to_le_bytes());
        }
        self.pages.buffer.extend_from_slice(&key.to_le_bytes());
        self.pages.buffer.extend_from_slice(&payload.to_le_bytes());
        self.entries += 1;
        Ok(())
    }

    /// Writes the blocks before `end`.
    fn write_blocks(&mut self, end: usize) -> io::Result<()> {
        while self.block_at < end {
            self.filter.buffer.extend_from_slice(&std::mem::take(&mut self.block).to_bytes());
            self.block_at += 1;
            self.filter.flush_if_full(&self.file)?;
        }
        Ok(())
    }

    /// Fills up the page that was begun, if one was.
    fn end_page(&mut self) -> io::Result<()> {
        if self.entries == 0 {
            return Ok(());
        }
        let begun = self.pages.buffer.len() / PAGE_BYTES * PAGE_BYTES;
        self.pages.buffer.resize(begun + PAGE_BYTES - 4, 0);
        let sum = crc32c::crc32c(&self.pages.buffer[begun..]);
        self.pages.buffer.extend_from_slice(&sum.to_le_bytes());
        self.pages.flush_if_full(&self.file)
    }

    /// Makes the run durable under its name, and gives that.
    pub fn finish(mut self) -> io::Result<PathBuf> {
        self.write_blocks(self.blocks)?;
        self.filter.flush(&self.file)?;
        self.end_page()?;
        self.pages.flush(&self.file)?;
        self.file.write_all_at(&self.fences, self.pages.written_to)?;
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(MAGIC);
        let pages = self.entries.div_ceil(PAGE_ENTRIES);
        for number in [self.sequences.0, self.sequences.1, self.entries as u64, self.blocks as u64, pages as u64] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        header.extend_from_slice(&self.filter.checksum.to_le_bytes());
        header.extend_from_slice(&crc32c::crc32c(&self.fences).to_le_bytes());
        header.extend_from_slice(&crc32c::crc32c(&header).to_le_bytes());
        self.file.write_all_at(&header, 0)?;
        self.file.sync_data()?;
        fs::rename(&self.draft, &self.path)?;
        if let Some(dir) = self.path.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(self.path)
    }
}

const _: () = assert!(PAGE_ENTRIES * ENTRY_BYTES <= PAGE_BYTES - 4, "a page has room for its checksum");
