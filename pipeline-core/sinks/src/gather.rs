//! Stored events on their way into a batch.
//!
//! The buffer is the one queue of a sink. It holds no more than one batch (and the rest of the offset
//! that filled it); what is beyond stays in the store. Nothing is lost with it: it is read again from
//! the cursor on.

use weir_event::StoredEvent;
use weir_event::clock::UnixMillis;

use crate::batch::Batching;

/// Where stored events come from, in the order of their offsets.
pub trait Source: Send {
    /// Changes when there may be more to read; cheap enough to be asked all the time.
    fn version(&self) -> u64;

    /// Events from `from` on, of whole offsets, about as many as asked for but at least those of one
    /// offset; none at or beyond `until`, and none that are not committed. `None` while it cannot be
    /// asked.
    fn read(&mut self, from: u64, until: Option<u64>, events: usize, bytes: usize) -> Option<Page>;
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    pub events: Vec<StoredEvent>,
    /// Every event before this offset and from the asked one on is in `events`.
    pub next: u64,
}

#[derive(Debug)]
pub(crate) struct Buffer {
    pub events: Vec<StoredEvent>,
    bytes: usize,
    /// Where reading goes on.
    pub next: u64,
    first_at_ms: UnixMillis,
    /// `Source::version` before the read that found nothing more.
    level_with: Option<u64>,
}

impl Buffer {
    pub fn at(offset: u64) -> Self {
        Self { events: Vec::new(), bytes: 0, next: offset, first_at_ms: 0, level_with: None }
    }

    /// Reads what there is up to a full batch, or up to `until` whatever it takes.
    pub fn fill(&mut self, source: &mut dyn Source, batching: Batching, until: Option<u64>, now_ms: UnixMillis) {
        loop {
            if until.map_or_else(|| self.is_full(batching), |until| self.next >= until) {
                return;
            }
            let version = source.version();
            if self.level_with == Some(version) {
                return;
            }
            let events = batching.max_events.saturating_sub(self.events.len()).max(1);
            let bytes = batching.max_bytes.saturating_sub(self.bytes).max(1);
            let Some(page) = source.read(self.next, until, events, bytes) else { return };
            if page.next <= self.next {
                self.level_with = Some(version);
                return;
            }
            if self.events.is_empty() {
                self.first_at_ms = now_ms;
            }
            self.bytes += page.events.iter().map(StoredEvent::size).sum::<usize>();
            self.events.extend(page.events);
            self.next = page.next;
        }
    }

    fn is_full(&self, batching: Batching) -> bool {
        self.events.len() >= batching.max_events || self.bytes >= batching.max_bytes
    }

    pub fn is_due(&self, batching: Batching, now_ms: UnixMillis) -> bool {
        let waited_ms = now_ms - self.first_at_ms;
        // A clock that was set back says nothing about how long it was.
        let is_late = waited_ms < 0 || waited_ms >= batching.linger.as_millis() as i64;
        !self.events.is_empty() && (self.is_full(batching) || is_late)
    }

    pub fn take(&mut self) -> Vec<StoredEvent> {
        self.bytes = 0;
        std::mem::take(&mut self.events)
    }
}
