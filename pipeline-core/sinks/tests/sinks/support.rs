//! A store and a journal in memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use uuid::Uuid;
use weir_event::journal::{SinkCursor, SinkRecord};
use weir_event::{Clock, ManualClock, SeededRandom, StoredEvent};
use weir_sinks::{Backoff, CursorLog, Feed, JournalGone, Page, Progress, Sink, Source, Stop};

pub fn event(offset: u64) -> StoredEvent {
    StoredEvent { offset, event: "e".into(), properties: "{}".into(), ..StoredEvent::default() }
}

/// Rows of a store, committed up to an offset.
#[derive(Clone, Default)]
pub struct Rows {
    pub events: Arc<Mutex<Vec<StoredEvent>>>,
    pub committed: Arc<AtomicU64>,
}

impl Rows {
    pub fn commit(&self, offsets: impl IntoIterator<Item = u64>) {
        let mut events = self.events.lock().unwrap();
        for offset in offsets {
            events.push(event(offset));
            self.committed.store(offset + 1, Ordering::Release);
        }
    }
}

impl Source for Rows {
    fn version(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    fn read(&mut self, from: u64, until: Option<u64>, most: usize, _: usize) -> Option<Page> {
        let end = self.version().min(until.unwrap_or(u64::MAX));
        let all = self.events.lock().unwrap();
        let mut page = Page { events: Vec::new(), next: from };
        for event in all.iter().filter(|event| event.offset >= from && event.offset < end) {
            if page.events.len() >= most && page.events.last().is_some_and(|last| last.offset != event.offset) {
                return Some(page);
            }
            page.next = event.offset + 1;
            page.events.push(event.clone());
        }
        page.next = page.next.max(end);
        Some(page)
    }
}

/// What is durable.
#[derive(Clone, Default)]
pub struct Cursors(pub Arc<Mutex<Vec<SinkCursor>>>);

impl Cursors {
    pub fn newest(&self) -> SinkCursor {
        self.0.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

impl CursorLog for Cursors {
    fn record(&mut self, cursor: &SinkCursor) -> Result<(), JournalGone> {
        self.0.lock().unwrap().push(cursor.clone());
        Ok(())
    }
}

pub struct Running {
    pub stop: Stop,
    pub progress: Arc<Progress>,
    thread: JoinHandle<()>,
}

impl Running {
    pub fn stop(self) {
        self.stop.stop();
        self.thread.join().unwrap();
    }
}

pub fn start(
    sink: Box<dyn Sink>,
    rows: &Rows,
    cursors: &Cursors,
    clock: &Arc<ManualClock>,
    max_attempts: Option<u32>,
) -> Running {
    let record = SinkRecord {
        name: "s".into(),
        id: Uuid::from_u128(1),
        kind: "test".into(),
        target: String::new(),
        start: 0,
        max_attempts,
    };
    let cursor = cursors.newest();
    let progress = Arc::new(Progress::new(&record, &cursor));
    let stop = Stop::default();
    let feed = Feed {
        record,
        cursor,
        sink,
        source: Box::new(rows.clone()),
        log: Box::new(cursors.clone()),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        backoff: Backoff::new(Box::new(SeededRandom::new(1))),
        progress: Arc::clone(&progress),
        stop: stop.clone(),
    };
    Running { stop, progress, thread: std::thread::Builder::new().spawn(move || feed.run()).unwrap() }
}

/// Polls until `ready` gives something; the limit is only there to fail instead of hanging.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "waited for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
