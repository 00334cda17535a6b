//! The open log: its segments, its durable end, and the condition that readers wait on.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use crate::appender::{self, LogAppender};
use crate::error::LogError;
use crate::filesystem::{File, Filesystem};
use crate::format::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::reader::LogReader;
use crate::recovery::{self, Recovery};

/// One in this many bytes of a segment is indexed, so that a reader that starts in its middle has
/// little to skip.
const INDEX_EVERY_BYTES: u64 = 1 << 20;

#[derive(Debug, Clone)]
pub struct LogConfig {
    /// For messages and metric labels: `intake` or `journal`.
    pub name: &'static str,
    pub dir: PathBuf,
    /// A segment is closed when it has this many bytes.
    pub segment_bytes: u64,
    /// Bytes of payload that may wait to be written before [`LogAppender::append`] waits too.
    pub queue_bytes: usize,
    pub filesystem: Arc<dyn Filesystem>,
}

impl LogConfig {
    pub fn new(name: &'static str, dir: impl Into<PathBuf>, filesystem: Arc<dyn Filesystem>) -> Self {
        Self { name, dir: dir.into(), segment_bytes: 64 << 20, queue_bytes: 64 << 20, filesystem }
    }
}

/// One past the newest durable record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogEnd {
    /// Offset that the next event will get; also the number of events in the log.
    pub offset: u64,
    /// Sequence that the next record will get.
    pub sequence: u64,
}

/// A handle to an open log; clones share it.
#[derive(Debug, Clone)]
pub struct Log {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub config: LogConfig,
    state: Mutex<State>,
    grown: Condvar,
}

#[derive(Debug)]
pub(crate) struct State {
    pub segments: Vec<Segment>,
    pub end: LogEnd,
    pub failure: Option<LogError>,
    /// How often readers were woken for something other than a record.
    pub wakes: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub header: SegmentHeader,
    pub path: PathBuf,
    pub file: Arc<dyn File>,
    /// Durable bytes; readers never look past them.
    pub bytes: u64,
    /// (sequence, offset, position) of a record about every [`INDEX_EVERY_BYTES`].
    pub index: Vec<(u64, u64, u64)>,
}

impl Segment {
    pub fn note(&mut self, sequence: u64, offset: u64, position: u64) {
        if self.index.last().is_none_or(|(_, _, last)| position - last >= INDEX_EVERY_BYTES) {
            self.index.push((sequence, offset, position));
        }
    }
}

impl Log {
    /// Opens or creates the log, repairs a torn tail and starts the writer thread.
    pub fn open(config: LogConfig) -> Result<(Self, LogAppender, Recovery), LogError> {
        let (state, recovery) = recovery::open(&config)?;
        let shared = Arc::new(Shared { config, state: Mutex::new(state), grown: Condvar::new() });
        let appender = appender::start(Arc::clone(&shared))?;
        Ok((Self { shared }, appender, recovery))
    }

    /// Opens a log that nobody writes, to read what it holds.
    pub fn open_read_only(config: LogConfig) -> Result<Self, LogError> {
        let (state, _) = recovery::open(&config)?;
        Ok(Self { shared: Arc::new(Shared { config, state: Mutex::new(state), grown: Condvar::new() }) })
    }

    /// One past the newest durable record.
    pub fn end(&self) -> LogEnd {
        self.shared.lock().end
    }

    /// Why the log accepts nothing any more, if so.
    pub fn failure(&self) -> Option<LogError> {
        self.shared.lock().failure.clone()
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.shared.lock().segments.iter().map(|segment| segment.bytes).sum()
    }

    /// A reader whose first record holds `offset` or follows it.
    pub fn read_from_offset(&self, offset: u64) -> LogReader {
        let state = self.shared.lock();
        let at = state.segments.partition_point(|segment| segment.header.first_offset <= offset).max(1) - 1;
        let position = state.segments.get(at).map_or(SEGMENT_HEADER_BYTES as u64, |segment| {
            let before = segment.index.partition_point(|(_, first, _)| *first <= offset);
            before.checked_sub(1).map_or(SEGMENT_HEADER_BYTES as u64, |index| segment.index[index].2)
        });
        drop(state);
        LogReader::new(self.clone(), at, position, offset, 0)
    }

    /// A reader whose first record has `sequence`.
    pub fn read_from_sequence(&self, sequence: u64) -> LogReader {
        let state = self.shared.lock();
        let at = state.segments.partition_point(|segment| segment.header.first_sequence <= sequence).max(1) - 1;
        let position = state.segments.get(at).map_or(SEGMENT_HEADER_BYTES as u64, |segment| {
            let before = segment.index.partition_point(|(first, _, _)| *first <= sequence);
            before.checked_sub(1).map_or(SEGMENT_HEADER_BYTES as u64, |index| segment.index[index].2)
        });
        drop(state);
        LogReader::new(self.clone(), at, position, 0, sequence)
    }

    /// Waits until the log holds more than `sequence` records, `timeout` has passed or readers are woken.
    pub fn wait_past(&self, sequence: u64, timeout: Duration) -> LogEnd {
        let state = self.shared.lock();
        let wakes = state.wakes;
        let (state, _) = self
            .shared
            .grown
            .wait_timeout_while(state, timeout, |state| state.end.sequence <= sequence && state.wakes == wakes)
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        state.end
    }

    /// Wakes readers that wait, so that they can see to something else: a stop, or other work.
    pub fn wake_readers(&self) {
        self.shared.lock().wakes += 1;
        self.shared.grown.notify_all();
    }
}

impl Shared {
    /// The state stays true if a reader panics while it holds the lock, so poisoning is ignored.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn notify(&self) {
        self.grown.notify_all();
    }
}

impl Segment {
    /// Creates an empty segment and makes its directory entry durable.
    pub fn create(config: &LogConfig, end: LogEnd) -> Result<Self, LogError> {
        // The sequence keeps names apart when the last segment holds only records without events.
        let path = config.dir.join(format!("{:020}-{:016}.segment", end.offset, end.sequence));
        let header = SegmentHeader { first_offset: end.offset, first_sequence: end.sequence };
        let create = || -> std::io::Result<Arc<dyn File>> {
            let file = config.filesystem.create(&path)?;
            file.write_all_at(&header.encode(), 0)?;
            file.sync_data()?;
            config.filesystem.sync_dir(&config.dir)?;
            Ok(file)
        };
        let file = create().map_err(|error| LogError::io("create", &path, &error))?;
        Ok(Self { header, path, file, bytes: SEGMENT_HEADER_BYTES as u64, index: Vec::new() })
    }
}
