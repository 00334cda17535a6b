//! A vector in pieces: it grows without copying what it holds, which at a million entries would stall the
//! pipeline and need the memory twice.

use std::ops::{Index, IndexMut};

const PIECE: usize = 1 << 16;

#[derive(Debug)]
pub struct List<T>(Vec<Vec<T>>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> List<T> {
    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * PIECE + last.len())
    }

    /// Returns where it is.
    pub fn push(&mut self, item: T) -> u32 {
        let at = self.len() as u32;
        if let Some(last) = self.0.last_mut().filter(|last| last.len() < PIECE) {
            last.push(item);
        } else {
            // A small list stays small; a later piece will be filled.
            let mut piece = Vec::with_capacity(if self.0.is_empty() { 1 } else { PIECE });
            piece.push(item);
            self.0.push(piece);
        }
        at
    }

    pub fn get(&self, at: u32) -> Option<&T> {
        self.0.get(at as usize / PIECE)?.get(at as usize % PIECE)
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

impl<T> Index<u32> for List<T> {
    type Output = T;

    fn index(&self, at: u32) -> &T {
        &self.0[at as usize / PIECE][at as usize % PIECE]
    }
}

impl<T> IndexMut<u32> for List<T> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        &mut self.0[at as usize / PIECE][at as usize % PIECE]
    }
}
