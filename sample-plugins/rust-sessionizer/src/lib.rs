//! Sessions from pauses. One value in storage for each person: the session that is open.
//!
//! Events of one person come in order of arrival, not of time: one that is late belongs to the open session
//! when it is not too far before it, and otherwise to none.

mod instant;

use serde::{Deserialize, Serialize};
use weir_plugin::{Event, Meta, Plugin, PluginError, capture, storage};

const ENDED: &str = "session ended";

struct Sessionizer {
    pause_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct Session {
    id: String,
    first_ms: i64,
    last_ms: i64,
    events: u64,
}

impl Session {
    fn begin(distinct_id: &str, at_ms: i64) -> Self {
        Self { id: id(distinct_id, at_ms), first_ms: at_ms, last_ms: at_ms, events: 0 }
    }

    fn report(&self, distinct_id: &str) {
        capture(ENDED)
            .distinct_id(distinct_id)
            .property("session_id", self.id.as_str())
            .property("seconds", (self.last_ms - self.first_ms) / 1000)
            .property("events", self.events)
            .send();
    }
}

impl Plugin for Sessionizer {
    fn new(meta: &Meta) -> Result<Self, PluginError> {
        let text = meta.config("pause_minutes").unwrap_or("30");
        let minutes: f64 = text
            .parse()
            .map_err(|_| PluginError::new(format!("pause_minutes is {text:?}, which is no number of minutes")))?;
        if !(minutes > 0.0 && minutes.is_finite()) {
            return Err(PluginError::new(format!("pause_minutes is {text}; it has to be more than 0")));
        }
        Ok(Self { pause_ms: (minutes * 60_000.0) as i64 })
    }

    fn process_event(&mut self, mut event: Event) -> Result<Option<Event>, PluginError> {
        let time = event.timestamp().and_then(instant::milliseconds);
        let (Some(at_ms), false) = (time, event.name() == ENDED) else { return Ok(Some(event)) };
        let distinct_id = event.distinct_id().to_owned();
        let key = format!("session:{distinct_id}");

        let mut session = match storage::get::<Session>(&key)? {
            None => Session::begin(&distinct_id, at_ms),
            Some(open) if at_ms < open.first_ms - self.pause_ms => return Ok(Some(event)),
            Some(open) if at_ms > open.last_ms + self.pause_ms => {
                open.report(&distinct_id);
                Session::begin(&distinct_id, at_ms)
            }
            Some(open) => open,
        };
        session.first_ms = session.first_ms.min(at_ms);
        session.last_ms = session.last_ms.max(at_ms);
        session.events += 1;
        event.set_property("session_id", session.id.as_str());
        event.set_property("session_event", session.events);
        storage::set(&key, &session)?;
        Ok(Some(event))
    }
}

/// The same for the same person and moment, so that a replay gives the same sessions.
fn id(distinct_id: &str, at_ms: i64) -> String {
    let bytes = distinct_id.bytes().chain(at_ms.to_le_bytes());
    // FNV-1a.
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

weir_plugin::plugin!(Sessionizer);
