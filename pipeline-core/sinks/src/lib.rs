//! What happens to an event after it is stored: it is handed to sinks, each at its own pace.
//!
//! [`Feed`] drives one sink: it gathers stored events into batches, delivers them, tries again, and makes
//! the sink's cursor durable before the next batch. [`Sink`] is what a destination has to do; [`open`]
//! makes the built-in ones (`jsonl`, `parquet`, `http`). Where events come from and where cursors go is
//! behind [`Source`] and [`CursorLog`]: nothing here knows the store or the journal.

mod backoff;
mod batch;
mod error;
mod feed;
mod gather;
mod http;
mod jsonl;
mod kind;
mod parquet;
mod progress;
mod stop;

pub use backoff::Backoff;
pub use batch::{Batch, Batching, Delivery, Rejected, Sink};
pub use error::SinkError;
pub use feed::{CursorLog, Feed, JournalGone};
pub use gather::{Page, Source};
pub use http::HttpSink;
pub use jsonl::JsonlSink;
pub use kind::{SinkKind, check_target, open};
pub use parquet::ParquetSink;
pub use progress::Progress;
pub use stop::Stop;
