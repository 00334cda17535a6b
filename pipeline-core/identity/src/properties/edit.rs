//! Changes to one person's properties, made in one pass over them.
//!
//! Opening notes for every name where its entry is, in a table that all edits share, so that each change
//! finds its entry at once however many there are. Only what differs is written, and only in the end.

use serde_json::Value;
use weir_event::sabotage::{Bug, strikes};

use super::names::{Names, write_text};
use super::values::write_varint;
use super::{Properties, entries};

#[derive(Debug)]
pub(super) struct Edit<'a> {
    packed: &'a [u8],
    names: &'a mut Names,
    work: WorkSpace,
}

/// Memory that edits take turns with.
#[derive(Debug, Default)]
pub(super) struct WorkSpace {
    /// By name: the edit that noted it, and the entry's index.
    marks: Vec<(u32, u32)>,
    edit: u32,
    entries: Vec<Entry>,
    /// Packed values that were set.
    fresh: Vec<u8>,
    text: String,
}

impl WorkSpace {
    pub fn take_bytes(&mut self) -> Vec<u8> {
        self.fresh.clear();
        std::mem::take(&mut self.fresh)
    }

    pub fn put_bytes(&mut self, bytes: Vec<u8>) {
        self.fresh = bytes;
    }
}

type Place = (u32, u32);

#[derive(Debug, Clone, Copy)]
struct Entry {
    name: u32,
    /// Where the value was before.
    before: Option<Place>,
    now: Now,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    Kept,
    Fresh(Place),
    Gone,
}

impl<'a> Edit<'a> {
    pub fn open(packed: &'a [u8], names: &'a mut Names) -> Self {
        let mut work = std::mem::take(&mut names.work_space);
        work.entries.clear();
        work.fresh.clear();
        if work.edit == u32::MAX {
            (work.marks, work.edit) = (Vec::new(), 0);
        }
        work.edit += 1;
        work.marks.resize(names.count(), (0, 0));
        for (name, start, end) in entries(packed) {
            work.marks[name as usize] = (work.edit, work.entries.len() as u32);
            work.entries.push(Entry { name, before: Some((start as u32, end as u32)), now: Now::Kept });
        }
        Self { packed, names, work }
    }

    pub fn set_once(&mut self, name: &str, value: &Value) {
        let name = self.names.number(name);
        if let Some(at) = self.entry(name) {
            if strikes(Bug::SetOnceAgain) {
                self.work.entries[at].now = self.write(value);
            }
        } else {
            self.add(name, value);
        }
    }

    pub fn set(&mut self, name: &str, value: &Value) {
        let name = self.names.number(name);
        let Some(at) = self.entry(name) else { return self.add(name, value) };
        if strikes(Bug::StaleSet) {
            return;
        }
        let Entry { before, now, .. } = self.work.entries[at];
        let mut text = std::mem::take(&mut self.work.text);
        let was = before.map(|place| part(self.packed, place));
        let is_same =
            |known: Option<&[u8]>, text: &mut String| known.is_some_and(|known| self.names.is_same(known, value, text));
        let now = match now {
            Now::Fresh(place) if is_same(Some(part(&self.work.fresh, place)), &mut text) => Some(now),
            _ if is_same(was, &mut text) => Some(Now::Kept),
            _ => None,
        };
        self.work.text = text;
        self.work.entries[at].now = now.unwrap_or_else(|| self.write(value));
    }

    /// As [`Edit::set`], in the spelling of the newest.
    pub fn put(&mut self, name: &str, value: &Value) {
        let name = self.names.number(name);
        match self.entry(name) {
            Some(at) => self.work.entries[at].now = self.write(value),
            None => self.add(name, value),
        }
    }

    pub fn remove(&mut self, name: &str) {
        if let Some(at) = self.names.known(name).and_then(|name| self.entry(name))
            && !strikes(Bug::IgnoreUnset)
        {
            self.work.entries[at].now = Now::Gone;
        }
    }

    /// The properties, if they are others than before: what was set and unset again is no change.
    pub fn finish(self) -> Option<Properties> {
        let Self { packed, names, work } = self;
        let is_change = |entry: &Entry| match entry.now {
            Now::Kept => false,
            Now::Fresh(_) => true,
            Now::Gone => entry.before.is_some(),
        };
        let changed = work.entries.iter().any(is_change).then(|| {
            let mut bytes = Vec::with_capacity(packed.len() + work.fresh.len() + 5 * work.entries.len());
            for Entry { name, before, now } in &work.entries {
                let value = match (now, before) {
                    (Now::Kept, Some(place)) => part(packed, *place),
                    (Now::Fresh(place), _) => part(&work.fresh, *place),
                    (Now::Kept, None) | (Now::Gone, _) => continue,
                };
                write_varint(&mut bytes, *name);
                bytes.extend_from_slice(value);
            }
            // A copy, because shrinking in place would keep what is left over.
            Properties(bytes.as_slice().into())
        });
        names.work_space = work;
        changed
    }

    fn entry(&self, name: u32) -> Option<usize> {
        let (edit, at) = *self.work.marks.get(name as usize)?;
        let at = at as usize;
        (edit == self.work.edit && self.work.entries[at].now != Now::Gone).then_some(at)
    }

    fn add(&mut self, name: u32, value: &Value) {
        let now = self.write(value);
        self.work.marks.resize(self.names.count(), (0, 0));
        self.work.marks[name as usize] = (self.work.edit, self.work.entries.len() as u32);
        self.work.entries.push(Entry { name, before: None, now });
    }

    fn write(&mut self, value: &Value) -> Now {
        write_text(value, &mut self.work.text);
        let start = self.work.fresh.len() as u32;
        self.names.pack(&self.work.text, &mut self.work.fresh);
        Now::Fresh((start, self.work.fresh.len() as u32))
    }
}

fn part(bytes: &[u8], (start, end): Place) -> &[u8] {
    &bytes[start as usize..end as usize]
}
