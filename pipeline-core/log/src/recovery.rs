//! Opening a log: finds its segments, proves the newest one, cuts a torn tail and says so.

use std::path::{Path, PathBuf};

use crate::error::LogError;
use crate::filesystem::File;
use crate::format::{MAX_PAYLOAD_BYTES, RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::segments::{LogConfig, LogEnd, Segment, State};

const SCAN_CHUNK_BYTES: usize = 4 << 20;

/// What opening found. `torn` is `None` after a clean stop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    pub segments: usize,
    pub end: LogEnd,
    pub torn: Option<TornTail>,
}

/// A tail that was not a whole record: an append that the crash cut off, so never acked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    pub segment: PathBuf,
    /// Length of the segment after the cut.
    pub kept_bytes: u64,
    pub cut_bytes: u64,
    /// Where the cut bytes were kept.
    pub saved_as: PathBuf,
}

impl std::fmt::Display for TornTail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "cut a torn tail of {} bytes from {} at byte {} (kept as {})",
            self.cut_bytes,
            self.segment.display(),
            self.kept_bytes,
            self.saved_as.display()
        )
    }
}

pub(crate) fn open(config: &LogConfig) -> Result<(State, Recovery), LogError> {
    let filesystem = &config.filesystem;
    filesystem.create_dir_all(&config.dir).map_err(|error| LogError::io("create", &config.dir, &error))?;
    let mut paths: Vec<_> = filesystem
        .list(&config.dir)
        .map_err(|error| LogError::io("list", &config.dir, &error))?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "segment"))
        .collect();
    paths.sort();

    let mut segments = Vec::with_capacity(paths.len());
    for (index, path) in paths.iter().enumerate() {
        match open_segment(config, path)? {
            Some(segment) => segments.push(segment),
            // A crash between creating the newest segment and syncing its header: nothing was in it.
            None if index + 1 == paths.len() => {
                filesystem.remove(path).map_err(|error| LogError::io("remove", path, &error))?;
            }
            None => {
                return Err(LogError::Corrupt {
                    path: path.clone(),
                    position: 0,
                    problem: "the segment header is damaged",
                });
            }
        }
    }

    let mut recovery = Recovery::default();
    let end = match segments.last_mut() {
        None => LogEnd::default(),
        Some(newest) => {
            let (end, torn) = prove_newest(config, newest)?;
            recovery.torn = torn;
            end
        }
    };
    if segments.is_empty() {
        segments.push(Segment::create(config, end)?);
    }
    recovery.segments = segments.len();
    recovery.end = end;
    Ok((State { segments, end, failure: None, wakes: 0 }, recovery))
}

fn open_segment(config: &LogConfig, path: &Path) -> Result<Option<Segment>, LogError> {
    let io = |error: std::io::Error| LogError::io("open", path, &error);
    let file = config.filesystem.open(path).map_err(io)?;
    let bytes = file.byte_len().map_err(io)?;
    let mut header = [0; SEGMENT_HEADER_BYTES];
    if bytes < SEGMENT_HEADER_BYTES as u64 || read_exact(&*file, &mut header, 0).map_err(io)?.is_none() {
        return Ok(None);
    }
    Ok(SegmentHeader::decode(&header).map(|header| Segment {
        header,
        path: path.to_owned(),
        file,
        bytes,
        index: Vec::new(),
    }))
}

/// Reads the newest segment record by record, and cuts it where records end.
fn prove_newest(config: &LogConfig, segment: &mut Segment) -> Result<(LogEnd, Option<TornTail>), LogError> {
    let path = segment.path.clone();
    let io = |error: std::io::Error| LogError::io("read", &path, &error);
    let mut end = LogEnd { offset: segment.header.first_offset, sequence: segment.header.first_sequence };
    let mut position = SEGMENT_HEADER_BYTES as u64;
    let (mut chunk, mut used) = (Vec::new(), 0_usize);
    loop {
        let mut wanted = RECORD_HEADER_BYTES;
        if !refill(segment, &mut chunk, &mut used, position, wanted).map_err(io)? {
            break;
        }
        let mut header_bytes = [0; RECORD_HEADER_BYTES];
        header_bytes.copy_from_slice(&chunk[used..used + RECORD_HEADER_BYTES]);
        let header = RecordHeader::decode(&header_bytes);
        let follows = header.sequence == end.sequence && header.offset == end.offset;
        if !follows || header.payload_bytes as usize > MAX_PAYLOAD_BYTES {
            break;
        }
        wanted += header.payload_bytes as usize;
        if !refill(segment, &mut chunk, &mut used, position, wanted).map_err(io)?
            || !header.fits(&header_bytes, &chunk[used + RECORD_HEADER_BYTES..used + wanted])
        {
            break;
        }
        segment.note(header.sequence, header.offset, position);
        end = LogEnd { offset: end.offset + u64::from(header.events), sequence: end.sequence + 1 };
        position += header.record_bytes();
        used += wanted;
    }
    let torn = if position < segment.bytes { Some(cut(config, segment, position)?) } else { None };
    Ok((end, torn))
}

/// Makes `wanted` bytes at `position` available at `chunk[used..]`; `false` when the file is too short.
fn refill(
    segment: &Segment,
    chunk: &mut Vec<u8>,
    used: &mut usize,
    position: u64,
    wanted: usize,
) -> std::io::Result<bool> {
    if chunk.len() - *used >= wanted {
        return Ok(true);
    }
    let available = segment.bytes - position;
    if available < wanted as u64 {
        return Ok(false);
    }
    chunk.resize(wanted.max(SCAN_CHUNK_BYTES).min(available as usize), 0);
    *used = 0;
    Ok(read_exact(&*segment.file, chunk, position)?.is_some())
}

fn read_exact(file: &dyn File, buffer: &mut [u8], position: u64) -> std::io::Result<Option<()>> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], position + filled as u64)? {
            0 => return Ok(None),
            count => filled += count,
        }
    }
    Ok(Some(()))
}

/// Shortens the segment to its last whole record, after copying what follows to a file beside it.
fn cut(config: &LogConfig, segment: &mut Segment, position: u64) -> Result<TornTail, LogError> {
    let io = |action, error: &std::io::Error| LogError::io(action, &segment.path, error);
    let cut_bytes = segment.bytes - position;
    let mut torn = vec![0; cut_bytes as usize];
    read_exact(&*segment.file, &mut torn, position).map_err(|error| io("read", &error))?;
    let saved_as = (0..)
        .map(|attempt: u32| segment.path.with_extension(format!("torn-{position}-{attempt}")))
        .find_map(|path| match config.filesystem.create(&path) {
            Ok(file) => Some(Ok((path, file))),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => None,
            Err(error) => Some(Err(LogError::io("create", &path, &error))),
        })
        .expect("invariant: the search for a free name is unbounded");
    let (saved_as, copy) = saved_as?;
    copy.write_all_at(&torn, 0).and_then(|()| copy.sync_data()).map_err(|error| io("save the tail of", &error))?;
    segment.file.set_len(position).map_err(|error| io("shorten", &error))?;
    segment.file.sync_data().map_err(|error| io("sync", &error))?;
    config.filesystem.sync_dir(&config.dir).map_err(|error| io("sync the directory of", &error))?;
    segment.bytes = position;
    let torn = TornTail { segment: segment.path.clone(), kept_bytes: position, cut_bytes, saved_as };
    tracing::warn!(log = config.name, "{torn}");
    Ok(torn)
}
