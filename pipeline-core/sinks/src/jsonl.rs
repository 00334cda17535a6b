//! A directory of files with one event a line.
//!
//! # What it guarantees
//!
//! A batch is on the device before it counts as delivered. A line is never there twice: before the first
//! batch after a start, and after an error, everything at or beyond the batch's first offset is cut off,
//! so a repeated batch comes to lie where it lay. A torn line of a crash is cut off with it.
//!
//! # On disk
//!
//! `DIR/<first offset, 20 digits>.<id of the sink, 8 digits>.jsonl`, each line the JSON of a stored event
//! with its `_offset`. A new file begins when one has reached [`FILE_BYTES`]. The id keeps a sink from
//! touching what another one, or an earlier data directory, left in the same place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use uuid::Uuid;

use crate::batch::{Batch, Batching, Delivery, Sink};
use crate::stop::Stop;

const FILE_BYTES: u64 = 64 << 20;

#[derive(Debug)]
pub struct JsonlSink {
    dir: PathBuf,
    suffix: String,
    file_bytes: u64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// Nothing at or beyond this offset has been written.
    until: u64,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_offset")]
    offset: u64,
}

impl JsonlSink {
    pub fn new(dir: impl Into<PathBuf>, id: Uuid) -> Self {
        let suffix = format!(".{}.jsonl", &id.simple().to_string()[..8]);
        Self { dir: dir.into(), suffix, file_bytes: FILE_BYTES, open: None }
    }

    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let mut lines = Vec::new();
        for event in &batch.events {
            serde_json::to_writer(&mut lines, event)?;
            lines.push(b'\n');
        }
        let mut open = match self.open.take() {
            // A file that somebody moved away is not written to any more.
            Some(open) if open.until <= batch.first_offset && open.path.exists() => open,
            _ => self.recover(batch.first_offset)?,
        };
        if open.bytes >= self.file_bytes {
            open = self.create(batch.first_offset)?;
        }
        open.file.write_all(&lines)?;
        open.file.sync_data()?;
        open.bytes += lines.len() as u64;
        open.until = batch.until_offset;
        self.open = Some(open);
        Ok(())
    }

    /// The file that goes on at `offset`, with nothing from there on in it.
    fn recover(&self, offset: u64) -> io::Result<Open> {
        fs::create_dir_all(&self.dir)?;
        let mut newest: Option<(u64, PathBuf)> = None;
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let Some(first) = self.first_offset(&path) else { continue };
            if first >= offset {
                fs::remove_file(&path)?;
            } else if newest.as_ref().is_none_or(|(known, _)| *known < first) {
                newest = Some((first, path));
            }
        }
        let Some((_, path)) = newest else { return self.create(offset) };
        let file = OpenOptions::new().read(true).append(true).open(&path)?;
        let bytes = kept(&file, offset)?;
        file.set_len(bytes)?;
        file.sync_data()?;
        Ok(Open { path, file, bytes, until: offset })
    }

    fn create(&self, offset: u64) -> io::Result<Open> {
        let path = self.dir.join(format!("{offset:020}{}", self.suffix));
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.set_len(0)?;
        File::open(&self.dir)?.sync_all()?;
        Ok(Open { path, file, bytes: 0, until: offset })
    }

    fn first_offset(&self, path: &Path) -> Option<u64> {
        path.file_name()?.to_str()?.strip_suffix(&self.suffix)?.parse().ok()
    }
}

/// Bytes of the whole lines before `offset`.
fn kept(file: &File, offset: u64) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let (mut bytes, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        let before =
            line.ends_with(b"\n") && serde_json::from_slice::<Line>(&line).is_ok_and(|line| line.offset < offset);
        if !before {
            return Ok(bytes);
        }
        bytes += length as u64;
    }
}

impl Sink for JsonlSink {
    fn batching(&self) -> Batching {
        Batching::prompt(4_000, 8 << 20)
    }

    fn deliver(&mut self, batch: &Batch, _: &Stop) -> Delivery {
        match self.write(batch) {
            Ok(()) => Delivery::delivered(),
            Err(error) => Delivery::retry(format!("cannot write to {}: {error}", self.dir.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_event::StoredEvent;

    use super::*;

    fn batch(offsets: std::ops::Range<u64>) -> Batch {
        Batch {
            key: "k".into(),
            first_offset: offsets.start,
            until_offset: offsets.end,
            events: offsets.map(|offset| StoredEvent { offset, ..StoredEvent::default() }).collect(),
        }
    }

    /// Offsets of all lines, and the number of files.
    fn content(dir: &Path) -> (Vec<u64>, usize) {
        let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let text: String = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        (text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap().offset).collect(), paths.len())
    }

    fn deliver(sink: &mut JsonlSink, offsets: std::ops::Range<u64>) {
        assert_eq!(sink.deliver(&batch(offsets), &Stop::default()), Delivery::delivered());
    }

    #[test]
    fn a_repeated_batch_is_there_once() {
        let dir = tempfile::tempdir().unwrap();
        let id = Uuid::from_u128(1 << 120);
        let mut sink = JsonlSink::new(dir.path(), id);
        deliver(&mut sink, 0..10);
        deliver(&mut sink, 10..20);
        deliver(&mut sink, 10..20);
        // A new process does not know what was written, and finds half a line.
        let path = sink.open.take().unwrap().path;
        OpenOptions::new().append(true).open(path).unwrap().write_all(b"{\"half").unwrap();
        let mut sink = JsonlSink::new(dir.path(), id);
        deliver(&mut sink, 10..20);
        deliver(&mut sink, 20..25);
        assert_eq!(content(dir.path()), ((0..25).collect(), 1));
    }

    #[test]
    fn files_begin_at_a_size_and_a_repetition_takes_later_ones_away() {
        let dir = tempfile::tempdir().unwrap();
        let id = Uuid::from_u128(1 << 120);
        let mut sink = JsonlSink { file_bytes: 1, ..JsonlSink::new(dir.path(), id) };
        deliver(&mut sink, 0..5);
        deliver(&mut sink, 5..10);
        deliver(&mut sink, 10..15);
        assert_eq!(content(dir.path()), ((0..15).collect(), 3));
        let mut sink = JsonlSink::new(dir.path(), id);
        deliver(&mut sink, 10..20);
        assert_eq!(content(dir.path()), ((0..20).collect(), 2));
        // Another sink in the same place keeps out of the way.
        let mut other = JsonlSink::new(dir.path(), Uuid::from_u128(2 << 120));
        deliver(&mut other, 0..3);
        assert_eq!(content(dir.path()).1, 3);
        assert_eq!(content(dir.path()).0.len(), 23);
    }

    #[test]
    fn a_directory_that_is_gone_is_made_again_and_an_error_is_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("out");
        let mut sink = JsonlSink::new(&place, Uuid::from_u128(3 << 120));
        deliver(&mut sink, 0..5);
        fs::remove_dir_all(&place).unwrap();
        fs::write(&place, b"in the way").unwrap();
        assert!(matches!(sink.deliver(&batch(5..10), &Stop::default()), Delivery::Retry { .. }));
        fs::remove_file(&place).unwrap();
        deliver(&mut sink, 5..10);
        assert_eq!(content(&place), ((5..10).collect(), 1));
    }
}
