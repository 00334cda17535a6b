//! Persons and distinct ids as they must be now against those that the store wrote down.

use std::collections::HashMap;

use uuid::Uuid;
use weir_event::clock::UnixMillis;
use weir_oracle::PersonChanges;
use weir_store::{DistinctIdRow, PersonRow};

use super::compare::Differences;
use super::tally::{Place, Tally};

/// Compares what changed within a range of offsets: in the model, and by the newest row of each in the store.
pub fn persons(tally: &mut Tally, at_ms: UnixMillis, project: u32, changes: PersonChanges, rows: &mut People) {
    for (uuid, expected) in changes.persons {
        let row = rows.persons.remove(&(project, uuid));
        let mut differences = Differences::default();
        let is_merge = expected.is_none();
        match (&expected, &row) {
            (Some(expected), Some(row)) => {
                differences.field("is_deleted", false, row.is_deleted);
                differences.field("is_identified", expected.is_identified, row.is_identified);
                differences.field("created_at", expected.created_at_ms, row.created_at_ms);
                differences.field("version", expected.version, row.version);
                differences.properties("properties", &expected.properties, &row.properties);
            }
            (None, Some(row)) => differences.field("is_deleted", true, row.is_deleted),
            // Made and merged away before anybody wrote it down.
            (None, None) => {}
            (Some(expected), None) => {
                differences.field("version", expected.version, "as it was");
            }
        }
        let is_right = differences.0.is_empty();
        let count = match (is_merge, is_right) {
            (false, true) => &mut tally.state.persons_right,
            (false, false) => &mut tally.state.persons_wrong,
            (true, true) => &mut tally.state.merges_right,
            (true, false) => &mut tally.state.merges_wrong,
        };
        *count += 1;
        let offset = row.map_or(rows.until_offset.saturating_sub(1), |row| row.offset);
        let kind = if is_merge { "merge" } else { "person" };
        let text = uuid.to_string();
        for (field, expected, found) in differences.0 {
            let place = Place { offset, project, uuid: &text, distinct_id: "" };
            tally.differs(at_ms, kind, &field, place, (expected, found));
        }
    }
    for expected in changes.distinct_ids {
        let row = rows.distinct_ids.remove(&(project, expected.distinct_id.clone()));
        let mut differences = Differences::default();
        match &row {
            Some(row) => {
                differences.field("person", expected.person, row.person_id);
                differences.field("version", expected.version, row.version);
                differences.field("is_deleted", false, row.is_deleted);
            }
            None => differences.field("person", expected.person, "as it was"),
        }
        let is_right = differences.0.is_empty();
        *(if is_right { &mut tally.state.distinct_ids_right } else { &mut tally.state.distinct_ids_wrong }) += 1;
        let offset = row.map_or(rows.until_offset.saturating_sub(1), |row| row.offset);
        let text = expected.person.to_string();
        for (field, wanted, found) in differences.0 {
            let place = Place { offset, project, uuid: &text, distinct_id: &expected.distinct_id };
            tally.differs(at_ms, "distinct_id", &field, place, (wanted, found));
        }
    }
}

/// Changes that the store has and the model does not.
pub fn unexpected(tally: &mut Tally, at_ms: UnixMillis, rows: People, is_watched: impl Fn(u32) -> bool) {
    for ((project, uuid), row) in rows.persons.into_iter().filter(|((project, _), _)| is_watched(*project)) {
        tally.state.persons_wrong += 1;
        let text = uuid.to_string();
        let place = Place { offset: row.offset, project, uuid: &text, distinct_id: "" };
        tally.differs(at_ms, "person", "version", place, ("as it was".into(), row.version.to_string()));
    }
    for ((project, id), row) in rows.distinct_ids.into_iter().filter(|((project, _), _)| is_watched(*project)) {
        tally.state.distinct_ids_wrong += 1;
        let text = row.person_id.to_string();
        let place = Place { offset: row.offset, project, uuid: &text, distinct_id: &id };
        tally.differs(at_ms, "distinct_id", "person", place, ("as it was".into(), text.clone()));
    }
}

/// The newest rows of a range of offsets.
#[derive(Debug, Default)]
pub struct People {
    pub persons: HashMap<(u32, Uuid), PersonRow>,
    pub distinct_ids: HashMap<(u32, String), DistinctIdRow>,
    pub until_offset: u64,
}
