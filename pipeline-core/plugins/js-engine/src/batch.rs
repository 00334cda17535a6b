//! The batch in hand, as the functions of the host see it.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use crate::event_text;
use crate::weir::plugin::report::{Outcome, finished};
use crate::weir::plugin::types::Event;

#[derive(Default)]
pub struct Batch {
    events: RefCell<Vec<Event>>,
    /// Where the properties of the events that were begun are.
    properties: RefCell<Vec<Option<Range<usize>>>>,
    reported: RefCell<Vec<bool>>,
    unreported: Cell<usize>,
}

impl Batch {
    pub fn open(&self, events: Vec<Event>) {
        self.reported.replace(vec![false; events.len()]);
        self.properties.replace(vec![None; events.len()]);
        self.unreported.set(events.len());
        self.events.replace(events);
    }

    pub fn close(&self) {
        self.events.take();
        self.properties.take();
        self.reported.take();
    }

    pub fn len(&self) -> usize {
        self.reported.borrow().len()
    }

    pub fn order_key(&self, index: usize) -> u64 {
        self.events.borrow().get(index).map_or(0, |event| event.order_key)
    }

    pub fn is_reported(&self, index: usize) -> bool {
        self.reported.borrow().get(index).copied().unwrap_or(true)
    }

    pub fn is_done(&self) -> bool {
        self.unreported.get() == 0
    }

    /// The event without its properties (0 in their place) when they can be read later, else whole.
    pub fn head(&self, index: usize) -> (String, bool) {
        let events = self.events.borrow();
        let Some(event) = events.get(index) else { return (String::new(), false) };
        let Some(range) = event_text::properties(&event.text) else { return (event.text.clone(), false) };
        let mut head = String::with_capacity(event.text.len() - range.len() + 1);
        head.push_str(&event.text[..range.start]);
        head.push('0');
        head.push_str(&event.text[range.end..]);
        if let Some(place) = self.properties.borrow_mut().get_mut(index) {
            *place = Some(range);
        }
        (head, true)
    }

    pub fn properties(&self, index: usize) -> String {
        let range = self.properties.borrow().get(index).cloned().flatten();
        let events = self.events.borrow();
        let text = range.and_then(|range| events.get(index).map(|event| event.text[range].to_owned()));
        text.unwrap_or_else(|| "{}".to_owned())
    }

    /// Each event once: a plugin's leftovers from an earlier batch change nothing.
    pub fn report(&self, index: u32, outcome: Outcome) {
        let place = index as usize;
        match self.reported.borrow_mut().get_mut(place) {
            Some(reported) if !*reported => *reported = true,
            _ => return,
        }
        self.unreported.set(self.unreported.get() - 1);
        let is_same = match &outcome {
            Outcome::Passed(text) => self.events.borrow().get(place).is_some_and(|event| event.text == *text),
            _ => false,
        };
        finished(index, &if is_same { Outcome::Unchanged } else { outcome });
    }
}
