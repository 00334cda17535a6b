//! Reads a log in order, up to its durable end, while it is being written.

use std::time::Duration;

use crate::error::LogError;
use crate::format::{MAX_PAYLOAD_BYTES, RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES};
use crate::segments::Log;

const CHUNK_BYTES: usize = 1 << 20;

/// A record as it was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Offset of its first event.
    pub offset: u64,
    pub sequence: u64,
    pub events: u32,
    pub payload: Vec<u8>,
}

/// A cursor over a log. Its distance to the end is [`LogReader::backlog_events`].
#[derive(Debug)]
pub struct LogReader {
    log: Log,
    segment: usize,
    position: u64,
    /// Records before these are skipped; set while the reader looks for its start.
    skip_to_offset: u64,
    skip_to_sequence: u64,
    next_sequence: u64,
    next_offset: u64,
    chunk: Vec<u8>,
    chunk_used: usize,
}

impl LogReader {
    pub(crate) fn new(log: Log, segment: usize, position: u64, offset: u64, sequence: u64) -> Self {
        Self {
            log,
            segment,
            position,
            skip_to_offset: offset,
            skip_to_sequence: sequence,
            next_sequence: sequence,
            next_offset: offset,
            chunk: Vec::new(),
            chunk_used: 0,
        }
    }

    /// Offset of the next event this reader will return.
    pub fn next_offset(&self) -> u64 {
        self.next_offset
    }

    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Events in the log that this reader has not returned: the depth of the queue that the log is.
    pub fn backlog_events(&self) -> u64 {
        self.log.end().offset.saturating_sub(self.next_offset)
    }

    /// Waits until there is a record to read or `timeout` has passed; `true` when there is one.
    pub fn wait(&self, timeout: Duration) -> bool {
        let end = self.log.wait_past(self.next_sequence, timeout);
        end.sequence > self.next_sequence && end.offset >= self.skip_to_offset
    }

    /// The next records, at least one if there is one, at most about `max_events` events and
    /// `max_bytes` bytes. Empty at the end of the log.
    pub fn read(&mut self, max_events: u64, max_bytes: usize) -> Result<Vec<Record>, LogError> {
        let (mut records, mut events, mut bytes) = (Vec::new(), 0, 0);
        while (events < max_events && bytes < max_bytes) || records.is_empty() {
            let Some(record) = self.next()? else { break };
            events += u64::from(record.events);
            bytes += record.payload.len();
            records.push(record);
        }
        Ok(records)
    }

    fn next(&mut self) -> Result<Option<Record>, LogError> {
        loop {
            let Some(header_bytes) = self.peek::<RECORD_HEADER_BYTES>()? else { return Ok(None) };
            let header = RecordHeader::decode(&header_bytes);
            let payload_bytes = header.payload_bytes as usize;
            if payload_bytes > MAX_PAYLOAD_BYTES {
                return Err(self.corrupt("the length of a record is impossible"));
            }
            let whole = RECORD_HEADER_BYTES + payload_bytes;
            if !self.fill(whole)? {
                return Err(self.corrupt("a record ends beyond the durable end"));
            }
            let payload = &self.chunk[self.chunk_used + RECORD_HEADER_BYTES..self.chunk_used + whole];
            if !header.fits(&header_bytes, payload) {
                return Err(self.corrupt("the checksum of a record does not fit"));
            }
            let wanted = header.sequence >= self.skip_to_sequence
                && (header.offset + u64::from(header.events) > self.skip_to_offset
                    || header.offset >= self.skip_to_offset);
            let record = wanted.then(|| Record {
                offset: header.offset,
                sequence: header.sequence,
                events: header.events,
                payload: payload.to_vec(),
            });
            self.chunk_used += whole;
            self.position += whole as u64;
            self.next_sequence = header.sequence + 1;
            if let Some(record) = record {
                self.next_offset = record.offset + u64::from(record.events);
                return Ok(Some(record));
            }
        }
    }

    /// The next `N` bytes without consuming them; `None` at the durable end.
    fn peek<const N: usize>(&mut self) -> Result<Option<[u8; N]>, LogError> {
        if !self.fill(N)? {
            return Ok(None);
        }
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.chunk[self.chunk_used..self.chunk_used + N]);
        Ok(Some(bytes))
    }

    /// Makes `wanted` bytes available in the chunk, stepping to the next segment at the end of one.
    fn fill(&mut self, wanted: usize) -> Result<bool, LogError> {
        loop {
            if self.chunk.len() - self.chunk_used >= wanted {
                return Ok(true);
            }
            let (path, file, durable_bytes, has_next) = {
                let state = self.log.shared.lock();
                let Some(segment) = state.segments.get(self.segment) else { return Ok(false) };
                let has_next = self.segment + 1 < state.segments.len();
                (segment.path.clone(), segment.file.clone(), segment.bytes, has_next)
            };
            if self.position >= durable_bytes {
                if !has_next {
                    return Ok(false);
                }
                self.segment += 1;
                self.position = SEGMENT_HEADER_BYTES as u64;
                self.chunk.clear();
                self.chunk_used = 0;
                continue;
            }
            if self.position + wanted as u64 > durable_bytes {
                return Ok(false);
            }
            let read_bytes = wanted.max(CHUNK_BYTES).min((durable_bytes - self.position) as usize);
            self.chunk.resize(read_bytes, 0);
            self.chunk_used = 0;
            let mut filled = 0;
            while filled < read_bytes {
                let count = file
                    .read_at(&mut self.chunk[filled..], self.position + filled as u64)
                    .map_err(|error| LogError::io("read", &path, &error))?;
                if count == 0 {
                    return Err(self.corrupt("the file is shorter than its durable length"));
                }
                filled += count;
            }
        }
    }

    fn corrupt(&self, problem: &'static str) -> LogError {
        let path = self.log.shared.lock().segments.get(self.segment).map(|s| s.path.clone()).unwrap_or_default();
        LogError::Corrupt { path, position: self.position, problem }
    }
}
