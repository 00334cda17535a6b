//! The store as queries see it: there, or being rebuilt.

use std::sync::{Arc, PoisonError, RwLock};

use weir_store::{QueryPool, StoreError};

/// What the store is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreState {
    Opening,
    CatchingUp,
    Rebuilding,
    Ready,
}

impl StoreState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::CatchingUp => "catching up",
            Self::Rebuilding => "rebuilding",
            Self::Ready => "ready",
        }
    }
}

#[derive(Debug)]
pub struct StoreHandle {
    inner: RwLock<(StoreState, Option<Arc<QueryPool>>)>,
}

impl Default for StoreHandle {
    fn default() -> Self {
        Self { inner: RwLock::new((StoreState::Opening, None)) }
    }
}

impl StoreHandle {
    pub fn set(&self, state: StoreState, pool: Option<Arc<QueryPool>>) {
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = (state, pool);
    }

    pub fn set_state(&self, state: StoreState) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).0 = state;
    }

    pub fn state(&self) -> StoreState {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Connections to a store that can be read, even while it catches up.
    pub fn pool(&self) -> Result<Arc<QueryPool>, StoreError> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).1.clone().ok_or(StoreError::Rebuilding)
    }
}
