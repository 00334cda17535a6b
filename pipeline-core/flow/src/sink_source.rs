//! The store as a sink reads it.

use std::sync::Arc;

use weir_sinks::{Page, Source};

use crate::ledger::Ledger;
use crate::store_handle::StoreHandle;

#[derive(Debug, Clone)]
pub struct StoreSource {
    pub store: Arc<StoreHandle>,
    pub ledger: Arc<Ledger>,
}

impl Source for StoreSource {
    fn version(&self) -> u64 {
        self.ledger.stored()
    }

    /// A store that is busy, being rebuilt or failing is asked again: the projection sees to it.
    fn read(&mut self, from: u64, until: Option<u64>, events: usize, bytes: usize) -> Option<Page> {
        let pool = self.store.pool().ok()?;
        match pool.try_with(|connection| weir_store::export(connection, from, until, events, bytes))? {
            Ok(exported) => Some(Page { events: exported.events, next: exported.next }),
            Err(error) => {
                tracing::debug!(%error, "a sink cannot read the store now");
                None
            }
        }
    }
}
