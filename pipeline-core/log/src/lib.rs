//! The durable log under both the intake log and the journal.
//!
//! # What it guarantees
//!
//! * **Acked is durable.** [`LogAppender::append`] completes only after `fdatasync` of the bytes.
//!   Waiting appends share one write and one sync (group commit).
//! * **A failed write or sync is final.** The log is poisoned: every waiting and later append fails.
//!   The kernel may have dropped the dirty pages, so a retry that succeeds would prove nothing.
//! * **A torn tail never reads as data.** Opening scans the newest segment, cuts it at the first record
//!   whose checksum fails, keeps the cut bytes beside it, and reports what it did ([`Recovery`]).
//! * **Offsets count events.** A record that holds `n` events takes `n` offsets, so the distance
//!   between a reader and the end is the number of events waiting.
//!
//! # What it does not do
//!
//! It does not know what a record holds, does not compress, and has one writer: the directory is
//! locked for the life of the process that opened it.
//!
//! # On disk
//!
//! `DIR/<first offset, 20 digits>-<first sequence, 16 digits>.segment`; a segment is at most 64 MiB unless one record is larger.
//!
//! ```text
//! segment header, 32 bytes   magic "WEIRLOG1" | first offset u64 | first sequence u64 | crc32c u32 of the 24 before | 0 u32
//! record header, 32 bytes    payload bytes u32 | crc32c u32 | offset u64 | sequence u64 | events u32 | 0 u32
//! payload
//! ```
//!
//! All integers are little endian. The checksum covers the length, the rest of the record header and the
//! payload. `sequence` numbers records without gaps, so a record that holds no event has an address too.

mod appender;
mod error;
mod filesystem;
mod format;
mod reader;
mod recovery;
mod segments;

pub use appender::{Durable, LogAppender};
pub use error::LogError;
pub use filesystem::{File, Filesystem, RealFilesystem};
pub use reader::{LogReader, Record};
pub use recovery::Recovery;
pub use segments::{Log, LogConfig, LogEnd};
