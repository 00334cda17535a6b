//! The store: a DuckDB file that holds what the two logs say, and nothing else.
//!
//! # What it guarantees
//!
//! * **Exactly once.** Rows, the journal cursor and the ledger's totals commit in one transaction, so a
//!   crash leaves the store at a batch boundary and the projection goes on from its cursor.
//! * **It is disposable.** Nothing authoritative lives here. A file that is gone, damaged or of another
//!   schema is put aside and rebuilt from the logs to the same [digests](digest).
//! * **Readers never block ingestion.** One thread writes; queries run on connections of their own
//!   against a snapshot, with limits on time and rows, and cannot write, attach or read files.
//!
//! # Why this shape
//!
//! Tables only grow: a person's newest row is its current state, and views say so. There is no primary
//! key, because keeping one costs more than the insert itself and the cursor already excludes doubles.
//! Times are `TIMESTAMP` in UTC, because the zoned type needs an extension that is not linked.

mod append;
mod current;
mod digest;
mod error;
mod export;
mod kept_by_plugins;
mod lookup;
mod people;
mod query;
mod restore;
mod rows;
mod schema;
mod scratch;
mod sinks;
mod value;
mod windows;
mod writer;

pub use current::{Current, GroupNow, current};
pub use digest::digests;
pub use error::StoreError;
pub use export::{Exported, export, first_offset, pending};
pub use kept_by_plugins::plugin_storage_before;
pub use lookup::{
    CURSOR_COLUMNS, Redriven, committed, committed_offset, cursor, is_identified, meta_value, people_changes,
    project_number, project_tokens, redriven, redriven_by, stored_uuids,
};
pub use people::Holding;
pub use query::{QueryLimits, QueryPool};
pub use restore::{CountedEvent, Restored, Versions};
pub use rows::{
    Cursor, DeadLetterRow, DistinctIdRow, EventRow, GroupRow, GroupTypeRow, PersonRow, PluginLogRow, RowBatch,
    SinkFailureRow, SinkRow, StorageRow, WarningRow,
};
pub use scratch::Scratch;
pub use windows::{WINDOW_MS, Window, Windows, window_offsets, window_start, windows};
pub use writer::{StoreConfig, StoreWriter, open_read_only, probe};
