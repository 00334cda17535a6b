//! Persons from the store back into memory: one thread reads while another builds.

use std::sync::mpsc;
use std::thread;

use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::clock::UnixMillis;
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
    AtMost(usize, usize),
    Person { uuid: Uuid, created_at_ms: UnixMillis, is_identified: bool, version: u64, length: usize },
    Id { project: u32, person: Uuid, version: u64, length: usize },
}

impl Batch {
    fn push(&mut self, holding: Holding<'_>) {
        let (item, text) = match holding {
            Holding::AtMost(persons, ids) => (Item::AtMost(persons, ids), ""),
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
                Item::AtMost(persons, ids) => restoring.expect(persons, ids),
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
    let (filled, batches) = mpsc::sync_channel::<Batch>(QUEUE);
    let failed = |message: String| FlowError::Thread { name: "restore", message };
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("restore".into()).spawn_scoped(scope, move || {
            batches.into_iter().try_for_each(|batch| batch.build(&mut restoring)).map(|()| restoring.finish())
        });
        let builder = builder.map_err(|error| failed(error.to_string()))?;
        let mut batch = Batch::default();
        let read = writer.restore_people::<StoreError>(|holding| {
            batch.push(holding);
            if batch.items.len() == BATCH_ITEMS {
                // A builder that is gone says why when it is joined.
                filled.send(std::mem::take(&mut batch)).ok();
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
