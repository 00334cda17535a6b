//! A bounded buffer: the newest `capacity` items, oldest first.

use std::collections::VecDeque;

#[derive(Debug, Clone)]
pub struct Ring<T> {
    items: VecDeque<T>,
    capacity: usize,
    /// Items ever pushed, so that a reader can tell how many it has not seen.
    pushed: u64,
}

impl<T> Ring<T> {
    pub fn new(capacity: usize) -> Self {
        Self { items: VecDeque::with_capacity(capacity), capacity, pushed: 0 }
    }

    pub fn push(&mut self, item: T) {
        if self.items.len() == self.capacity {
            self.items.pop_front();
        }
        self.items.push_back(item);
        self.pushed += 1;
    }

    pub fn clear(&mut self) {
        self.items.clear();
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub const fn pushed(&self) -> u64 {
        self.pushed
    }

    pub fn newest(&self) -> Option<&T> {
        self.items.back()
    }

    pub fn oldest_first(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.items.iter()
    }

    pub fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.items.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_and_counts_all() {
        let mut ring = Ring::new(3);
        for item in 1..=5 {
            ring.push(item);
        }
        assert_eq!(ring.newest_first().copied().collect::<Vec<_>>(), [5, 4, 3]);
        assert_eq!(ring.oldest_first().copied().collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!((ring.len(), ring.pushed(), ring.newest()), (3, 5, Some(&5)));
    }

    #[test]
    fn clearing_does_not_forget_how_many_came() {
        let mut ring = Ring::new(2);
        ring.push('a');
        ring.clear();
        assert!(ring.is_empty());
        assert_eq!(ring.pushed(), 1);
    }
}
