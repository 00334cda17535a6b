//! A directory of Parquet files, one a batch.
//!
//! # What it guarantees
//!
//! A file is there whole or not at all: it is written beside, synced and renamed. A repeated batch has
//! the same offsets and so the same name, and takes the place of the first.
//!
//! # On disk
//!
//! `DIR/<first offset>-<end>.<id of the sink, 8 digits>.parquet`, Snappy, one row an event. JSON columns
//! and uuids are text, times are milliseconds in UTC.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray, UInt64Array};
use arrow_schema::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use uuid::Uuid;
use weir_event::StoredEvent;
use weir_event::stored::GROUP_SLOTS;

use crate::batch::{Batch, Batching, Delivery, Sink};
use crate::stop::Stop;

/// A small file costs a reader more than a short wait costs anybody.
const LINGER: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Arrow(#[from] ArrowError),
    #[error("{0}")]
    Parquet(#[from] ParquetError),
}

#[derive(Debug)]
pub struct ParquetSink {
    dir: PathBuf,
    suffix: String,
}

impl ParquetSink {
    pub fn new(dir: impl Into<PathBuf>, id: Uuid) -> Self {
        Self { dir: dir.into(), suffix: format!(".{}.parquet", &id.simple().to_string()[..8]) }
    }

    fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        fs::create_dir_all(&self.dir)?;
        let name = format!("{:020}-{:020}{}", batch.first_offset, batch.until_offset, self.suffix);
        let partial = self.dir.join(format!(".{name}.partial"));
        let rows = columns(&batch.events)?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer = ArrowWriter::try_new(File::create(&partial)?, rows.schema(), Some(properties))?;
        writer.write(&rows)?;
        writer.into_inner()?.sync_all()?;
        fs::rename(&partial, self.dir.join(name))?;
        File::open(&self.dir)?.sync_all()?;
        Ok(())
    }
}

fn columns(events: &[StoredEvent]) -> Result<RecordBatch, ArrowError> {
    let text = |of: &dyn Fn(&StoredEvent) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(events.iter().map(of)))
    };
    let time = |of: &dyn Fn(&StoredEvent) -> i64| -> ArrayRef {
        Arc::new(TimestampMillisecondArray::from_iter_values(events.iter().map(of)).with_timezone("UTC"))
    };
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("uuid".into(), text(&|event| &event.uuid)),
        ("event".into(), text(&|event| &event.event)),
        ("properties".into(), text(&|event| &event.properties)),
        ("timestamp".into(), time(&|event| event.timestamp_ms)),
        ("team_id".into(), Arc::new(Int64Array::from_iter_values(events.iter().map(|event| event.team_id)))),
        ("distinct_id".into(), text(&|event| &event.distinct_id)),
        ("elements_chain".into(), text(&|event| &event.elements_chain)),
        ("created_at".into(), time(&|event| event.created_at_ms)),
        ("person_id".into(), text(&|event| &event.person_id)),
        ("person_created_at".into(), time(&|event| event.person_created_at_ms)),
        ("person_properties".into(), text(&|event| &event.person_properties)),
        ("person_mode".into(), text(&|event| &event.person_mode)),
    ];
    for slot in 0..GROUP_SLOTS {
        columns.push((format!("group{slot}_properties"), text(&|event| &event.groups[slot].0)));
        columns.push((format!("group{slot}_created_at"), time(&|event| event.groups[slot].1)));
    }
    columns.push(("plugins".into(), text(&|event| &event.plugins)));
    columns.push(("_timestamp".into(), time(&|event| event.received_at_ms)));
    columns.push(("_offset".into(), Arc::new(UInt64Array::from_iter_values(events.iter().map(|event| event.offset)))));
    RecordBatch::try_from_iter(columns)
}

impl Sink for ParquetSink {
    fn batching(&self) -> Batching {
        Batching { max_events: 50_000, max_bytes: 64 << 20, linger: LINGER }
    }

    fn deliver(&mut self, batch: &Batch, _: &Stop) -> Delivery {
        match self.write(batch) {
            Ok(()) => Delivery::delivered(),
            Err(error) => Delivery::retry(format!("cannot write to {}: {error}", self.dir.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    #[test]
    fn a_batch_is_one_file_and_a_repetition_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = ParquetSink::new(dir.path(), Uuid::from_u128(1 << 120));
        let event = |offset| StoredEvent {
            offset,
            event: format!("e{offset}"),
            properties: r#"{"a":1}"#.into(),
            timestamp_ms: 1_700_000_000_123,
            ..StoredEvent::default()
        };
        let batch = Batch { first_offset: 3, until_offset: 9, events: (3..8).map(event).collect(), ..Batch::default() };
        for _ in 0..2 {
            assert_eq!(sink.deliver(&batch, &Stop::default()), Delivery::delivered());
        }
        let paths: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(paths.len(), 1, "{paths:?}");
        assert!(paths[0].to_str().unwrap().contains("/00000000000000000003-00000000000000000009."));
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&paths[0]).unwrap()).unwrap();
        let rows: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0], columns(&batch.events).unwrap());
        let names = rows[0].column_by_name("event").unwrap().as_string::<i32>();
        assert_eq!(names.iter().flatten().collect::<Vec<_>>(), ["e3", "e4", "e5", "e6", "e7"]);
    }
}
