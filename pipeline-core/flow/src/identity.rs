//! Identity in the ordering that was chosen, and its way back from the store.

mod restore;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use weir_event::prepare::Profile;
use weir_event::{Ordering, ProjectId};
use weir_identity::{Arrival, Arrived, EventTime, IdentityEvent, Outcome};
use weir_store::{Restored, StoreWriter};

use crate::error::FlowError;
use crate::stored;

#[derive(Debug)]
pub enum Identity {
    Arrival(Box<Arrival>),
    EventTime(Box<EventTime>),
}

/// What identity says of an event.
#[derive(Debug)]
pub struct Applied {
    pub outcome: Outcome,
    /// First half of the SHA-256 of the event as captured; 0 where the order of events needs none.
    pub payload: u128,
    /// Offset of a stored event of the same uuid that counts no longer.
    pub replaces: Option<u64>,
}

impl Identity {
    pub fn restore(writer: &StoreWriter, restored: &Restored) -> Result<Self, FlowError> {
        match writer.ordering() {
            Ordering::Arrival => restore::arrival(writer, restored).map(Box::new).map(Self::Arrival),
            Ordering::EventTime => restore_event_time(writer, restored).map(Box::new).map(Self::EventTime),
        }
    }

    /// `None` for a repeat of an event that counts.
    pub fn apply(&mut self, event: IdentityEvent<'_>, data: &str, offset: u64) -> Option<Applied> {
        match self {
            Self::Arrival(identity) => Some(Applied { outcome: identity.apply(event), payload: 0, replaces: None }),
            Self::EventTime(identity) => {
                let payload = payload_of(data);
                match identity.apply(&event, payload, offset) {
                    Arrived::Counts { outcome, replaces } => Some(Applied { outcome: *outcome, payload, replaces }),
                    Arrived::Repeats => None,
                }
            }
        }
    }
}

fn payload_of(data: &str) -> u128 {
    let digest = Sha256::digest(data.as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    u128::from_be_bytes(half)
}

fn unreadable(error: serde_json::Error) -> FlowError {
    FlowError::Disagreement(format!("the store holds what is not JSON: {error}"))
}

/// The state is a fold over the events that count, so they are all looked at again; what comes out is in
/// the store already, but for the versions to go on from.
fn restore_event_time(writer: &StoreWriter, restored: &Restored) -> Result<EventTime, FlowError> {
    let mut identity = EventTime::default();
    writer.restore_counted_events::<FlowError>(|event| {
        let mut properties: Map<String, Value> = serde_json::from_str(&event.properties).map_err(unreadable)?;
        let is_full = event.person_mode == "full";
        identity.apply(
            &IdentityEvent {
                project: ProjectId(event.team_id),
                uuid: event.uuid,
                event: &event.event,
                distinct_id: &event.distinct_id,
                properties: &mut properties,
                timestamp_ms: event.timestamp_ms,
                received_at_ms: event.received_at_ms,
                profile: if is_full { Profile::Full } else { Profile::Propertyless },
            },
            event.payload,
            event.offset,
        );
        Ok(())
    })?;
    let versions = writer.newest_versions()?;
    identity.continue_versions(
        versions.persons.into_iter().map(|(project, uuid, version)| (ProjectId(project), uuid, version)).collect(),
        versions.distinct_ids.into_iter().map(|(project, id, version)| (ProjectId(project), id, version)).collect(),
    );
    identity.continue_group_versions(&stored::group_snapshot(restored));
    Ok(identity)
}
