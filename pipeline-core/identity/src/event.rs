//! What identity needs of an event, and what it says about it.

use serde_json::{Map, Value};
use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::clock::UnixMillis;
use weir_event::prepare::Profile;

use crate::rows::Changes;

#[derive(Debug)]
pub struct IdentityEvent<'a> {
    pub project: ProjectId,
    pub uuid: Uuid,
    pub event: &'a str,
    pub distinct_id: &'a str,
    /// `$group_0` to `$group_4` are added for the groups it names.
    pub properties: &'a mut Map<String, Value>,
    pub timestamp_ms: UnixMillis,
    /// The `now` of the event's request.
    pub received_at_ms: UnixMillis,
    pub profile: Profile,
}

/// How the event was treated (the names of PostHog's `person_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonMode {
    Full,
    Propertyless,
    /// It asked for no person, but its id has had one for over a minute.
    ForceUpgrade,
}

impl PersonMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Propertyless => "propertyless",
            Self::ForceUpgrade => "force_upgrade",
        }
    }
}

/// The person of the event after it, and the rows that changed.
#[derive(Debug)]
pub struct Outcome {
    pub person: Uuid,
    pub person_created_at_ms: UnixMillis,
    pub is_identified: bool,
    /// The person's properties with the event's own `$set` on top, as JSON text.
    pub person_properties: String,
    pub person_mode: PersonMode,
    /// JSON text `{"<slot>": [properties, created_at_ms]}` of the groups it is in; `None` without any.
    pub groups: Option<String>,
    pub changes: Changes,
}
