//! Persons from the store back into memory: one thread reads while another builds.

use std::thread;

use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::clock::UnixMillis;
use weir_event::queue::bounded;
use weir_identity::{Arrival, KnownId, KnownPerson, Restoring};
use weir_store::{Holding, Restored, StoreError, StoreWriter};

use super::unreadable;
use crate::error::FlowError;
use crate::stored;

const BATCH_ITEMS: usize = 1_024;
/// Batches that wait for the thread that builds.
const QUEUE: usize = 8;

/// What was read, with all its texts in one.
#[derive(Debug, Default)]
struct Batch {
    items: Vec<Item>,
    texts: String,
}

#[derive(Debug)]
enum Item {
    AtMostIds(usize),
    Person { uuid: Uuid, created_at_ms: UnixMillis, is_identified: bool, version: u64, length: usize },
    Id { project: u32, person: Uuid, version: u64, length: usize },
}

impl Batch {
    fn push(&mut self, holding: Holding<'_>) {
        let (item, text) = match holding {
            Holding::AtMostIds(count) => (Item::AtMostIds(count), ""),
            Holding::Person { id: uuid, created_at_ms, properties, is_identified, version } => {
                let length = properties.len();
                (Item::Person { uuid, created_at_ms, is_identified, version, length }, properties)
            }
            Holding::Id { team_id: project, distinct_id, person_id: person, version } => {
                (Item::Id { project, person, version, length: distinct_id.len() }, distinct_id)
            }
        };
        self.items.push(item);
        self.texts.push_str(text);
    }

    fn build(self, restoring: &mut Restoring) -> Result<(), serde_json::Error> {
        let mut rest = self.texts.as_str();
        let mut next = |length| {
            let (text, after) = rest.split_at(length);
            rest = after;
            text
        };
        for item in self.items {
            match item {
                Item::AtMostIds(count) => restoring.expect_ids(count),
                Item::Person { uuid, created_at_ms, is_identified, version, length } => {
                    let properties = next(length);
                    restoring.person(KnownPerson { uuid, created_at_ms, properties, is_identified, version })?;
                }
                Item::Id { project, person, version, length } => {
                    let (project, distinct_id) = (ProjectId(project), next(length));
                    restoring.id(KnownId { project, distinct_id, person, version });
                }
            }
        }
        Ok(())
    }
}

pub fn arrival(writer: &StoreWriter, restored: &Restored) -> Result<Arrival, FlowError> {
    let mut restoring = Restoring::new(stored::group_snapshot(restored)).map_err(unreadable)?;
    let (filled, batches) = bounded::<Batch>("restore", QUEUE);
    let failed = |message: String| FlowError::Thread { name: "restore", message };
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("restore".into()).spawn_scoped(scope, move || {
            batches.iter().try_for_each(|batch| batch.build(&mut restoring)).map(|()| restoring.finish())
        });
        let builder = builder.map_err(|error| failed(error.to_string()))?;
        let mut batch = Batch::default();
        let next = |last: &Batch| Batch {
            items: Vec::with_capacity(BATCH_ITEMS),
            texts: String::with_capacity(last.texts.len() + last.texts.len() / 8),
        };
        let read = writer.restore_people::<StoreError>(|holding| {
            batch.push(holding);
            if batch.items.len() == BATCH_ITEMS {
                // A builder that is gone says why when it is joined.
                let empty = next(&batch);
                filled.send(std::mem::replace(&mut batch, empty)).ok();
            }
            Ok(())
        });
        filled.send(batch).ok();
        drop(filled);
        let built = builder.join().map_err(|_| failed("it panicked".into()))?;
        read?;
        built.map_err(unreadable)
    })
}
